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

// facts are those of another job's item, of an invoice of USD 19.90 for one customer. Its job was run before that of this, unless a
// change says otherwise.
func facts(id int64, state job.State, change ...func(*job.Facts)) job.Facts {
	f := job.Facts{
		ItemID: id, JobID: 10 + id, Ran: id, State: state, Currency: "USD", Amount: 199000,
		Customer: job.Customer{Email: "anna@example.com"}, Reference: "INV-1",
	}
	if state == job.Created {
		f.SessionID, f.ExpiresAt = "sess_1", after
	}
	for _, do := range change {
		do(&f)
	}
	return f
}

func held(f *job.Facts)          { f.Hold = true }
func otherAmount(f *job.Facts)   { f.Amount++ }
func otherCurrency(f *job.Facts) { f.Currency = "EUR" }
func otherCustomer(f *job.Facts) { f.Customer.Email = "bert@example.com" }
func expired(f *job.Facts)       { f.ExpiresAt = before }
func expiring(f *job.Facts)      { f.ExpiresAt = noon }
func noExpiry(f *job.Facts)      { f.ExpiresAt = time.Time{} }
func repeat(f *job.Facts)        { f.NoID, f.Repeat = true, true }
func ranLater(f *job.Facts)      { f.Ran = 100 + f.ItemID }
func purged(f *job.Facts)        { f.Purged = true }
func givenUp(f *job.Facts)       { f.GivenUp = true }
func said(status job.LinkStatus) func(*job.Facts) {
	return func(f *job.Facts) { f.Link, f.CheckedAt = status, before }
}
func heard(status job.LinkStatus) func(*job.Facts) {
	return func(f *job.Facts) { f.Heard, f.Link, f.CheckedAt = status, status, noon }
}

// resolving is what Resolve is given for an invoice of USD 19.90, and what it decides.
type resolving struct {
	name   string
	hold   bool
	others []job.Facts
	want   job.Action
	about  int64
}

// resolve resolves the invoice of an item against each test's other items.
func resolve(t *testing.T, this job.Facts, tests []resolving) {
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			this.Hold = tt.hold
			got := job.Resolve(this, tt.others, noon)
			if got.Action != tt.want || got.Other.ItemID != tt.about {
				t.Errorf("got action %d about %d, want %d about %d", got.Action, got.Other.ItemID, tt.want, tt.about)
			}
		})
	}
}

// this is the item of a job that was run after items 1 to 9 and before those that ranLater.
var this = job.Facts{JobID: 20, Ran: 50, State: job.Pending, Currency: "USD", Amount: 199000, Customer: job.Customer{Email: "anna@example.com"}}

