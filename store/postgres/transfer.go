package postgres

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
	"paylinks/store/contents"
	"paylinks/store/transfer"
)

// Transfer is a ledger that is open as a side of a transfer.
type Transfer struct {
	r    *Reader
	text string // its name as it was given
}

// OpenToTransfer opens the ledger as a side of a transfer. Where there is none its schema is made with the mark made, which is nil where it
// must be there: then the error is fs.ErrNotExist, or one of package job's.
func OpenToTransfer(ctx context.Context, name string, made *transfer.Mark) (*Transfer, error) {
	r, err := connect(name)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if r.made = made; made == nil {
		var isNew bool
		if isNew, err = IsNew(ctx, name); isNew {
			err = fs.ErrNotExist
		}
	}
	if err == nil {
		err = r.bringUpToDate(ctx)
	}
	if err == nil {
		err = r.inTransaction(ctx, func(tx pgx.Tx) error {
			if err := takesChanges(ctx, tx); err != nil {
				return err
			}
			return keepsWhatItAcknowledges(ctx, tx)
		})
	}
	if err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("open ledger %s: %w", r.Path(), err)
	}
	return &Transfer{r, name}, nil
}

// Path implements [transfer.Ledger].
func (s *Transfer) Path() string { return s.r.Path() }

// Close implements [transfer.Ledger].
func (s *Transfer) Close() error { return s.r.Close() }

// Form implements [transfer.Ledger].
func (s *Transfer) Form() contents.Form { return contents.Form{Texts: true, Paces: true} }

// Mark implements [transfer.Ledger].
func (s *Transfer) Mark(ctx context.Context) (m transfer.Mark, err error) {
	err = s.r.inTransaction(ctx, func(tx pgx.Tx) error {
		if err := takesChanges(ctx, tx); err != nil {
			return err
		}
		m, err = s.r.mark(ctx, tx)
		return err
	})
	if err != nil {
		return m, fmt.Errorf("read the mark of %s: %w", s.Path(), err)
	}
	return m, nil
}

func (r *Reader) mark(ctx context.Context, tx pgx.Tx) (m transfer.Mark, err error) {
	err = tx.QueryRow(ctx, r.sql(`
		SELECT
			id, state, other, other_id, transfer, origin, origin_id,
			NOT EXISTS (SELECT FROM {job} WHERE imported),
			system_id || ', timeline ' || timeline <> `+theServer+`
		FROM {ledger}
	`)).Scan(&m.ID, &m.State, &m.Other, &m.OtherID, &m.Number, &m.Origin, &m.OriginID, &m.Empty, &m.Replaced)
	m.Replaced = m.Replaced && !r.name.synchronous
	return m, err
}

// Change implements [transfer.Ledger].
func (s *Transfer) Change(ctx context.Context, change transfer.Change) error {
	err := s.r.inTransaction(ctx, func(tx pgx.Tx) error { return s.changeMark(ctx, tx, change) })
	return s.explain("mark", err)
}

// changeMark changes the mark. The ledger's row is locked first, so that nobody becomes a sender meanwhile; then, in a statement that
// begins after that, who is one already is looked at.
func (s *Transfer) changeMark(ctx context.Context, tx pgx.Tx, change transfer.Change) error {
	if _, err := tx.Exec(ctx, `SELECT set_config('lock_timeout', '10s', TRUE)`); err != nil {
		return err
	}
	var state transfer.State
	if err := tx.QueryRow(ctx, s.r.sql(`SELECT state FROM {ledger} FOR UPDATE`)).Scan(&state); err != nil {
		return err
	}
	if state == transfer.Open {
		if err := s.r.nobodySends(ctx, tx); err != nil {
			return err
		}
	}
	before, err := s.r.mark(ctx, tx)
	if err != nil {
		return err
	}
	after, err := change(before)
	if err != nil {
		return err
	}
	if before.State == transfer.Open && after.State != transfer.Open {
		// A sender that is late finds itself fenced.
		_, err := tx.Exec(ctx, s.r.sql(`UPDATE {sender} SET fenced_at = clock_timestamp() WHERE fenced_at IS NULL AND ended_at IS NULL`))
		if err != nil {
			return err
		}
	}
	if after.State == transfer.Moving {
		if err := s.settled(ctx, tx); err != nil {
			return err
		}
	}
	err = s.r.writeMark(ctx, tx, after)
	if err == nil && after.State == transfer.Filled {
		_, err = tx.Exec(ctx, s.r.sql(seeServer))
	}
	return err
}

func (r *Reader) writeMark(ctx context.Context, tx pgx.Tx, m transfer.Mark) error {
	_, err := tx.Exec(ctx, r.sql(`
		UPDATE {ledger}
		SET
			state = $1,
			other = $2,
			other_id = $3,
			transfer = $4,
			origin = $5,
			origin_id = $6
	`), string(m.State), m.Other, m.OtherID, m.Number, m.Origin, m.OriginID)
	return err
}

