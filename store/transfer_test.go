package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"paylinks/job"
	"paylinks/store"
	"paylinks/store/contents"
	"paylinks/store/ledgertest"
	"paylinks/store/postgres"
	"paylinks/store/postgres/pgtest"
	"paylinks/store/sqlite"
	"paylinks/store/transfer"
)

// sendable opens the ledger to send from it.
func sendable(name string) (ledgertest.Ledger, error) {
	if postgres.IsName(name) {
		l, err := postgres.OpenToSend(context.Background(), name, job.Sender{Doing: "the test", Process: 1, Lease: 10 * time.Second, Timeout: -10 * time.Second})
		if err != nil {
			return nil, err
		}
		return l, nil
	}
	l, err := sqlite.OpenToSend(name, "the test")
	if err != nil {
		return nil, err
	}
	return l, nil
}

func readable(t *testing.T, name string) ledgertest.Reader {
	t.Helper()
	var r ledgertest.Reader
	var err error
	if postgres.IsName(name) {
		r, err = postgres.OpenToRead(t.Context(), name)
	} else {
		r, err = sqlite.OpenToRead(t.Context(), name)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func newFile(t *testing.T) string { return filepath.Join(t.TempDir(), "ledger.db") }

// walked is a SQLite ledger of a random walk.
func walked(t *testing.T, seed uint64) string {
	t.Helper()
	path := newFile(t)
	ledgertest.Walk(t, ledgertest.Opener{ToSend: func(string) (ledgertest.Ledger, error) { return sendable(path) }}, seed)
	return path
}

// both opens the sides of a transfer.
func both(t *testing.T, from, to string) (source, target transfer.Ledger) {
	t.Helper()
	source, err := store.OpenToTransfer(t.Context(), from, "the test", nil)
	if err != nil {
		t.Fatal(err)
	}
	source = onceClosed(t, source)
	target, err = madeFor(t.Context(), source, to)
	if err != nil {
		t.Fatal(err)
	}
	return source, onceClosed(t, target)
}

// madeFor opens the target of a transfer.
func madeFor(ctx context.Context, source transfer.Ledger, to string) (transfer.Ledger, error) {
	mark, err := source.Mark(ctx)
	if err != nil {
		return nil, err
	}
	return store.OpenToTransfer(ctx, to, "the test", transfer.New(mark, source.Path()))
}

// closing closes a ledger once, at the end of the test at the latest.
type closing struct {
	transfer.Ledger
	close func() error
}

func (c closing) Close() error { return c.close() }

func onceClosed(t *testing.T, l transfer.Ledger) transfer.Ledger {
	c := closing{l, sync.OnceValue(l.Close)}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// same wants two tellings to be alike.
func same(t *testing.T, who, got, want string) {
	t.Helper()
	if got == want {
		return
	}
	gots, wants := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(gots), len(wants)) {
		if gots[i] != wants[i] {
			t.Errorf("%s tells\n%s\nand the source\n%s", who, gots[i], wants[i])
			return
		}
	}
	t.Errorf("%s tells %d lines, and the source %d", who, len(gots), len(wants))
}

func noProgress(transfer.Step, int64, int64) {}

// moved transfers the ledger.
func moved(t *testing.T, from, to string) transfer.Result {
	t.Helper()
	source, target := both(t, from, to)
	result, err := transfer.Run(t.Context(), source, target, noProgress)
	if err != nil {
		t.Fatalf("%s to %s: %v", from, to, err)
	}
	for _, l := range []transfer.Ledger{source, target} {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	return result
}

// told is all that a ledger tells of its jobs, but for the ids of items.
func told(t *testing.T, name string) string {
	t.Helper()
	r := readable(t, name)
	jobs, err := r.Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	check := func(what any, err error) {
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%+v\n", what)
	}
	for _, j := range jobs {
		check(j, nil)
		tally, err := r.Tally(t.Context(), j.ID)
		check(fmt.Sprint(tally.AllAttempts(), tally.PossibleOrphans(), tally.Totals(job.States...)), err)
		for _, state := range job.States {
			check(fmt.Sprint(state, tally.Items[state]), nil)
		}
		for _, ask := range []func() (any, error){
			func() (any, error) { return r.LinkTally(t.Context(), j.ID) },
			func() (any, error) { return r.PaidTotals(t.Context(), j.ID) },
			func() (any, error) { return r.Left(t.Context(), j, 5) },
			func() (any, error) { return r.LinksFileOwner(t.Context(), j.Output) },
			func() (any, error) { return r.AllRejected(t.Context(), j.ID) },
		} {
			check(ask())
		}
		for item, err := range r.Results(t.Context(), j.ID) {
			item.ItemID = 0
			check(item, err)
		}
		for attempt, err := range r.Attempts(t.Context(), j.ID, false) {
			check(attempt, err)
		}
	}
	for i := range 20 {
		facts, err := r.Facts(t.Context(), [][16]byte{ledgertest.Invoice(2, fmt.Sprintf("INV-%d", i)).Invoice})
		for _, all := range facts {
			for i := range all {
				all[i].ItemID = 0
				check(all[i], err)
			}
		}
	}
	return b.String()
}

// All that a ledger has is there after a transfer to the other kind and back.
func TestTransferThereAndBack(t *testing.T) {
	server := pgtest.Shared(t)
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			first, last := walked(t, seed), newFile(t)
			between, other := server.Ledger(t), server.Ledger(t)
			result := moved(t, first, between)
			if !result.Filled || result.Digests.Jobs.Rows != 3 || result.Digests.Items.Rows != 60 || result.Digests.Attempts.Rows == 0 {
				t.Errorf("%+v", result)
			}
			want := told(t, first) // it can still be read
			for _, step := range []struct{ from, to string }{{between, other}, {other, last}} {
				same(t, step.from, told(t, step.from), want)
				if again := moved(t, step.from, step.to); again.Digests.Items != result.Digests.Items || again.Digests.Attempts != result.Digests.Attempts || again.Digests.Jobs != result.Digests.Jobs {
					t.Errorf("%+v\n%+v", again, result)
				}
			}
			same(t, last, told(t, last), want)
			for _, left := range []string{first, between, other} {
				_, err := sendable(left)
				var transferred *job.TransferError
				if !errors.As(err, &transferred) || transferred.State != job.TransferMoved {
					t.Errorf("%s can be sent from: %v", left, err)
				}
			}
			l, err := sendable(last)
			if err != nil {
				t.Fatal(err)
			}
			j, err := l.Import(ledgertest.NewJob("after"), ledgertest.Good(ledgertest.Invoice(2, "NEW")), false, ledgertest.At)
			if err != nil || j.ID != 4 {
				t.Errorf("job %d, %v", j.ID, err)
			}
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// A transfer that is done says so, and names nothing else to do.
func TestTransferAgain(t *testing.T) {
	first, second := walked(t, 1), newFile(t)
	moved(t, first, second)
	if result := moved(t, first, second); !result.Already || result.Filled {
		t.Errorf("%+v", result)
	}
	source, target := both(t, first, second)
	if _, err := transfer.Cancel(t.Context(), source, target); !errors.Is(err, transfer.ErrOpened) {
		t.Errorf("taken back after its end: %v", err)
	}
	_ = target.Close()
	source2, third := source, newFile(t)
	target, err := madeFor(t.Context(), source, third)
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	_, err = transfer.Run(t.Context(), source2, target, noProgress)
	var transferred *job.TransferError
	if !errors.As(err, &transferred) || transferred.State != job.TransferMoved || transferred.Other != realPath(t, second) {
		t.Errorf("to a third one: %v", err)
	}
}

func realPath(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// A target with jobs of its own is left alone, and so is the source.
func TestTransferIntoALedgerInUse(t *testing.T) {
	server := pgtest.Shared(t)
	for _, to := range []string{server.Ledger(t), newFile(t)} {
		first := walked(t, 1)
		l, err := sendable(to)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.Import(ledgertest.NewJob("own"), ledgertest.Good(ledgertest.Invoice(2, "OWN")), false, ledgertest.At); err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		source, target := both(t, first, to)
		if _, err := transfer.Run(t.Context(), source, target, noProgress); !errors.Is(err, transfer.ErrNotEmpty) {
			t.Errorf("%v", err)
		}
		if m, err := source.Mark(t.Context()); m.State != transfer.Open || err != nil {
			t.Errorf("the source is %s, %v", m.State, err)
		}
	}
}

func TestTransferOfNothing(t *testing.T) {
	if _, err := store.OpenToTransfer(t.Context(), newFile(t), "", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file: %v", err)
	}
	if _, err := store.OpenToTransfer(t.Context(), pgtest.Shared(t).Ledger(t), "", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a schema: %v", err)
	}
}

// altered are a ledger's tables with something else in a text.
type altered struct{ transfer.Ledger }

func (a altered) Fill(ctx context.Context, change transfer.Change, tables contents.Tables, check func(contents.Tables) error) error {
	was := tables.Items
	tables.Items = func(yield func(contents.Item, error) bool) {
		for item, err := range was {
			item.Cells += " "
			if !yield(item, err) {
				return
			}
		}
	}
	return a.Ledger.Fill(ctx, change, tables, check)
}

// What does not arrive as it was read is refused, and nothing of it stays.
func TestTransferThatAltersARow(t *testing.T) {
	for _, to := range []string{pgtest.Shared(t).Ledger(t), newFile(t)} {
		source, target := both(t, walked(t, 1), to)
		_, err := transfer.Run(t.Context(), source, altered{target}, noProgress)
		var differ *contents.DifferError
		if !errors.As(err, &differ) || differ.Table != "rows" {
			t.Errorf("%v", err)
		}
		if m, err := target.Mark(t.Context()); m.State != transfer.Filling || !m.Empty || err != nil {
			t.Errorf("the target: %+v, %v", m, err)
		}
		if result, err := transfer.Run(t.Context(), source, target, noProgress); err != nil || !result.Filled {
			t.Errorf("again: %+v, %v", result, err)
		}
	}
}

// stopping ends the transfer at a step.
type stopping struct {
	transfer.Ledger
	at transfer.State // of the mark after the step
}

var errStopped = errors.New("stopped")

func (s stopping) Change(ctx context.Context, change transfer.Change) error {
	return s.Ledger.Change(ctx, s.before(change))
}

func (s stopping) Fill(ctx context.Context, change transfer.Change, tables contents.Tables, check func(contents.Tables) error) error {
	return s.Ledger.Fill(ctx, s.before(change), tables, check)
}

func (s stopping) before(change transfer.Change) transfer.Change {
	return func(m transfer.Mark) (transfer.Mark, error) {
		m, err := change(m)
		if err == nil && m.State == s.at {
			err = errStopped
		}
		return m, err
	}
}

// A transfer that stopped before any of its steps is gone on with, or taken back as long as the source is not marked moved. Meanwhile
// nobody may send from either, once it has begun.
func TestTransferStoppedAtEachStep(t *testing.T) {
	server := pgtest.Shared(t)
	for _, kind := range []string{"file", "database"} {
		for _, at := range []transfer.State{transfer.Moving, transfer.Filling, transfer.Filled, transfer.Moved, transfer.Open} {
			for _, then := range []string{"again", "taken back"} {
				t.Run(fmt.Sprint(kind, " ", at, " ", then), func(t *testing.T) {
					from, to := walked(t, 1), newFile(t)
					if kind == "database" {
						from, to = server.Ledger(t), server.Ledger(t)
						moved(t, walked(t, 1), from)
					}
					want := told(t, from)
					source, target := both(t, from, to)
					if _, err := transfer.Run(t.Context(), stopping{source, at}, stopping{target, at}, noProgress); !errors.Is(err, errStopped) {
						t.Fatalf("it did not stop: %v", err)
					}
					_, _ = source.Close(), target.Close()
					if l, err := sendable(from); err == nil && at != transfer.Moving {
						t.Error("the source can be sent from")
						_ = l.Close()
					} else if err == nil {
						_ = l.Close()
					}
					source, target = both(t, from, to)
					if then == "taken back" {
						step, err := transfer.Cancel(t.Context(), source, target)
						if at == transfer.Open { // the last step: the source is marked moved
							var transferred *job.TransferError
							if !errors.As(err, &transferred) {
								t.Errorf("%s, %v", step, err)
							}
							return
						}
						if err != nil || (step == transfer.Done) != (at == transfer.Moving) {
							t.Fatalf("%s, %v", step, err)
						}
						if m, err := source.Mark(t.Context()); m.State != transfer.Open || err != nil {
							t.Errorf("%+v, %v", m, err)
						}
						if m, err := target.Mark(t.Context()); m.Origin != "" || err != nil || at == transfer.Filled && m.State == transfer.Open {
							t.Errorf("%+v, %v", m, err)
						}
					}
					if _, err := transfer.Run(t.Context(), source, target, noProgress); err != nil {
						t.Fatal(err)
					}
					_, _ = source.Close(), target.Close()
					same(t, to, told(t, to), want)
				})
			}
		}
	}
}

// A ledger that is made to be filled is never one that can be sent from: a run that is told of it too early would send everything anew.
func TestTransferMakesNoLedgerToSendFrom(t *testing.T) {
	for _, to := range []string{newFile(t), pgtest.Shared(t).Ledger(t)} {
		from := walked(t, 1)
		source, target := both(t, from, to)
		_, _ = source.Close(), target.Close()
		_, err := sendable(to)
		var transferred *job.TransferError
		if !errors.As(err, &transferred) || transferred.State != job.TransferFilling || transferred.Other != realPath(t, from) {
			t.Errorf("%s: %v", to, err)
		}
		moved(t, from, to)
		if !mayBeSent(t, to) {
			t.Errorf("%s cannot be sent from", to)
		}
	}
}

// What is being filled is not for readers; what was moved is, and says so.
func TestReadersOfATransfer(t *testing.T) {
	server := pgtest.Shared(t)
	for _, names := range [][2]string{{walked(t, 1), newFile(t)}, {"", server.Ledger(t)}} {
		from, to := names[0], names[1]
		if from == "" {
			from = server.Ledger(t)
			moved(t, walked(t, 1), from)
		}
		source, target := both(t, from, to)
		if _, err := transfer.Run(t.Context(), source, stopping{target, transfer.Filled}, noProgress); !errors.Is(err, errStopped) {
			t.Fatal(err)
		}
		for name, want := range map[string]job.Transfer{from: job.TransferMoving, to: job.TransferFilling} {
			is, err := transferredOf(t, name)
			if want == job.TransferFilling {
				errors.As(err, &is)
			} else if err != nil {
				t.Error(err)
			}
			if is == nil || is.State != want || is.Other == "" {
				t.Errorf("%s: %+v, %v; want %s", name, is, err, want)
			}
		}
	}
}

func transferredOf(t *testing.T, name string) (*job.TransferError, error) {
	t.Helper()
	type reader interface {
		Transferred() *job.TransferError
		Close() error
	}
	var r reader
	var err error
	if postgres.IsName(name) {
		r, err = postgres.OpenToRead(t.Context(), name)
	} else {
		r, err = sqlite.OpenToRead(t.Context(), name)
	}
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.Transferred(), nil
}
