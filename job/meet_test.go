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

// claim is another job's hold on an invoice of USD 19.90.
func claim(id int64, state job.State, change ...func(*job.Claim)) job.Claim {
	c := job.Claim{ItemID: id, JobID: 10 + id, State: state, Currency: "USD", Amount: 199000}
	if state == job.Created {
		c.SessionID, c.ExpiresAt = "sess_1", after
	}
	for _, do := range change {
		do(&c)
	}
	return c
}

func held(c *job.Claim)          { c.Hold = true }
func otherAmount(c *job.Claim)   { c.Amount++ }
func otherCurrency(c *job.Claim) { c.Currency = "EUR" }
func expired(c *job.Claim)       { c.ExpiresAt = before }
func expiring(c *job.Claim)      { c.ExpiresAt = noon }
func noExpiry(c *job.Claim)      { c.ExpiresAt = time.Time{} }

// meeting is what an invoice of USD 19.90 meets, and what that comes to.
type meeting struct {
	name   string
	hold   bool
	claims []job.Claim
	want   job.Action
	about  int64
}

// meet has an invoice of the job meet these claims.
func meet(t *testing.T, jobID int64, tests []meeting) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := job.Meet(job.Mine{JobID: jobID, Currency: "USD", Amount: 199000, Hold: tt.hold}, tt.claims, noon)
			if got.Action != tt.want || got.Other.ItemID != tt.about {
				t.Errorf("got action %d about %d, want %d about %d", got.Action, got.Other.ItemID, tt.want, tt.about)
			}
		})
	}
}

// A subtest per line of the design's table "The same invoice in two jobs", then what several claims come to.
func TestMeet(t *testing.T) {
	meet(t, 0, []meeting{
		{"nobody else has it", false, nil, job.Send, 0},
		{"live", false, []job.Claim{claim(1, job.Created)}, job.Reuse, 1},
		{"live, without a known expiry", false, []job.Claim{claim(1, job.Created, noExpiry)}, job.Reuse, 1},
		{"live, both jobs hold", true, []job.Claim{claim(1, job.Created, held)}, job.Reuse, 1},
		{"expired", false, []job.Claim{claim(1, job.Created, expired)}, job.Ask, 1},
		{"expiring now", false, []job.Claim{claim(1, job.Created, expiring)}, job.Ask, 1},
		{"expired, other amount", false, []job.Claim{claim(1, job.Created, expired, otherAmount)}, job.Ask, 1},
		{"live, other amount", false, []job.Claim{claim(1, job.Created, otherAmount)}, job.Refuse, 1},
		{"live, other currency", false, []job.Claim{claim(1, job.Created, otherCurrency)}, job.Refuse, 1},
		{"live without a known expiry, other amount", false, []job.Claim{claim(1, job.Created, noExpiry, otherAmount)}, job.Refuse, 1},
		{"unknown, other amount", false, []job.Claim{claim(1, job.Unknown, otherAmount)}, job.Refuse, 1},
		{"unknown and held, other amount", true, []job.Claim{claim(1, job.Unknown, held, otherAmount)}, job.Refuse, 1},
		{"sending, other currency", false, []job.Claim{claim(1, job.Sending, otherCurrency)}, job.Refuse, 1},
		{"pending", false, []job.Claim{claim(1, job.Pending)}, job.TakeOver, 1},
		{"pending in a job that holds", true, []job.Claim{claim(1, job.Pending, held)}, job.TakeOver, 1},
		{"pending, other amount", false, []job.Claim{claim(1, job.Pending, otherAmount)}, job.TakeOver, 1},
		{"unknown, both jobs retry", false, []job.Claim{claim(1, job.Unknown)}, job.TakeOver, 1},
		{"unknown, its job holds", false, []job.Claim{claim(1, job.Unknown, held)}, job.Wait, 1},
		{"unknown, this job holds", true, []job.Claim{claim(1, job.Unknown)}, job.Wait, 1},
		{"sending", false, []job.Claim{claim(1, job.Sending)}, job.Wait, 1},

		{"live before live for another amount", false, []job.Claim{claim(1, job.Created, otherAmount), claim(2, job.Created)}, job.Reuse, 2},
		{"live before a doubt", false, []job.Claim{claim(1, job.Unknown, held), claim(2, job.Created)}, job.Reuse, 2},
		{"live before a doubt about another amount", false, []job.Claim{claim(1, job.Unknown, otherAmount), claim(2, job.Created)}, job.Reuse, 2},
		{"live before expired", false, []job.Claim{claim(1, job.Created, expired), claim(2, job.Created)}, job.Reuse, 2},
		{"live for another amount before a doubt", false, []job.Claim{claim(1, job.Unknown, held), claim(2, job.Created, otherAmount)}, job.Refuse, 2},
		{"live for another amount before an open row", false, []job.Claim{claim(1, job.Pending), claim(2, job.Created, otherAmount)}, job.Refuse, 2},
		{"a doubt about another amount before one that waits", false, []job.Claim{claim(1, job.Unknown, held), claim(2, job.Unknown, otherAmount)}, job.Refuse, 2},
		{"a doubt that waits before expired", false, []job.Claim{claim(1, job.Created, expired), claim(2, job.Unknown, held)}, job.Wait, 2},
		{"expired before a doubt that does not wait", false, []job.Claim{claim(1, job.Unknown), claim(2, job.Created, expired)}, job.Ask, 2},
		{"expired before an open row", false, []job.Claim{claim(1, job.Pending), claim(2, job.Created, expired)}, job.Ask, 2},
		{"a doubt that waits before an open row", false, []job.Claim{claim(1, job.Pending), claim(2, job.Unknown, held)}, job.Wait, 2},
		{"open rows and doubts", false, []job.Claim{claim(1, job.Pending), claim(2, job.Unknown)}, job.TakeOver, 1},
	})
}

