package postgres

import (
	"time"

	"paylinks/job"
)

// Checked implements job.Ledger.
func (l *Ledger) Checked(itemID int64, status job.LinkStatus, asked time.Time) error {
	return l.writer.write(func(t *tx) error { return t.checked(itemID, status, l.now(asked)) })
}

// checked records what Clink has said of a link. What it has said of one that is paid or refunded stays.
func (t *tx) checked(itemID int64, status job.LinkStatus, asked time.Time) error {
	n, err := t.exec(`
		WITH asked AS MATERIALIZED (
			SELECT session_id
			FROM {item}
			WHERE id = $1
				AND state IN ('created', 'duplicate')
		)
		UPDATE {item}
		SET
			link_status = CASE
				WHEN link_status = 'refunded' OR link_status = 'paid' AND $2::text <> 'refunded' THEN link_status
				ELSE $2
			END,
			checked_at = $3,
			given_up = given_up AND $2 = 'expired',
			error_code = CASE WHEN state = 'created' THEN '' ELSE error_code END,
			error = CASE WHEN state = 'created' THEN '' ELSE error END
		WHERE state = 'created' AND session_id = (SELECT session_id FROM asked)
			OR state = 'duplicate' AND session_id = (SELECT session_id FROM asked)
	`, itemID, string(status), at(asked))
	if err == nil && n == 0 {
		return job.ErrMoved
	}
	return err
}

// Replace implements job.Ledger.
func (l *Ledger) Replace(item *job.Item, replaced time.Time) error {
	return l.writer.write(func(t *tx) error { return t.movedOn(item, t.replace(item, l.now(replaced))) })
}

// replace gives the link of a created item up.
func (t *tx) replace(item *job.Item, replaced time.Time) error {
	if err := t.checked(item.ID, job.LinkExpired, replaced); err != nil { // for the duplicates that share it
		return err
	}
	err := t.one(`
		UPDATE {attempt}
		SET replaced = $3
		WHERE item_id = $1
			AND session_id = $2
			AND outcome = 'created'
			AND replaced IS NULL
	`, item.ID, item.SessionID, at(replaced))
	if err != nil {
		return err
	}
	err = t.one(`
		UPDATE {item}
		SET
			state = 'pending',
			unknown_ends = 0,
			session_id = '',
			url = '',
			expires_at = NULL,
			created_at = NULL,
			link_status = '',
			checked_at = NULL,
			customer_id = '',
			given_up = FALSE,
			error_code = '',
			error = ''
		WHERE id = $1
			AND state = 'created'
			AND session_id = $2
			AND link_status NOT IN ('paid', 'refunded')
	`, item.ID, item.SessionID)
	if err != nil {
		return err
	}
	created := *item
	created.State = job.Created
	t.move(&created, job.Pending)
	// Its links file has the old link, and the run may be one of another job.
	_, err = t.exec(`UPDATE {job} SET written = FALSE WHERE id = $1 AND written`, item.JobID)
	return err
}
