package profile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
)

var keys = []Key{{"decimal", Text}, {"header-line", Number}, {"skip-totals", Switch}, {"ignore", List}, {"map", Table}}

// TestRoundTrip guards that a profile says tomorrow what it said when it was saved, whatever is in a header, and that only its owner
// can read it.
func TestRoundTrip(t *testing.T) {
	want := Profile{
		Values: map[string][]string{
			"decimal": {"comma"}, "header-line": {"5"}, "skip-totals": {"true"}, "ignore": {"Product \"ID\"", "=2,5"},
			"map": {"amount=Montant = dû\n(€)", "invoice_id=Num'#"},
		},
		OtherAmounts: []string{"Balance", ""},
	}
	path := filepath.Join(t.TempDir(), "a.toml")
	if err := Write(path, keys, want, "one line\nanother\n"); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path, keys)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Errorf("its mode is %v, %v", info.Mode(), err)
	}
}

// TestDottedKeys guards that a table is one however its owner writes it.
func TestDottedKeys(t *testing.T) {
	for _, text := range []string{"map.amount = \"A\"\n", "map = { amount = \"A\" }\n", "\ufeff[map]\r\namount = 'A'"} {
		path := filepath.Join(t.TempDir(), "a.toml")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if p, err := Read(path, keys); err != nil || !slices.Equal(p.Values["map"], []string{"amount=A"}) {
			t.Errorf("%q: %v, %v", text, p.Values, err)
		}
	}
}

// TestWriteThroughALink guards that a file which its owner keeps elsewhere, and links to, stays where it is.
func TestWriteThroughALink(t *testing.T) {
	folder := t.TempDir()
	real, link := filepath.Join(folder, "kept.toml"), filepath.Join(folder, "link.toml")
	if err := errors.Join(os.WriteFile(real, nil, 0o600), os.Symlink(real, link)); err != nil {
		t.Fatal(err)
	}
	if err := Write(link, keys, Profile{Values: map[string][]string{"decimal": {"comma"}}}, ""); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is gone: %v", err)
	}
	if text, err := os.ReadFile(real); err != nil || !strings.Contains(string(text), "comma") {
		t.Errorf("the file has %q, %v", text, err)
	}
}

// TestWrongFiles guards that a file which says something else than it seems to is refused, and never read in part.
func TestWrongFiles(t *testing.T) {
	for _, tt := range []struct{ name, text, what, unknown string }{
		{"a misspelt key", "decimal = \"comma\"\nskip-total = true\n", `no profile has the key "skip-total"`, "skip-total"},
		{"an unknown table", "[maps]\namount = \"A\"\n", `no profile has the key "maps"`, "maps"},
		{"other case", "Decimal = \"comma\"\n", `no profile has the key "Decimal"`, "Decimal"},
		{"a number for a text", "decimal = 1\n", "decimal is not a text", ""},
		{"a text for a number", "header-line = \"5\"\n", "header-line is not a whole number", ""},
		{"a fraction", "header-line = 5.5\n", "header-line is not a whole number", ""},
		{"a text for a switch", "skip-totals = \"yes\"\n", "skip-totals is not true or false", ""},
		{"a text for a list", "ignore = \"Product ID\"\n", "ignore is not a list", ""},
		{"a list for a table", "map = [\"amount=A\"]\n", "map is not a table", ""},
		{"a table in the table", "[map.amount]\nheader = \"A\"\n", "map is not a table", ""},
		{"a key twice", "decimal = \"comma\"\ndecimal = \"point\"\n", "line 2: ", ""},
		{"no TOML", "decimal: comma\n", "line 1: ", ""},
		{"another encoding", "decimal = \"\xe9\"\n", "UTF-8", ""},
		{"too much", strings.Repeat("#", maxSize+1), "too large", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.toml")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			_, err := Read(path, keys)
			wrong, is := errors.AsType[*WrongError](err)
			if !is || !strings.Contains(wrong.What, tt.what) || wrong.UnknownKey != tt.unknown {
				t.Errorf("got %#v, want %q", err, tt.what)
			}
		})
	}
	if _, err := Read(t.TempDir(), keys); err == nil {
		t.Error("a folder is a profile")
	}
	pipe := filepath.Join(t.TempDir(), "pipe.toml")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(pipe, keys); err == nil {
		t.Error("a pipe is a profile")
	}
}

// TestNames guards which files are profiles that can be named.
func TestNames(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"xero.toml", "Müller-2.toml", ".xero.toml", "notes.txt", "a b.toml", "a.toml.toml", "a.toml.bak"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Names(folder)
	if want := []string{"Müller-2", "xero"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v, want %q", got, err, want)
	}
	if got, err := Names(filepath.Join(folder, "none")); err != nil || got != nil {
		t.Errorf("got %q, %v from no folder", got, err)
	}
}

func TestValidName(t *testing.T) {
	for name, want := range map[string]bool{
		"xero": true, "größe-2.a_b": true, "2026": true, "請求書": true, strings.Repeat("é", 64): true,
		"": false, ".hidden": false, "-x": false, "a b": false, "a/b": false, "xero.toml": false, "a\xff": false, strings.Repeat("é", 65): false,
	} {
		if got := ValidName(name); got != want {
			t.Errorf("%q: %t, want %t", name, got, want)
		}
	}
}
