package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"
)

// workers is the concurrency of the bare loop, and of paylinks beside it.
const workers = 64

// sendBare posts a request for each row of a generated file: no check, no record, no pace, nothing sent again. The first
// answer that is not 200 ends the process.
func sendBare(path, url string) {
	client := &http.Client{
		Transport: &http.Transport{MaxIdleConns: workers, MaxIdleConnsPerHost: workers, DisableCompression: true},
		Timeout:   30 * time.Second,
	}
	waiting := make(chan []string, workers)
	var loop sync.WaitGroup
	for range workers {
		loop.Go(func() {
			for record := range waiting {
				if err := post(client, url+"/checkout/session", bodyOf(record)); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(exitMissed)
				}
			}
		})
	}
	for record := range records(path, false) {
		waiting <- record
	}
	close(waiting)
	loop.Wait()
}

func post(client *http.Client, url string, body []byte) error {
	request := must1(http.NewRequest(http.MethodPost, url, bytes.NewReader(body)))
	request.Header.Set("User-Agent", "paylinks/bare")
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("X-Timestamp", strconv.FormatInt(time.Now().UnixMilli(), 10))
	answer, err := client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return errors.New(answer.Status)
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// bodyOf is the body that paylinks sends for a row of a generated file; a test holds the two together. It shares no type with
// paylinks, so that it stays as it is when paylinks becomes slower.
func bodyOf(record []string) []byte {
	type item struct {
		Name       string      `json:"name"`
		Quantity   int         `json:"quantity"`
		UnitAmount json.Number `json:"unitAmount"`
		Currency   string      `json:"currency"`
	}
	amount := json.Number(record[1])
	return must1(json.Marshal(struct {
		Amount    json.Number `json:"originalAmount"`
		Currency  string      `json:"originalCurrency"`
		Email     string      `json:"customerEmail"`
		Reference string      `json:"merchantReferenceId"`
		Items     []item      `json:"priceDataList"`
	}{amount, record[2], record[3], record[0], []item{{record[4], 1, amount, record[2]}}}))
}

// scan counts the records of a file below its header: what check is compared with.
func scan(path string, stdout io.Writer) {
	rows := 0
	for range records(path, true) {
		rows++
	}
	fmt.Fprintln(stdout, rows)
}

// records are those of a file, below its header. With reuse each is overwritten by the next.
func records(path string, reuse bool) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		file := must1(os.Open(path))
		defer file.Close()
		rows := csv.NewReader(bufio.NewReaderSize(file, 1<<16))
		rows.ReuseRecord = reuse
		must1(rows.Read())
		for {
			record, err := rows.Read()
			if err != io.EOF {
				must(err)
			}
			if err == io.EOF || !yield(record) {
				return
			}
		}
	}
}
