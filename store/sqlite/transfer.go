package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"paylinks/store/contents"
	"paylinks/store/transfer"
)

// Transfer is a ledger that is open as a side of a transfer. Nobody else sends from it as long as it is open.
type Transfer struct {
	l    *Ledger
	host string
}

// OpenToTransfer opens the ledger at path as a side of a transfer. Where there is none it is made with the mark made, which is nil where it
// must be there: then the error is fs.ErrNotExist. It is a *job.HeldError when another process has it, or another one of package job's.
func OpenToTransfer(path, holder string, made *transfer.Mark) (*Transfer, error) {
	t, err := openToTransfer(path, holder, made)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", path, damaged(err))
	}
	return t, nil
}

func openToTransfer(path, holder string, made *transfer.Mark) (*Transfer, error) {
	if made == nil && IsNew(path) {
		return nil, fs.ErrNotExist
	}
	host, err := os.Hostname()
	if err == nil && made != nil {
		err = create(path)
	}
	if err != nil {
		return nil, err
	}
	l, err := openToChange(path, holder, made, func(transfer.Mark) error { return nil })
	if err != nil {
		return nil, err
	}
	return &Transfer{l, host}, nil
}

// readMark reads the ledger's mark.
func readMark(ctx context.Context, q querier) (m transfer.Mark, err error) {
	err = q.QueryRowContext(ctx, `
		SELECT
			id, state, other, other_id, transfer, origin, origin_id,
			NOT EXISTS (SELECT 1 FROM job)
		FROM ledger
	`).Scan(&m.ID, &m.State, &m.Other, &m.OtherID, &m.Number, &m.Origin, &m.OriginID, &m.Empty)
	return m, err
}

// Path implements [transfer.Ledger].
func (s *Transfer) Path() string { return s.l.path }

// Close implements [transfer.Ledger].
func (s *Transfer) Close() error { return s.l.Close() }

// Form implements [transfer.Ledger]: a path on another host would be taken for one on this.
func (s *Transfer) Form() contents.Form { return contents.Form{Host: s.host} }

// Settle implements [transfer.Ledger]: opening has done so.
func (s *Transfer) Settle(context.Context) error { return nil }

// Mark implements [transfer.Ledger].
func (s *Transfer) Mark(ctx context.Context) (transfer.Mark, error) {
	m, err := readMark(ctx, s.l.read)
	if err != nil {
		return m, fmt.Errorf("read the mark of %s: %w", s.l.path, damaged(err))
	}
	return m, nil
}

// Change implements [transfer.Ledger].
func (s *Transfer) Change(ctx context.Context, change transfer.Change) error {
	err := s.l.writer.write(func(t *tx) error { return t.changeMark(ctx, change) })
	if err != nil {
		return fmt.Errorf("mark %s: %w", s.l.path, err)
	}
	return nil
}

func (t *tx) changeMark(ctx context.Context, change transfer.Change) error {
	before, err := readMark(ctx, t.conn)
	if err != nil {
		return err
	}
	m, err := change(before)
	if err != nil {
		return err
	}
	return writeMark(ctx, t.conn, m)
}

func writeMark(ctx context.Context, conn *sql.Conn, m transfer.Mark) error {
	_, err := conn.ExecContext(ctx, `
		UPDATE ledger
		SET
			state = ?1,
			other = ?2,
			other_id = ?3,
			transfer = ?4,
			origin = ?5,
			origin_id = ?6
	`, string(m.State), m.Other, m.OtherID, m.Number, m.Origin, m.OriginID)
	return err
}

// Read implements [transfer.Ledger].
func (s *Transfer) Read(ctx context.Context, read func(contents.Tables) error) error {
	conn, err := s.l.read.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	// What is read in one transaction is of one moment. Its end has nothing to say: it changes nothing.
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return err
	}
	defer func() { _, _ = conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK") }()
	return read(tablesOf(ctx, conn, s.host).Failing(func(err error) error { return fmt.Errorf("read %s: %w", s.l.path, damaged(err)) }))
}

// Fill implements [transfer.Ledger].
func (s *Transfer) Fill(ctx context.Context, change transfer.Change, tables contents.Tables, check func(contents.Tables) error) error {
	err := s.l.writer.write(func(t *tx) error {
		if err := t.changeMark(ctx, change); err != nil {
			return err
		}
		for _, table := range []string{"attempt", "line", "invoice_item", "item", "item_tally", "attempt_tally", "links_file", "job"} {
			if _, err := t.conn.ExecContext(ctx, "DELETE FROM "+table); err != nil {
				return err
			}
		}
		if err := t.writeTables(ctx, tables); err != nil {
			return err
		}
		stands, recount := tablesOf(ctx, t.conn, s.host).Counted()
		if err := check(stands); err != nil {
			return err
		}
		return t.compareTallies(ctx, recount)
	})
	var differ *contents.DifferError
	if err != nil && !errors.As(err, &differ) && !errors.Is(err, contents.ErrTallies) {
		return fmt.Errorf("fill %s: %w", s.l.path, err)
	}
	return err
}

var _ transfer.Ledger = (*Transfer)(nil)
