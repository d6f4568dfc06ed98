package job_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"paylinks/clink"
	"paylinks/clink/simulator"
	"paylinks/job"
	"paylinks/store/sqlite"
)

// rehearsal is a job on the real ledger, sent by the real client to the real simulator, over connections in memory:
// in a bubble, whose clock runs past all of it.
type rehearsal struct {
	*testing.T
	*clinkStandIn
	runner job.Runner
	store  *sqlite.Ledger
	job    job.Job
	ctx    context.Context
	cancel context.CancelFunc
	events []job.Event
}

// scene is what a rehearsal begins with. Settings left out are no bound, one at a time, five attempts.
type scene struct {
	rows      int // of the first job
	policy    job.Policy
	settings  job.Settings
	simulator simulator.Config
	instead   func(request) http.HandlerFunc // answers in the simulator's place; nil is the simulator
	dial      func(context.Context) error    // before each connection
}

func rehearse(t *testing.T, s scene, story func(*rehearsal)) {
	synctest.Test(t, func(t *testing.T) {
		r := &rehearsal{T: t}
		r.ctx, r.cancel = context.WithCancel(t.Context())
		defer r.cancel()
		var err error
		if r.store, err = sqlite.OpenToSend(filepath.Join(t.TempDir(), "ledger.db"), "a test"); err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := r.store.Close(); err != nil {
				t.Error(err)
			}
		}()
		r.clinkStandIn = &clinkStandIn{Simulator: simulator.New(s.simulator), began: time.Now(), instead: s.instead}
		listener := pipes{make(chan net.Conn), make(chan struct{})}
		server := &http.Server{Handler: r.clinkStandIn}
		var serving sync.WaitGroup
		serving.Go(func() { _ = server.Serve(listener) })
		defer serving.Wait()
		defer server.Close()

		client, err := clink.New(clink.Config{
			BaseURL: "http://127.0.0.1/api",
			Key:     "sk_test_1",
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				if s.dial != nil {
					if err := s.dial(ctx); err != nil {
						return nil, err
					}
				}
				return listener.dial(ctx)
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		defer client.CloseIdle()
		if s.settings.Concurrency == 0 {
			s.settings.Concurrency = 1
		}
		if s.settings.MaxAttempts == 0 {
			s.settings.MaxAttempts = 5
		}
		r.runner = job.Runner{
			Ledger:   r.store,
			Clink:    client,
			Observe:  func(e job.Event) { r.events = append(r.events, e) },
			Settings: s.settings,
		}
		if s.policy == "" {
			s.policy = job.Retry
		}
		r.job = r.imported(s.policy, s.rows, amount)
		story(r)
	})
}

const amount = "19.90"

// imported makes a job with the invoices INV-1 … INV-n, each over this amount.
func (r *rehearsal) imported(policy job.Policy, n int, amount string) job.Job {
	r.Helper()
	j := job.Job{
		Identity: job.Identity{
			FileDigest:  sha256.Sum256(fmt.Append(nil, r.job.ID)), // another file's than the last job's
			Environment: job.Simulator,
			BaseURL:     job.InProcess,
			Options:     "{}",
		},
		File:      "invoices.csv",
		Columns:   []string{"amount"},
		Delimiter: ',',
		OnUnknown: policy,
		Output:    "-",
	}
	rows := func(yield func(job.NewItem, error) bool) {
		for i := range n {
			if !yield(row(i+1, amount), nil) {
				return
			}
		}
	}
	j, err := r.store.Import(j, rows, false, time.Now())
	if err != nil {
		r.Fatal(err)
	}
	return j
}

func row(n int, amount string) job.NewItem {
	id := reference(n)
	item := job.NewItem{
		Row:       n + 1,
		Cells:     []string{amount},
		InvoiceID: id,
		Reference: id,
		Currency:  "USD",
		Request: clink.SessionRequest{
			Amount:              json.Number(amount),
			Currency:            "USD",
			CustomerEmail:       "buyer@example.com",
			MerchantReferenceID: id,
			PriceData:           []clink.PriceData{{Name: id, Quantity: 1, UnitAmount: json.Number(amount), Currency: "USD"}},
		},
	}
	copy(item.Invoice[:], id)
	if _, err := fmt.Sscanf(strings.Replace(amount, ".", "", 1)+"00", "%d", &item.Amount); err != nil {
		panic(err)
	}
	return item
}

func reference(n int) string { return fmt.Sprintf("INV-%d", n) }

// run runs the job and checks how that ended, and what holds however it ends: nothing is still being sent, no
// attempt is without an end, and each request for a session has an attempt on record.
func (r *rehearsal) run(want job.Stop) job.Report {
	r.Helper()
	report := r.runner.Run(r.ctx, r.job)
	if report.Stop != want {
		r.Errorf("the run ended with %q (%s), want %q", report.Stop, report.Reason, want)
	}
	sent, recorded := 0, 0
	for range r.posts() {
		sent++
	}
	for id := range r.job.ID {
		for a := range r.attempts(id + 1) {
			if a.Outcome == "" {
				r.Errorf("row %d's attempt %d has no end on record", a.Row, a.Number)
			}
			if a.Message != heldBack && a.Outcome != job.OutcomeNotSent {
				recorded++
			}
		}
	}
	if sent != recorded {
		r.Errorf("%d requests for a session, but %d are on record", sent, recorded)
	}
	if got := r.counts()[job.Sending]; got > 0 {
		r.Errorf("%d rows are still in state sending", got)
	}
	return report
}

const heldBack = "held back before it was sent"

func (r *rehearsal) counts() map[job.State]int {
	r.Helper()
	tally, err := r.store.Tally(context.Background(), r.job.ID)
	if err != nil {
		r.Fatal(err)
	}
	return tally.Items
}

// check checks how many items are in each of these states, and that there are no others.
func (r *rehearsal) check(want map[job.State]int) {
	r.Helper()
	got := r.counts()
	for _, s := range job.States {
		if got[s] != want[s] {
			r.Errorf("%d rows are %s, want %d", got[s], s, want[s])
		}
	}
}

func (r *rehearsal) attempts(jobID int64) func(func(job.Attempt) bool) {
	return func(yield func(job.Attempt) bool) {
		for a, err := range r.store.Attempts(context.Background(), jobID, false) {
			if err != nil {
				r.Fatal(err)
			}
			if !yield(a) {
				return
			}
		}
	}
}

// outcomes are those of the row's attempts.
func (r *rehearsal) outcomes(row int) []job.Outcome {
	r.Helper()
	var all []job.Outcome
	for a := range r.attempts(r.job.ID) {
		if a.Row == row {
			all = append(all, a.Outcome)
		}
	}
	return all
}

func (r *rehearsal) results() []job.Result {
	r.Helper()
	var all []job.Result
	for result, err := range r.store.Results(context.Background(), r.job.ID) {
		if err != nil {
			r.Fatal(err)
		}
		all = append(all, result)
	}
	return all
}

// elapsed is the time since the rehearsal began.
func (r *rehearsal) elapsed() time.Duration { return time.Since(r.began) }

// clinkStandIn is the simulator behind a record of what arrived.
type clinkStandIn struct {
	Simulator *simulator.Server
	instead   func(request) http.HandlerFunc
	began     time.Time

	mu         sync.Mutex
	arrived    []request
	flying     int
	mostFlying int
}

// request is one that arrived.
type request struct {
	method    string
	number    int           // 1, 2, … among those with its method
	at        time.Duration // since the rehearsal began
	reference string        // of a POST
	session   string        // of a GET
}

func (c *clinkStandIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	got := request{method: r.Method, number: 1, at: time.Since(c.began)}
	if r.Method == http.MethodPost {
		var fields struct{ MerchantReferenceID string }
		_ = json.Unmarshal(body, &fields)
		got.reference = fields.MerchantReferenceID
	} else {
		got.session = filepath.Base(r.URL.Path)
		if got.session == "order" {
			got.method = "ORDERS"
		}
	}
	c.mu.Lock()
	for _, earlier := range c.arrived {
		if earlier.method == got.method {
			got.number++
		}
	}
	c.arrived = append(c.arrived, got)
	c.flying++
	c.mostFlying = max(c.mostFlying, c.flying)
	c.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.flying--
		c.mu.Unlock()
	}()
	if c.instead != nil {
		if answer := c.instead(got); answer != nil {
			answer(w, r)
			return
		}
	}
	c.Simulator.ServeHTTP(w, r)
}

