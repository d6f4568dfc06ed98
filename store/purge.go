package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"paylinks/job"
)

// ErrKept means that a job is not purged, since it has open rows or live links.
var ErrKept = errors.New("the job has open rows or live links")

// Purgeable is a job that is old enough to be purged, and what keeps it from that.
type Purgeable struct {
	job.Job
	Open int // items that a runner or a person still moves
	Live int // links that can be paid, or may be, as far as is known: one without an expiry counts
}

// Kept says whether the job stays as it is.
func (p Purgeable) Kept() bool { return p.Open > 0 || p.Live > 0 }

const purgeCounts = `
	SELECT
		count(*) FILTER (WHERE state IN ('pending', 'unknown')),
		count(*) FILTER (
			WHERE state IN ('created', 'duplicate')
				AND link_status NOT IN ('paid', 'expired')
				AND (
					expires_at = ''
					OR expires_at > ?2
					OR link_status = 'processing'
					OR link_status = 'open' AND checked_at >= expires_at
				)
		)
	FROM item
	WHERE id BETWEEN (SELECT first_item FROM job WHERE id = ?1) AND (SELECT last_item FROM job WHERE id = ?1)
`

// Purgeable returns the jobs made before a time that are not purged yet, oldest first.
func (s *Store) Purgeable(ctx context.Context, before, now time.Time) ([]Purgeable, error) {
	jobs, err := s.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	var old []Purgeable
	for _, j := range jobs {
		if !j.CreatedAt.Before(before) || !j.PurgedAt.IsZero() {
			continue
		}
		p := Purgeable{Job: j}
		if err := s.read.QueryRowContext(ctx, purgeCounts, j.ID, stamp(now)).Scan(&p.Open, &p.Live); err != nil {
			return nil, fmt.Errorf("look at the rows of job %d: %w", j.ID, err)
		}
		old = append(old, p)
	}
	return old, nil
}

// Purge takes the customers' data out of the job: cells, requests, references, URLs, texts and folders. What
// recognises its invoices and its file stays, and so do sessions, amounts and counts. A job that must not be purged is
// ErrKept, and unchanged. The data is only gone from the file's bytes after [Store.Scrub].
func (s *Store) Purge(j job.Job, now time.Time) error {
	err := s.writer.write(func(t *tx) error {
		ctx := context.Background()
		var open, live int
		if err := t.conn.QueryRowContext(ctx, purgeCounts, j.ID, stamp(now)).Scan(&open, &live); err != nil {
			return err
		}
		if open > 0 || live > 0 {
			return ErrKept
		}
		for _, text := range []string{`
			UPDATE input
			SET
				invoice_id = '',
				reference = '',
				request = '{}',
				cells = '[]'
			WHERE id BETWEEN (SELECT first_item FROM job WHERE id = ?1) AND (SELECT last_item FROM job WHERE id = ?1)
		`, `
			UPDATE standing
			SET
				url = '',
				error = ''
			WHERE item_id BETWEEN (SELECT first_item FROM job WHERE id = ?1) AND (SELECT last_item FROM job WHERE id = ?1)
		`, `
			UPDATE past_attempt
			SET message = ''
			WHERE item_id BETWEEN (SELECT first_item FROM job WHERE id = ?1) AND (SELECT last_item FROM job WHERE id = ?1)
		`} {
			if _, err := t.conn.ExecContext(ctx, text, j.ID); err != nil {
				return err
			}
		}
		_, err := t.conn.ExecContext(ctx, `
			UPDATE job
			SET
				file = ?2,
				output = '',
				stop_reason = '',
				purged_at = ?3
			WHERE id = ?1
		`, j.ID, j.FileName(), stamp(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("purge job %d: %w", j.ID, err)
	}
	return nil
}

// Scrub writes the ledger anew, so that no byte of what was purged is left in it or in its -wal. It must not run
// beside anything else that writes. While somebody reads the ledger it is not done, and says so.
func (s *Store) Scrub() error {
	ctx := context.Background()
	if _, err := s.writer.conn.ExecContext(ctx, "VACUUM"); err != nil {
		return fmt.Errorf("write the ledger anew: %w", err)
	}
	// A reader is waited for only for a moment: it may be somebody's screen that stays open.
	if _, err := s.writer.conn.ExecContext(ctx, "PRAGMA busy_timeout = 500"); err != nil {
		return fmt.Errorf("write the ledger anew: %w", err)
	}
	var busy, frames, moved int
	if err := s.writer.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil {
		return fmt.Errorf("write the ledger anew: %w", err)
	}
	if busy != 0 {
		return errors.New("write the ledger anew: somebody reads it, and the purged data is still in its bytes until that has ended")
	}
	return nil
}
