package ledgertest

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"paylinks/clink"
	"paylinks/job"
	"slices"
	"testing"
	"time"
)

// NewJob is a job that is not in a ledger; another name is another file.
func NewJob(name string) job.Job {
	return job.Job{
		Identity: job.Identity{
			FileDigest:  sha256.Sum256([]byte(name)),
			Environment: job.Sandbox,
			BaseURL:     "https://clink.test/api",
			Options:     `{"decimal":"point"}`,
		},
		File:      "/files/" + name + ".csv",
		Columns:   []string{"invoice_id", "amount"},
		Delimiter: ';',
		OnUnknown: job.Retry,
		Output:    "/files/" + name + ".links.csv",
	}
}

// Invoice is a good row of 10 USD.
func Invoice(row int, id string) job.NewItem {
	digest := sha256.Sum256([]byte("invoice " + id))
	return job.NewItem{
		Row:       row,
		Cells:     []string{id, "10.00"},
		InvoiceID: id,
		Invoice:   [16]byte(digest[:16]),
		Reference: id,
		Currency:  "USD",
		Amount:    100_000,
		Request: clink.SessionRequest{
			Amount: json.Number("10.00"), Currency: "USD", CustomerID: "cus_1", MerchantReferenceID: id,
			PriceData: []clink.PriceData{{Name: "<" + id + "> & co", Quantity: 1, UnitAmount: "10.00"}},
		},
	}
}

func Invoices(n int) []job.NewItem {
	rows := make([]job.NewItem, n)
	for i := range rows {
		rows[i] = Invoice(i+2, fmt.Sprintf("INV-%d", i+1))
	}
	return rows
}

