package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
	"paylinks/store/transfer"
)

// Ledger is a ledger that is open for sending, by this process and others.
type Ledger struct {
	*Reader
	sender job.Sender
	lease  *lease
	writer *writer

	crashedMu sync.Mutex
	crashed   map[int64]int // by job; see Crashed
}

// OpenToSend opens the ledger for a process that sends, which as tells of, and makes or updates its schema where that is due. The error
// is job.ErrFailedOver, a *job.TransferError or another one of package job's.
func OpenToSend(ctx context.Context, name string, as job.Sender) (*Ledger, error) {
	l, err := openToSend(ctx, name, as, false)
	return l, err
}

// OpenAfterFailover is OpenToSend of a ledger whose database went back, or was replaced: what may have been sent without being on record
// is unknown, and waits for a person. The error is job.ErrLeases while a sender of before may still be at work.
func OpenAfterFailover(ctx context.Context, name string, as job.Sender) (*Ledger, error) {
	return openToSend(ctx, name, as, true)
}

func openToSend(ctx context.Context, name string, as job.Sender, afterFailover bool) (_ *Ledger, err error) {
	r, err := connect(name)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	if as.Host == "" {
		as.Host = r.host
	}
	r.host = as.Host
	l := &Ledger{Reader: r, sender: as, crashed: map[int64]int{}}
	defer func() {
		if err != nil {
			if l.writer != nil {
				_ = l.Close()
			} else {
				_ = r.Close()
			}
			var held *job.HeldError
			if !errors.As(err, &held) {
				err = fmt.Errorf("open ledger %s: %w", r.Path(), r.explain(err))
			}
		}
	}()
	if err := r.bringUpToDate(ctx); err != nil {
		return nil, err
	}
	if afterFailover {
		if err := r.acceptFailover(ctx); err != nil {
			return nil, err
		}
	}
	if err := l.register(ctx); err != nil {
		return nil, err
	}
	if err := l.openWriter(ctx); err != nil {
		return nil, err
	}
	return l, l.removeUnfinishedImports()
}

// register makes this process a sender. The ledger's row is locked for it, so that none registers while the ledger is being moved, and
// none moves it while one registers.
func (l *Ledger) register(ctx context.Context) error {
	l.lease = &lease{duration: l.sender.Lease, synchronous: l.name.synchronous}
	var marked bool
	err := persist(ctx, openPatience, func() error {
		marked = false
		return pgx.BeginTxFunc(ctx, l.read, pgx.TxOptions{}, func(tx pgx.Tx) error {
			// A server in recovery cannot be asked for its line of history.
			if err := takesChanges(ctx, tx); err != nil {
				return err
			}
			if err := keepsWhatItAcknowledges(ctx, tx); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, settings(1), "10000"); err != nil {
				return err
			}
			state, err := l.stateForSender(ctx, tx)
			if err != nil {
				return err
			}
			if state == "failed_over" {
				marked = true // which is to stay
				return nil
			}
			asked := boottime()
			var clock time.Time
			before := time.Now()
			err = tx.QueryRow(ctx, l.sql(`
				INSERT INTO {sender} (doing, host, process, lease, recover, lease_until)
				VALUES ($1, $2, $3, make_interval(secs => $4), make_interval(secs => $5), clock_timestamp() + make_interval(secs => $4))
				RETURNING id, began_at, clock_timestamp()
			`), l.sender.Doing, l.host, l.sender.Process, l.sender.Lease.Seconds(), l.sender.RecoverAfter().Seconds()).
				Scan(&l.sender.ID, &l.sender.Since, &clock)
			if err != nil {
				return err
			}
			l.skew = skew(clock, before, time.Now())
			l.lease.last, l.lease.deadline = asked, asked+l.lease.duration-l.lease.margin()
			return nil
		})
	})
	if err == nil && marked {
		err = job.ErrFailedOver
	}
	return err
}

// stateForSender is the ledger's state. It is marked where this is not the server that the last sender saw.
func (l *Ledger) stateForSender(ctx context.Context, tx pgx.Tx) (state string, err error) {
	var other, seen string
	var version int
	err = tx.QueryRow(ctx, l.sql(`
		SELECT version, state, other, system_id || ', timeline ' || timeline, `+theServer+`
		FROM {ledger}
		FOR SHARE
	`)).Scan(&version, &state, &other, &seen, &l.lease.system)
	switch {
	case err != nil:
		return "", err
	case version != len(migrations): // another program has changed it since it was looked at
		return "", &job.VersionError{Found: version, Known: len(migrations)}
	case state != "open" && state != "failed_over":
		return "", transfer.Mark{State: transfer.State(state), Other: other}.Refusal()
	case state == "open" && seen != l.lease.system && l.name.synchronous:
		_, err = tx.Exec(ctx, l.sql(seeServer))
	case state == "open" && seen != l.lease.system:
		state = "failed_over"
		_, err = tx.Exec(ctx, l.sql(markFailedOver))
	}
	return state, err
}

// seeServer notes which server the ledger is on.
const seeServer = `UPDATE {ledger} SET system_id = ` + systemID + `, timeline = ` + timeline

// markFailedOver keeps everybody from sending until a person has said how to go on.
const markFailedOver = `UPDATE {ledger} SET state = 'failed_over' WHERE state = 'open'`

// keepsWhatItAcknowledges refuses a server that was told to be fast rather than safe.
func keepsWhatItAcknowledges(ctx context.Context, tx pgx.Tx) error {
	for _, setting := range []string{"fsync", "full_page_writes"} {
		var value string
		if err := tx.QueryRow(ctx, `SELECT current_setting($1)`, setting).Scan(&value); err != nil {
			return err
		}
		if value != "on" {
			return fmt.Errorf("%w: its setting %s is %s", job.ErrUnsafe, setting, value)
		}
	}
	return nil
}

func (l *Ledger) openWriter(ctx context.Context) error {
	config := l.read.Config().ConnConfig.Copy()
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	l.writer = &writer{
		l: l, config: config, conn: conn, records: make(chan record, batchMost), done: make(chan struct{}), texts: map[string]string{},
	}
	go l.writer.run()
	return nil
}

// Close ends this sender, whose seats are free then, and closes the ledger. A database that is away is no error: the lease runs out.
func (l *Ledger) Close() error {
	err := l.writer.close()
	if closeErr := l.Reader.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return fmt.Errorf("close ledger %s: %w", l.Path(), err)
	}
	return nil
}

// close records what still waits, gives the seats back and ends the sender.
func (w *writer) close() error {
	close(w.records)
	<-w.done
	if w.conn == nil || w.conn.IsClosed() || w.failed != nil {
		w.drop()
		return nil
	}
	ctx, cancel := w.bounded()
	defer cancel()
	err := func() error {
		batch := &pgx.Batch{}
		batch.Queue("BEGIN")
		batch.Queue(w.sql(`DELETE FROM {seat} WHERE sender_id = $1`), w.l.sender.ID)
		batch.Queue(w.sql(`UPDATE {sender} SET ended_at = clock_timestamp() WHERE id = $1 AND ended_at IS NULL`), w.l.sender.ID)
		batch.Queue("COMMIT")
		return w.conn.SendBatch(ctx, batch).Close()
	}()
	w.drop()
	if lost(err) || undone(err) {
		return nil
	}
	return w.l.explain(err)
}
