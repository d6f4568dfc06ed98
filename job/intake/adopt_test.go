package intake_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"os"
	"strings"
	"testing"
	"time"

	"paylinks/job"
	"paylinks/job/intake"
	"paylinks/job/invoice"
	"paylinks/store"
)

const linksHeader = "invoice_id,customer_email,amount,currency,row,status,session_id,url,expires_at,created_at,attempts,error_code,error\n"

// linksRow is a row of a links file with its link.
func linksRow(n int) string {
	return fmt.Sprintf("A-%d,a@example.com,3.00,USD,%[1]d,created,sess_%[1]d,https://example.com/%[1]d,,2026-01-01T00:00:00Z,1,,\n", n)
}

func openLinks(t *testing.T, s intake.Settings, content string) *intake.LinksFile {
	t.Helper()
	files, err := intake.OpenLinks([]string{write(t, t.TempDir(), "a.links.csv", content)}, s)
	if err != nil {
		t.Fatal(err)
	}
	return files[0]
}

// adopting calls its function when the ledger has taken so many rows.
type adopting struct {
	store.Ledger
	rows int
	do   func()
}

func (a adopting) Adopt(j job.Job, rows iter.Seq2[job.AdoptedItem, error], at time.Time) (job.Adopted, error) {
	return a.Ledger.Adopt(j, func(yield func(job.AdoptedItem, error) bool) {
		n := 0
		for row, err := range rows {
			if !yield(row, err) {
				return
			}
			if n++; n == a.rows {
				a.do()
			}
		}
	}, at)
}

// TestAdoptIsBrokenOff guards that a file is adopted whole or not at all where it is interrupted, and where the file changes on the way.
func TestAdoptIsBrokenOff(t *testing.T) {
	var content strings.Builder
	content.WriteString(linksHeader)
	for n := range 2000 {
		content.WriteString(linksRow(n))
	}
	for _, tt := range []struct {
		name string
		do   func(cancel context.CancelFunc, path string)
		want func(error) bool
	}{
		{"interrupted", func(cancel context.CancelFunc, _ string) { cancel() }, func(err error) bool { return errors.Is(err, context.Canceled) }},
		{"written to", func(_ context.CancelFunc, path string) {
			file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err == nil {
				_, err = file.WriteString(linksRow(2001))
			}
			if err != nil {
				t.Error(err)
			}
			_ = file.Close()
		}, func(err error) bool {
			var refusal *intake.Refusal
			return errors.As(err, &refusal) && refusal.Kind == intake.NotImported
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := openLinks(t, settings, content.String())
			if err := f.Check(t.Context(), &reporter{}); err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ledger := newLedger(t)
			adopted, err := f.Adopt(ctx, adopting{ledger, 10, func() { tt.do(cancel, f.Path) }})
			if !tt.want(err) || adopted.Links != 0 {
				t.Errorf("%+v, %v", adopted, err)
			}
			if jobs, err := ledger.Jobs(t.Context()); err != nil || len(jobs) != 0 {
				t.Errorf("jobs %v, %v", jobs, err)
			}
		})
	}
}

// TestAdoptedRows guards what a row of a links file is read as: a link, a doubt, or none of both, whatever else is wrong with it.
func TestAdoptedRows(t *testing.T) {
	const link = "sess_1,https://example.com/1,,2026-01-01T00:00:00Z,1,,\n"
	sandbox := intake.Settings{Environment: job.Sandbox, BaseURL: "https://clink.test/api"}
	elements := settings
	elements.Options = invoice.Options{Defaults: map[string]string{"ui_mode": "elements", "return_url": "https://example.com/r"}}
	for _, tt := range []struct {
		name     string
		row      string
		settings intake.Settings
		want     string // links, doubts, left out, and problems by column
	}{
		{"a link", "A-1,a@example.com,3.00,USD,2,created," + link, settings, "1 0 map[] []"},
		{"another file's link", "A-1,a@example.com,3.00,USD,2,duplicate," + link, settings, "1 0 map[] []"},
		{"a doubt", "A-1,a@example.com,3.00,USD,2,unknown,,,,,1,unknown,timeout\n", settings, "0 1 map[] []"},
		{"an invalid row", "A-1,nobody,x,,2,invalid,,,,,0,invalid,wrong\n", settings, "0 0 map[invalid:1] []"},
		{"an open row", "A-1,a@example.com,3.00,USD,2,pending,,,,,0,,\n", settings, "0 0 map[pending:1] []"},
		{"a session that was never published", "A-1,a@example.com,3.00,USD,2,failed,sess_1,,,2026-01-01T00:00:00Z,1,mismatch,x\n", settings, "0 0 map[failed:1] []"},
		{"a doubt without an amount", "A-1,a@example.com,,USD,2,unknown,,,,,1,unknown,timeout\n", settings, "0 0 map[] [amount]"},
		{"no session's id", "A-1,a@example.com,3.00,USD,2,created,se ss,https://example.com/1,,2026-01-01T00:00:00Z,1,,\n", settings, "0 0 map[] [session_id]"},
		{"no link", "A-1,a@example.com,3.00,USD,2,created,sess_1,,,2026-01-01T00:00:00Z,1,,\n", settings, "0 0 map[] [url]"},
		{"no link for elements", "A-1,a@example.com,3.00,USD,2,created,sess_1,,,2026-01-01T00:00:00Z,1,,\n", elements, "1 0 map[] []"},
		{"a rehearsal's link, in the sandbox", "A-1,a@example.com,3.00,USD,2,created,sess_1,http://127.0.0.1/1,,2026-01-01T00:00:00Z,1,,\n", sandbox, "0 0 map[] [session_id]"},
		{"a rehearsal's link", "A-1,a@example.com,3.00,USD,2,created,sess_1,http://127.0.0.1/1,,2026-01-01T00:00:00Z,1,,\n", settings, "1 0 map[] []"},
		{"a status in capitals", "A-1,a@example.com,3.00,USD,2,CREATED," + link, settings, "0 0 map[] [status]"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f, r := openLinks(t, tt.settings, linksHeader+tt.row), &reporter{}
			err := f.Check(t.Context(), r)
			var adopted job.Adopted
			if err == nil {
				adopted, err = f.Adopt(t.Context(), newLedger(t))
			}
			if (err != nil) != (len(r.problems) > 0) {
				t.Error(err)
			}
			columns := []string{}
			for _, p := range r.problems {
				columns = append(columns, p.Column)
			}
			if got := fmt.Sprint(adopted.Links, adopted.Doubts, f.LeftOut, columns); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}
