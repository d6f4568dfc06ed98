package links_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"paylinks/job/invoice"
	"paylinks/job/links"
)

var ourNames = []string{"row", "status", "session_id", "url", "expires_at", "created_at", "attempts", "error_code", "error"}

// rowsOf yields all rows and, if err is set, ends with it.
func rowsOf[R any](err error, all ...R) iter.Seq2[R, error] {
	return func(yield func(R, error) bool) {
		for _, row := range all {
			if !yield(row, nil) {
				return
			}
		}
		if err != nil {
			var none R
			yield(none, err)
		}
	}
}

// text is the links file of all rows.
func text(t *testing.T, f links.Format, all ...links.Row) string {
	t.Helper()
	var out bytes.Buffer
	if err := links.WriteTo(&out, f, rowsOf(nil, all...)); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// read is what encoding/csv makes of a file; it refuses lines of unequal length.
func read(t *testing.T, file string, delimiter rune) [][]string {
	t.Helper()
	r := csv.NewReader(strings.NewReader(file))
	r.Comma = delimiter
	records, err := r.ReadAll()
	if err != nil {
		t.Fatalf("encoding/csv refuses it: %v\n%s", err, file)
	}
	return records
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// The two columns of a refresh come last, and only in a file whose links Clink was asked about.
func TestRefreshedColumns(t *testing.T) {
	rows := func(yield func(links.Row, error) bool) {
		_ = yield(links.Row{Line: 2, Cells: []string{"A"}, Status: "created", Link: "paid", CheckedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}, nil) &&
			yield(links.Row{Line: 3, Cells: []string{"B"}, Status: "failed"}, nil)
	}
	for refreshed, want := range map[bool]string{
		true: "link_status,row,status,session_id,url,expires_at,created_at,attempts,error_code,error,paylinks_link_status,checked_at\n" +
			"A,2,created,,,,,0,,,paid,2026-03-01T12:00:00Z\nB,3,failed,,,,,0,,,,\n",
		false: "link_status,row,status,session_id,url,expires_at,created_at,attempts,error_code,error\n" +
			"A,2,created,,,,,0,,\nB,3,failed,,,,,0,,\n",
	} {
		var got strings.Builder
		err := links.WriteTo(&got, links.Format{Columns: []string{"link_status"}, Refreshed: refreshed}, rows)
		if err != nil || got.String() != want {
			t.Errorf("got %q, %v, want %q", got.String(), err, want)
		}
	}
}

func TestLinksFile(t *testing.T) {
	auckland := time.FixedZone("NZDT", 13*3600)
	got := text(t, links.Format{Columns: []string{"invoice_id", "amount"}, Delimiter: ';'},
		links.Row{
			Line: 2, Cells: []string{"INV-1", "19,99"}, Status: "created",
			SessionID: "sess_1", URL: "https://pay.example.com/sess_1;a=b",
			ExpiresAt: time.Date(2026, 3, 1, 9, 30, 15, 999e6, auckland),
			CreatedAt: time.Date(2026, 2, 28, 20, 0, 0, 0, time.UTC), Attempts: 2,
		},
		links.Row{Line: 3, Cells: []string{"INV-2", "5"}, Status: "failed", ErrorCode: "400", Error: `no "currency"`, Attempts: 1},
		links.Row{Line: 4, Cells: []string{"INV-3", "5"}, Status: "pending"},
	)
	want := `invoice_id;amount;row;status;session_id;url;expires_at;created_at;attempts;error_code;error
INV-1;19,99;2;created;sess_1;"https://pay.example.com/sess_1;a=b";2026-02-28T20:30:15Z;2026-02-28T20:00:00Z;2;;
INV-2;5;3;failed;;;;;1;400;"no ""currency"""
INV-3;5;4;pending;;;;;0;;
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestOurColumnNames(t *testing.T) {
	for _, tt := range []struct {
		name    string
		columns []string
		renamed map[string]string
	}{
		{"free", []string{"invoice_id", "amount"}, nil},
		{"no columns at all", nil, nil},
		{"taken", []string{"status", "error"}, map[string]string{"status": "paylinks_status", "error": "paylinks_error"}},
		{"another case is another name", []string{"Status", "URL"}, nil},
		{"spaces around make another name", []string{" row "}, nil},
		{"the second name taken too", []string{"url", "paylinks_url"}, map[string]string{"url": "paylinks_paylinks_url"}},
		{"only the second name taken", []string{"paylinks_url"}, nil},
		{"alike only in part", []string{"status_code", "my row"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := slices.Clone(tt.columns)
			for _, name := range ourNames {
				if other, ok := tt.renamed[name]; ok {
					name = other
				}
				want = append(want, name)
			}
			equal(t, read(t, text(t, links.Format{Columns: tt.columns}), ',')[0], want)
		})
	}
}

func TestCells(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []string
		want []string // of the two user's columns
	}{
		{"as many as columns", []string{"a", "b"}, []string{"a", "b"}},
		{"too few", []string{"a"}, []string{"a", ""}},
		{"none", nil, []string{"", ""}},
		{"too many", []string{"a", "b", "c"}, []string{"a", "b"}},
		{"delimiter and quotes", []string{`a,"b"`, `"`}, []string{`a,"b"`, `"`}},
		{"spaces", []string{" a ", "  "}, []string{" a ", "  "}},
		{"end of data", []string{`\.`, `\`}, []string{`\.`, `\`}},
		{"line breaks", []string{"a\nb\r\nc\rd\r", "\n"}, []string{"a\nb\nc\nd\n", "'\n"}},
		{"carriage returns alone", []string{"a\rb", "a\r\rb"}, []string{"a\nb", "a\n\nb"}},
		{"not UTF-8", []string{"\xff\xfe", "caf\xe9"}, []string{"\xff\xfe", "caf\xe9"}},
		{"zero byte", []string{"a\x00b", "\x00"}, []string{"a\x00b", "\x00"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := text(t, links.Format{Columns: []string{"one", "two"}}, links.Row{Line: 7, Cells: tt.in})
			if strings.Contains(file, "\r") {
				t.Error("a carriage return came through")
			}
			equal(t, read(t, file, ',')[1], append(slices.Clone(tt.want), "7", "", "", "", "", "", "0", "", ""))
		})
	}
}

func TestQuotes(t *testing.T) {
	for _, tt := range []struct{ name, cell, want string }{
		{"none needed", "a b", "a b"},
		{"empty", "", ""},
		{"delimiter", "a,b", `"a,b"`},
		{"quote", `a"b`, `"a""b"`},
		{"line break", "a\nb", "\"a\nb\""},
		{"space before", " a", `" a"`},
		{"carriage return", "a\rb", "\"a\nb\""},
		{"end of data", `\.`, `"\."`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			file := text(t, links.Format{Columns: []string{"x"}}, links.Row{Line: 7, Cells: []string{tt.cell}})
			_, line, _ := strings.Cut(file, "\n")
			if want := tt.want + ",7,,,,,,0,,\n"; line != want {
				t.Errorf("got %q, want %q", line, want)
			}
		})
	}
}

