package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"paylinks/job"
)

// breakingLedger loses its database after so many of its rows, once for each of them.
type breakingLedger struct {
	breaks []int
	reads  int
}

func (l *breakingLedger) Results(context.Context, int64) iter.Seq2[job.Result, error] {
	return func(yield func(job.Result, error) bool) {
		l.reads++
		for i := range 1000 {
			if len(l.breaks) > 0 && i == l.breaks[0] {
				l.breaks = l.breaks[1:]
				yield(job.Result{}, fmt.Errorf("read the rows: %w", job.ErrUnreachable))
				return
			}
			if !yield(job.Result{Row: i + 2, State: job.Created, SessionID: fmt.Sprint("sess_", i)}, nil) {
				return
			}
		}
	}
}

// A database that restarts while a links file is written does not end the run; one that stays away, or does so each time, does.
func TestWriteLinksAnew(t *testing.T) {
	for _, tt := range []struct {
		name   string
		breaks []int
		reads  int
		fails  bool
	}{
		{"not at all", nil, 1, false},
		{"in the middle, twice", []int{700, 1}, 3, false},
		{"before the first row", []int{0}, 1, true},
		{"each time", []int{1, 2, 3, 4, 5}, writesMost, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ledger := &breakingLedger{breaks: tt.breaks}
			path := filepath.Join(t.TempDir(), "a.links.csv")
			err := WriteLinks(t.Context(), ledger, job.Job{Output: path}, io.Discard)
			if errors.Is(err, job.ErrUnreachable) != tt.fails || err != nil && !tt.fails || ledger.reads != tt.reads {
				t.Fatalf("%d reads, %v", ledger.reads, err)
			}
			text, err := os.ReadFile(path)
			if tt.fails != errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
			if n := strings.Count(string(text), "sess_"); n != 1000 && !tt.fails {
				t.Errorf("%d sessions", n)
			}
		})
	}
	t.Run("into a pipe", func(t *testing.T) {
		pipe := filepath.Join(t.TempDir(), "pipe")
		if err := syscall.Mkfifo(pipe, 0o600); err != nil {
			t.Fatal(err)
		}
		got := make(chan string)
		go func() {
			text, _ := os.ReadFile(pipe)
			got <- string(text)
		}()
		ledger := &breakingLedger{breaks: []int{500}}
		err := WriteLinks(t.Context(), ledger, job.Job{Output: pipe}, io.Discard)
		if n := strings.Count(<-got, "sess_"); !errors.Is(err, job.ErrUnreachable) || ledger.reads != 1 || n > 500 {
			t.Errorf("%d reads, %d sessions, %v", ledger.reads, n, err)
		}
	})
	var out strings.Builder
	ledger := &breakingLedger{breaks: []int{500}}
	if err := WriteLinks(t.Context(), ledger, job.Job{Output: "-"}, &out); !errors.Is(err, job.ErrUnreachable) || ledger.reads != 1 {
		t.Errorf("into stdout: %d reads, %v", ledger.reads, err)
	}
}
