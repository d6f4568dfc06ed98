//go:build linux

package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"paylinks/clink/simulator"
	"paylinks/job"
)

// sendersAttempt is an attempt on record.
type sendersAttempt struct {
	Job       int64
	Reference string
	Number    int
	Process   int
	SentAt    time.Time
	EndedAt   *time.Time
	Outcome   job.Outcome
	Session   string
}

// sendersItem is a row of a job.
type sendersItem struct {
	Job                 int64
	Row                 int
	Reference           string
	State               job.State
	Session, URL, Error string
}

// sendersFence is when a sender was kept from sending.
type sendersFence struct {
	Process  int
	FencedAt time.Time
}

// noSchema says whether nobody has made the ledger yet.
func noSchema(err error) bool {
	server, ok := errors.AsType[*pgconn.PgError](err)
	return ok && server.Code == "42P01"
}

// watch looks at the ledger while all goes on, until it is told to end.
func (h *sendersHistory) watch(end <-chan struct{}) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-tick.C:
		case <-end:
			return
		}
		type sending struct{ Process, Rows int }
		all, err := rowsOf[sending](h.view, `
			SELECT sender.process, count(*)
			FROM attempt
			JOIN sender ON sender.id = attempt.sender_id
			WHERE attempt.outcome = ''
			GROUP BY 1
		`)
		if err != nil && !noSchema(err) {
			h.t.Error(err)
			return
		}
		for _, s := range all {
			h.atMost(s.Process, s.Rows)
		}
		if n%10 == 0 && err == nil {
			h.tallies()
		}
	}
}

// inDoubt looks at how many rows a process that is dead has left in doubt.
func (h *sendersHistory) inDoubt(p *sendersProcess) {
	type count struct{ Rows int }
	left, err := rowsOf[count](h.view, `
		SELECT count(*)
		FROM attempt
		JOIN sender ON sender.id = attempt.sender_id
		WHERE attempt.outcome = '' AND sender.process = $1
	`, p.pid())
	if err != nil {
		if !noSchema(err) {
			h.t.Error(err)
		}
		return
	}
	h.atMost(p.pid(), left[0].Rows)
	if left[0].Rows > 0 {
		h.count("kills with rows in doubt")
	}
}

// atMost holds how many rows of a process are sending against its concurrency.
func (h *sendersHistory) atMost(process, rows int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.processes {
		if p.pid() == process && rows > p.concurrency {
			h.t.Errorf("process %d has %d rows sending, and its concurrency is %d", process, rows, p.concurrency)
		}
	}
}

// tallies compares the counts of jobs that are imported with a recount.
func (h *sendersHistory) tallies() {
	type wrong struct{ What string }
	found, err := rowsOf[wrong](h.view, `
		SELECT format('job %s counts %s rows in %s that are %s, of %s, and has %s, of %s', job_id, tally.items, currency, state, tally.amount, counted.items, counted.amount)
		FROM (SELECT job_id, state, currency, count(*) AS items, sum(amount) AS amount FROM item GROUP BY 1, 2, 3) AS counted
		FULL JOIN (SELECT * FROM item_tally WHERE items <> 0 OR amount <> 0) AS tally USING (job_id, state, currency)
		JOIN job ON job.id = job_id AND job.imported
		WHERE tally.items IS DISTINCT FROM counted.items OR tally.amount IS DISTINCT FROM counted.amount
		UNION ALL
		SELECT format('job %s counts %s attempts that are %L, and has %s', job_id, tally.attempts, outcome, counted.attempts)
		FROM (SELECT item_id >> 32 AS job_id, outcome, count(*) AS attempts FROM attempt GROUP BY 1, 2) AS counted
		FULL JOIN (SELECT * FROM attempt_tally WHERE attempts <> 0) AS tally USING (job_id, outcome)
		WHERE tally.attempts IS DISTINCT FROM counted.attempts
		UNION ALL
		SELECT format('row %s of job %s has %s attempts, and that many are not on record, or it is %s and its attempts say otherwise', item.row, item.job_id, item.attempts, item.state)
		FROM item
		LEFT JOIN (SELECT item_id, count(*) AS attempts, count(*) FILTER (WHERE outcome = '') AS begun FROM attempt GROUP BY 1) AS made ON made.item_id = item.id
		WHERE item.attempts <> coalesce(made.attempts, 0) OR (item.state = 'sending') <> (coalesce(made.begun, 0) = 1)
	`)
	if err != nil {
		h.t.Error(err)
	}
	for _, w := range found {
		h.t.Error(w.What)
	}
}

