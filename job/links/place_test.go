package links

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestClaimWithoutHardLinks(t *testing.T) {
	folder := t.TempDir()
	temp, at := filepath.Join(folder, ".temp"), filepath.Join(folder, "a.csv")
	write := func(text string) {
		if err := os.WriteFile(temp, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first")
	if err := claimByRename(temp, at); err != nil {
		t.Fatal(err)
	}
	write("second")
	if err := claimByRename(temp, at); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a taken name: got %v, want %v", err, fs.ErrExist)
	}
	if got, err := os.ReadFile(at); err != nil || string(got) != "first" {
		t.Errorf("the file holds %q, %v", got, err)
	}
	missing := filepath.Join(folder, "other.csv")
	if err := claimByRename(filepath.Join(folder, "no temp"), missing); err == nil {
		t.Error("renaming nothing went well")
	}
	if _, err := os.Lstat(missing); err == nil {
		t.Error("the empty file was left behind")
	}
}

func TestObstacle(t *testing.T) {
	const root, me, other = 0, 1000, 1001
	plain, sticky := owned{device: 1, user: other}, owned{device: 1, user: other, sticky: true}
	for _, tt := range []struct {
		name         string
		folder, file owned
		user         int
		want         bool
	}{
		{"my file", plain, owned{device: 1, user: me}, me, false},
		{"another's file", plain, owned{device: 1, user: other}, me, false},
		{"my file, sticky folder", sticky, owned{device: 1, user: me}, me, false},
		{"another's file, sticky folder", sticky, owned{device: 1, user: other}, me, true},
		{"another's file, my sticky folder", sticky, owned{device: 1, user: me}, other, false},
		{"another's file, sticky folder, as root", sticky, owned{device: 1, user: me}, root, false},
		{"a file mounted on its own", plain, owned{device: 2, user: me}, me, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := obstacle(tt.folder, tt.file, tt.user); (err != nil) != tt.want {
				t.Errorf("got %v, want an obstacle: %v", err, tt.want)
			}
		})
	}
}