// A subtest per line of the design's table "The same invoice in two jobs", then what several claims come to.
func TestResolve(t *testing.T) {
	tests := []resolving{
		{"nobody else has it", false, nil, job.Send, 0},
		{"live, other amount", false, []job.Facts{facts(1, job.Created, otherAmount)}, job.Refuse, 1},
		{"live, other currency", false, []job.Facts{facts(1, job.Created, otherCurrency)}, job.Refuse, 1},
		{"live, other customer", false, []job.Facts{facts(1, job.Created, otherCustomer)}, job.Refuse, 1},
		{"live without a known expiry, other amount", false, []job.Facts{facts(1, job.Created, noExpiry, otherAmount)}, job.Refuse, 1},
		{"paid, past its time, other customer", false, []job.Facts{facts(1, job.Created, expired, said(job.LinkPaid), otherCustomer)}, job.Refuse, 1},
		{"refunded, past its time, other amount", false, []job.Facts{facts(1, job.Created, expired, said(job.LinkRefunded), otherAmount)}, job.Refuse, 1},
		{"live", false, []job.Facts{facts(1, job.Created)}, job.Reuse, 1},
		{"live, without a known expiry", false, []job.Facts{facts(1, job.Created, noExpiry)}, job.Reuse, 1},
		{"live, both jobs hold", true, []job.Facts{facts(1, job.Created, held)}, job.Reuse, 1},
		{"live, last heard processing", false, []job.Facts{facts(1, job.Created, said(job.LinkProcessing))}, job.Reuse, 1},
		{"paid, past its time", false, []job.Facts{facts(1, job.Created, expired, said(job.LinkPaid))}, job.Reuse, 1},
		{"refunded, past its time", false, []job.Facts{facts(1, job.Created, expired, said(job.LinkRefunded))}, job.Reuse, 1},
		{"paid, of a purged job", false, []job.Facts{facts(1, job.Created, expired, said(job.LinkPaid), purgedBy("s"))}, job.Reuse, 1},
		{"paid, of a purged job, other customer", false, []job.Facts{facts(1, job.Created, expired, said(job.LinkPaid), otherCustomer, purgedBy("s"))}, job.Refuse, 1},
		{"past its time", false, []job.Facts{facts(1, job.Created, expired)}, job.Ask, 1},
		{"past its time now", false, []job.Facts{facts(1, job.Created, expiring)}, job.Ask, 1},
		{"past its time, other amount and customer", false, []job.Facts{facts(1, job.Created, expired, otherAmount, otherCustomer)}, job.Ask, 1},
		{"past its time, last heard processing", false, []job.Facts{facts(1, job.Created, expired, said(job.LinkProcessing))}, job.Ask, 1},
		{"said to be expired, before its time", false, []job.Facts{facts(1, job.Created, said(job.LinkExpired))}, job.Ask, 1},
		{"asked: nothing paid", false, []job.Facts{facts(1, job.Created, expired, heard(job.LinkExpired))}, job.Send, 0},
		{"asked: nothing paid, and a doubt", false, []job.Facts{facts(1, job.Created, expired, heard(job.LinkExpired)), facts(2, job.Unknown, held)}, job.Wait, 2},
		{"asked: still open", false, []job.Facts{facts(1, job.Created, expired, heard(job.LinkOpen))}, job.Reuse, 1},
		{"asked: processing, other amount", false, []job.Facts{facts(1, job.Created, expired, heard(job.LinkProcessing), otherAmount)}, job.Refuse, 1},
		{"asked: paid", false, []job.Facts{facts(1, job.Created, expired, heard(job.LinkPaid))}, job.Reuse, 1},
		{"known as paid, and then said to be expired", false, []job.Facts{facts(1, job.Created, expired, func(f *job.Facts) { f.Link, f.Heard = job.LinkPaid, job.LinkExpired })}, job.Reuse, 1},
		{"given up by a person", false, []job.Facts{facts(1, job.Created, expired, givenUp)}, job.Send, 0},
		{"given up by a person, and paid after all", false, []job.Facts{facts(1, job.Created, expired, givenUp, said(job.LinkPaid))}, job.Reuse, 1},
		{"sending, other amount", false, []job.Facts{facts(1, job.Sending, otherAmount)}, job.Later, 1},
		{"unknown, its job holds", false, []job.Facts{facts(1, job.Unknown, held)}, job.Wait, 1},
		{"unknown, this job holds", true, []job.Facts{facts(1, job.Unknown)}, job.Wait, 1},
		{"unknown, its job holds, other amount", true, []job.Facts{facts(1, job.Unknown, held, otherAmount)}, job.Wait, 1},
		{"unknown, both jobs retry", false, []job.Facts{facts(1, job.Unknown)}, job.TakeOver, 1},
		{"unknown, other amount and customer", false, []job.Facts{facts(1, job.Unknown, otherAmount, otherCustomer)}, job.TakeOver, 1},
		{"pending", false, []job.Facts{facts(1, job.Pending)}, job.TakeOver, 1},
		{"pending in a job that holds", true, []job.Facts{facts(1, job.Pending, held)}, job.TakeOver, 1},
		{"pending, other amount", false, []job.Facts{facts(1, job.Pending, otherAmount)}, job.TakeOver, 1},
		{"failed", false, []job.Facts{facts(1, job.Failed)}, job.Send, 0},
		{"invalid, superseded, duplicate", false, []job.Facts{facts(1, job.Invalid), facts(2, job.Superseded), facts(3, job.Duplicate)}, job.Send, 0},

		{"live for another amount before live", false, []job.Facts{facts(1, job.Created), facts(2, job.Created, otherAmount)}, job.Refuse, 2},
		{"paid before live", false, []job.Facts{facts(1, job.Created), facts(2, job.Created, expired, said(job.LinkPaid))}, job.Reuse, 2},
		{"live before a doubt", false, []job.Facts{facts(1, job.Unknown, held), facts(2, job.Created)}, job.Reuse, 2},
		{"live before past its time", false, []job.Facts{facts(1, job.Created, expired), facts(2, job.Created)}, job.Reuse, 2},
		{"past its time before a doubt that waits", false, []job.Facts{facts(1, job.Unknown, held), facts(2, job.Created, expired)}, job.Ask, 2},
		{"past its time before an open row", false, []job.Facts{facts(1, job.Pending), facts(2, job.Created, expired)}, job.Ask, 2},
		{"a doubt that waits before an open row", false, []job.Facts{facts(1, job.Pending), facts(2, job.Unknown, held)}, job.Wait, 2},
		{"open rows and doubts", false, []job.Facts{facts(1, job.Pending), facts(2, job.Unknown)}, job.TakeOver, 1},
	}
	resolve(t, this, tests)
	atImport := this
	atImport.JobID, atImport.Ran, atImport.Importing = 0, 0, true
	t.Run("at import", func(t *testing.T) { resolve(t, atImport, tests) })
}

