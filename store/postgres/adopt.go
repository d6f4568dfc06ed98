package postgres

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
)

// Adopt takes the rows of a links file that the ledger does not know (see job.AdoptedItem.Adopt) into a job of their own, in one
// transaction. Its links file counts as written. Where no row is new there is no job, and of a file that was adopted before no row is
// taken. rows is ranged over once; its error is returned, and then nothing was recorded.
func (l *Ledger) Adopt(j job.Job, rows iter.Seq2[job.AdoptedItem, error], now time.Time) (adopted job.Adopted, err error) {
	// The transaction may be made again, and rows are read once.
	var all []job.AdoptedItem
	for row, err := range rows {
		if err != nil {
			return job.Adopted{}, fmt.Errorf("adopt %s: %w", j.File, err)
		}
		all = append(all, row)
	}
	err = l.writer.write(func(t *tx) error {
		a := adopting{importing: importing{Job: j, at: l.now(now)}}
		a.CreatedAt = a.at
		err := a.takeRows(t, all)
		adopted = a.adopted
		return err
	})
	if err != nil {
		return job.Adopted{}, fmt.Errorf("adopt %s: %w", j.File, err)
	}
	return adopted, nil
}

// adopting is a links file on its way into the ledger. Its methods run in one transaction of the writer.
type adopting struct {
	importing
	before  bool // the file was adopted before
	adopted job.Adopted
	items   []int64 // the items of the rows that are none further; 0 where the row was not taken
}

func (a *adopting) takeRows(t *tx, rows []job.AdoptedItem) error {
	if err := t.lockImports(); err != nil {
		return err
	}
	key := a.Key()
	if err := t.row(`SELECT EXISTS (SELECT 1 FROM {job} WHERE identity = $1 AND imported)`, key[:]).Scan(&a.before); err != nil {
		return err
	}
	for i := range rows {
		if err := a.row(t, &rows[i]); err != nil {
			return err
		}
	}
	if a.ID == 0 {
		return nil
	}
	_, err := t.exec(`
		UPDATE {job}
		SET
			ran = (SELECT coalesce(max(ran), 0) + 1 FROM {job}),
			written = TRUE,
			further_lines = $2,
			refreshed_at = (SELECT max(checked_at) FROM {item} WHERE `+ids("id", 1)+`)
		WHERE id = $1
	`, a.ID, a.FurtherLines)
	if err != nil {
		return err
	}
	a.adopted.Job = a.Job
	return t.takeOutput(a.ID, t.l.host, a.Output)
}

func (a *adopting) row(t *tx, row *job.AdoptedItem) error {
	if row.Further {
		return a.further(t, row)
	}
	a.items = append(a.items, 0)
	rows, err := t.query(factsOfInvoices, bytesOf([][16]byte{row.Invoice}))
	if err != nil {
		return err
	}
	found, err := scanFacts(rows)
	if err != nil {
		return err
	}
	all := found[row.Invoice]
	known, err := t.knownSession(row, all)
	if err != nil {
		return err
	}
	others := slices.DeleteFunc(slices.Clone(all), func(f job.Facts) bool { return a.ID != 0 && f.JobID == a.ID })
	adoption := row.Adopt(known, others, row.InvoiceID == "" && a.AllowRepeats, a.at)
	if adoption.Action == job.TakeRow && a.before {
		adoption.Action = job.LeaveKnown
	}
	if adoption.Conflict != "" {
		a.adopted.Conflicts = append(a.adopted.Conflicts, job.RowAdoption{Line: row.Row, Adoption: adoption})
	}
	switch {
	case adoption.Action == job.TakePayment:
		a.adopted.Known++
		a.adopted.Payments++
		return t.takePayment(adoption.Other, row)
	case adoption.Action == job.TakeRow:
		if err := a.take(t, row); err != nil {
			return err
		}
		a.items[len(a.items)-1] = a.last
		return t.settleDoubts(others, a.at)
	case adoption.Conflict == "":
		a.adopted.Known++
	}
	return nil
}

// knownSession is what is on record of the row's session, or nil: the item that has it, or had it, and whether that is of the row's
// invoice, was given up, or was never published. all are the facts of its invoice's items.
func (t *tx) knownSession(row *job.AdoptedItem, all []job.Facts) (*job.SessionRecord, error) {
	if row.SessionID == "" {
		return nil, nil
	}
	var known job.SessionRecord
	err := t.row(`
		SELECT item.id, item.job_id, item.invoice = $2, FALSE, FALSE
		FROM {item} AS item
		WHERE item.session_id = $1
			AND item.state = 'created'
		UNION ALL
		SELECT item.id, item.job_id, item.invoice = $2, TRUE, FALSE
		FROM {attempt} AS attempt
		JOIN {item} AS item ON item.id = attempt.item_id
		WHERE attempt.session_id = $1
			AND attempt.replaced IS NOT NULL
		UNION ALL
		SELECT item.id, item.job_id, item.invoice = $2, FALSE, TRUE
		FROM {attempt} AS attempt
		JOIN {item} AS item ON item.id = attempt.item_id
		WHERE attempt.session_id = $1
			AND attempt.session_id <> ''
			AND attempt.outcome <> 'created'
		LIMIT 1
	`, row.SessionID, row.Invoice[:]).Scan(&known.ItemID, &known.JobID, &known.SameInvoice, &known.Replaced, &known.Unpublished)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	}
	for _, f := range all {
		if f.ItemID == known.ItemID {
			known.Facts = f
		}
	}
	return &known, nil
}

