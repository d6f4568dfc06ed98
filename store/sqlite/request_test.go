package sqlite_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"paylinks/clink"
	"paylinks/job"
)

// doors are the two ways in which an item is read to be sent.
func (l *ledger) doors(jobID int64) map[string]func() ([]job.Item, error) {
	return map[string]func() ([]job.Item, error){
		"open": func() ([]job.Item, error) { return l.Open(l.t.Context(), jobID, 0, 9) },
		"to be replaced": func() ([]job.Item, error) {
			return l.Links(l.t.Context(), job.LinkQuery{JobID: jobID, At: at, Which: job.Ended}, 0, 9)
		},
	}
}

// twoToSend is a job with one item at each door.
func (l *ledger) twoToSend() (jobID int64) {
	rows := invoices(2)
	for i := range rows {
		rows[i].Request.SuccessURL = "https://example.com/?a=1&b=<2>"
		rows[i].Request.PriceData[0].Name = "Tee für 茶 \u2028 \"zwei\"\n"
	}
	jobID = l.imported(newJob("a"), rows...).ID
	l.send(l.first(jobID), job.OutcomeCreated)
	if _, err := l.raw.Exec("UPDATE item SET expires_at = '2026-01-01T00:00:00.000Z'"); err != nil {
		l.t.Fatal(err)
	}
	return jobID
}

// What is sent is what is on record, byte for byte.
func TestARequestIsSentAsItIsStored(t *testing.T) {
	l := newLedger(t)
	jobID := l.twoToSend()
	var sent string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		sent = string(body)
		_, _ = io.WriteString(w, `{"code":200}`)
	}))
	defer server.Close()
	client, err := clink.New(clink.Config{BaseURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer client.CloseIdle()
	for name, read := range l.doors(jobID) {
		t.Run(name, func(t *testing.T) {
			items, err := read()
			if err != nil || len(items) != 1 {
				t.Fatalf("%d items, %v", len(items), err)
			}
			if _, err := client.CreateSession(t.Context(), items[0].Request); err != nil {
				t.Fatal(err)
			}
			l.want(fmt.Sprintf("SELECT request FROM item WHERE id = %d", items[0].ID), sent)
		})
	}
}

// A request that is broken in the ledger is not sent, and not passed over either.
func TestABrokenRequestIsNotRead(t *testing.T) {
	for request, want := range map[string]string{
		`{"originalAmount":1`:      "unexpected end of JSON input",
		`[]`:                       "json: cannot unmarshal array into Go value of type clink.SessionRequest",
		`{"originalAmount":"ten"}`: `json: invalid number literal, trying to unmarshal "\"ten\"" into Number`,
		`{"originalAmount":1,"originalCurrency":"USD","customerId":7}`: "json: cannot unmarshal number into Go struct field SessionRequest.customerId of type string",
	} {
		l := newLedger(t)
		jobID := l.twoToSend()
		if _, err := l.raw.Exec("UPDATE item SET request = ?", request); err != nil {
			t.Fatal(err)
		}
		for name, read := range l.doors(jobID) {
			prefix := map[string]string{"open": "read open rows: ", "to be replaced": "read links: "}[name]
			if items, err := read(); err == nil || err.Error() != prefix+want {
				t.Errorf("%s, %s: read %v, %v", request, name, items, err)
			}
		}
		// What is only asked about needs no request.
		if items, err := l.Links(t.Context(), job.LinkQuery{JobID: jobID, At: at}, 0, 9); err != nil {
			t.Errorf("%s: %v, %v", request, items, err)
		}
	}
}