// Among rows without a link the job whose file was run last has the invoice, whichever was made first.
func TestTheFileRunLastCounts(t *testing.T) {
	resolve(t, this, []resolving{
		{"pending", false, []job.Facts{facts(1, job.Pending, ranLater)}, job.GiveWay, 1},
		{"pending, other amount", false, []job.Facts{facts(1, job.Pending, ranLater, otherAmount)}, job.GiveWay, 1},
		{"unknown, other amount", false, []job.Facts{facts(1, job.Unknown, ranLater, otherAmount)}, job.GiveWay, 1},
		{"unknown, both jobs hold", true, []job.Facts{facts(1, job.Unknown, ranLater, held)}, job.Wait, 1},
		{"failed, other amount", false, []job.Facts{facts(1, job.Failed, ranLater, otherAmount)}, job.GiveWay, 1},
		{"failed, and purged", false, []job.Facts{facts(1, job.Failed, ranLater, purged)}, job.Send, 0},
		{"superseded", false, []job.Facts{facts(1, job.Superseded, ranLater)}, job.Send, 0},
		{"live", false, []job.Facts{facts(1, job.Created, ranLater)}, job.Reuse, 1},
		{"past its time", false, []job.Facts{facts(1, job.Created, ranLater, expired)}, job.Ask, 1},
		{"past its time, nothing paid", false, []job.Facts{facts(1, job.Created, ranLater, expired, heard(job.LinkExpired))}, job.Send, 0},
		{"pending, and a doubt that waits in an earlier one", false, []job.Facts{facts(1, job.Unknown, held), facts(3, job.Pending, ranLater)}, job.Wait, 1},
		{"pending, and open in an earlier one", false, []job.Facts{facts(1, job.Pending), facts(3, job.Pending, ranLater)}, job.GiveWay, 3},
	})
}