// takePayment records that the link of the item with these facts, and of all that share it, is paid or refunded, as the row says.
func (t *tx) takePayment(of job.Facts, row *job.AdoptedItem) error {
	if err := t.checked(of.ItemID, row.Link, row.CheckedAt); err != nil {
		return err
	}
	_, err := t.exec(`
		UPDATE {job}
		SET refreshed_at = $2
		WHERE id = $1
			AND (refreshed_at IS NULL OR refreshed_at < $2)
	`, of.JobID, at(row.CheckedAt))
	return err
}

// settleDoubts gives the link that an invoice has now to its items in doubt that other links files brought: in which order the files are
// adopted makes no difference. others are the facts of the invoice's items in other jobs.
func (t *tx) settleDoubts(others []job.Facts, now time.Time) error {
	for _, other := range others {
		if other.State != job.Unknown {
			continue
		}
		var adopted bool
		if err := t.row(`SELECT adopted FROM {job} WHERE id = $1`, other.JobID).Scan(&adopted); err != nil {
			return err
		}
		item := &job.Item{ID: other.ItemID, JobID: other.JobID, State: other.State, Currency: other.Currency, Amount: other.Amount}
		this, all, err := t.factsOf(item)
		if err != nil {
			return err
		}
		r := job.Resolve(this, all, now)
		if !adopted || r.Action != job.Reuse {
			continue
		}
		if err := t.reuse(item, r.Other.ItemID, r.Reason()); err != nil {
			return err
		}
	}
	return nil
}

// further takes a further row of an invoice whose first one was taken.
func (a *adopting) further(t *tx, row *job.AdoptedItem) error {
	item := a.items[row.Item]
	if item == 0 {
		return nil
	}
	cells, err := json.Marshal(row.Cells)
	if err != nil {
		return err
	}
	a.FurtherLines++
	_, err = t.exec(`INSERT INTO {line} (place, row, item_id, cells) VALUES ($1, $2, $3, $4)`, a.last, row.Row, item, clean(string(cells)))
	return err
}

// take makes the row an item of the adopted job, with one attempt on record. The job is seen from its first item on: nothing of it is,
// before the transaction ends.
func (a *adopting) take(t *tx, row *job.AdoptedItem) error {
	if a.ID == 0 {
		if err := a.begin(t); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE {job} SET imported = TRUE, importer = NULL WHERE id = $1`, a.ID); err != nil {
			return err
		}
	}
	a.last++
	cells, err := json.Marshal(row.Cells)
	if err != nil {
		return err
	}
	request, err := row.Request.Prepare().Body()
	if err != nil {
		return err
	}
	outcome, code, sent, unknownEnds := job.OutcomeCreated, "", row.CreatedAt, 0
	if row.State == job.Unknown {
		outcome, code, sent, unknownEnds = job.OutcomeUnknown, string(job.OutcomeUnknown), a.at, 1
		a.adopted.Doubts++
	} else {
		a.adopted.Links++
	}
	_, err = t.exec(`
		INSERT INTO {item} (
			id, job_id, row, state, invoice, invoice_id, reference, currency, amount, attempts, unknown_ends,
			session_id, url, expires_at, created_at, link_status, checked_at, error_code, error, request, cells
		)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 1, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20)
	`, a.last, a.ID, row.Row, string(row.State), row.Invoice[:], row.InvoiceID, row.Reference, row.Currency,
		row.Amount, unknownEnds, row.SessionID, row.URL, at(row.ExpiresAt), at(row.CreatedAt), string(row.Link),
		at(row.CheckedAt), code, clean(row.Reason), request, clean(string(cells)))
	if err != nil {
		return err
	}
	_, err = t.exec(`
		INSERT INTO {attempt} (item_id, number, sender_id, sent_at, ended_at, outcome, code, message, session_id)
		VALUES ($1, 1, 0, $2, $2, $3, $4, $5, $6)
	`, a.last, at(sent), string(outcome), code, clean(row.Reason), row.SessionID)
	if err != nil {
		return err
	}
	t.count(itemTally{a.ID, row.State, row.Currency}, 1, row.Amount)
	t.attempts[attemptTally{a.ID, outcome}]++
	return nil
}
