package main

import (
	"errors"
	"io"
	"path/filepath"
	"testing"
	"time"

	"paylinks/clink"
	"paylinks/cmd/paylinks/options"
	"paylinks/job"
	"paylinks/job/engine"
	"paylinks/store"
)

// pastItsLease is a ledger whose sender must not send any more.
type pastItsLease struct{ store.Ledger }

func (pastItsLease) MaySend() error { return job.ErrPastDeadline }

// What the ledger says of this sender's lease reaches the connection on which requests leave.
func TestTheLedgerDecidesWhetherARequestMayLeave(t *testing.T) {
	ledger, err := store.OpenToSend(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), store.Opening{Doing: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	request := clink.SessionRequest{
		Amount: "19.90", Currency: "USD", CustomerEmail: "ada@example.com",
		PriceData: []clink.PriceData{{Name: "a", Quantity: 1, UnitAmount: "19.90", Currency: "USD"}},
	}.Prepare()
	for _, tt := range []struct {
		name   string
		ledger sendingLedger
		want   error
	}{
		{"it holds the lease", ledger, nil},
		{"its lease is over", pastItsLease{ledger}, job.ErrPastDeadline},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := options.Streams{Out: io.Discard, Err: io.Discard, Env: func(string) (string, bool) { return "", false }}
			o := &options.Send{Concurrency: 1, Timeout: 10 * time.Second}
			e, err := newSending(s, tt.ledger, o, engine.Target{Environment: job.Simulator, BaseURL: job.InProcess}, options.SecretKey{})
			if err != nil {
				t.Fatal(err)
			}
			defer e.close()
			_, err = e.Client.CreateSession(t.Context(), request)
			var failed *clink.Error
			if !errors.Is(err, tt.want) || tt.want != nil && (!errors.As(err, &failed) || failed.Class != clink.NotSent) {
				t.Errorf("got %v, want %v, not sent", err, tt.want)
			}
		})
	}
}
