package links_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"paylinks/job/links"
)

// A killed writer leaves its temporary file, with customer data in it. The next one removes it, and nothing else.
func TestSweep(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a [1].links.csv")
	old, fresh := time.Now().Add(-2*time.Hour), time.Now()
	for name, at := range map[string]time.Time{
		".a [1].links.csv123": old, ".a [1].links.csv124": fresh, ".a [1].links.csv12x": old, ".b.links.csv123": old,
		"a [1].links.csv": old, ".a [1].links.csv": old,
	} {
		name := filepath.Join(folder, name)
		must(t, os.WriteFile(name, nil, 0o600))
		must(t, os.Chtimes(name, at, at))
	}
	must(t, links.Try(path))
	var left []string
	entries, err := os.ReadDir(folder)
	must(t, err)
	for _, entry := range entries {
		left = append(left, entry.Name())
	}
	equal(t, left, []string{".a [1].links.csv", ".a [1].links.csv124", ".a [1].links.csv12x", ".b.links.csv123", "a [1].links.csv"})
}
