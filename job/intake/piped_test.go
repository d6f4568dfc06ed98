package intake_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"paylinks/job/intake"
)

const pipedRows = "invoice_id,customer_email,amount,currency\nA,a@example.com,1.00,USD\nB,b@example.com,2.00,USD\n"

// TestKeepAside guards that what a pipe brings is read as often as a file is, and that nobody else finds it on the disk.
func TestKeepAside(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	t.Chdir(t.TempDir())
	piped, err := intake.KeepAside(t.Context(), "night", func() (io.Reader, error) { return strings.NewReader(pipedRows), nil })
	if err != nil {
		t.Fatal(err)
	}
	defer piped.Close()
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("%v is left on the disk, %v", left, err)
	}
	if mode := piped.Mode(t); mode != 0o600 {
		t.Errorf("mode %v", mode)
	}
	with := settings
	with.Piped = map[string]*intake.Piped{"-": piped}
	for range 2 {
		batch, err := intake.Open([]string{"-"}, with)
		if err != nil {
			t.Fatal(err)
		}
		if err := batch.Outputs(""); err != nil {
			t.Fatal(err)
		}
		ledger := newLedger(t)
		if err := batch.Find(t.Context(), ledger); err != nil {
			t.Fatal(err)
		}
		f := batch.Files[0]
		if err := f.Check(t.Context(), &reporter{}); err != nil || f.Figures.Rows != 2 {
			t.Fatalf("%v: %+v", err, f.Figures)
		}
		j, err := f.Import(t.Context(), ledger)
		here, _ := filepath.Abs(".")
		if err != nil || j.FileName() != "night" || f.Path != "night" || filepath.Base(j.Output) != "night.links.csv" || !intakeSame(filepath.Dir(j.Output), here) {
			t.Errorf("%v: %+v", err, j)
		}
	}
}

func intakeSame(a, b string) bool {
	first, errA := filepath.EvalSymlinks(a)
	second, errB := filepath.EvalSymlinks(b)
	return errA == nil && errB == nil && first == second
}

// TestKeepAsideEnds guards that an interruption ends the waiting for a pipe, that an error of its other end is told, and that neither leaves a file.
func TestKeepAsideEnds(t *testing.T) {
	folder := t.TempDir()
	t.Setenv("TMPDIR", folder)
	ctx, cancel := context.WithCancel(t.Context())
	reading, write := io.Pipe()
	defer write.Close()
	_, err := intake.KeepAside(ctx, "night", func() (io.Reader, error) { cancel(); return reading, nil })
	if !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	broken := errors.New("input/output error")
	if _, err := intake.KeepAside(t.Context(), "night", func() (io.Reader, error) { return nil, broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	t.Setenv("TMPDIR", filepath.Join(folder, "gone"))
	if _, err := intake.KeepAside(t.Context(), "night", func() (io.Reader, error) { return reading, nil }); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
		t.Errorf("%v is left on the disk, %v", left, err)
	}
}

func TestIsPiped(t *testing.T) {
	folder := t.TempDir()
	pipe, file := filepath.Join(folder, "night.fifo"), filepath.Join(folder, "night.csv")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, name := range map[string]string{"-": "stdin", "/dev/stdin": "stdin", "/dev/fd/63": "stdin", pipe: "night.fifo"} {
		if !intake.IsPiped(path) || intake.PipedName(path) != name {
			t.Errorf("%s: %v %s", path, intake.IsPiped(path), intake.PipedName(path))
		}
	}
	for _, path := range []string{file, folder, filepath.Join(folder, "gone"), "/dev/null"} {
		if intake.IsPiped(path) {
			t.Errorf("%s is taken for a pipe", path)
		}
	}
	for _, name := range []string{"night", "November 2026", "請求.csv", "a"} {
		if !intake.ValidName(name) {
			t.Errorf("%q is refused", name)
		}
	}
	for _, name := range []string{"", ".", "..", ".night", "-x", "a/b", "a\nb", "a\xffb", strings.Repeat("a", 201)} {
		if intake.ValidName(name) {
			t.Errorf("%q is taken", name)
		}
	}
}