func Good(rows ...job.NewItem) iter.Seq2[job.NewItem, error] {
	return func(yield func(job.NewItem, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

// imported imports the job with these rows.
func (l *ledger) imported(j job.Job, rows ...job.NewItem) job.Job {
	l.t.Helper()
	j, err := l.Import(j, Good(rows...), false, At)
	if err != nil {
		l.t.Fatal(err)
	}
	return j
}

// open returns the job's open items.
func (l *ledger) open(jobID int64) []*job.Item {
	l.t.Helper()
	items, err := l.Open(context.Background(), jobID, 0, 1_000_000)
	if err != nil {
		l.t.Fatal(err)
	}
	all := make([]*job.Item, len(items))
	for i := range items {
		all[i] = &items[i]
	}
	return all
}

// first returns the job's first open item.
func (l *ledger) first(jobID int64) *job.Item {
	l.t.Helper()
	items := l.open(jobID)
	if len(items) == 0 {
		l.t.Fatalf("job %d has no open item", jobID)
	}
	return items[0]
}

// begin records the intent to send, which nothing may stand against.
func (l *ledger) begin(item *job.Item) int {
	l.t.Helper()
	resolution, number, err := l.Begin(item, At, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	if resolution.Action != job.Send && resolution.Action != job.TakeOver {
		l.t.Fatalf("Begin: %+v", resolution)
	}
	return number
}

// ended records the end, and waits for it.
func ended(s Ledger, item *job.Item, number int, end job.End) (decision job.Decision, err error) {
	done := make(chan struct{})
	s.End(item, number, end, func(v job.Decision, e error) {
		decision, err = v, e
		close(done)
	})
	<-done
	return decision, err
}

// sessionOf is the session that an item gets when it is created.
func sessionOf(itemID int64) string { return fmt.Sprintf("sess_%d", itemID) }

// End records the end, and returns only its error. Each created item gets a session of its own.
func (l *ledger) End(item *job.Item, number int, end job.End) error {
	return second(ended(l.Ledger, item, number, OwnSession(item, end)))
}

func OwnSession(item *job.Item, end job.End) job.End {
	if end.State == job.Created && end.SessionID != "" {
		end.SessionID = sessionOf(item.ID)
	}
	return end
}

// send takes the item through an attempt that ends so, and leaves it as the runner would.
func (l *ledger) send(item *job.Item, outcome job.Outcome) {
	l.t.Helper()
	number, end := l.begin(item), EndOf(item, outcome)
	l.must(l.End(item, number, end))
	item.State, item.Attempts = end.State, number
	if outcome == job.OutcomeUnknown {
		item.UnknownEnds++
	}
}

// created sends the item, which gets a link until then; zero is no known expiry.
func (l *ledger) created(item *job.Item, expires time.Time) {
	l.t.Helper()
	end := Ends[job.OutcomeCreated]
	end.ExpiresAt = expires
	l.must(l.End(item, l.begin(item), end))
}

// resolved begins the item, which must come to this action.
func (l *ledger) resolved(item *job.Item, at time.Time, want job.Action) job.Resolution {
	l.t.Helper()
	r, number, err := l.Begin(item, at, nil)
	if err != nil || r.Action != want || (number > 0) != (want == job.Send || want == job.TakeOver) {
		l.t.Fatalf("Begin: %+v, %d, %v; want action %d", r, number, err, want)
	}
	return r
}

// must is for a step that must be recorded.
func (l *ledger) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

// purged purges the job, long after its links have ended.
func (l *ledger) purged(jobID int64) {
	l.t.Helper()
	l.must(l.Purge(job.Job{ID: jobID}, At.AddDate(0, 1, 0)))
}

// retry must put so many items back.
func (l *ledger) retry(jobID int64, unknown bool, want int) {
	l.t.Helper()
	if n, err := l.Retry(jobID, unknown, At); n != want || err != nil {
		l.t.Errorf("Retry: %d, %v; want %d", n, err, want)
	}
}

// EndOf is the end of an attempt of the item: one that reached nothing leaves it as it is.
func EndOf(item *job.Item, outcome job.Outcome) job.End {
	end := Ends[outcome]
	if outcome == job.OutcomeNotSent || outcome == job.OutcomeThrottled {
		end.State = item.State
	}
	return end
}

// result returns the only item of a job.
func (l *ledger) result(jobID int64) job.Result {
	l.t.Helper()
	all := l.results(jobID)
	if len(all) != 1 {
		l.t.Fatalf("job %d has %d items", jobID, len(all))
	}
	return all[0]
}

func (l *ledger) results(jobID int64) (all []job.Result) {
	l.t.Helper()
	for r, err := range l.Results(context.Background(), jobID) {
		if err != nil {
			l.t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

// problems are the rows that show lists, as "row state".
func (l *ledger) problems(jobID int64, settled bool) (all []string) {
	l.t.Helper()
	for r, err := range l.Problems(context.Background(), jobID, settled) {
		if err != nil {
			l.t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%d %s", r.Row, r.State))
	}
	return all
}

// state checks the state of a job's only item.
func (l *ledger) state(jobID int64, want job.State) {
	l.t.Helper()
	if got := l.result(jobID); got.State != want {
		l.t.Errorf("the item of job %d is %s (%s: %s), want %s", jobID, got.State, got.ErrorCode, got.Error, want)
	}
}

func WantError(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("error: %v\n want: %v", err, want)
	}
}

// Ends, by the outcome's word.
var Ends = map[job.Outcome]job.End{
	job.OutcomeCreated: {
		Decision: job.Decision{Outcome: job.OutcomeCreated, State: job.Created},
		At:       At, Status: 200, SessionID: "sess_1", URL: "https://pay.test/sess_1", ExpiresAt: At.Add(24 * time.Hour),
	},
	job.OutcomeMismatch: {
		Decision: job.Decision{Outcome: job.OutcomeMismatch, State: job.Failed, Code: "mismatch", Reason: "another amount"},
		At:       At, Status: 200, SessionID: "sess_2", URL: "https://pay.test/sess_2",
	},
	job.OutcomeRejected: {
		Decision: job.Decision{Outcome: job.OutcomeRejected, State: job.Failed, Code: "400", Reason: "CUSTOMER_NOT_FOUND"},
		At:       At, Status: 400,
	},
	job.OutcomeUnknown: {
		Decision: job.Decision{Outcome: job.OutcomeUnknown, State: job.Unknown, Code: "unknown", Reason: "timeout"},
		At:       At,
	},
	job.OutcomeNotSent: {
		Decision: job.Decision{Outcome: job.OutcomeNotSent, State: job.Pending, Code: "not_sent", Reason: "no connection"},
		At:       At,
	},
	job.OutcomeThrottled: {
		Decision: job.Decision{Outcome: job.OutcomeThrottled, State: job.Pending, Code: "429", Reason: "slow down"},
		At:       At, Status: 429,
	},
}

// rows checks the job's items, each as "state attempts error_code".
func (l *ledger) rows(jobID int64, want ...string) {
	l.t.Helper()
	var got []string
	for _, r := range l.results(jobID) {
		got = append(got, fmt.Sprintf("%s %d %s", r.State, r.Attempts, r.ErrorCode))
	}
	if !slices.Equal(got, want) {
		l.t.Errorf("the rows of job %d\n got %q\nwant %q", jobID, got, want)
	}
}

func second[T any](_ T, err error) error { return err }