func TestNoLineIsBlank(t *testing.T) {
	file := text(t, links.Format{Columns: []string{""}, Delimiter: '\t'}, links.Row{Cells: []string{""}})
	for line := range strings.Lines(file) {
		if strings.TrimSpace(line) == "" {
			t.Errorf("blank line in %q", file)
		}
	}
}

func TestFormulaGuard(t *testing.T) {
	const formula = `=HYPERLINK("http://evil.example.com","click")`
	row := links.Row{
		Line: 2, Cells: []string{formula, "-5.00"}, Status: "failed",
		SessionID: "=session", URL: "=url", ErrorCode: "-1", Error: "@SUM(A1)",
	}
	for _, tt := range []struct {
		name         string
		raw          bool
		header, cell string
	}{
		{"guarded", false, "'=one", "'" + formula},
		{"raw", true, "=one", formula},
	} {
		t.Run(tt.name, func(t *testing.T) {
			records := read(t, text(t, links.Format{Columns: []string{"=one", "two"}, RawCells: tt.raw}, row), ',')
			equal(t, records[0], append([]string{tt.header, "two"}, ourNames...))
			equal(t, records[1], []string{tt.cell, "-5.00", "2", "failed", "=session", "=url", "", "", "0", "-1", "'@SUM(A1)"})
		})
	}
	for _, hostile := range []string{"=1+1", "+cmd|' /C calc'!A0", "-2+3+cmd", "@SUM(1)", "\t=1", "\r=1", "\r\n=1"} {
		t.Run(hostile, func(t *testing.T) {
			cell := read(t, text(t, links.Format{Columns: []string{"x"}}, links.Row{Cells: []string{hostile}}), ',')[1][0]
			if !strings.HasPrefix(cell, "'") {
				t.Errorf("%q came out as %q", hostile, cell)
			}
		})
	}
}

func TestByteOrderMark(t *testing.T) {
	file, found := strings.CutPrefix(text(t, links.Format{Columns: []string{"a,b"}, BOM: true}), "\ufeff")
	if !found {
		t.Fatal("there is none")
	}
	equal(t, read(t, file, ',')[0], append([]string{"a,b"}, ourNames...))
}

