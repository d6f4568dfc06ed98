package intake_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paylinks/job"
	"paylinks/job/intake"
	"paylinks/job/invoice"
	"paylinks/store"
)

// sums are settings for files whose rows are lines.
func sums() intake.Settings {
	s := settings
	s.Options.Lines = invoice.LinesSum
	return s
}

const lineHeader = "invoice_id,customer_email,amount,currency,description\n"

// shown are the job's rows: line, state, f of a further one, invoice.
func shown(t *testing.T, ledger store.Ledger, jobID int64) string {
	t.Helper()
	var all []string
	for r, err := range ledger.Results(t.Context(), jobID) {
		if err != nil {
			t.Fatal(err)
		}
		text := fmt.Sprintf("%d %s", r.Row, r.State)
		if r.Further {
			text += " f"
		}
		all = append(all, text)
	}
	return strings.Join(all, ";")
}

// TestRequestOfLines guards what Clink is sent of an invoice with lines.
func TestRequestOfLines(t *testing.T) {
	b, ledger := open(t, sums(), write(t, t.TempDir(), "a.csv", lineHeader+
		"A,a@example.com,1.10,EUR,tea\nB,b@example.com,5.00,EUR,cup\nA,,2.20,EUR,\nA,,0.00,EUR,spoon\nB,,-1.00,,less\n")), newLedger(t)
	if problems, errs := check(t, b, ledger); problems != nil || errs != nil {
		t.Fatal(problems, errs)
	}
	if f := b.Files[0].Figures; f.Rows != 5 || f.Invoices != 2 || f.Tally.Rows() != 2 || f.Tally.Totals(job.Pending)["EUR"] != "7.30" || f.Spans["EUR"].Invoices != 2 {
		t.Errorf("figures %+v", f)
	}
	j, err := b.Files[0].Import(t.Context(), ledger)
	if err != nil {
		t.Fatal(err)
	}
	items, err := ledger.Open(t.Context(), j.ID, 0, 10)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, item := range items {
		var request struct {
			Amount json.Number     `json:"originalAmount"`
			List   json.RawMessage `json:"priceDataList"`
		}
		body, err := item.Request.Body()
		if err == nil {
			err = json.Unmarshal([]byte(body), &request)
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprintf("%d %s %s", item.Row, request.Amount, request.List))
	}
	want := []string{
		`2 3.30 [{"name":"tea","quantity":1,"unitAmount":1.10,"currency":"EUR"},{"name":"Invoice A","quantity":1,"unitAmount":2.20,"currency":"EUR"}]`,
		`3 4.00 [{"name":"Invoice B","quantity":1,"unitAmount":4.00,"currency":"EUR"}]`,
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("\n got %s\nwant %s", strings.Join(got, "\n     "), strings.Join(want, "\n     "))
	}
	if got, want := shown(t, ledger, j.ID), "2 pending;3 pending;4 pending f;5 pending f;6 pending f"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestLinesBesideOtherFiles guards that what another file or the ledger has against an invoice refuses all its rows, and that the same
// invoice in two files is one.
func TestLinesBesideOtherFiles(t *testing.T) {
	dir, ledger := t.TempDir(), newLedger(t)
	a := write(t, dir, "a.csv", lineHeader+"A,a@example.com,1,EUR,tea\nA,,2,,pot\nB,a@example.com,1,EUR,tea\nB,,3,,pot\n")
	same := write(t, dir, "b.csv", lineHeader+"B,a@example.com,3.00,EUR,pot\nA,a@example.com,1,EUR,tea\nA,,4,,pot\nB,,1,EUR,tea\n")
	s := sums()
	s.SkipInvalid = true
	b := open(t, s, a, same)
	problems, errs := check(t, b, ledger)
	var got []string
	for _, p := range problems {
		got = append(got, fmt.Sprintf("%s:%d %s", filepath.Base(p.File), p.Line, p.Kind))
	}
	want := "a.csv:2 link-conflict;a.csv:3 line-refused;a.csv:4 link-conflict;a.csv:5 line-refused;" +
		"b.csv:2 link-conflict;b.csv:3 link-conflict;b.csv:4 line-refused;b.csv:5 line-refused"
	if s := strings.Join(got, ";"); s != want || errs != nil {
		t.Errorf("\n got %s (%v)\nwant %s", s, errs, want)
	}
	for i, want := range []string{"2 invalid;3 invalid f;4 invalid;5 invalid f", "2 invalid;3 invalid;4 invalid f;5 invalid f"} {
		j, err := b.Files[i].Import(t.Context(), ledger)
		if err != nil {
			t.Fatal(err)
		}
		if got := shown(t, ledger, j.ID); got != want {
			t.Errorf("file %d: got %s, want %s", i, got, want)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "b.rejected.csv"))
	if err != nil || strings.Count(string(text), "\n") != 5 {
		t.Errorf("rejected: %s (%v)", text, err)
	}
}

// TestLinesInTheSameOrder guards that the same lines are the same invoice in another file.
func TestLinesInTheSameOrder(t *testing.T) {
	dir := t.TempDir()
	a := write(t, dir, "a.csv", lineHeader+"A,a@example.com,1,EUR,tea\nA,,2,,pot\n")
	other := write(t, dir, "b.csv", lineHeader+"A,a@example.com,1.00,EUR,tea\nB,a@example.com,1,EUR,tea\nA,,2,EUR,pot\nB,,3,,pot\n")
	b := open(t, sums(), a, other)
	if problems, errs := check(t, b, newLedger(t)); problems != nil || errs != nil || b.Files[1].Figures.InOtherFile != 1 {
		t.Errorf("%v, %v, %+v", problems, errs, b.Files[1].Figures)
	}
}

// TestLinesUnsaid guards that rows of one id that differ are refused in a file whose rows are invoices, and what they are said to come to.
func TestLinesUnsaid(t *testing.T) {
	const both = "add total: each has the total, and the invoice is 3.00 EUR"
	const sum = "add sum: each has the amount of its line, and the invoice is %s EUR"
	for _, tt := range []struct{ name, rows, want string }{ // the options of the first problem of its kind
		{"equal", "A,a@example.com,3,EUR,tea\nA,a@example.com,3.00,EUR,pot\n", both + "|" + fmt.Sprintf(sum, "6.00")},
		{"unlike", "A,a@example.com,3,EUR,tea\nB,b@example.com,1,EUR,\nA,a@example.com,2,EUR,tea\n", fmt.Sprintf(sum, "5.00")},
		{"blank", "A,a@example.com,3,EUR,tea\nA,,,,pot\nA,,,,pot\n", both},
		{"a discount", "A,a@example.com,3,EUR,tea\nA,,-1,EUR,less\nA,,0,EUR,less\n", fmt.Sprintf(sum, "2.00")},
		{"two customers", "A,a@example.com,3,EUR,tea\nA,b@example.com,3,EUR,tea\n", ""},
		{"two currencies", "A,a@example.com,3,EUR,tea\nA,a@example.com,3,USD,tea\n", ""},
		{"one that cannot be read", "A,a@example.com,3,EUR,tea\nA,a@example.com,x,EUR,tea\n", ""},
		{"alike", "A,a@example.com,3,EUR,tea\nA,a@example.com,3,EUR,tea\n", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := settings
			s.SkipInvalid = true
			b, ledger := open(t, s, write(t, t.TempDir(), "a.csv", lineHeader+tt.rows)), newLedger(t)
			problems, errs := check(t, b, ledger)
			if errs != nil || problems == nil {
				t.Fatal(problems, errs)
			}
			got := ""
			for _, p := range problems {
				if p.Kind != intake.LinesUnsaid {
					continue
				}
				var options []string
				for _, o := range p.Options {
					options = append(options, "add "+o.Value+": "+o.When)
				}
				got = strings.Join(options, "|")
			}
			if got != tt.want {
				t.Errorf("\n got %s\nwant %s", got, tt.want)
			}
			j, err := b.Files[0].Import(t.Context(), ledger)
			if err != nil {
				t.Fatal(err)
			}
			if sent := strings.Count(shown(t, ledger, j.ID), "pending"); tt.name != "alike" && sent != strings.Count(tt.rows, "B,") {
				t.Errorf("%d rows are to be sent: %s", sent, shown(t, ledger, j.ID))
			}
		})
	}
}

// TestLinesOfAChangedFile guards that a file that changes between two readings is refused, whatever it has become.
func TestLinesOfAChangedFile(t *testing.T) {
	dir := t.TempDir()
	path := write(t, dir, "a.csv", lineHeader+"A,a@example.com,1,EUR,tea\nA,,2,,pot\n")
	for _, text := range []string{
		lineHeader + "A,a@example.com,1,EUR,tea\nA,,4,,pot\n", lineHeader + "A,a@example.com,1,EUR,tea\nB,,2,,pot\n", lineHeader + "A,a@example.com,1,EUR,tea\n",
	} {
		b, ledger := open(t, sums(), path), newLedger(t)
		if problems, errs := check(t, b, ledger); problems != nil || errs != nil {
			t.Fatal(problems, errs)
		}
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = b.Files[0].Import(t.Context(), ledger)
		wantKind(t, err, intake.NotImported)
		if jobs, err := ledger.Jobs(t.Context()); len(jobs) != 0 || err != nil {
			t.Errorf("jobs %v, %v", jobs, err)
		}
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
