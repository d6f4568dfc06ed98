package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"paylinks/job"
)

// Adopt takes the rows of a links file that the ledger does not know (see job.AdoptedItem.Adopt) into a job of their own, in one
// transaction. Its links file counts as written. Where no row is new there is no job, and of a file that was adopted before no row is
// taken. rows is ranged over once; its error is returned, and then nothing was recorded.
func (l *Ledger) Adopt(j job.Job, rows iter.Seq2[job.AdoptedItem, error], at time.Time) (adopted job.Adopted, err error) {
	err = l.writer.write(func(t *tx) error {
		a := adopting{importing: importing{Job: j, at: at}}
		a.CreatedAt = at
		err := a.takeRows(t, rows)
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

func (a *adopting) takeRows(t *tx, rows iter.Seq2[job.AdoptedItem, error]) error {
	key := a.Key()
	err := t.conn.QueryRowContext(context.Background(), `SELECT EXISTS (SELECT 1 FROM job WHERE identity = ?1)`, key[:]).Scan(&a.before)
	if err != nil {
		return err
	}
	for row, err := range rows {
		if err == nil {
			err = a.row(t, &row)
		}
		if err != nil {
			return err
		}
	}
	if a.ID == 0 {
		return nil
	}
	if err := a.publish(t); err != nil {
		return err
	}
	_, err = t.conn.ExecContext(context.Background(), `
		UPDATE job
		SET
			written = TRUE,
			refreshed_at = (SELECT max(checked_at) FROM item WHERE id BETWEEN ?2 AND ?3)
		WHERE id = ?1
	`, a.ID, a.first, a.last)
	a.adopted.Job = a.Job
	return err
}

func (a *adopting) row(t *tx, row *job.AdoptedItem) error {
	if row.Further {
		return a.further(t, row)
	}
	a.items = append(a.items, 0)
	found := factsByInvoice{}
	if err := found.scan(t.stmts.facts.Query(row.Invoice[:])); err != nil {
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

// knownSession is what is on record of the row's session, or nil. all are the facts of its invoice's items.
func (t *tx) knownSession(row *job.AdoptedItem, all []job.Facts) (*job.SessionRecord, error) {
	if row.SessionID == "" {
		return nil, nil
	}
	var found [5]driver.Value
	err := t.stmts.knownSession.first(found[:], row.SessionID, row.Invoice[:])
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	}
	known := job.SessionRecord{SameInvoice: found[2] == int64(1), Replaced: found[3] == int64(1), Unpublished: found[4] == int64(1)}
	known.ItemID, known.JobID = found[0].(int64), found[1].(int64)
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
	_, err := t.conn.ExecContext(context.Background(), `
		UPDATE job
		SET refreshed_at = ?2
		WHERE id = ?1
			AND refreshed_at < ?2
	`, of.JobID, timestamp(row.CheckedAt))
	return err
}

// settleDoubts gives the link that an invoice has now to its items in doubt that other links files brought: in which order the files are
// adopted makes no difference. others are the facts of the invoice's items in other jobs.
func (t *tx) settleDoubts(others []job.Facts, at time.Time) error {
	for _, other := range others {
		if other.State != job.Unknown {
			continue
		}
		var adopted bool
		err := t.conn.QueryRowContext(context.Background(), `SELECT adopted FROM job WHERE id = ?1`, other.JobID).Scan(&adopted)
		if err != nil {
			return err
		}
		item := &job.Item{ID: other.ItemID, JobID: other.JobID, State: other.State, Currency: other.Currency, Amount: other.Amount}
		this, all, err := t.factsOf(item)
		if err != nil {
			return err
		}
		r := job.Resolve(this, all, at)
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
	return a.addLine(t, row.Row, item, string(cells))
}

// take makes the row an item of the adopted job, with one attempt on record.
func (a *adopting) take(t *tx, row *job.AdoptedItem) error {
	if a.ID == 0 {
		if err := a.begin(t); err != nil {
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
	outcome, code, sent, unknownEnds := job.OutcomeCreated, "", row.CreatedAt, int64(0)
	if row.State == job.Unknown {
		outcome, code, sent, unknownEnds = job.OutcomeUnknown, string(job.OutcomeUnknown), a.at, 1
		a.adopted.Doubts++
	} else {
		a.adopted.Links++
	}
	_, err = t.stmts.adopt.exec(a.last, a.ID, int64(row.Row), string(row.State), row.Invoice[:], row.InvoiceID, row.Reference, row.Currency,
		row.Amount, unknownEnds, row.SessionID, row.URL, timestamp(row.ExpiresAt), timestamp(row.CreatedAt), string(row.Link),
		timestamp(row.CheckedAt), code, row.Reason, request, string(cells))
	if err != nil {
		return err
	}
	if _, err := t.stmts.indexInvoice.exec(row.Invoice[:], a.last); err != nil {
		return err
	}
	if err := t.stmts.intent.one(a.last, int64(1), timestamp(sent)); err != nil {
		return err
	}
	t.count(itemTally{a.ID, row.State, row.Currency}, 1, row.Amount)
	t.attempts[attemptTally{a.ID, outcome}]++
	return t.stmts.endAttempt.one(a.last, int64(1), timestamp(sent), string(outcome), int64(0), code, row.Reason, row.SessionID)
}