func TestDelimiters(t *testing.T) {
	for _, delimiter := range []rune{',', ';', '\t', '|', ' ', ':', '2', '§', '→'} {
		t.Run(string(delimiter), func(t *testing.T) {
			cell := "a" + string(delimiter) + "b"
			file := text(t, links.Format{Columns: []string{cell}, Delimiter: delimiter}, links.Row{Cells: []string{cell}})
			records := read(t, file, delimiter)
			equal(t, []string{records[0][0], records[1][0]}, []string{cell, cell})
		})
	}
	for _, delimiter := range []rune{'"', '\n', '\r', '\ufffd', -1, 0xd800} {
		t.Run("not "+string(delimiter), func(t *testing.T) {
			var asLinks *links.Error
			if err := links.WriteTo(io.Discard, links.Format{Delimiter: delimiter}, rowsOf[links.Row](nil)); !errors.As(err, &asLinks) {
				t.Errorf("got %v, want a *links.Error", err)
			}
		})
	}
}

func TestWriteToErrors(t *testing.T) {
	t.Run("of the rows", func(t *testing.T) {
		ledger := errors.New("ledger: disk I/O error")
		if err := links.WriteTo(io.Discard, links.Format{}, rowsOf[links.Row](ledger)); err != ledger {
			t.Errorf("got %v, want it as it was", err)
		}
	})
	t.Run("of the writer", func(t *testing.T) {
		r, w := io.Pipe()
		r.Close()
		var asLinks *links.Error
		err := links.WriteTo(w, links.Format{}, rowsOf(nil, links.Row{}))
		if !errors.As(err, &asLinks) || !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("got %v, want a *links.Error around %v", err, io.ErrClosedPipe)
		}
	})
	t.Run("of the writer, half way", func(t *testing.T) {
		r, w := io.Pipe()
		go func() {
			io.ReadFull(r, make([]byte, 1<<20))
			r.Close()
		}()
		endless := func(yield func(links.Row, error) bool) {
			for yield(links.Row{Error: strings.Repeat("x", 1000)}, nil) {
			}
		}
		if err := links.WriteTo(w, links.Format{}, endless); !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("got %v, want %v", err, io.ErrClosedPipe)
		}
	})
}

func FuzzRoundTrip(f *testing.F) {
	f.Add("invoice_id", "INV-1", "said \"no\"\r\n", int32(','), true)
	f.Add("", "", "", int32(0), false)
	f.Add(" a\t", `\.`, "\r\r\n\n", int32('\t'), false)
	f.Add("=x", "+1", "-a", int32(';'), false)
	f.Add("§", "→→", "\xc2", int32('→'), true)
	f.Add("digit", "2", "2026", int32('2'), false)
	f.Add("#", "\ufeff", "\x00", int32('#'), true)
	f.Fuzz(func(t *testing.T, header, cell, message string, delimiter int32, raw bool) {
		format := links.Format{Columns: []string{header, "second"}, Delimiter: delimiter, RawCells: raw}
		var out bytes.Buffer
		if links.WriteTo(&out, format, rowsOf(nil, links.Row{Line: 2, Cells: []string{cell, cell}, Error: message})) != nil {
			return // not a delimiter
		}
		if delimiter == 0 {
			delimiter = ','
		}
		records := read(t, out.String(), delimiter)
		guard := invoice.Guard
		if raw {
			guard = func(s string) string { return s }
		}
		if len(records) != 2 {
			t.Fatalf("%d lines, want 2: %q", len(records), out.String())
		}
		equal(t, records[0][:2], []string{lines(guard(header)), "second"})
		cell = lines(guard(cell))
		equal(t, records[1], []string{cell, cell, "2", "", "", "", "", "", "0", "", lines(invoice.Guard(message))})
	})
}

func lines(s string) string { return strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(s) }

var typicalFormat = links.Format{Columns: []string{"invoice_id", "email", "amount", "currency", "description", "account"}}

var typical = links.Row{
	Line: 2, Cells: []string{"INV-10442", "accounts@shop.example.com", "1310.16", "EUR", "Wholesale, March", "0200"},
	Status: "created", SessionID: "sess_8f4e2a9c71b04d5e", URL: "https://uat-checkout.clinkbill.com/pay/sess_8f4e2a9c71b04d5e",
	ExpiresAt: time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC), CreatedAt: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC), Attempts: 1,
}

func BenchmarkWriteTo(b *testing.B) {
	b.ReportAllocs()
	rows := func(yield func(links.Row, error) bool) {
		for b.Loop() {
			if !yield(typical, nil) {
				return
			}
		}
	}
	if err := links.WriteTo(io.Discard, typicalFormat, rows); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}
