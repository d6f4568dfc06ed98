package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"paylinks/job"
	"paylinks/store/sqlite"
)

func init() {
	helpers["send"] = func(args []string) error {
		s, err := sqlite.OpenToSend(args[0], "")
		if err != nil {
			return err
		}
		items, err := s.Open(context.Background(), 1, 0, 1_000_000)
		if err != nil {
			return err
		}
		todo := make(chan *job.Item)
		for range senders {
			go func() {
				for item := range todo {
					_, number, err := s.Begin(item, at, nil)
					if err != nil {
						fmt.Println("error", err)
					}
					fmt.Println("begun", item.ID)
					if _, err := ended(s, item, number, ownSession(item, ends[job.OutcomeCreated])); err != nil {
						fmt.Println("error", err)
					}
					fmt.Println("ended", item.ID)
				}
			}()
		}
		for i := range items {
			todo <- &items[i]
		}
		return errors.New("it has not been killed")
	}
	helpers["fill the disk"] = fillTheDisk
}

const senders = 8

// What a method has recorded is there after a kill at any instant, and no more is in doubt than was on its way.
func TestKilled(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openLedger(t, path)
	l.imported(newJob("a"), invoices(5000)...)
	l.close()
	for range 3 {
		p := start(t, "send", path)
		var said []string
		for range 300 {
			said = append(said, p.line())
		}
		said = append(said, p.kill()...)

		l = openLedger(t, path)
		if crashed := l.recovered(); crashed > senders {
			t.Errorf("%d items are in doubt, and %d were on their way at most", crashed, senders)
		}
		states := map[string]string{}
		for _, line := range l.query("SELECT id, state FROM item") {
			id, state, _ := strings.Cut(line, "|")
			states[id] = state
		}
		for _, line := range said {
			word, id, _ := strings.Cut(line, " ")
			switch state := states[id]; {
			case word == "begun" && (state == "created" || state == "unknown"):
			case word == "ended" && state == "created":
			default:
				t.Errorf("it said %s, and the item is %s", line, state)
			}
		}
		l.close()
	}
}

// fillTheDisk sends until a write fails, makes room again, and goes on. The file size limit stands for a full disk:
// both make a write fail half way.
func fillTheDisk(args []string) error {
	signal.Ignore(syscall.SIGXFSZ)
	s, err := sqlite.OpenToSend(args[0], "")
	if err != nil {
		return err
	}
	items, err := s.Open(context.Background(), 1, 0, 1_000_000)
	if err != nil {
		return err
	}
	wal, err := os.Stat(args[0] + "-wal")
	if err != nil {
		return err
	}
	var old syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	full := syscall.Rlimit{Cur: uint64(wal.Size()) + 100_000, Max: old.Max}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &full); err != nil {
		return err
	}
	begun := 0
	for ; begun < len(items) && err == nil; begun++ {
		_, _, err = s.Begin(&items[begun], at, nil)
	}
	if err == nil {
		return errors.New("the disk was never full")
	}
	fmt.Println(err)
	begun--
	if _, err := s.Import(newJob("b"), good(fat(1)), false, at); err == nil {
		return errors.New("there was room for a job")
	}
	if err := syscall.Setrlimit(syscall.RLIMIT_FSIZE, &old); err != nil {
		return err
	}
	if tally, err := s.Tally(context.Background(), 1); err != nil || tally.Items[job.Sending] != begun {
		return fmt.Errorf("%d intents were recorded, and the tally has %+v, %v", begun, tally, err)
	}
	fmt.Println(begun)
	if _, _, err := s.Begin(&items[begun], at, nil); err != nil {
		return fmt.Errorf("with room again: %w", err)
	}
	return s.Close()
}

func TestDiskFull(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	l := openLedger(t, path)
	l.imported(newJob("a"), invoices(1000)...)
	l.close()
	p := start(t, "fill the disk", path)
	t.Log("the error is", p.line())
	begun := p.line()
	p.end()
	l = openLedger(t, path)
	if got := fmt.Sprint(l.recovered() - 1); got != begun || got == "0" {
		t.Errorf("%s intents are on record, and %s were said to be", got, begun)
	}
	l.want("SELECT count(*) FROM job", "1")
}