// settled refuses to move what somebody has begun to send since Settle.
func (s *Transfer) settled(ctx context.Context, tx pgx.Tx) error {
	var begun bool
	err := tx.QueryRow(ctx, s.r.sql(`
		SELECT EXISTS (SELECT FROM {attempt} WHERE outcome = '') OR EXISTS (SELECT FROM {job} WHERE NOT imported)
	`)).Scan(&begun)
	if err == nil && begun {
		err = job.ErrLeases
	}
	return err
}

// Settle implements [transfer.Ledger]: as a sender of its own, which takes over what is left.
func (s *Transfer) Settle(ctx context.Context) error {
	senders, err := s.r.Senders(ctx)
	if err != nil {
		return err
	}
	for _, sender := range senders {
		if !sender.Over {
			return &job.HeldError{Holder: sender.String()}
		}
	}
	if err := s.nothingBegun(ctx); !errors.Is(err, job.ErrLeases) {
		return err
	}
	l, err := OpenToSend(ctx, s.text, job.Sender{Doing: "transfer", Process: os.Getpid(), Lease: 10 * time.Second})
	if err != nil {
		return err
	}
	err = l.settle(ctx)
	if closeErr := l.Close(); err == nil {
		err = closeErr
	}
	return err
}

// nothingBegun is job.ErrLeases where something was left to settle.
func (s *Transfer) nothingBegun(ctx context.Context) error {
	return s.r.inTransaction(ctx, func(tx pgx.Tx) error { return s.settled(ctx, tx) })
}

func (l *Ledger) settle(ctx context.Context) error {
	jobs, err := all(ctx, l.Reader, func(row pgx.Row) (id int64, err error) {
		return id, row.Scan(&id)
	}, `SELECT DISTINCT item_id >> 32 FROM {attempt} WHERE outcome = '' ORDER BY 1`)
	if err != nil {
		return err
	}
	var longest time.Duration
	for _, id := range jobs {
		err := l.Take(id)
		if err == nil {
			var wait time.Duration
			_, wait, err = l.Recover(id)
			longest = max(longest, wait)
		}
		if err != nil {
			return err
		}
	}
	if longest > 0 {
		return &transfer.WaitError{Until: time.Now().Add(longest)}
	}
	return nil
}

// Read implements [transfer.Ledger].
func (s *Transfer) Read(ctx context.Context, read func(contents.Tables) error) error {
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	var failed error // of read
	err := pgx.BeginTxFunc(ctx, s.r.read, options, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, patient); err != nil {
			return err
		}
		failed = read(s.r.tablesOf(ctx, tx).Failing(func(err error) error { return s.explain("read", err) }))
		return failed
	})
	if failed != nil {
		return failed
	}
	return s.explain("read", err)
}

// patient is for a transaction that takes as long as there are rows, and waits for the other ledger.
const patient = `
	SELECT
		set_config('statement_timeout', '0', TRUE),
		set_config('idle_in_transaction_session_timeout', '0', TRUE)
`

// Fill implements [transfer.Ledger].
func (s *Transfer) Fill(ctx context.Context, change transfer.Change, tables contents.Tables, check func(contents.Tables) error) error {
	return s.explain("fill", pgx.BeginTxFunc(ctx, s.r.read, pgx.TxOptions{}, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, settings(1), "10000"); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, patient); err != nil {
			return err
		}
		if err := s.changeMark(ctx, tx, change); err != nil {
			return err
		}
		for _, table := range []string{"attempt", "line", "item", "item_tally", "attempt_tally", "links_file", "seat", "job", "pace"} {
			if _, err := tx.Exec(ctx, s.r.sql(`DELETE FROM {`+table+`}`)); err != nil {
				return err
			}
		}
		if err := s.r.writeTables(ctx, tx, tables); err != nil {
			return err
		}
		stands, recount := s.r.tablesOf(ctx, tx).Counted()
		if err := check(stands); err != nil {
			return err
		}
		return s.r.compareTallies(ctx, tx, recount)
	}))
}

// explain says what failed where, unless the error says so itself.
func (s *Transfer) explain(doing string, err error) error {
	if err == nil {
		return nil
	}
	if _, differ := errors.AsType[*contents.DifferError](err); differ || errors.Is(err, contents.ErrTallies) {
		return err
	}
	if stateOf(err) == lockNotAvailable {
		return &job.HeldError{Holder: "another transfer, or a process that is starting"}
	}
	return fmt.Errorf("%s %s: %w", doing, s.Path(), s.r.explain(err))
}

var _ transfer.Ledger = (*Transfer)(nil)