// An older job's item that is to be sent again, after a retry or a reissue, meets the jobs that came after it: what they say
// of the invoice counts.
func TestMeetLater(t *testing.T) {
	meet(t, 12, []meeting{ // claim 1 is of an earlier job, and claims 3 and 4 are of later ones
		{"live", false, []job.Claim{claim(3, job.Created)}, job.Reuse, 3},
		{"live, other amount", false, []job.Claim{claim(3, job.Created, otherAmount)}, job.Refuse, 3},
		{"live in an earlier one", false, []job.Claim{claim(1, job.Created), claim(3, job.Pending)}, job.Reuse, 1},
		{"pending", false, []job.Claim{claim(3, job.Pending)}, job.GiveWay, 3},
		{"pending, other amount", false, []job.Claim{claim(3, job.Pending, otherAmount)}, job.GiveWay, 3},
		{"unknown", false, []job.Claim{claim(3, job.Unknown)}, job.GiveWay, 3},
		{"unknown, other amount", false, []job.Claim{claim(3, job.Unknown, otherAmount)}, job.GiveWay, 3},
		{"unknown, both jobs hold", true, []job.Claim{claim(3, job.Unknown, held)}, job.GiveWay, 3},
		{"expired", false, []job.Claim{claim(3, job.Created, expired, otherAmount)}, job.GiveWay, 3},
		{"failed, other amount", false, []job.Claim{claim(3, job.Failed, otherAmount)}, job.GiveWay, 3},
		{"pending, and a doubt that waits in an earlier one", false, []job.Claim{claim(1, job.Unknown, held), claim(3, job.Pending)}, job.GiveWay, 3},
		{"pending in two", false, []job.Claim{claim(3, job.Pending), claim(4, job.Pending)}, job.GiveWay, 3},
		{"only in an earlier one", false, []job.Claim{claim(1, job.Pending)}, job.TakeOver, 1},
	})
}

func TestMeetAlike(t *testing.T) {
	tests := []struct {
		name   string
		claims []job.Claim
		want   job.Action
		about  int64
	}{
		{"nobody", nil, job.Send, 0},
		{"open", []job.Claim{claim(1, job.Pending)}, job.Refuse, 1},
		{"in doubt", []job.Claim{claim(1, job.Unknown)}, job.Refuse, 1},
		{"on its way", []job.Claim{claim(1, job.Sending)}, job.Refuse, 1},
		{"live", []job.Claim{claim(1, job.Created)}, job.Refuse, 1},
		{"live, without a known expiry", []job.Claim{claim(1, job.Created, noExpiry)}, job.Refuse, 1},
		{"expired", []job.Claim{claim(1, job.Created, expired)}, job.Send, 0},
		{"expired, and open", []job.Claim{claim(1, job.Created, expired), claim(2, job.Pending)}, job.Refuse, 2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := job.MeetAlike(tt.claims, noon)
			if got.Action != tt.want || got.Other.ItemID != tt.about {
				t.Errorf("got action %d about %d, want %d about %d", got.Action, got.Other.ItemID, tt.want, tt.about)
			}
		})
	}
}

func TestConflictSaysWhatItMeetsAndWhatCanBeDone(t *testing.T) {
	tests := []struct {
		name       string
		claim      job.Claim
		alike      bool
		what, hint string
	}{
		{"live", claim(1, job.Created), false, "a link for USD 19.90 from job 11", "expires at 2026-03-01T12:00:01Z"},
		{"live, without a known expiry", claim(1, job.Created, noExpiry), false, "a link for USD 19.90 from job 11", "no known expiry"},
		{"in doubt", claim(1, job.Unknown), false, "may have a link for USD 19.90 from job 11", "paylinks show 11 says how"},
		{"alike, open", claim(1, job.Pending), true, "is open in job 11", "--allow-repeats"},
		{"alike, in doubt", claim(1, job.Unknown), true, "is in doubt in job 11", "--allow-repeats"},
		{"alike, live", claim(1, job.Created), true, "is live in job 11", "--allow-repeats"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			what, hint := job.Meeting{Action: job.Refuse, Other: tt.claim}.Conflict(tt.alike)
			if !strings.Contains(what, tt.what) || !strings.Contains(hint, tt.hint) {
				t.Errorf("got %q, %q", what, hint)
			}
		})
	}
}
