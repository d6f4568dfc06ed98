package invoice

import "testing"

func TestGuard(t *testing.T) {
	for cell, want := range map[string]string{
		"":                   "",
		"plain":              "plain",
		"=1+1":               "'=1+1",
		"+cmd":               "'+cmd",
		"-cmd|x":             "'-cmd|x",
		"@SUM(A1)":           "'@SUM(A1)",
		"\tx":                "'\tx",
		"\rx":                "'\rx",
		"-5":                 "-5",
		"+1,234.50":          "+1,234.50",
		"-1.234,50":          "-1.234,50",
		"+49 (30) 1234-56.7": "+49 (30) 1234-56.7",
		"-5-cmd":             "'-5-cmd",
		"-":                  "'-",
		"'=1+1":              "''=1+1",
		"''=1+1":             "'''=1+1",
		"'quoted'":           "'quoted'",
		"o'neil":             "o'neil",
		"'-5":                "''-5",
		" =1":                " =1",
	} {
		if got := Guard(cell); got != want {
			t.Errorf("Guard(%q) = %q, want %q", cell, got, want)
		}
	}
}

func FuzzGuard(f *testing.F) {
	for _, seed := range []string{"", "=1", "'=1", "''", "'", "-5", "'-5", "+49 30", "@", "\t", "'\r"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		guarded := Guard(cell)
		if back := Unguard(guarded); back != cell {
			t.Fatalf("%q comes back as %q", cell, back)
		}
		if isFormula(guarded) {
			t.Fatalf("%q is still a formula", guarded)
		}
	})
}
