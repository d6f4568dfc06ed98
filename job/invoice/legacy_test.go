package invoice

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// encoded is the text in one of legacies.
func encoded(t *testing.T, name, text string) string {
	t.Helper()
	for _, l := range legacies {
		if l.name == name {
			raw, err := l.NewEncoder().String(text)
			if err != nil {
				t.Fatal(err)
			}
			return raw
		}
	}
	t.Fatal(name)
	return ""
}

// TestReadings guards that a file that is not UTF-8 is answered with its own words in every encoding that can read them, so that nobody
// takes the first one for the right one.
func TestReadings(t *testing.T) {
	for _, tt := range []struct {
		encoding, text string
		others         []string // how it reads elsewhere
	}{
		{"windows-1252", "Café Crème", []string{"as windows-1250: Café Crčme", "as windows-1251: Cafй Crиme"}},
		{"windows-1250", "Zażółć gęślą jaźń", []string{"as windows-1252: Za¿ó³æ", "as windows-1251: Zaїуіж"}},
		{"windows-1251", "Счёт за апрель", []string{"as windows-1252: Ñ÷¸ò çà àïðåëü", "as windows-1250: "}},
		{"gb18030", "十一月服务费", []string{"as windows-1252: ", "as windows-1251: "}},
		{"shift_jis", "請求書 ご利用料", []string{"as gb18030: ", "as euc-kr: "}},
		{"big5", "十一月發票", []string{"as windows-1252: "}},
		{"euc-kr", "청구서", []string{"as windows-1252: "}},
	} {
		t.Run(tt.encoding, func(t *testing.T) {
			path := write(t, plainHeader+"A,a@example.com,1,EUR,plain\nB,b@example.com,1,EUR,"+encoded(t, tt.encoding, tt.text)+"\n")
			_, rows, err := readAll(t, path, Options{})
			p := problemOf(err)
			if p == nil || p.Kind != EncodingInvalid || p.Line != 3 || len(rows) != 1 {
				t.Fatalf("%d rows, %v", len(rows), err)
			}
			for _, reads := range append(tt.others, "as "+tt.encoding+": "+tt.text) {
				if !strings.Contains(p.What, reads) {
					t.Errorf("it does not say %q: %s", reads, p.What)
				}
			}
			r, rows, err := readAll(t, path, Options{Encoding: tt.encoding})
			if err != nil || len(rows) != 2 || rows[1].Invoice.Description != tt.text {
				t.Errorf("by its name: %+v, %v", rows, err)
			}
			if words := strings.Join(r.Notes().Words, " "); words != tt.text {
				t.Errorf("shows the words %q", words)
			}
		})
	}
}

// TestReadingsOfAllLines guards that an encoding that cannot read some line below is not shown, and that no line is missed.
func TestReadingsOfAllLines(t *testing.T) {
	row := func(text string) string { return "A,a@example.com,1,EUR," + text + "\n" }
	_, _, err := readAll(t, write(t, plainHeader+row("Gr\xfcn")+strings.Repeat(row("x"), 10_000)+row("\x81\x20")), Options{})
	if p := problemOf(err); p == nil || strings.Contains(p.What, "gb18030") || strings.Contains(p.What, "windows-1252") || !strings.Contains(p.What, "as windows-1251: Grьn") {
		t.Errorf("got %v", err)
	}
	_, _, err = readAll(t, write(t, plainHeader+row("\x81\x20")), Options{Encoding: ""})
	if p := problemOf(err); p == nil || !strings.Contains(p.What, "as windows-1251: Ѓ") {
		t.Errorf("got %v", err)
	}
	_, _, err = readAll(t, write(t, plainHeader+row("\x98\x20\x81\x90\x20")), Options{Encoding: ""})
	if p := problemOf(err); p == nil || !strings.Contains(p.What, "no encoding that we know reads its words") {
		t.Errorf("got %v", err)
	}
}

// TestMixedEncodings guards that a file that no encoding reads is called that, with its lines, whichever way it is read.
func TestMixedEncodings(t *testing.T) {
	row := func(text string) string { return "A,a@example.com,1,EUR," + text + "\n" }
	for _, tt := range []struct {
		name, content string
		options       Options
		line          int
		says          string
	}{
		{"UTF-8 above", row("Café") + row("x") + row("Gr\xfcn"), Options{}, 4, "is not UTF-8, and other lines are: 2 of the file (lines that are not: 4); its words read as windows-1252: Grün; "},
		{"UTF-8 below", row("Gr\xfcn") + row("x") + strings.Repeat(row("Café"), 7), Options{}, 2, "other lines are: 4, 5, 6, 7, 8, and 2 more of the file (lines that are not: 2)"},
		{"read in the other encoding", row("Gr\xfcn") + row("Café"), Options{Encoding: "windows-1252"}, 3, `is "Café" in UTF-8`},
		{"read in the other encoding, by another name", row("Gr\xfcn") + row("Café"), Options{Encoding: "latin1"}, 3, `is "Café" in UTF-8`},
		{"all UTF-8, and read in another encoding", row("Café") + row("Grün"), Options{Encoding: "cp1252"}, 2, `is "Café" in UTF-8`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := readAll(t, write(t, plainHeader+tt.content), tt.options)
			if p := problemOf(err); p == nil || p.Kind != EncodingMixed || p.Line != tt.line || !strings.Contains(p.What, tt.says) {
				t.Errorf("got %v", err)
			}
		})
	}
	for _, text := range []string{"S\xc3O PAULO", "\xabCAF\xc9\xbb", "\xc3", "\xc3\xc3 \xa9"} { // SÃO, «CAFÉ»
		if _, rows, err := readAll(t, write(t, plainHeader+row(text)), Options{Encoding: "windows-1252"}); err != nil || len(rows) != 1 {
			t.Errorf("%q in windows-1252: %v", text, err)
		}
	}
}

// TestLegaciesHaveTheirNames guards that what a message names can be asked for.
func TestLegaciesHaveTheirNames(t *testing.T) {
	for _, l := range legacies {
		if enc, name := lookUp(l.name); enc == nil || name != l.name {
			t.Errorf("%s is called %s", l.name, name)
		}
	}
}

// TestAddWords guards that a message shows a few words, none of them long.
func TestAddWords(t *testing.T) {
	long := strings.Repeat("é", 30)
	got := addWords(nil, fmt.Sprintf("plain,Größe;Größe %s|x\tñ ü", long))
	if want := []string{"Größe", strings.Repeat("é", 24) + "…", "ñ"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