func (c *clinkStandIn) of(method string) []request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(c.arrived), func(r request) bool { return r.method != method })
}

func (c *clinkStandIn) posts() []request { return c.of(http.MethodPost) }

func (c *clinkStandIn) gets() []request { return c.of(http.MethodGet) }

// postTimes are when the POSTs arrived, since the rehearsal began.
func (c *clinkStandIn) postTimes() []time.Duration {
	var times []time.Duration
	for _, p := range c.posts() {
		times = append(times, p.at)
	}
	return times
}

// references are how many POSTs arrived with each.
func (c *clinkStandIn) references() map[string]int {
	all := map[string]int{}
	for _, p := range c.posts() {
		all[p.reference]++
	}
	return all
}

// mark makes the session for this reference paid, processing or expired at the simulator.
func (r *rehearsal) mark(reference, status string) {
	r.Helper()
	for _, s := range r.Simulator.Sessions() {
		if s.Reference != reference {
			continue
		}
		answer := httptest.NewRecorder()
		body := strings.NewReader(`{"status": "` + status + `"}`)
		r.Simulator.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/_simulator/sessions/"+s.ID, body))
		if answer.Code != http.StatusOK {
			r.Fatalf("mark %s %s: %s", reference, status, answer.Body)
		}
	}
}

// pipes is a listener whose connections are in memory.
type pipes struct {
	made   chan net.Conn
	closed chan struct{}
}

func (p pipes) dial(ctx context.Context) (net.Conn, error) {
	ours, theirs := net.Pipe()
	select {
	case p.made <- theirs:
		return ours, nil
	case <-p.closed:
		return nil, errors.New("connection refused")
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p pipes) Accept() (net.Conn, error) {
	select {
	case conn := <-p.made:
		return conn, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p pipes) Close() error {
	close(p.closed)
	return nil
}

func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }
