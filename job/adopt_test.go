package job_test

import (
	"net/http"
	"testing"
	"time"

	"paylinks/clink"
	"paylinks/job"
)

// adopted is a row of a links file of the invoice that facts are of, with the session of a created one.
func adopted(state job.State, link job.LinkStatus) *job.AdoptedItem {
	a := &job.AdoptedItem{State: state, Link: link, NewItem: job.NewItem{
		InvoiceID: "INV-1", Currency: "USD", Amount: 199000, Request: clink.SessionRequest{CustomerEmail: "Anna@example.com"},
	}}
	if state == job.Created {
		a.SessionID, a.ExpiresAt = "sess_1", after
	}
	return a
}

// TestAdopt guards what a ledger takes of a row of a links file: a link that it does not know, that it was paid, and a doubt where it has
// neither a link nor a doubt of the invoice. Nothing else that it knows changes; what contradicts it is told.
func TestAdopt(t *testing.T) {
	known := func(change ...func(*job.Facts)) *job.SessionRecord {
		return &job.SessionRecord{Facts: facts(1, job.Created, change...), SameInvoice: true}
	}
	as := func(record job.SessionRecord, change func(*job.SessionRecord)) *job.SessionRecord {
		change(&record)
		return &record
	}
	ended := adopted(job.Created, job.LinkExpired)
	past := adopted(job.Created, "")
	past.ExpiresAt = before
	for _, tt := range []struct {
		name     string
		row      *job.AdoptedItem
		known    *job.SessionRecord
		others   []job.Facts
		repeat   bool
		want     job.AdoptAction
		conflict job.AdoptConflict
	}{
		{name: "a session that nobody knows", row: adopted(job.Created, ""), want: job.TakeRow},
		{name: "one that has expired", row: ended, want: job.TakeRow},
		{name: "beside an open row", row: adopted(job.Created, ""), others: []job.Facts{facts(1, job.Pending)}, want: job.TakeRow},
		{name: "beside a doubt", row: adopted(job.Created, ""), others: []job.Facts{facts(1, job.Unknown, held)}, want: job.TakeRow},
		{name: "beside a live link", row: adopted(job.Created, ""), others: []job.Facts{facts(1, job.Created)}, want: job.TakeRow, conflict: job.SecondLink},
		{name: "beside a paid link that is past its time", row: adopted(job.Created, ""), others: []job.Facts{facts(1, job.Created, expired, said(job.LinkPaid))}, want: job.TakeRow, conflict: job.SecondLink},
		{name: "beside a link that has expired", row: adopted(job.Created, ""), others: []job.Facts{facts(1, job.Created, expired)}, want: job.TakeRow},
		{name: "one that is past its time, beside a live link", row: past, others: []job.Facts{facts(1, job.Created)}, want: job.TakeRow},
		{name: "one that is paid, beside a live link", row: adopted(job.Created, job.LinkPaid), others: []job.Facts{facts(1, job.Created)}, want: job.TakeRow, conflict: job.SecondLink},
		{name: "rows alike that are meant", row: adopted(job.Created, ""), others: []job.Facts{facts(1, job.Created)}, repeat: true, want: job.TakeRow},
		{name: "beside rows alike that were meant", row: adopted(job.Created, ""), others: []job.Facts{facts(1, job.Created, repeat)}, want: job.TakeRow},

		{name: "a session that is known", row: adopted(job.Created, ""), known: known()},
		{name: "one that is paid now", row: adopted(job.Created, job.LinkPaid), known: known(), want: job.TakePayment},
		{name: "one that is refunded now", row: adopted(job.Created, job.LinkRefunded), known: known(said(job.LinkPaid)), want: job.TakePayment},
		{name: "one that is known to be paid", row: adopted(job.Created, job.LinkPaid), known: known(said(job.LinkPaid))},
		{name: "one that is known to be refunded", row: adopted(job.Created, job.LinkPaid), known: known(said(job.LinkRefunded))},
		{name: "one that is known to be expired, and was paid", row: adopted(job.Created, job.LinkPaid), known: known(said(job.LinkExpired)), want: job.TakePayment},
		{name: "an open one", row: adopted(job.Created, job.LinkOpen), known: known(said(job.LinkPaid))},
		{name: "an expired one", row: ended, known: known()},

		{name: "of another invoice", row: adopted(job.Created, job.LinkPaid), known: as(*known(), func(r *job.SessionRecord) { r.SameInvoice = false }), conflict: job.SessionOfOtherInvoice},
		{name: "for another amount", row: adopted(job.Created, job.LinkPaid), known: known(otherAmount), conflict: job.SessionOfOtherMoney},
		{name: "for another currency", row: adopted(job.Created, job.LinkPaid), known: known(otherCurrency), conflict: job.SessionOfOtherMoney},
		{name: "for another customer", row: adopted(job.Created, job.LinkPaid), known: known(otherCustomer), conflict: job.SessionOfOtherCustomer},
		{name: "never published", row: adopted(job.Created, ""), known: as(*known(), func(r *job.SessionRecord) { r.Unpublished = true }), conflict: job.SessionUnpublished},
		{name: "given up", row: adopted(job.Created, ""), known: as(*known(), func(r *job.SessionRecord) { r.Replaced = true })},
		{name: "given up, and paid", row: adopted(job.Created, job.LinkPaid), known: as(*known(), func(r *job.SessionRecord) { r.Replaced = true }), conflict: job.SessionReplaced},

		{name: "a doubt", row: adopted(job.Unknown, ""), want: job.TakeRow},
		{name: "a doubt of an open row", row: adopted(job.Unknown, ""), others: []job.Facts{facts(1, job.Pending), facts(2, job.Failed)}, want: job.TakeRow},
		{name: "a doubt that is known", row: adopted(job.Unknown, ""), others: []job.Facts{facts(1, job.Pending), facts(2, job.Unknown)}},
		{name: "a doubt of an invoice with a live link", row: adopted(job.Unknown, ""), others: []job.Facts{facts(1, job.Created)}},
		{name: "a doubt of an invoice that is paid", row: adopted(job.Unknown, ""), others: []job.Facts{facts(1, job.Created, expired, said(job.LinkPaid))}},
		{name: "a doubt that came after a link had expired", row: adopted(job.Unknown, ""), others: []job.Facts{facts(1, job.Created, expired)}, want: job.TakeRow},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.row.Adopt(tt.known, tt.others, tt.repeat, noon)
			if got.Action != tt.want || got.Conflict != tt.conflict {
				t.Errorf("%+v, want action %d, conflict %q", got, tt.want, tt.conflict)
			}
			if (got.Conflict != "" || got.Action == job.TakePayment) && got.Other.JobID == 0 {
				t.Errorf("it does not say because of which job: %+v", got)
			}
		})
	}
}

