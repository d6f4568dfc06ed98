package invoice

import (
	"bytes"
	"encoding/csv"
	"math/rand/v2"
	"slices"
	"testing"
)

// splitAll splits a whole text, and says whether no quote in it is misplaced.
func splitAll(content string, comma byte) (rows [][]string, sound bool) {
	s := splitter{comma: comma}
	for line := range bytes.Lines([]byte(content)) {
		line, _ = withoutBreak(line)
		if len(line) == 0 && !s.open {
			continue
		}
		if !s.open {
			s.reset()
		}
		if s.add(line) >= 0 {
			return nil, false
		}
		if !s.open {
			rows = append(rows, s.cells())
		}
	}
	return rows, !s.open
}

// sameAsCSV holds the splitter against encoding/csv, which is strict about quotes by default.
func sameAsCSV(t *testing.T, content string) {
	t.Helper()
	r := csv.NewReader(bytes.NewReader([]byte(content)))
	r.Comma, r.FieldsPerRecord = ';', -1
	want, err := r.ReadAll()
	got, sound := splitAll(content, ';')
	if sound != (err == nil) {
		t.Fatalf("%q: sound is %v, and encoding/csv says %v", content, sound, err)
	}
	if sound && !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		t.Fatalf("%q: %q, and encoding/csv has %q", content, got, want)
	}
}

// TestSplitsAsCSV guards that a well-formed file is split as RFC 4180 has it, and that every misplaced quote is noticed.
func TestSplitsAsCSV(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	const letters = `"";;ab ` + "\n\n\r"
	for range 100_000 {
		content := make([]byte, random.IntN(16))
		for i := range content {
			content[i] = letters[random.IntN(len(letters))]
		}
		sameAsCSV(t, string(content))
	}
}

func FuzzSplit(f *testing.F) {
	f.Add("a;\"b\";c\r\n\"d\"\"\n;e\";f")
	f.Add("\"a\"b;c\n")
	f.Fuzz(sameAsCSV)
}