// sendersRecord is all that is on record of a history, at Clink and in the ledger.
type sendersRecord struct {
	h         *sendersHistory
	requests  map[string][]sendersRequest // by reference, in the order in which they came
	attempts  map[string][]sendersAttempt
	items     []sendersItem
	sessions  map[string]simulator.Session
	published map[string]string // session by reference
	processes map[string]*sendersProcess
}

// judge holds the record of Clink against that of the ledger. Nobody sends meanwhile.
func (h *sendersHistory) judge() {
	h.tallies()
	r := &sendersRecord{
		h: h, requests: map[string][]sendersRequest{}, attempts: map[string][]sendersAttempt{}, sessions: map[string]simulator.Session{},
		published: map[string]string{}, processes: map[string]*sendersProcess{},
	}
	for _, p := range h.processes {
		r.processes[p.key] = p
	}
	all := h.clink.seen()
	slices.SortFunc(all, func(a, b sendersRequest) int { return a.first.Compare(b.first) })
	for _, request := range all {
		if request.reference != "" {
			r.requests[request.reference] = append(r.requests[request.reference], request)
		}
	}
	for _, s := range h.clink.simulator.Sessions() {
		r.sessions[s.ID] = s
	}
	attempts, err := rowsOf[sendersAttempt](h.view, `
		SELECT item.job_id, item.reference, attempt.number, sender.process, attempt.sent_at, attempt.ended_at, attempt.outcome, attempt.session_id
		FROM attempt
		JOIN item ON item.id = attempt.item_id
		JOIN sender ON sender.id = attempt.sender_id
		ORDER BY attempt.sent_at
	`)
	if err == nil {
		r.items, err = rowsOf[sendersItem](h.view, `SELECT job_id, row, reference, state, session_id, url, error FROM item ORDER BY id`)
	}
	var fences []sendersFence
	if err == nil {
		fences, err = rowsOf[sendersFence](h.view, `SELECT process, fenced_at FROM sender WHERE fenced_at IS NOT NULL`)
	}
	if noSchema(err) && len(all) == 0 { // everybody was killed before
		return
	}
	if err != nil {
		h.t.Error(err)
		return
	}
	for _, a := range attempts {
		r.attempts[a.Reference] = append(r.attempts[a.Reference], a)
	}
	h.sum["fenced"] = len(fences)
	h.sum["requests"] = len(all)
	r.rows()
	r.fenced(all, fences)
	for _, reference := range slices.Sorted(maps.Keys(r.requests)) {
		r.onRecord(reference)
		r.second(reference)
	}
	r.extra()
	r.linksFiles()
}

// rows holds each row's link against Clink's sessions: at most one is published of an invoice, and none has failed.
func (r *sendersRecord) rows() {
	linked := map[int64]bool{}
	for _, i := range r.items {
		switch i.State {
		case job.Failed, job.Invalid:
			r.h.t.Errorf("job %d, row %d is %s: %s", i.Job, i.Row, i.State, i.Error)
		case job.Created, job.Duplicate:
			linked[i.Job] = true
			s, made := r.sessions[i.Session]
			if !made || s.Reference != i.Reference || s.URL != i.URL {
				r.h.t.Errorf("job %d, row %d has the link %s (%s), and Clink has %+v", i.Job, i.Row, i.Session, i.URL, s)
			}
			if other := r.published[i.Reference]; other != "" && other != i.Session {
				r.h.t.Errorf("%s has two links: %s and %s%s", i.Reference, other, i.Session, r.told(i.Reference))
			}
			r.published[i.Reference] = i.Session
		}
	}
}

// fenced looks for requests whose first byte arrived after their sender was fenced.
func (r *sendersRecord) fenced(requests []sendersRequest, fences []sendersFence) {
	at := map[int]time.Time{}
	for _, f := range fences {
		at[f.Process] = f.FencedAt
	}
	for _, request := range requests {
		p := r.processes[request.key]
		if p == nil {
			r.h.t.Errorf("a request of nobody: %+v", request)
			continue
		}
		if fence := at[p.pid()]; !fence.IsZero() && request.first.After(fence) {
			r.h.t.Errorf("process %d was fenced at %s, and has sent a request for %s %s later%s", p.pid(), clock(fence), request.reference,
				request.first.Sub(fence), r.told(request.reference))
		}
	}
}

