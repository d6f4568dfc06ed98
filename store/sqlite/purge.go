package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"paylinks/job"
)

// purgedRequest stands where a request was that is purged.
const purgedRequest = `{}`

const purgeCounts = `
	SELECT
		count(*) FILTER (WHERE state IN ('pending', 'sending', 'unknown')),
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
func (r *Reader) Purgeable(ctx context.Context, before, now time.Time) ([]job.Purgeable, error) {
	jobs, err := r.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	var old []job.Purgeable
	for _, j := range jobs {
		if !j.CreatedAt.Before(before) || !j.PurgedAt.IsZero() {
			continue
		}
		p := job.Purgeable{Job: j}
		if err := r.read.QueryRowContext(ctx, purgeCounts, j.ID, timestamp(now)).Scan(&p.Open, &p.Live); err != nil {
			return nil, fmt.Errorf("look at the rows of job %d: %w", j.ID, err)
		}
		old = append(old, p)
	}
	return old, nil
}

// Purge takes the customers' data out of the job: cells, requests, references, URLs, texts and folders. What
// recognises its invoices and its file stays, and so do sessions, amounts and counts. A job that must not be purged is
// job.ErrKept, and unchanged. The data is only gone from the file's bytes after [Ledger.Scrub].
func (l *Ledger) Purge(j job.Job, now time.Time) error {
	err := l.writer.write(func(t *tx) error {
		ctx := context.Background()
		var open, live int
		if err := t.conn.QueryRowContext(ctx, purgeCounts, j.ID, timestamp(now)).Scan(&open, &live); err != nil {
			return err
		}
		if open > 0 || live > 0 {
			return job.ErrKept
		}
		for _, text := range []string{`
			UPDATE item
			SET
				invoice_id = '',
				reference = '',
				request = '` + purgedRequest + `',
				cells = '[]',
				url = '',
				error = ''
			WHERE ` + inJob(1), `
			UPDATE attempt
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
		`, j.ID, j.FileName(), timestamp(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("purge job %d: %w", j.ID, err)
	}
	return nil
}

// Scrub writes the ledger anew, so that no byte of what was purged is left in it or in its -wal. It must not run
// beside anything else that writes. While somebody reads the ledger it is not done, and says so.
func (l *Ledger) Scrub() error {
	ctx := context.Background()
	if _, err := l.writer.conn.ExecContext(ctx, "VACUUM"); err != nil {
		return fmt.Errorf("write the ledger anew: %w", err)
	}
	// A reader is waited for only for a moment: it may be somebody's screen that stays open.
	if _, err := l.writer.conn.ExecContext(ctx, "PRAGMA busy_timeout = 500"); err != nil {
		return fmt.Errorf("write the ledger anew: %w", err)
	}
	var busy, frames, moved int
	if err := l.writer.conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil {
		return fmt.Errorf("write the ledger anew: %w", err)
	}
	if busy != 0 {
		return errors.New("write the ledger anew: somebody reads it, and the purged data is still in its bytes until that has ended")
	}
	return nil
}
