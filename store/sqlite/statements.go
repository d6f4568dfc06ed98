package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"paylinks/job"
)

// statements are what the writer's connection runs again and again.
type statements struct {
	beginTx, commitTx, rollbackTx  *statement
	begin, intent                  *statement
	end, endAttempt, sessionOwner  *statement
	leave, reuse, retry, lookAgain *statement
	note                           *statement
	checked, replace, replaced     *statement
	share, giveUp, seal            *statement
	insert, insertGroup            *statement
	insertLine                     *statement
	adopt, indexInvoice            *statement
	knownSession                   *statement
	tallyItems, tallyAttempts      *statement
	facts, factsOfBatch            *sql.Stmt
}

// inJob is the condition on items of the job with this parameter. It leads SQLite to the job's range of ids.
func inJob(parameter int) string {
	return fmt.Sprintf(`item.id BETWEEN (SELECT first_item FROM job WHERE id = ?%[1]d) AND (SELECT last_item FROM job WHERE id = ?%[1]d)`, parameter)
}

func prepareAll(conn *sql.Conn) (*tx, error) {
	t := &tx{conn: conn, items: map[itemTally]tallyDelta{}, attempts: map[attemptTally]int64{}}
	for _, s := range []struct {
		stmt **statement
		text string
	}{
		{&t.stmts.beginTx, "BEGIN IMMEDIATE"},
		{&t.stmts.commitTx, "COMMIT"},
		{&t.stmts.rollbackTx, "ROLLBACK"},
		// Where no item of another job has the invoice there is nothing to resolve.
		{&t.stmts.begin, `
			UPDATE item
			SET
				state = 'sending',
				attempts = attempts + 1,
				reference = CASE WHEN reference = '' THEN request ->> '$.merchantReferenceId' ELSE reference END
			WHERE id = ?1
				AND state = ?2
				AND state IN ('pending', 'unknown')
				AND attempts = ?3
				AND invoice IS NOT NULL -- else no other job would know of it
				AND (?4 OR NOT EXISTS (
					SELECT 1
					FROM invoice_item
					JOIN item AS other ON other.id = invoice_item.item_id
					WHERE invoice_item.invoice = item.invoice
						AND other.job_id <> item.job_id
				))
		`},
		{&t.stmts.intent, `
			INSERT INTO attempt (item_id, number, sent_at)
			VALUES (?1, ?2, ?3)
		`},
		{&t.stmts.end, `
			UPDATE item
			SET
				state = ?3,
				unknown_ends = unknown_ends + (?4 = 'unknown'),
				suspect_ends = CASE
					WHEN ?4 = 'created' OR ?4 = 'mismatch' OR ?4 = 'rejected' THEN 0
					ELSE suspect_ends + (?4 = 'unauthorized' OR ?4 = 'redirected' OR ?4 = 'misdirected')
				END,
				session_id = ?5,
				url = ?6,
				expires_at = ?7,
				created_at = ?8,
				error_code = ?9,
				error = ?10,
				customer_id = ?11
			WHERE id = ?1
				AND state = 'sending'
				AND attempts = ?2
				AND (?3 <> 'created' OR NOT (
					EXISTS (SELECT 1 FROM item AS other WHERE other.session_id = ?5 AND other.state = 'created')
					OR EXISTS (SELECT 1 FROM attempt WHERE attempt.session_id = ?5 AND attempt.replaced <> '')
				))
		`},
		{&t.stmts.endAttempt, `
			UPDATE attempt
			SET
				ended_at = ?3,
				outcome = ?4,
				status = ?5,
				code = ?6,
				message = ?7,
				session_id = ?8
			WHERE item_id = ?1
				AND number = ?2
				AND outcome = ''
		`},
		{&t.stmts.sessionOwner, `
			SELECT row, job_id
			FROM item
			WHERE session_id = ?1
				AND state = 'created'
			UNION ALL
			SELECT item.row, item.job_id
			FROM attempt
			JOIN item ON item.id = attempt.item_id
			WHERE attempt.session_id = ?1
				AND attempt.replaced <> ''
		`},
		{&t.stmts.leave, `
			UPDATE item
			SET
				state = ?3,
				error_code = ?4,
				error = ?5
			WHERE id = ?1
				AND state = ?2
				AND state IN ('pending', 'unknown')
		`},
		{&t.stmts.note, `
			UPDATE item
			SET
				error_code = ?3,
				error = ?4
			WHERE id = ?1
				AND state = ?2
				AND state IN ('pending', 'unknown', 'created')
		`},
		{&t.stmts.reuse, `
			UPDATE item
			SET
				state = 'duplicate',
				session_id = other.session_id,
				url = other.url,
				expires_at = other.expires_at,
				created_at = other.created_at,
				link_status = other.link_status,
				checked_at = other.checked_at,
				error_code = '',
				error = ?4
			FROM item AS other
			WHERE item.id = ?1
				AND item.state = ?2
				AND item.state IN ('pending', 'unknown')
				AND other.id = ?3
				AND other.state = 'created'
		`},
		{&t.stmts.retry, `
			UPDATE item
			SET
				state = ?3,
				unknown_ends = ?4,
				suspect_ends = 0,
				session_id = '',
				created_at = '',
				error_code = '',
				error = ''
			WHERE id = ?1
				AND state = ?2
				AND state IN ('failed', 'unknown')
		`},
		// Back to an open state, or to one that only a person moves: without a link.
		{&t.stmts.lookAgain, `
			UPDATE item
			SET
				state = ?3,
				session_id = '',
				url = '',
				expires_at = '',
				created_at = '',
				link_status = '',
				checked_at = '',
				error_code = ?4,
				error = ?5
			WHERE id = ?1
				AND state = ?2
				AND (state = 'superseded' OR state = 'duplicate' OR error_code = 'conflict' AND state IN ('failed', 'invalid'))
		`},
		// What Clink has said of a link that is paid or refunded stays.
		{&t.stmts.checked, `
			WITH asked AS (
				SELECT session_id
				FROM item
				WHERE id = ?1
					AND state IN ('created', 'duplicate')
			)
			UPDATE item
			SET
				link_status = CASE
					WHEN link_status = 'refunded' OR link_status = 'paid' AND ?2 <> 'refunded' THEN link_status
					ELSE ?2
				END,
				checked_at = ?3,
				given_up = given_up AND ?2 = 'expired',
				error_code = CASE WHEN state = 'created' THEN '' ELSE error_code END,
				error = CASE WHEN state = 'created' THEN '' ELSE error END
			WHERE state = 'created' AND session_id = (SELECT session_id FROM asked)
				OR state = 'duplicate' AND session_id = (SELECT session_id FROM asked)
		`},
		{&t.stmts.replace, `
			UPDATE item
			SET
				state = 'pending',
				unknown_ends = 0,
				session_id = '',
				url = '',
				expires_at = '',
				created_at = '',
				link_status = '',
				checked_at = '',
				customer_id = '',
				given_up = FALSE,
				error_code = '',
				error = ''
			WHERE id = ?1
				AND state = 'created'
				AND session_id = ?2
				AND link_status NOT IN ('paid', 'refunded')
		`},
		// The duplicates of the links that this item has given up get the one that it has now.
		{&t.stmts.share, `
			UPDATE item
			SET
				session_id = now.session_id,
				url = now.url,
				expires_at = now.expires_at,
				created_at = now.created_at,
				link_status = now.link_status,
				checked_at = now.checked_at,
				error = ?2
			FROM item AS now
			WHERE now.id = ?1
				AND item.state = 'duplicate'
				AND item.id <> ?1
				AND item.session_id IN (SELECT attempt.session_id FROM attempt WHERE attempt.item_id = ?1 AND attempt.replaced <> '')
				AND (SELECT purged_at FROM job WHERE job.id = item.job_id) = ''
		`},
		{&t.stmts.giveUp, `
			UPDATE item
			SET given_up = TRUE
			WHERE id = ?1
				AND state = 'created'
		`},
		{&t.stmts.replaced, `
			UPDATE attempt
			SET replaced = ?3
			WHERE item_id = ?1
				AND session_id = ?2
				AND outcome = 'created'
				AND replaced = ''
		`},
		{&t.stmts.seal, `
			UPDATE item
			SET
				invoice_id = ?2,
				reference = ?3,
				customer_id = ?4,
				request = ?5,
				cells = '[]',
				url = '',
				error = ''
			WHERE id = ?1
		`},
		{&t.stmts.insert, insertItems(1)},
		{&t.stmts.insertGroup, insertItems(insertGroup)},
		{&t.stmts.insertLine, `
			INSERT INTO line (place, row, item_id, cells)
			VALUES (?1, ?2, ?3, ?4)
		`},
		{&t.stmts.adopt, `
			INSERT INTO item (
				id, job_id, row, state, invoice, invoice_id, reference, currency, amount, attempts, unknown_ends,
				session_id, url, expires_at, created_at, link_status, checked_at, error_code, error, request, cells
			)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 1, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)
		`},
		{&t.stmts.indexInvoice, `
			INSERT INTO invoice_item (invoice, item_id)
			VALUES (?1, ?2)
		`},
		// The item that has the session, or had it, and whether that is of invoice ?2, was given up, or was never published.
		{&t.stmts.knownSession, `
			SELECT item.id, item.job_id, item.invoice = ?2, FALSE, FALSE
			FROM item
			WHERE item.session_id = ?1
				AND item.state = 'created'
			UNION ALL
			SELECT item.id, item.job_id, item.invoice = ?2, TRUE, FALSE
			FROM attempt
			JOIN item ON item.id = attempt.item_id
			WHERE attempt.session_id = ?1
				AND attempt.replaced <> ''
			UNION ALL
			SELECT item.id, item.job_id, item.invoice = ?2, FALSE, TRUE
			FROM attempt
			JOIN item ON item.id = attempt.item_id
			WHERE attempt.session_id = ?1
				AND attempt.session_id <> ''
				AND attempt.outcome <> 'created'
			LIMIT 1
		`},
		{&t.stmts.tallyItems, `
			INSERT INTO item_tally (job_id, state, currency, items, billions, rest)
			VALUES (?1, ?2, ?3, ?4, ?5, ?6)
			ON CONFLICT (job_id, state, currency) DO UPDATE SET
				items = items + excluded.items,
				billions = billions + excluded.billions,
				rest = rest + excluded.rest
		`},
		{&t.stmts.tallyAttempts, `
			INSERT INTO attempt_tally (job_id, outcome, attempts)
			VALUES (?1, ?2, ?3)
			ON CONFLICT (job_id, outcome) DO UPDATE SET
				attempts = attempts + excluded.attempts
		`},
	} {
		var err error
		if *s.stmt, err = prepare(conn, s.text); err != nil {
			return nil, errors.Join(err, t.close())
		}
		t.closes = append(t.closes, (*s.stmt).close)
	}
	for stmt, text := range map[**sql.Stmt]string{
		&t.stmts.factsOfBatch: factsOfBatch,
		// Without the SELECT, SQLite would note that the value could change its plan, and compile the statement anew for each.
		&t.stmts.facts: factsOf(`invoice_item.invoice = (SELECT ?1)`),
	} {
		var err error
		if *stmt, err = conn.PrepareContext(context.Background(), text); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare the look-up of facts: %w", err), t.close())
		}
		t.closes = append(t.closes, (*stmt).Close)
	}
	return t, nil
}

// move counts an item of a job that goes from its state to another one.
func (t *tx) move(item *job.Item, to job.State) {
	if item.State != to {
		t.count(itemTally{item.JobID, item.State, item.Currency}, -1, item.Amount)
		t.count(itemTally{item.JobID, to, item.Currency}, 1, item.Amount)
	}
}