// onRecord looks for requests without an intent of their sender, on record from before, that is not said to have sent nothing.
func (r *sendersRecord) onRecord(reference string) {
	sent := map[int]int{}
	for _, request := range r.requests[reference] {
		process := r.processes[request.key].pid()
		sent[process]++
		intents := 0
		for _, a := range r.attempts[reference] {
			if a.Process == process && a.Outcome != job.OutcomeNotSent && !a.SentAt.After(request.first) {
				intents++
			}
		}
		if intents < sent[process] {
			r.h.t.Errorf("process %d has sent request %d for %s, and has %d attempts on record that may have%s", process, sent[process], reference,
				intents, r.told(reference))
		}
	}
}

// lateClose is how much later than its sender Clink may notice that a request was given up.
const lateClose = 250 * time.Millisecond

// second looks for requests of an invoice that had one before: as many must be on record as in doubt, or refused by Clink for a moment,
// and none may be on its way any more.
func (r *sendersRecord) second(reference string) {
	requests := r.requests[reference]
	for n, request := range requests {
		ended, held := 0, 0
		for _, a := range r.attempts[reference] {
			if a.EndedAt != nil && !a.EndedAt.After(request.first) {
				switch a.Outcome {
				case job.OutcomeUnknown:
					ended++
					held++
				case job.OutcomeThrottled:
					ended++
				}
			}
		}
		if ended < n {
			r.h.t.Errorf("%s was sent for time %d, and %d ends are on record from before that%s", reference, n+1, ended, r.told(reference))
		}
		if r.h.held && held > 0 && (r.h.settled.IsZero() || request.first.Before(r.h.settled)) {
			r.h.t.Errorf("%s was sent again, in doubt and under hold%s", reference, r.told(reference))
		}
		for _, earlier := range requests[:n] {
			until := earlier.first.Add(r.h.timeout)
			if !earlier.answered.IsZero() && earlier.answered.Before(until) {
				until = earlier.answered
			}
			if request.first.Before(until.Add(-lateClose)) {
				r.h.t.Errorf("%s was on its way twice%s", reference, r.told(reference))
			}
		}
	}
}

// extra looks for sessions that nobody has the URL of, and that are not counted.
func (r *sendersRecord) extra() {
	extra := map[string]int{}
	for id, s := range r.sessions {
		if r.published[s.Reference] != id {
			extra[s.Reference]++
			r.h.sum["extra sessions"]++
		}
	}
	for reference, n := range extra {
		doubts := 0
		for _, a := range r.attempts[reference] {
			if a.Outcome == job.OutcomeUnknown || a.Outcome == "" {
				doubts++
			}
		}
		if n > doubts {
			r.h.t.Errorf("%s has %d extra sessions, and %d attempts in doubt%s", reference, n, doubts, r.told(reference))
		}
	}
}

// linksFiles holds the links files of all hosts against the ledger: each is whole, and hands out the one link of each invoice.
func (r *sendersRecord) linksFiles() {
	for host, folder := range r.h.folders {
		for _, file := range slices.Concat(r.h.files...) {
			_, lines := linksOf(r.h.t, filepath.Join(folder, strings.TrimSuffix(file, ".csv")+".links.csv"))
			for _, line := range lines {
				if session := line["session_id"]; line["url"] != "" && session != r.published[line["invoice_id"]] {
					r.h.t.Errorf("%s: %s hands out %s, and the ledger has %q%s", hostNames[host], file, session, r.published[line["invoice_id"]], r.told(line["invoice_id"]))
				}
			}
		}
	}
}

// told is what is on record of an invoice, in the order in which it came.
func (r *sendersRecord) told(reference string) string {
	type fact struct {
		at   time.Time
		text string
	}
	var facts []fact
	for _, q := range r.requests[reference] {
		facts = append(facts, fact{q.first, fmt.Sprintf("Clink: a request of process %d, answered after %s", r.processes[q.key].pid(), q.answered.Sub(q.first))})
	}
	for _, a := range r.attempts[reference] {
		facts = append(facts, fact{a.SentAt, fmt.Sprintf("ledger: job %d begins attempt %d, process %d", a.Job, a.Number, a.Process)})
		if a.EndedAt != nil {
			facts = append(facts, fact{*a.EndedAt, fmt.Sprintf("ledger: job %d, attempt %d is %s %s", a.Job, a.Number, a.Outcome, a.Session)})
		}
	}
	for _, s := range r.sessions {
		if s.Reference == reference {
			facts = append(facts, fact{s.Created, "Clink: session " + s.ID})
		}
	}
	slices.SortFunc(facts, func(a, b fact) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.text, b.text)) })
	text := ""
	for _, f := range facts {
		text += fmt.Sprintf("\n    %s (%.3f) %s", clock(f.at), f.at.Sub(r.h.began).Seconds(), f.text)
	}
	return text
}

func clock(at time.Time) string { return at.Local().Format("15:04:05.000") }
