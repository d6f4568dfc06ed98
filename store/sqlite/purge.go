package sqlite

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"paylinks/job"
)

const purgeCounts = `
	SELECT
		count(*) FILTER (WHERE state IN ('pending', 'sending', 'unknown')),
		count(*) FILTER (
			WHERE state IN ('created', 'duplicate')
				AND link_status NOT IN ('paid', 'refunded', 'expired')
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

// Purge takes the customers' data out of the job: cells, requests, URLs, texts and folders. Of invoice ids, references and customers
// digests stay, which recognise them and do not tell them; sessions, amounts and counts stay as they are. A job that must not be purged
// is job.ErrKept, and unchanged. The data is only gone from the file's bytes after [Ledger.Scrub].
func (l *Ledger) Purge(j job.Job, now time.Time) error {
	salt := rand.Text()
	err := l.writer.write(func(t *tx) error {
		ctx := context.Background()
		var open, live int
		if err := t.conn.QueryRowContext(ctx, purgeCounts, j.ID, timestamp(now)).Scan(&open, &live); err != nil {
			return err
		}
		if open > 0 || live > 0 {
			return job.ErrKept
		}
		if err := t.sealItems(j.ID, salt); err != nil {
			return err
		}
		if _, err := t.conn.ExecContext(ctx, `UPDATE line SET cells = '[]' WHERE `+linesOfJob, j.ID); err != nil {
			return err
		}
		_, err := t.conn.ExecContext(ctx, `
			UPDATE attempt
			SET message = ''
			WHERE item_id BETWEEN (SELECT first_item FROM job WHERE id = ?1) AND (SELECT last_item FROM job WHERE id = ?1)
		`, j.ID)
		if err != nil {
			return err
		}
		if _, err := t.conn.ExecContext(ctx, `DELETE FROM links_file WHERE job_id = ?1`, j.ID); err != nil {
			return err
		}
		_, err = t.conn.ExecContext(ctx, `
			UPDATE job
			SET
				file = ?2,
				output = '',
				stop_reason = '',
				salt = ?3,
				purged_at = ?4
			WHERE id = ?1
		`, j.ID, j.FileName(), salt, timestamp(now))
		return err
	})
	if err != nil {
		return fmt.Errorf("purge job %d: %w", j.ID, err)
	}
	return nil
}

// sealItems leaves of the job's items what recognises them.
func (t *tx) sealItems(jobID int64, salt string) error {
	type identifiers struct {
		item                             int64
		invoiceID, reference, customerID string
		request                          string
	}
	ctx := context.Background()
	for after := int64(0); ; {
		rows, err := t.conn.QueryContext(ctx, `
			SELECT id, invoice_id, reference, customer_id, request
			FROM item
			WHERE `+inJob(1)+`
				AND id > ?2
			ORDER BY id
			LIMIT ?3
		`, jobID, after, partRows)
		if err != nil {
			return err
		}
		var page []identifiers
		for rows.Next() {
			var i identifiers
			if err := rows.Scan(&i.item, &i.invoiceID, &i.reference, &i.customerID, &i.request); err != nil {
				return errors.Join(err, rows.Close())
			}
			page = append(page, i)
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		if len(page) == 0 {
			return nil
		}
		for _, i := range page {
			after = i.item
			request, err := sealedRequest(salt, i.request)
			if err != nil {
				return err
			}
			err = t.stmts.seal.one(i.item, job.Seal(salt, job.SealInvoiceID, i.invoiceID), job.Seal(salt, job.SealReference, i.reference),
				job.Seal(salt, job.SealCustomerID, i.customerID), request)
			if err != nil {
				return err
			}
		}
	}
}

// sealedRequest is what stays of a request: digests of who the customer is. An item that was never good has none.
func sealedRequest(salt, request string) (string, error) {
	if request == "" {
		return "", nil
	}
	var customer struct {
		ID        string `json:"customerId,omitempty"`
		Email     string `json:"customerEmail,omitempty"`
		Reference string `json:"referenceCustomerId,omitempty"`
	}
	if err := json.Unmarshal([]byte(request), &customer); err != nil {
		return "", err
	}
	customer.ID = job.Seal(salt, job.SealCustomerID, customer.ID)
	customer.Email = job.Seal(salt, job.SealCustomerEmail, customer.Email)
	customer.Reference = job.Seal(salt, job.SealCustomerReference, customer.Reference)
	sealed, err := json.Marshal(customer)
	return string(sealed), err
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
