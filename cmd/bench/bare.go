package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
)

// bareRequest is the body that paylinks sends for a row of a generated file; a test holds the two together. It shares no
// type with paylinks, so that it stays as it is when paylinks becomes slower.
type bareRequest struct {
	Amount    json.Number `json:"originalAmount"`
	Currency  string      `json:"originalCurrency"`
	Email     string      `json:"customerEmail"`
	Reference string      `json:"merchantReferenceId"`
	Items     []bareItem  `json:"priceDataList"`
}

type bareItem struct {
	Name       string      `json:"name"`
	Quantity   int         `json:"quantity"`
	UnitAmount json.Number `json:"unitAmount"`
	Currency   string      `json:"currency"`
}

// bareWorkers is the concurrency of [fullSpeed].
const bareWorkers = 64

func newBare() *cobra.Command {
	return &cobra.Command{
		Use:    "bare FILE URL",
		Short:  "Send the file's requests and keep nothing: the loop that paylinks is compared with",
		Hidden: true,
		Args:   cobra.ExactArgs(2),
		RunE:   func(cmd *cobra.Command, args []string) error { return sendBare(cmd.Context(), args[0], args[1]) },
	}
}

// sendBare posts a request for each row of a generated file: no check, no record, no pace, nothing sent again. The first
// answer that is not 200 ends it.
func sendBare(ctx context.Context, path, url string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	client := &http.Client{
		Transport: &http.Transport{MaxIdleConns: bareWorkers, MaxIdleConnsPerHost: bareWorkers, DisableCompression: true},
		Timeout:   30 * time.Second,
	}
	records := make(chan []string, bareWorkers)
	loop, ctx := errgroup.WithContext(ctx)
	loop.Go(func() error {
		defer close(records)
		return readRecords(ctx, file, records)
	})
	for range bareWorkers {
		loop.Go(func() error {
			for record := range records {
				if err := post(ctx, client, url+"/checkout/session", record); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return loop.Wait()
}

// readRecords reads the rows below the header.
func readRecords(ctx context.Context, from io.Reader, into chan<- []string) error {
	rows := csv.NewReader(from)
	for n := 0; ; n++ {
		record, err := rows.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if n == 0 {
			continue
		}
		select {
		case into <- record:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// bodyOf is the request for a row of a generated file.
func bodyOf(record []string) ([]byte, error) {
	amount := json.Number(record[1])
	return json.Marshal(bareRequest{
		Amount: amount, Currency: record[2], Email: record[3], Reference: record[0],
		Items: []bareItem{{Name: record[4], Quantity: 1, UnitAmount: amount, Currency: record[2]}},
	})
}

func post(ctx context.Context, client *http.Client, url string, record []string) error {
	body, err := bodyOf(record)
	if err != nil {
		return err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", "paylinks/bare")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Timestamp", strconv.FormatInt(time.Now().UnixMilli(), 10))
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if _, err := io.Copy(io.Discard, answer.Body); err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", record[0], answer.Status)
	}
	return nil
}

// bareRun sends the file by the bare loop.
func (b *bench) bareRun(ctx context.Context, in input, at *server) (ended, error) {
	return b.counted(ctx, command{program: b.self, args: []string{"bare", in.path, at.url}}, at, in.rows)
}

// counted runs a peer that sends; it is an error if the server has not made exactly so many sessions.
func (b *bench) counted(ctx context.Context, c command, at *server, sends int) (ended, error) {
	before, err := at.sessions(ctx)
	if err != nil {
		return ended{}, err
	}
	e, err := b.execute(ctx, c)
	if err != nil {
		return ended{}, err
	}
	after, err := at.sessions(ctx)
	if err == nil && after-before != sends {
		err = fmt.Errorf("%s: the server made %d sessions, expected %d", b.shown(c), after-before, sends)
	}
	return e, err
}
