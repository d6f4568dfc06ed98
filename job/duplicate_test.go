package job_test

import (
	"strings"
	"testing"
	"time"

	"paylinks/job"
)

var (
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	before = noon.Add(-time.Second)
	after  = noon.Add(time.Second)
)

// facts are those of another job's item, of an invoice of USD 19.90.
func facts(id int64, state job.State, change ...func(*job.Facts)) job.Facts {
	c := job.Facts{ItemID: id, JobID: 10 + id, State: state, Currency: "USD", Amount: 199000}
	if state == job.Created {
		c.SessionID, c.ExpiresAt = "sess_1", after
	}
	for _, do := range change {
		do(&c)
	}
	return c
}

func held(c *job.Facts)          { c.Hold = true }
func otherAmount(c *job.Facts)   { c.Amount++ }
func otherCurrency(c *job.Facts) { c.Currency = "EUR" }
func expired(c *job.Facts)       { c.ExpiresAt = before }
func expiring(c *job.Facts)      { c.ExpiresAt = noon }
func saidExpired(c *job.Facts)   { c.Link = job.LinkExpired }
func repeat(c *job.Facts)        { c.NoID, c.Repeat = true, true }
func noExpiry(c *job.Facts)      { c.ExpiresAt = time.Time{} }

// resolving is what Resolve is given for an invoice of USD 19.90, and what it decides.
type resolving struct {
	name   string
	hold   bool
	others []job.Facts
	want   job.Action
	about  int64
}

// resolve resolves the invoice of an item of the job against each test's other items.
func resolve(t *testing.T, jobID int64, tests []resolving) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			this := job.Facts{JobID: jobID, State: job.Pending, Currency: "USD", Amount: 199000, Hold: tt.hold}
			got := job.Resolve(this, tt.others, noon)
			if got.Action != tt.want || got.Other.ItemID != tt.about {
				t.Errorf("got action %d about %d, want %d about %d", got.Action, got.Other.ItemID, tt.want, tt.about)
			}
		})
	}
}

// A subtest per line of the design's table "The same invoice in two jobs", then what several claims come to.
func TestResolve(t *testing.T) {
	resolve(t, 0, []resolving{
		{"nobody else has it", false, nil, job.Send, 0},
		{"live", false, []job.Facts{facts(1, job.Created)}, job.Reuse, 1},
		{"live, without a known expiry", false, []job.Facts{facts(1, job.Created, noExpiry)}, job.Reuse, 1},
		{"live, both jobs hold", true, []job.Facts{facts(1, job.Created, held)}, job.Reuse, 1},
		{"expired", false, []job.Facts{facts(1, job.Created, expired)}, job.Ask, 1},
		{"expiring now", false, []job.Facts{facts(1, job.Created, expiring)}, job.Ask, 1},
		{"expired, other amount", false, []job.Facts{facts(1, job.Created, expired, otherAmount)}, job.Ask, 1},
		{"live, other amount", false, []job.Facts{facts(1, job.Created, otherAmount)}, job.Refuse, 1},
		{"live, other currency", false, []job.Facts{facts(1, job.Created, otherCurrency)}, job.Refuse, 1},
		{"live without a known expiry, other amount", false, []job.Facts{facts(1, job.Created, noExpiry, otherAmount)}, job.Refuse, 1},
		{"unknown, other amount", false, []job.Facts{facts(1, job.Unknown, otherAmount)}, job.Refuse, 1},
		{"unknown and held, other amount", true, []job.Facts{facts(1, job.Unknown, held, otherAmount)}, job.Refuse, 1},
		{"sending, other currency", false, []job.Facts{facts(1, job.Sending, otherCurrency)}, job.Refuse, 1},
		{"pending", false, []job.Facts{facts(1, job.Pending)}, job.TakeOver, 1},
		{"pending in a job that holds", true, []job.Facts{facts(1, job.Pending, held)}, job.TakeOver, 1},
		{"pending, other amount", false, []job.Facts{facts(1, job.Pending, otherAmount)}, job.TakeOver, 1},
		{"unknown, both jobs retry", false, []job.Facts{facts(1, job.Unknown)}, job.TakeOver, 1},
		{"unknown, its job holds", false, []job.Facts{facts(1, job.Unknown, held)}, job.Wait, 1},
		{"unknown, this job holds", true, []job.Facts{facts(1, job.Unknown)}, job.Wait, 1},
		{"sending", false, []job.Facts{facts(1, job.Sending)}, job.Wait, 1},

		{"live before live for another amount", false, []job.Facts{facts(1, job.Created, otherAmount), facts(2, job.Created)}, job.Reuse, 2},
		{"live before a doubt", false, []job.Facts{facts(1, job.Unknown, held), facts(2, job.Created)}, job.Reuse, 2},
		{"live before a doubt about another amount", false, []job.Facts{facts(1, job.Unknown, otherAmount), facts(2, job.Created)}, job.Reuse, 2},
		{"live before expired", false, []job.Facts{facts(1, job.Created, expired), facts(2, job.Created)}, job.Reuse, 2},
		{"live for another amount before a doubt", false, []job.Facts{facts(1, job.Unknown, held), facts(2, job.Created, otherAmount)}, job.Refuse, 2},
		{"live for another amount before an open row", false, []job.Facts{facts(1, job.Pending), facts(2, job.Created, otherAmount)}, job.Refuse, 2},
		{"a doubt about another amount before one that waits", false, []job.Facts{facts(1, job.Unknown, held), facts(2, job.Unknown, otherAmount)}, job.Refuse, 2},
		{"a doubt that waits before expired", false, []job.Facts{facts(1, job.Created, expired), facts(2, job.Unknown, held)}, job.Wait, 2},
		{"expired before a doubt that does not wait", false, []job.Facts{facts(1, job.Unknown), facts(2, job.Created, expired)}, job.Ask, 2},
		{"expired before an open row", false, []job.Facts{facts(1, job.Pending), facts(2, job.Created, expired)}, job.Ask, 2},
		{"a doubt that waits before an open row", false, []job.Facts{facts(1, job.Pending), facts(2, job.Unknown, held)}, job.Wait, 2},
		{"failed", false, []job.Facts{facts(1, job.Failed)}, job.Send, 0},
		{"expired, as Clink said", false, []job.Facts{facts(1, job.Created, saidExpired)}, job.Send, 0},
		{"invalid, superseded, duplicate", false, []job.Facts{facts(1, job.Invalid), facts(2, job.Superseded), facts(3, job.Duplicate)}, job.Send, 0},
		{"one that is a repeat by intention", false, []job.Facts{facts(1, job.Created, repeat)}, job.Send, 0},
		{"open rows and doubts", false, []job.Facts{facts(1, job.Pending), facts(2, job.Unknown)}, job.TakeOver, 1},
	})
}

