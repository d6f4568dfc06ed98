package store

import (
	"encoding/json"
	"reflect"
	"testing"
)

// FuzzCells holds what is cut out of a text against what a JSON decoder makes of it, and what is written against what is
// read back.
func FuzzCells(f *testing.F) {
	for _, text := range []string{
		`["a","b"]`, `[""]`, `[]`, `["","",""]`, `["a\"b"]`, `["a\\"]`, `["\u003c"]`, `null`, `["a"`, `["a"]x`, `["a",]`, `[,"a"]`, `["a","b"] `,
		`[ "a"]`, `["a" ]`, `["a","b]`, `["a]","[b"]`, `["a,","b"]`, `["a"b"c"]`, `[1]`, `["ü","\n"]`, `["a""b"]`, `[`, ``, `["a","b",`, `["\"]`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := decodeCells(text)
		var want []string
		wantErr := json.Unmarshal([]byte(text), &want)
		// What a ledger holds was written by a JSON encoder: only that is ever read, and cut the same.
		if written, _ := json.Marshal(want); wantErr == nil && string(written) == text && (err != nil || !reflect.DeepEqual(got, want)) {
			t.Errorf("%s is read as %q, %v; want %q", text, got, err, want)
		}
		cells := []string{text, "", text + `"`, `\` + text}
		again, err := encodeCells(cells)
		if err != nil {
			t.Fatal(err)
		}
		var kept []string
		if err := json.Unmarshal([]byte(again), &kept); err != nil {
			t.Fatal(err)
		}
		if back, err := decodeCells(again); err != nil || !reflect.DeepEqual(back, kept) {
			t.Errorf("%q comes back as %q, %v", cells, back, err)
		}
	})
}