// Rows without an invoice id are told apart by what is sent: one for which the same is sent as for another is refused, unless that is
// meant.
func TestResolveIdenticalRows(t *testing.T) {
	tests := []struct {
		name            string
		others          []job.Facts
		atImport, later job.Action // when its file is run, and when it is sent
	}{
		{"nobody", nil, job.Send, job.Send},
		{"open", []job.Facts{facts(1, job.Pending)}, job.Refuse, job.TakeOver},
		{"open in a job that was run later", []job.Facts{facts(1, job.Pending, ranLater)}, job.Refuse, job.GiveWay},
		{"in doubt", []job.Facts{facts(1, job.Unknown)}, job.Refuse, job.TakeOver},
		{"on its way", []job.Facts{facts(1, job.Sending)}, job.Refuse, job.Later},
		{"live", []job.Facts{facts(1, job.Created)}, job.Refuse, job.Refuse},
		{"paid", []job.Facts{facts(1, job.Created, expired, said(job.LinkPaid))}, job.Refuse, job.Refuse},
		{"paid, of a purged job that meant identical rows", []job.Facts{facts(1, job.Created, expired, said(job.LinkPaid), repeat, purgedBy("s"))}, job.Refuse, job.Refuse},
		{"live, a repeat by intention", []job.Facts{facts(1, job.Created, repeat)}, job.Refuse, job.Refuse},
		{"live, a repeat by intention in a job that was run later", []job.Facts{facts(1, job.Created, repeat, ranLater)}, job.Refuse, job.Send},
		{"past its time, a repeat by intention", []job.Facts{facts(1, job.Created, repeat, expired)}, job.Ask, job.Ask},
		{"past its time, a repeat by intention in a job that was run later", []job.Facts{facts(1, job.Created, repeat, expired, ranLater)}, job.Ask, job.Send},
		{"open, a repeat by intention", []job.Facts{facts(1, job.Pending, repeat)}, job.Refuse, job.Send},
		{"past its time", []job.Facts{facts(1, job.Created, expired)}, job.Ask, job.Ask},
		{"past its time, nothing paid", []job.Facts{facts(1, job.Created, expired, heard(job.LinkExpired))}, job.Send, job.Send},
		{"failed", []job.Facts{facts(1, job.Failed)}, job.Send, job.Send},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			row := this
			row.NoID = true
			for importing, want := range map[bool]job.Action{true: tt.atImport, false: tt.later} {
				if row.Importing = importing; importing {
					row.Ran = 1000
				} else {
					row.Ran = this.Ran
				}
				got := job.Resolve(row, tt.others, noon)
				if got.Action != want || got.Action == job.Refuse && got.Conflict != job.IdenticalRow {
					t.Errorf("importing %t: action %d, want %d", importing, got.Action, want)
				}
				meant := row
				meant.Repeat = true
				if got := job.Resolve(meant, tt.others, noon); got.Action != job.Send {
					t.Errorf("where identical rows are meant: action %d", got.Action)
				}
			}
		})
	}
}

// purgedBy leaves of the item what a purge leaves.
func purgedBy(salt string) func(*job.Facts) {
	return func(f *job.Facts) {
		f.Purged, f.Salt, f.URL = true, salt, ""
		f.Reference = job.Seal(salt, job.SealReference, f.Reference)
		f.Customer.ID = job.Seal(salt, job.SealCustomerID, f.Customer.ID)
		f.Customer.Email = job.Seal(salt, job.SealCustomerEmail, f.Customer.Email)
		f.Customer.Reference = job.Seal(salt, job.SealCustomerReference, f.Customer.Reference)
	}
}

// The same customer has an identifier in both, and none that both have differs.
func TestSameCustomer(t *testing.T) {
	tests := []struct {
		name     string
		of, this job.Customer
		same     bool
	}{
		{"the email", job.Customer{Email: "anna@example.com"}, job.Customer{Email: "anna@example.com"}, true},
		{"the email in other letters", job.Customer{Email: "Anna@Example.com"}, job.Customer{Email: "anna@example.COM"}, true},
		{"another email", job.Customer{Email: "anna@example.com"}, job.Customer{Email: "anne@example.com"}, false},
		{"the id, once as Clink's answer", job.Customer{ID: "cus_1", Email: "anna@example.com"}, job.Customer{ID: "cus_1"}, true},
		{"the id, and another email", job.Customer{ID: "cus_1", Email: "anna@example.com"}, job.Customer{ID: "cus_1", Email: "bert@example.com"}, false},
		{"the email, and another id", job.Customer{ID: "cus_1", Email: "anna@example.com"}, job.Customer{ID: "cus_2", Email: "anna@example.com"}, false},
		{"the reference, and an email in one alone", job.Customer{Reference: "A-1"}, job.Customer{Reference: "A-1", Email: "anna@example.com"}, true},
		{"a reference in other letters", job.Customer{Reference: "a-1"}, job.Customer{Reference: "A-1"}, false},
		{"none in common", job.Customer{Email: "anna@example.com"}, job.Customer{ID: "cus_1"}, false},
		{"an id that is another's reference", job.Customer{ID: "A-1"}, job.Customer{Reference: "A-1"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, change := range []func(*job.Facts){func(*job.Facts) {}, purgedBy("a salt")} {
				row := this
				row.Customer = tt.this
				other := facts(1, job.Created, func(f *job.Facts) { f.Customer = tt.of }, change)
				got := job.Resolve(row, []job.Facts{other}, noon)
				if (got.Action == job.Reuse) != tt.same || !tt.same && got.Conflict != job.OtherCustomer {
					t.Errorf("purged %t: action %d, %s", other.Purged, got.Action, got.Conflict)
				}
			}
		})
	}
}