// When an older job's item is sent again, after a retry or a reissue, what later jobs say of its invoice counts.
func TestResolveAgainstLaterJobs(t *testing.T) {
	resolve(t, 12, []resolving{ // item 1 is of an earlier job, and items 3 and 4 are of later ones
		{"live", false, []job.Facts{facts(3, job.Created)}, job.Reuse, 3},
		{"live, other amount", false, []job.Facts{facts(3, job.Created, otherAmount)}, job.Refuse, 3},
		{"live in an earlier one", false, []job.Facts{facts(1, job.Created), facts(3, job.Pending)}, job.Reuse, 1},
		{"pending", false, []job.Facts{facts(3, job.Pending)}, job.GiveWay, 3},
		{"pending, other amount", false, []job.Facts{facts(3, job.Pending, otherAmount)}, job.GiveWay, 3},
		{"unknown", false, []job.Facts{facts(3, job.Unknown)}, job.GiveWay, 3},
		{"unknown, other amount", false, []job.Facts{facts(3, job.Unknown, otherAmount)}, job.GiveWay, 3},
		{"unknown, both jobs hold", true, []job.Facts{facts(3, job.Unknown, held)}, job.GiveWay, 3},
		{"expired", false, []job.Facts{facts(3, job.Created, expired, otherAmount)}, job.GiveWay, 3},
		{"expired, as Clink said, too", false, []job.Facts{facts(3, job.Created, expired, saidExpired)}, job.GiveWay, 3},
		{"failed, other amount", false, []job.Facts{facts(3, job.Failed, otherAmount)}, job.GiveWay, 3},
		{"pending, and a doubt that waits in an earlier one", false, []job.Facts{facts(1, job.Unknown, held), facts(3, job.Pending)}, job.GiveWay, 3},
		{"pending in two", false, []job.Facts{facts(3, job.Pending), facts(4, job.Pending)}, job.GiveWay, 3},
		{"only in an earlier one", false, []job.Facts{facts(1, job.Pending)}, job.TakeOver, 1},
	})
}

