package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// LinksFileChanges records that the job's links file is about to lag behind what is on record.
func (l *Ledger) LinksFileChanges(jobID int64) error {
	return l.updateJob(jobID, "begin to change", `written = FALSE`)
}

// LinksFileWritten records that the job's links file was written at path, whole: path is the job's from now on, whatever other job
// wrote it before. A file beside the job's own output does not count as its links file.
func (l *Ledger) LinksFileWritten(jobID int64, path string) error {
	err := l.writer.write(func(t *tx) error {
		ctx := context.Background()
		_, err := t.conn.ExecContext(ctx, `UPDATE job SET written = TRUE WHERE id = ?1 AND output = ?2`, jobID, path)
		if err != nil {
			return err
		}
		_, err = t.conn.ExecContext(ctx, `
			INSERT INTO links_file (path, job_id)
			VALUES (?2, ?1)
			ON CONFLICT (path) DO UPDATE SET job_id = excluded.job_id
		`, jobID, path)
		return err
	})
	if err != nil {
		return fmt.Errorf("record the links file of job %d: %w", jobID, err)
	}
	return nil
}

// LinksFileOwner is the job that last wrote a links file at path; 0: none that is not purged.
func (r *Reader) LinksFileOwner(ctx context.Context, path string) (jobID int64, err error) {
	err = r.read.QueryRowContext(ctx, `SELECT job_id FROM links_file WHERE path = ?1`, path).Scan(&jobID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("look for the job that wrote %s: %w", path, err)
	}
	return jobID, nil
}

// UnknownSession is the first of the sessions that neither an item nor an attempt has, or "". Items show sessions of links that they
// have; a link that was given up and a session that was never published are in the attempts.
func (r *Reader) UnknownSession(ctx context.Context, ids []string) (id string, err error) {
	if len(ids) == 0 {
		return "", nil
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return "", err
	}
	err = r.read.QueryRowContext(ctx, `
		SELECT named.value
		FROM json_each(?1) AS named
		WHERE NOT EXISTS (SELECT 1 FROM item WHERE item.session_id = named.value AND item.state = 'created')
			AND NOT EXISTS (SELECT 1 FROM item WHERE item.session_id = named.value AND item.state = 'duplicate')
			AND NOT EXISTS (SELECT 1 FROM attempt WHERE attempt.session_id = named.value AND attempt.replaced <> '')
			AND NOT EXISTS (
				SELECT 1
				FROM attempt
				WHERE attempt.session_id = named.value
					AND attempt.session_id <> ''
					AND attempt.outcome <> 'created'
			)
		LIMIT 1
	`, string(list)).Scan(&id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("look sessions up: %w", err)
	}
	return id, nil
}

// ExpiredLinks counts the job's links, at most so many, that have expired unpaid as far as is known: their time has passed, or Clink
// has said that they are expired, and Clink has not said since that one is paid or still open.
func (r *Reader) ExpiredLinks(ctx context.Context, jobID int64, now time.Time, most int) (n int, err error) {
	err = r.read.QueryRowContext(ctx, `
		SELECT count(*)
		FROM (
			SELECT 1
			FROM item INDEXED BY item_expiry
			WHERE job_id = ?1
				AND expires_at <> ''
				AND expires_at <= ?2
				AND state IN ('created', 'duplicate')
				AND link_status NOT IN ('paid', 'refunded', 'expired')
				AND (link_status = '' OR checked_at < expires_at)
			UNION ALL
			SELECT 1
			FROM item
			WHERE job_id = ?1
				AND link_status = 'expired'
				AND link_status <> ''
			LIMIT ?3
		)
	`, jobID, timestamp(now), most).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("count the expired links of job %d: %w", jobID, err)
	}
	return n, nil
}

// madeLater says that the invoice of item has its link in a job that was run later.
const madeLater = `
	EXISTS (
		SELECT 1
		FROM invoice_item
		JOIN item AS other ON other.id = invoice_item.item_id
		JOIN job ON job.id = other.job_id
		WHERE invoice_item.invoice = item.invoice
			AND job.ran > (SELECT ran FROM job WHERE id = item.job_id)
			AND other.state = 'created'
	)
`

// FailedButMade counts the job's failed items whose invoice has its link in a job that was run later.
func (r *Reader) FailedButMade(ctx context.Context, jobID int64) (n int, err error) {
	err = r.read.QueryRowContext(ctx, `
		SELECT count(*)
		FROM item INDEXED BY item_failed
		WHERE item.job_id = ?1
			AND item.state = 'failed'
			AND `+madeLater, jobID).Scan(&n)
	if err != nil {
		return 0, fmt.Errorf("look for links that later jobs have made for job %d: %w", jobID, err)
	}
	return n, nil
}
