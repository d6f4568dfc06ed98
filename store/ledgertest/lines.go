package ledgertest

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"time"

	"paylinks/job"
)

// further is a further row of the item in this place.
func further(row, item int) job.NewItem {
	return job.NewItem{Row: row, Further: true, Item: item, Cells: []string{"", fmt.Sprintf("line %d", row)}}
}

// withLines are three items, of which one has rows beside the first, and one has them apart from it.
func withLines() []job.NewItem {
	return []job.NewItem{
		Invoice(2, "INV-1"), further(3, 0), further(4, 0),
		Invoice(5, "INV-2"), further(6, 0),
		Invoice(7, "INV-3"), further(8, 1), further(9, 2),
	}
}

// lines are the job's rows, each as "row, second cell, further, invoice, session".
func (l *ledger) lines(jobID int64) (all []string) {
	l.t.Helper()
	for _, r := range l.results(jobID) {
		cell := ""
		if len(r.Cells) > 1 {
			cell = r.Cells[1]
		}
		all = append(all, fmt.Sprintf("%d, %s, %t, %s, %s", r.Row, cell, r.Further, r.InvoiceID, r.SessionID))
	}
	return all
}

// Each row of the file is there, in its order and with its own cells, and has what there is to say of its item. Items alone are counted,
// and sent.
func (c contract) testLines(t *testing.T) {
	l := c.newLedger(t)
	l.imported(NewJob("before"), Invoice(2, "INV-100"), further(3, 0))
	j := l.imported(NewJob("a"), withLines()...)
	l.imported(NewJob("after"), Invoice(2, "INV-101"), further(3, 0))
	if got, err := l.Job(t.Context(), j.ID); err != nil || j.FurtherLines != 5 || got.FurtherLines != 5 {
		t.Errorf("%d further lines, and %d on record (%v)", j.FurtherLines, got.FurtherLines, err)
	}
	items := l.open(j.ID)
	if len(items) != 3 || items[1].Row != 5 {
		t.Fatalf("open items: %+v", items)
	}
	for _, item := range items[:2] {
		l.created(item, At.Add(time.Hour))
	}
	first, second := sessionOf(items[0].ID), sessionOf(items[1].ID)
	want := []string{
		"2, 10.00, false, INV-1, " + first, "3, line 3, true, INV-1, " + first, "4, line 4, true, INV-1, " + first,
		"5, 10.00, false, INV-2, " + second, "6, line 6, true, INV-1, " + first,
		"7, 10.00, false, INV-3, ", "8, line 8, true, INV-2, " + second, "9, line 9, true, INV-3, ",
	}
	if got := l.lines(j.ID); !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
	if tally, err := l.Tally(t.Context(), j.ID); err != nil || tally.Rows() != 3 || tally.Totals(job.States...)["USD"] != "30.00" {
		t.Errorf("the tally is %+v (%v)", tally, err)
	}
	l.send(items[2], job.OutcomeRejected)
	l.purged(j.ID)
	for _, r := range l.results(j.ID) {
		if len(r.Cells) > 0 || r.InvoiceID != "" {
			t.Errorf("a purged row tells %+v", r)
		}
	}
	if got := len(l.results(j.ID)); got != 8 {
		t.Errorf("%d rows are left after a purge", got)
	}
}

// Many lines go into the ledger in several parts, and of an import that fails none stays: the next one gets its place.
func (c contract) testLinesOfManyParts(t *testing.T) {
	l := c.newLedger(t)
	broken := errors.New("the file ends in the middle")
	rows := func(n int, end error) iter.Seq2[job.NewItem, error] {
		return func(yield func(job.NewItem, error) bool) {
			for i := range n {
				if !yield(Invoice(3*i+2, fmt.Sprintf("INV-%d", i)), nil) || !yield(further(3*i+3, i), nil) || !yield(further(3*i+4, i/2), nil) {
					return
				}
			}
			if end != nil {
				yield(job.NewItem{}, end)
			}
		}
	}
	if _, err := l.Import(NewJob("a"), rows(9000, broken), false, At); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	j, err := l.Import(NewJob("a"), rows(4500, nil), false, At)
	if err != nil {
		t.Fatal(err)
	}
	results := l.results(j.ID)
	if len(results) != 3*4500 || j.FurtherLines != 2*4500 {
		t.Fatalf("%d rows, and %d further ones", len(results), j.FurtherLines)
	}
	for i, r := range results {
		item := []int{i / 3, i / 3, i / 6}[i%3]
		if r.Row != i+2 || r.InvoiceID != fmt.Sprintf("INV-%d", item) || r.Further != (i%3 > 0) {
			t.Fatalf("in place %d stands %+v", i, r)
		}
	}
}

// A bad invoice has its rows in the links file, too.
func (c contract) testLinesOfABadInvoice(t *testing.T) {
	l := c.newLedger(t)
	bad := job.NewItem{Row: 2, Cells: []string{"INV-1", "x"}, Problem: "amount: is no amount"}
	j, err := l.Import(NewJob("a"), Good(bad, further(3, 0), Invoice(4, "INV-2")), true, At)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range l.results(j.ID) {
		got = append(got, fmt.Sprintf("%d %s %s", r.Row, r.State, r.Error))
	}
	if want := []string{"2 invalid amount: is no amount", "3 invalid amount: is no amount", "4 pending "}; !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

// Of a links file only the lines are taken whose invoice is.
func (c contract) testAdoptLines(t *testing.T) {
	l := c.newLedger(t)
	l.adopt(linksFile("known"), "1 links, 0 doubts, 0 known, 0 payments", linked(2, "INV-1", "sess_1"))
	line := func(row, item int) job.AdoptedItem { return job.AdoptedItem{NewItem: further(row, item)} }
	j := l.adopt(linksFile("a"), "1 links, 0 doubts, 1 known, 0 payments",
		linked(2, "INV-1", "sess_1"), line(3, 0), linked(4, "INV-2", "sess_2"), line(5, 1), line(6, 0))
	if got, err := l.Job(t.Context(), j.ID); err != nil || got.FurtherLines != 1 {
		t.Errorf("%d further lines (%v)", got.FurtherLines, err)
	}
	want := []string{"4, 10.00, false, INV-2, sess_2", "5, line 5, true, INV-2, sess_2"}
	if got := l.lines(j.ID); !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}