// A row without an invoice id, at import: nothing can tell it from an identical one.
func TestResolveIdenticalRows(t *testing.T) {
	tests := []struct {
		name   string
		others []job.Facts
		want   job.Action
		about  int64
	}{
		{"nobody", nil, job.Send, 0},
		{"open", []job.Facts{facts(1, job.Pending)}, job.Refuse, 1},
		{"in doubt", []job.Facts{facts(1, job.Unknown)}, job.Refuse, 1},
		{"on its way", []job.Facts{facts(1, job.Sending)}, job.Refuse, 1},
		{"live", []job.Facts{facts(1, job.Created)}, job.Refuse, 1},
		{"live, a repeat by intention", []job.Facts{facts(1, job.Created, repeat)}, job.Refuse, 1},
		{"live, without a known expiry", []job.Facts{facts(1, job.Created, noExpiry)}, job.Refuse, 1},
		{"expired", []job.Facts{facts(1, job.Created, expired)}, job.Send, 0},
		{"expired, as Clink said", []job.Facts{facts(1, job.Created, saidExpired)}, job.Send, 0},
		{"expired, and open", []job.Facts{facts(1, job.Created, expired), facts(2, job.Pending)}, job.Refuse, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			this := job.Facts{State: job.Pending, NoID: true, Currency: "USD", Amount: 199000}
			got := job.Resolve(this, tt.others, noon)
			if got.Action != tt.want || got.Other.ItemID != tt.about || got.Action == job.Refuse && got.Conflict != job.IdenticalRow {
				t.Errorf("got action %d about %d, want %d about %d", got.Action, got.Other.ItemID, tt.want, tt.about)
			}
			this.Repeat = true
			if got := job.Resolve(this, tt.others, noon); got.Action != job.Send {
				t.Errorf("where identical rows are meant: action %d", got.Action)
			}
		})
	}
}

func TestTakeOverNamesAllOpenItems(t *testing.T) {
	got := job.Resolve(job.Facts{State: job.Pending, Currency: "USD", Amount: 199000}, []job.Facts{facts(1, job.Pending), facts(2, job.Failed), facts(3, job.Unknown)}, noon)
	if got.Action != job.TakeOver || len(got.TakenOver) != 2 || got.TakenOver[0].ItemID != 1 || got.TakenOver[1].ItemID != 3 {
		t.Errorf("got %+v", got)
	}
}

// A row waits for a person for as long as the other item is as it was found.
func TestBlocked(t *testing.T) {
	tests := []struct {
		name, code string
		other      job.Facts
		want       bool
	}{
		{"held by a doubt", job.CodeHeld, facts(1, job.Unknown), true},
		{"the doubt is settled", job.CodeHeld, facts(1, job.Pending), false},
		{"a link that is not settled", job.CodeUnsettled, facts(1, job.Created, expired), true},
		{"Clink has said that it expired unpaid", job.CodeUnsettled, facts(1, job.Created, saidExpired), false},
		{"another code", job.CodeUnclear, facts(1, job.Created, expired), false},
	}
	for _, tt := range tests {
		if got := job.Blocked(tt.code, job.Facts{JobID: 20, State: job.Pending}, []job.Facts{tt.other}); got != tt.want {
			t.Errorf("%s: %t", tt.name, got)
		}
	}
}

func TestResolutionSaysWhyAndWhatCanBeDone(t *testing.T) {
	tests := []struct {
		name         string
		conflict     job.Conflict
		other        job.Facts
		what, advice string
	}{
		{"live", job.OtherMoney, facts(1, job.Created), "a link for USD 19.90 from job 11", "expires at 2026-03-01T12:00:01Z"},
		{"live, without a known expiry", job.OtherMoney, facts(1, job.Created, noExpiry), "a link for USD 19.90 from job 11", "no known expiry"},
		{"in doubt", job.OtherDoubt, facts(1, job.Unknown), "may have a link for USD 19.90 from job 11", "settle that first"},
		{"identical, open", job.IdenticalRow, facts(1, job.Pending), "is open in job 11", "an invoice id"},
		{"identical, in doubt", job.IdenticalRow, facts(1, job.Unknown), "is in doubt in job 11", "an invoice id"},
		{"identical, live", job.IdenticalRow, facts(1, job.Created), "has a live link in job 11", "an invoice id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := job.Resolution{Action: job.Refuse, Other: tt.other, Conflict: tt.conflict}
			if !strings.Contains(r.What(), tt.what) || !strings.Contains(r.Advice(), tt.advice) || r.Reason(job.Facts{}) != r.What()+"; "+r.Advice() {
				t.Errorf("got %q, %q", r.What(), r.Advice())
			}
		})
	}
}