// TestAnAdoptedRowIsAskedAboutUnderTheReferenceThatClinkNames guards that a session that has expired, of a row whose reference is not
// known, is not taken for unpaid before its orders were asked for; where Clink names none, a person must look.
func TestAnAdoptedRowIsAskedAboutUnderTheReferenceThatClinkNames(t *testing.T) {
	for _, tt := range []struct {
		named         string
		orders, posts int
	}{{"theirs", 1, 1}, {"", 0, 0}} {
		t.Run(tt.named, func(t *testing.T) {
			said := map[string]string{"status": "expired", "paymentStatus": "unpaid"}
			if tt.named != "" {
				said["merchantReferenceId"] = tt.named
			}
			orders := 0
			s := scene{rows: 1, settings: job.Settings{Rate: 10}, instead: func(q request) http.HandlerFunc {
				switch q.method {
				case http.MethodGet:
					return envelope(200, 200, "success", said)
				case "ORDERS":
					orders++
				}
				return nil
			}}
			rehearse(t, s, func(r *rehearsal) {
				row := adopted(job.Created, "")
				row.InvoiceID, row.Reference, row.Invoice = "", "", [16]byte{1}
				row.Request.Amount, row.Request.Currency, row.Request.MerchantReferenceID = "19.90", "USD", "ours"
				row.Request.PriceData = []clink.PriceData{{Name: "x", Quantity: 1, UnitAmount: "19.90"}}
				row.ExpiresAt, row.CreatedAt, row.URL = time.Now().Add(-time.Minute), time.Now().Add(-time.Hour), "https://example.com/1"
				j := r.job
				j.ID, j.Adopted, j.OnUnknown = 0, true, job.Hold
				got, err := r.store.Adopt(j, func(yield func(job.AdoptedItem, error) bool) { yield(*row, nil) }, time.Now())
				if err != nil {
					t.Fatal(err)
				}
				r.job = got.Job
				r.reissue(job.Finished)
				r.check(map[job.State]int{job.Created: 1})
				if orders != tt.orders || len(r.posts()) != tt.posts {
					t.Errorf("%d lists of orders and %d requests for a session, want %d and %d", orders, len(r.posts()), tt.orders, tt.posts)
				}
			})
		})
	}
}
