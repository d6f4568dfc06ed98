package invoice

import (
	"bytes"
	"encoding/csv"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// FuzzInvoice reads any bytes: they are refused, or they are read so that what was read can be written as CSV and reads
// the same again.
func FuzzInvoice(f *testing.F) {
	var files []string
	for _, pattern := range []string{"testdata/*.*", "testdata/libreoffice/*.csv"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			f.Fatal(pattern, err)
		}
		files = append(files, found...)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content, false)
	}
	for _, seed := range []string{
		"", "\xff\xfe", "a", "\"", "email,amount,currency\na@example.com,1,EUR\n", "email;amount;currency\r\na@example.com;1,50;EUR\r\n",
		"Acme Ltd\n\nemail,amount,currency,note\na@example.com,1,EUR\na@example.com,1,234.50,EUR\n", "sep=|\nemail|amount|currency\na@example.com|1|EUR\n",
		"email,amount,currency,n\na@example.com,1,EUR,5\" pipe\nb@example.com,1,EUR,\"x\nc@example.com,1,EUR,\"y\"\nTotal,3,EUR,\n",
		"email\tamount\tcurrency\ra@example.com\t1\tEUR\r", "email,amount,currency,session_id\na@example.com,1,EUR,'=x\n",
		"email,amount,currency,n\na@example.com,1,EUR,\"a\r\r\nb\"\n", "email|amount|currency|\"x,\"\"y\"\na@example.com|1|EUR|\n",
	} {
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, content []byte, comma bool) {
		o := Options{DecimalComma: comma, AllowRepeats: true, AllowNoID: true}
		head, good := readGood(t, content, o)
		if _, ours := ownColumns(head.Columns); ours || len(good) == 0 {
			return // taken for ours, the file we write now would lose columns
		}
		var b bytes.Buffer
		b.WriteString("\ufeff")
		w := csv.NewWriter(&b)
		w.Comma = head.Delimiter
		w.Write(head.Columns)
		for _, row := range good {
			w.Write(row.Cells)
		}
		w.Flush()
		_, again := readGood(t, b.Bytes(), o)
		if again == nil && refusedAsAmbiguous(b.Bytes(), o) {
			return // the header was quoted where it had to be, and a CSV writer does not know that
		}
		if len(again) < len(good) && doubtful(t, b.Bytes(), o) {
			return // the same of an amount, or lines that look like rows now that blank cells behind them are gone
		}
		if len(again) != len(good) {
			t.Fatalf("%d rows, %d when written and read again:\n%q", len(good), len(again), b.String())
		}
		for i := range good {
			a, b := good[i].Invoice, again[i].Invoice
			a.Description, b.Description = evenBreaks(a.Description), evenBreaks(b.Description)
			if !reflect.DeepEqual(a, b) {
				t.Fatalf("row %d: %+v\nwhen written and read again: %+v", i, a, b)
			}
		}
	})
}

func readGood(t *testing.T, content []byte, o Options) (Header, []Row) {
	r, err := newReader("fuzz.csv", bytes.NewReader(content), o)
	if err != nil {
		if fileKinds(err) == "" || err.Error() == "" {
			t.Fatalf("refused without a word: %#v", err)
		}
		return Header{}, nil
	}
	var good []Row
	last := 0
	for {
		row, err := r.Next()
		if err == io.EOF {
			return r.Header(), good
		}
		if err != nil {
			return Header{}, nil
		}
		if row.Line <= last || len(row.Cells) != len(r.Header().Columns) {
			t.Fatalf("line %d after %d, with %d cells", row.Line, last, len(row.Cells))
		}
		last = row.Line
		if len(row.Problems) == 0 {
			good = append(good, row)
		}
	}
}

func refusedAsAmbiguous(content []byte, o Options) bool {
	_, err := newReader("fuzz.csv", bytes.NewReader(content), o)
	return fileKinds(err) == string(DelimiterAmbiguous)
}

// doubtful says whether a row is refused for what it looks like.
func doubtful(t *testing.T, content []byte, o Options) bool {
	r, err := newReader("fuzz.csv", bytes.NewReader(content), o)
	if err != nil {
		t.Fatal(err)
	}
	for {
		row, err := r.Next()
		if err != nil {
			return false
		}
		if len(row.Problems) > 0 && (row.Problems[0].Kind == AmountCut || row.Problems[0].Kind == RowSwallowed) {
			return true
		}
	}
}
