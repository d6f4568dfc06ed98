package links_test

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"paylinks/job/invoice"
	"paylinks/job/links"
)

// sessions are those that the file names, as "id url".
func sessions(t *testing.T, path string) (all []string) {
	t.Helper()
	for s, err := range links.Sessions(path) {
		must(t, err)
		all = append(all, strings.TrimSpace(s.ID+" "+s.URL))
	}
	return all
}

// TestSessions guards that a links file is known for one whatever its form, and that no other file is taken for one.
func TestSessions(t *testing.T) {
	rows := []links.Row{
		{Line: 2, Cells: []string{"said \"no\",\nsess_false", "5"}, Status: "created", SessionID: "sess_1", URL: "https://pay.test/sess_1;a"},
		{Line: 5, Cells: []string{"", "5"}, Status: "pending"},
		{Line: 6, Cells: []string{"x", "5"}, Status: "created", SessionID: "sess_2"},
		{Line: 7, Cells: []string{"x", "5"}, Status: "failed", SessionID: "sess_3"}, // nobody has its link
	}
	want := []string{"sess_1 https://pay.test/sess_1;a", "sess_2"}
	for _, tt := range []struct {
		name   string
		format links.Format
	}{
		{"as it comes", links.Format{Columns: []string{"invoice_id", "amount"}}},
		{"semicolons", links.Format{Columns: []string{"invoice,id", "amount"}, Delimiter: ';'}},
		{"tabs", links.Format{Columns: []string{"invoice_id", "amount"}, Delimiter: '\t'}},
		{"bars", links.Format{Columns: []string{"invoice_id", "amount"}, Delimiter: '|'}},
		{"with a mark", links.Format{Columns: []string{"invoice_id", "amount"}, BOM: true}},
		{"refreshed", links.Format{Columns: []string{"invoice_id", "amount"}, Refreshed: true}},
		{"the user has such columns", links.Format{Columns: []string{"session_id", "url"}}},
		{"the user has them twice", links.Format{Columns: []string{"session_id", "paylinks_session_id"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.links.csv")
			must(t, links.Write(path, tt.format, rowsOf(nil, rows...)))
			if got := sessions(t, path); !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			for range links.Sessions(path) {
				break
			}
		})
	}
	ours := strings.Join(invoice.LinksColumns, ",")
	for name, text := range map[string]string{
		"empty":                    "",
		"an invoice file":          "invoice_id,amount,session_id\nA,1,sess_1\n",
		"a column of theirs after": "id," + ours + ",mine\nA,2,created,sess_1,https://pay.test,,,1,,,x\n",
		"in another order":         "id," + strings.Replace(ours, "status,session_id", "session_id,status", 1) + "\nA,2,sess_1,created,https://pay.test,,,1,,\n",
		"no text":                  "\x00\x01\xff\xfe\"",
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.csv")
			put(t, path, text, 0o600)
			if got := sessions(t, path); len(got) != 0 {
				t.Errorf("got %q", got)
			}
		})
	}
	t.Run("no file", func(t *testing.T) {
		if got := sessions(t, filepath.Join(t.TempDir(), "none.csv")); len(got) != 0 {
			t.Errorf("got %q", got)
		}
	})
	t.Run("a pipe is not waited for", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "pipe")
		must(t, syscall.Mkfifo(path, 0o600))
		if got := sessions(t, path); len(got) != 0 {
			t.Errorf("got %q", got)
		}
	})
	t.Run("one that cannot be read", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "a.csv")
		put(t, path, "id,"+ours+"\n", 0)
		must(t, syscall.Chmod(filepath.Dir(filepath.Dir(path)), 0o755))
		asNobody(t, func() {
			for _, err := range links.Sessions(path) {
				wantFailure(t, err, path, "permission denied")
				return
			}
			t.Error("nothing was said")
		})
	})
}