func TestSealTellsNothing(t *testing.T) {
	one := job.Seal("a", job.SealReference, "INV-1")
	if one == job.Seal("b", job.SealReference, "INV-1") || one == job.Seal("a", job.SealInvoiceID, "INV-1") || strings.Contains(one, "INV") {
		t.Errorf("%q is not of its salt and kind alone", one)
	}
	if job.Seal("a", job.SealReference, "") != "" {
		t.Error("nothing is sealed as something")
	}
}

func TestTakeOverNamesAllOpenItems(t *testing.T) {
	got := job.Resolve(this, []job.Facts{facts(1, job.Pending), facts(2, job.Failed), facts(3, job.Unknown)}, noon)
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
		{"held by a doubt", job.CodeHeld, facts(1, job.Unknown, held), true},
		{"the doubt is settled", job.CodeHeld, facts(1, job.Pending), false},
		{"the doubt is of a job that retries now", job.CodeHeld, facts(1, job.Unknown), false},
		{"a link that is not settled", job.CodeUnsettled, facts(1, job.Created, expired), true},
		{"a person has given it up", job.CodeUnsettled, facts(1, job.Created, expired, givenUp), false},
		{"Clink has said that it was paid", job.CodeUnsettled, facts(1, job.Created, expired, said(job.LinkPaid)), false},
		{"another code", job.CodeUnclear, facts(1, job.Created, expired), false},
	}
	for _, tt := range tests {
		by, got := job.Blocked(tt.code, this, []job.Facts{tt.other}, noon)
		if got != tt.want || got && by != tt.other.JobID {
			t.Errorf("%s: %t, by job %d", tt.name, got, by)
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
		{"live", job.OtherMoney, facts(1, job.Created), "a live link for USD 19.90 from job 11", "expires at 2026-03-01T12:00:01Z"},
		{"live, without a known expiry", job.OtherMoney, facts(1, job.Created, noExpiry), "a live link for USD 19.90 from job 11", "no known expiry"},
		{"paid", job.OtherMoney, facts(1, job.Created, said(job.LinkPaid)), "a link, paid, for USD 19.90 from job 11", "a new invoice id"},
		{"other customer", job.OtherCustomer, facts(1, job.Created), "a live link for another customer from job 11", "a new invoice id"},
		{"identical, open", job.IdenticalRow, facts(1, job.Pending), "is open in job 11", "an invoice id"},
		{"identical, in doubt", job.IdenticalRow, facts(1, job.Unknown), "is in doubt in job 11", "an invoice id"},
		{"identical, live", job.IdenticalRow, facts(1, job.Created), "has a live link in job 11", "an invoice id"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := job.Resolution{Action: job.Refuse, Other: tt.other, Conflict: tt.conflict}
			if !strings.Contains(r.What(), tt.what) || !strings.Contains(r.Advice(), tt.advice) || r.Reason() != r.What()+"; "+r.Advice() {
				t.Errorf("got %q, %q", r.What(), r.Advice())
			}
		})
	}
}
