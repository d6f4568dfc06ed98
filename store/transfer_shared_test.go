package store_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"paylinks/job"
	"paylinks/store"
	"paylinks/store/ledgertest"
	"paylinks/store/postgres"
	"paylinks/store/postgres/pgtest"
	"paylinks/store/transfer"
)

type newItem = job.NewItem

// A transfer waits for who sends, and for what one that is gone may have on its way. Then it is in doubt, also in the target, and the one
// that is gone writes nothing any more.
func TestTransferAndSenders(t *testing.T) {
	server := pgtest.Shared(t)
	from, to := server.Ledger(t), newFile(t)
	big(t, from, 2)
	send := func() *postgres.Ledger {
		l, err := postgres.OpenToSend(t.Context(), from, job.Sender{Doing: "run", Process: 7, Lease: 10 * time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	gone, idle := send(), send()
	jobs, err := gone.Jobs(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := gone.Take(jobs[0].ID); err != nil {
		t.Fatal(err)
	}
	items, err := gone.Open(t.Context(), jobs[0].ID, 0, 2)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := gone.Begin(&items[0], ledgertest.At, nil); err != nil {
		t.Fatal(err)
	}
	source, target := both(t, from, to)
	run := func() error {
		_, err := transfer.Run(t.Context(), source, target, noProgress)
		return err
	}
	var held *job.HeldError
	if err := run(); !errors.As(err, &held) || held.Holder == "" || held.JobID != 0 {
		t.Errorf("while it sends: %v", err)
	}
	server.Exec(t, "postgres", `UPDATE `+schemaOf(t, from)+`.sender SET lease_until = clock_timestamp() WHERE process = 7`)
	var wait *transfer.WaitError
	if err := run(); !errors.As(err, &wait) || time.Until(wait.Until) > 10*time.Second {
		t.Errorf("while something may be on its way: %v", err)
	}
	if m, err := source.Mark(t.Context()); err != nil || m.State != transfer.Open {
		t.Errorf("%+v, %v", m, err)
	}
	server.Exec(t, "postgres", `UPDATE `+schemaOf(t, from)+`.sender SET recover = interval '0'`)
	if err := run(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := gone.Begin(&items[1], ledgertest.At, nil); !errors.Is(err, job.ErrFenced) {
		t.Errorf("the one that is gone: %v", err)
	}
	if _, err := idle.Import(ledgertest.NewJob("late"), ledgertest.Good(ledgertest.Invoice(2, "LATE")), false, ledgertest.At); !errors.Is(err, job.ErrFenced) {
		t.Errorf("the one that was idle: %v", err)
	}
	_ = target.Close()
	for _, name := range []string{from, to} {
		tally, err := readable(t, name).Tally(t.Context(), jobs[0].ID)
		if err != nil || tally.Items[job.Unknown] != 1 || tally.Items[job.Pending] != 1 || tally.PossibleOrphans() != 1 {
			t.Errorf("%+v, %v", tally, err)
		}
	}
}

// settling does something right after Settle.
type settling struct {
	transfer.Ledger
	then func()
}

func (s settling) Settle(ctx context.Context) error {
	err := s.Ledger.Settle(ctx)
	s.then()
	return err
}

// Who begins to send between a look and the mark is seen, in the source and in the target; so is what one leaves that is gone again.
func TestTransferAndASenderThatIsQuick(t *testing.T) {
	server := pgtest.Shared(t)
	from, to := server.Ledger(t), server.Ledger(t)
	big(t, from, 2)
	send := func(name string) *postgres.Ledger {
		l, err := postgres.OpenToSend(context.Background(), name, job.Sender{Doing: "run", Process: 1, Lease: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	send(to)
	source, target := both(t, from, to)
	run := func(then func()) error {
		_, err := transfer.Run(t.Context(), settling{source, then}, target, noProgress)
		return err
	}
	if err := run(func() { send(from) }); !errors.Is(err, job.ErrLeases) {
		t.Errorf("in the source: %v", err)
	}
	end := `UPDATE ` + schemaOf(t, from) + `.sender SET ended_at = clock_timestamp()`
	server.Exec(t, "postgres", end)
	err := run(func() {
		l := send(from)
		items, err := l.Open(t.Context(), 1, 0, 1)
		if err == nil {
			err = l.Take(1)
		}
		if err == nil {
			_, _, err = l.Begin(&items[0], ledgertest.At, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		server.Exec(t, "postgres", end)
	})
	if !errors.Is(err, job.ErrLeases) {
		t.Errorf("what it left in the source: %v", err)
	}
	server.Exec(t, "postgres", `UPDATE `+schemaOf(t, from)+`.sender SET recover = interval '0'`)
	if err := run(func() {}); !errors.Is(err, job.ErrLeases) {
		t.Errorf("in the target: %v", err)
	}
	server.Exec(t, "postgres", `UPDATE `+schemaOf(t, to)+`.sender SET ended_at = clock_timestamp()`)
	if err := run(func() {}); err != nil {
		t.Error(err)
	}
}

// An import that did not come to its end is not moved.
func TestTransferLeavesHalfImports(t *testing.T) {
	server := pgtest.Shared(t)
	between := server.Ledger(t)
	big(t, between, 2)
	schema := schemaOf(t, between)
	server.Exec(t, "postgres", `
		INSERT INTO `+schema+`.sender (doing, host, process, lease, recover, lease_until, ended_at)
		VALUES ('run', 'gone', 1, '10s', '10s', clock_timestamp(), clock_timestamp());
		INSERT INTO `+schema+`.job (
			id, identity, file, file_digest, environment, base_url, options, columns, delimiter, on_unknown, adopted, allow_repeats, raw_cells, bom,
			output, output_host, created_at, importer
		)
		SELECT 9, sha256('half'), 'half.csv', file_digest, environment, base_url, options, columns, delimiter, on_unknown, adopted, allow_repeats,
			raw_cells, bom, '', '', created_at, (SELECT max(id) FROM `+schema+`.sender)
		FROM `+schema+`.job;
		INSERT INTO `+schema+`.item (id, job_id, row, state, invoice, invoice_id, reference, currency, amount, request, cells)
		SELECT 9::bigint << 32 | 1, 9, row, state, invoice, invoice_id, reference, currency, amount, request, cells
		FROM `+schema+`.item
		LIMIT 1`)
	to := newFile(t)
	if result := moved(t, between, to); result.Digests.Jobs.Rows != 1 || result.Digests.Items.Rows != 2 {
		t.Errorf("%+v", result.Digests)
	}
	if n := jobsIn(t, to); n != 1 {
		t.Errorf("%d jobs", n)
	}
}

// A target whose database went back before it was opened is opened for nobody until a person has said how to go on; one that has lost
// what was moved there is left alone.
func TestTransferAndAFailoverOfTheTarget(t *testing.T) {
	server := pgtest.Shared(t)
	toLastStep := func() (from, to string, source, target transfer.Ledger) {
		from, to = walked(t, 1), server.Ledger(t)
		source, target = both(t, from, to)
		if _, err := transfer.Run(t.Context(), source, stopping{target, transfer.Open}, noProgress); !errors.Is(err, errStopped) {
			t.Fatal(err)
		}
		return from, to, source, target
	}

	from, to := walked(t, 1), server.Ledger(t)
	source, target := both(t, from, to)
	if _, err := transfer.Run(t.Context(), source, stopping{target, transfer.Filled}, noProgress); !errors.Is(err, errStopped) {
		t.Fatal(err)
	}
	server.Exec(t, "postgres", `UPDATE `+schemaOf(t, to)+`.ledger SET timeline = '000000FF'`)
	if _, err := transfer.Run(t.Context(), source, target, noProgress); err != nil || !mayBeSent(t, to) {
		t.Errorf("one that went back before it was filled: %v", err)
	}

	_, to, source, target = toLastStep()
	server.Exec(t, "postgres", `UPDATE `+schemaOf(t, to)+`.ledger SET timeline = '000000FF'`)
	if _, err := transfer.Run(t.Context(), source, target, noProgress); err != nil {
		t.Error(err)
	}
	if _, err := sendable(to); !errors.Is(err, job.ErrFailedOver) {
		t.Errorf("after a failover: %v", err)
	}

	from, to, source, target = toLastStep()
	schema := schemaOf(t, to)
	server.Exec(t, "postgres", `DELETE FROM `+schema+`.item; DELETE FROM `+schema+`.job; UPDATE `+schema+`.ledger SET state = 'filling', timeline = '000000FF'`)
	if _, err := transfer.Run(t.Context(), source, target, noProgress); !errors.Is(err, transfer.ErrTargetLost) {
		t.Errorf("without its contents: %v", err)
	}
	var transferred *job.TransferError
	if _, err := transfer.Cancel(t.Context(), source, target); !errors.As(err, &transferred) {
		t.Errorf("taken back: %v", err)
	}
	_ = source.Close()
	if mayBeSent(t, from) || mayBeSent(t, to) {
		t.Error("one of them may be sent from")
	}
}

// A source whose database went back is not moved, and only its target can tell that taking back is safe.
func TestTransferAndAFailoverOfTheSource(t *testing.T) {
	server := pgtest.Shared(t)
	from, to := server.Ledger(t), newFile(t)
	big(t, from, 2)
	source, target := both(t, from, to)
	if _, err := transfer.Run(t.Context(), source, stopping{target, transfer.Filled}, noProgress); !errors.Is(err, errStopped) {
		t.Fatal(err)
	}
	server.Exec(t, "postgres", `UPDATE `+schemaOf(t, from)+`.ledger SET timeline = '000000FF'`)
	if _, err := transfer.Run(t.Context(), source, target, noProgress); !errors.Is(err, job.ErrFailedOver) {
		t.Errorf("again: %v", err)
	}
	if _, err := transfer.Cancel(t.Context(), source, nil); !errors.Is(err, job.ErrFailedOver) {
		t.Errorf("taken back without the target: %v", err)
	}
	if step, err := transfer.Cancel(t.Context(), source, target); err != nil || step != transfer.TakeBack {
		t.Errorf("taken back: %s, %v", step, err)
	}
	if _, err := sendable(from); !errors.Is(err, job.ErrFailedOver) {
		t.Errorf("the source: %v", err)
	}
}

// A hundred thousand rows take no more memory than a thousand.
func TestTransferInConstantMemory(t *testing.T) {
	from, between, last := newFile(t), pgtest.Shared(t).Ledger(t), newFile(t)
	big(t, from, 100_000)
	for _, step := range [][2]string{{from, between}, {between, last}} {
		source, target := both(t, step[0], step[1])
		var most uint64
		watch := func(_ transfer.Step, copied, compared int64) {
			if (copied+compared)%10_000 != 0 {
				return
			}
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
		result, err := transfer.Run(context.Background(), source, target, watch)
		if err != nil || result.Digests.Items.Rows != 100_000 {
			t.Fatalf("%+v, %v", result, err)
		}
		t.Logf("%d kB", most>>10)
		if most > 24<<20 {
			t.Errorf("%s to %s: %d kB are in use", step[0], step[1], most>>10)
		}
		_, _ = source.Close(), target.Close()
	}
}

// A transfer that is interrupted while it copies has copied nothing, and is gone on with.
func TestTransferInterrupted(t *testing.T) {
	server := pgtest.Shared(t)
	file, database := newFile(t), server.Ledger(t)
	big(t, file, 3000)
	for _, step := range [][2]string{{file, database}, {database, newFile(t)}} {
		for _, at := range []int64{1000, 3000} { // while it copies, and while it compares
			source, target := both(t, step[0], step[1])
			ctx, cancel := context.WithCancel(t.Context())
			_, err := transfer.Run(ctx, source, target, func(_ transfer.Step, copied, compared int64) {
				if copied == at && (at == 1000 || compared > 0) {
					cancel()
				}
			})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("at %d: %v", at, err)
			}
			if m, err := target.Mark(t.Context()); err != nil || m.State != transfer.Filling || !m.Empty {
				t.Errorf("at %d: %+v, %v", at, m, err)
			}
			_, _ = source.Close(), target.Close()
		}
		moved(t, step[0], step[1])
	}
}

// A pooler in transaction mode may stand before either side.
func TestTransferThroughAPooler(t *testing.T) {
	server := pgtest.Shared(t)
	pooler := server.Pooler(t)
	first, between := walked(t, 2), server.Ledger(t)
	want := told(t, first)
	pooled := pooler.URL("postgres") + "&schema=" + schemaOf(t, between)
	last := newFile(t)
	moved(t, first, pooled)
	moved(t, pooled, last)
	same(t, last, told(t, last), want)
}

// A backup of the source from before the transfer is a copy that knows nothing of it: it is not moved into the same target again.
func TestTransferOfACopy(t *testing.T) {
	from, copied, to := walked(t, 1), newFile(t), newFile(t)
	reader, err := store.OpenToRead(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	if err := reader.Backup(t.Context(), copied); err != nil {
		t.Fatal(err)
	}
	_ = reader.Close()
	moved(t, from, to)
	source, target := both(t, copied, to)
	if _, err := transfer.Run(t.Context(), source, target, noProgress); !errors.Is(err, transfer.ErrOpened) {
		t.Errorf("%v", err)
	}
}
