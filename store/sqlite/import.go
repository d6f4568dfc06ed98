package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"paylinks/job"
	"paylinks/job/ahead"
)

// A part of an import is a transaction of its own, so that the -wal stays as small as it is while a run sends. Smaller ones
// cost more: each is synced, and each pays for the pages that it shares with the next.
const (
	partRows = 4096
	partSize = 2 << 20 // bytes of requests and cells
)

// Import makes the job with its rows, all or nothing, and returns it with its number. Each row is looked up in other
// jobs: it may become a duplicate, or take an open item over. A row that meets a link for another amount is a
// *job.ConflictError, or, with skipInvalid, an invalid item. rows is ranged over once, in a goroutine of its own.
//
// The rows are recorded in parts. Until the last part, nobody sees the job, and no other job has changed.
func (l *Ledger) Import(j job.Job, rows iter.Seq2[job.NewItem, error], skipInvalid bool, at time.Time) (job.Job, error) {
	i := importing{Job: j, skipInvalid: skipInvalid, at: at}
	i.CreatedAt = at
	err := l.writer.write(i.begin)
	if err == nil {
		err = l.importParts(&i, rows)
		if err != nil {
			// What stays after all is deleted when the ledger is opened next.
			_ = l.removeImport(i.ID, i.first)
		}
	}
	if err != nil {
		return job.Job{}, fmt.Errorf("import %s: %w", j.File, err)
	}
	return i.Job, nil
}

func (l *Ledger) importParts(i *importing, rows iter.Seq2[job.NewItem, error]) error {
	for p := range ahead.Of(parts(rows)) {
		if p.err != nil {
			return p.err
		}
		before := *i
		err := l.writer.write(func(t *tx) error {
			*i = before // beside a record that fails, it is tried once more
			return i.add(t, p.rows)
		})
		if err != nil {
			return err
		}
	}
	return l.writer.write(i.end)
}

// part is some rows on their way into the ledger, or why there are no more.
type part struct {
	rows []encodedRow
	err  error
}

// encodedRow is a job.NewItem as it is recorded.
type encodedRow struct {
	row                            int
	further                        bool
	item                           int
	invoice                        [16]byte
	invoiceID, reference, currency string
	amount                         int64
	new                            bool
	facts                          job.Facts
	disputed, problem              string
	request, cells                 string // JSON; no request in a row with a problem
}

// parts reads and encodes the rows.
func parts(rows iter.Seq2[job.NewItem, error]) iter.Seq[part] {
	return func(yield func(part) bool) {
		var p part
		size := 0
		for row, err := range rows {
			var encoded encodedRow
			if err == nil {
				encoded, err = encode(&row)
			}
			if err != nil {
				yield(part{err: err})
				return
			}
			p.rows = append(p.rows, encoded)
			size += len(encoded.request) + len(encoded.cells)
			if len(p.rows) == partRows || size > partSize {
				if !yield(p) {
					return
				}
				p, size = part{rows: make([]encodedRow, 0, len(p.rows))}, 0
			}
		}
		yield(p)
	}
}

func encode(row *job.NewItem) (encodedRow, error) {
	e := encodedRow{
		row: row.Row, further: row.Further, item: row.Item, invoice: row.Invoice, invoiceID: row.InvoiceID, reference: row.Reference, currency: row.Currency,
		amount: row.Amount, new: row.New, disputed: row.Disputed, problem: row.Problem,
		facts: row.Facts(false, false),
	}
	cells, err := json.Marshal(row.Cells)
	if e.cells = string(cells); err != nil || e.problem != "" || e.further {
		return e, err
	}
	e.request, err = row.Request.Prepare().Body()
	return e, err
}

// importing is a job on its way into the ledger. Its methods, but for Import's own, run in the writer's transactions.
type importing struct {
	job.Job
	skipInvalid bool
	at          time.Time
	first, last int64      // of its items
	taken       []job.Item // of other jobs, which the last part makes superseded
	rows        insertRows
}

// begin makes the job, so far unseen.
func (i *importing) begin(t *tx) error {
	columns, err := json.Marshal(i.Columns)
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := t.conn.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) + 1 FROM item`).Scan(&i.first); err != nil {
		return err
	}
	i.last = i.first - 1
	key := i.Key()
	result, err := t.conn.ExecContext(ctx, `
		INSERT INTO job (
			identity, file, file_digest, environment, base_url, options, columns, delimiter, on_unknown,
			allow_repeats, raw_cells, bom, output, created_at, first_item, imported, adopted
		)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, FALSE, ?16)
		ON CONFLICT (identity) DO NOTHING
	`, key[:], i.File, i.FileDigest[:], string(i.Environment), i.BaseURL, i.Options, string(columns),
		string(i.Delimiter), string(i.OnUnknown), i.AllowRepeats, i.RawCells, i.BOM, i.Output, timestamp(i.at), i.first, i.Adopted)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, job.ErrImported)
	}
	i.ID, err = result.LastInsertId()
	return err
}

func (i *importing) add(t *tx, rows []encodedRow) error {
	for some := range slices.Chunk(rows, factsBatch) {
		others, err := i.others(t, some)
		if err != nil {
			return err
		}
		for n := range some {
			if err := i.addRow(t, &some[n], others[some[n].invoice]); err != nil {
				return err
			}
		}
	}
	return i.rows.flush(t)
}

// others are the facts of other jobs' items of the rows' invoices, where there can be any.
func (i *importing) others(t *tx, rows []encodedRow) (factsByInvoice, error) {
	var invoices [][16]byte
	for n := range rows {
		row := &rows[n]
		if i.first > 1 && row.problem == "" && !row.further && !row.new && (row.invoiceID != "" || !i.AllowRepeats) {
			invoices = append(invoices, row.invoice)
		}
	}
	found := factsByInvoice{}
	return found, found.look(context.Background(), t.stmts.factsOfBatch, invoices)
}

// addRow adds a row; other jobs' items of its invoice decide what it becomes.
func (i *importing) addRow(t *tx, row *encodedRow, others []job.Facts) error {
	if row.further {
		return i.addLine(t, row.row, i.first+int64(row.item), row.cells)
	}
	if row.problem != "" {
		return i.insert(t, job.Invalid, row, job.Facts{}, string(job.Invalid), row.problem)
	}
	if row.disputed != "" {
		return i.insert(t, job.Invalid, row, job.Facts{}, job.CodeConflict, row.disputed)
	}
	this := row.facts
	this.Hold, this.Repeat = i.OnUnknown == job.Hold, this.NoID && i.AllowRepeats
	r := job.Resolve(this, others, i.at)
	switch r.Action {
	case job.Reuse:
		return i.insert(t, job.Duplicate, row, r.Other, "", r.Reason())
	case job.Refuse:
		if !i.skipInvalid {
			return &job.ConflictError{Row: row.row, Resolution: r}
		}
		return i.insert(t, job.Invalid, row, job.Facts{}, r.Code(), r.Reason())
	case job.TakeOver:
		for _, other := range r.TakenOver {
			i.taken = append(i.taken, job.Item{
				ID: other.ItemID, JobID: other.JobID, State: other.State, Currency: other.Currency, Amount: other.Amount,
			})
		}
	}
	return i.insert(t, job.Pending, row, job.Facts{}, r.Code(), r.Reason())
}

// addLine adds a further row of an item's invoice.
func (i *importing) addLine(t *tx, row int, item int64, cells string) error {
	i.FurtherLines++
	_, err := t.stmts.insertLine.exec(i.last, int64(row), item, cells)
	return err
}

// insert makes an item; link is the item whose link it has.
func (i *importing) insert(t *tx, state job.State, row *encodedRow, link job.Facts, code, reason string) error {
	var invoice []byte
	if row.problem == "" {
		invoice = row.invoice[:]
	}
	i.last++
	t.count(itemTally{i.ID, state, row.currency}, 1, row.amount)
	return i.rows.add(t, i.ID, i.last, [...]driver.Value{
		int64(row.row), string(state), invoice, row.invoiceID, row.reference, row.currency, row.amount, row.request, row.cells,
		link.SessionID, link.URL, timestamp(link.ExpiresAt), timestamp(link.CreatedAt), string(link.Link), timestamp(link.CheckedAt), code, reason,
	})
}

// insertGroup is how many items one statement inserts: a call into SQLite costs as much as a small row.
const insertGroup = 16

// insertColumns are what differs from item to item, but for the id, which goes up by one.
var insertColumns = [...]string{
	"row", "state", "invoice", "invoice_id", "reference", "currency", "amount", "request", "cells",
	"session_id", "url", "expires_at", "created_at", "link_status", "checked_at", "error_code", "error",
}

// insertItems is the statement for so many items.
func insertItems(items int) string {
	var text strings.Builder
	fmt.Fprintf(&text, "INSERT INTO item (job_id, id, %s) VALUES ", strings.Join(insertColumns[:], ", "))
	for item := range items {
		if item > 0 {
			text.WriteString(", ")
		}
		fmt.Fprintf(&text, "(?1, ?2 + %d", item)
		for column := range insertColumns {
			fmt.Fprintf(&text, ", ?%d", 3+item*len(insertColumns)+column)
		}
		text.WriteString(")")
	}
	return text.String()
}

// insertRows are items that are about to be inserted.
type insertRows struct {
	values []driver.Value // job and id of the first item, and then of each item what insertColumns names
}

// add takes an item; its id must be that of the item before and one. What it is a part of must end with flush.
func (r *insertRows) add(t *tx, jobID, id int64, columns [len(insertColumns)]driver.Value) error {
	if len(r.values) == 0 {
		r.values = append(r.values, jobID, id)
	}
	r.values = append(r.values, columns[:]...)
	if len(r.values) < 2+insertGroup*len(insertColumns) {
		return nil
	}
	_, err := t.stmts.insertGroup.exec(r.values...)
	r.values = r.values[:0]
	return err
}

// flush inserts the items that are too few for a group, one by one.
func (r *insertRows) flush(t *tx) error {
	if len(r.values) == 0 {
		return nil
	}
	jobID, id := r.values[0], r.values[1].(int64)
	for rest := r.values[2:]; len(rest) > 0; rest = rest[len(insertColumns):] {
		if _, err := t.stmts.insert.exec(append([]driver.Value{jobID, id}, rest[:len(insertColumns)]...)...); err != nil {
			return err
		}
		id++
	}
	r.values = r.values[:0]
	return nil
}

// end makes the job seen: its invoices can be found, and what it takes over is superseded.
func (i *importing) end(t *tx) error {
	for n := range i.taken {
		if err := t.supersede(&i.taken[n], i.ID); err != nil {
			return err
		}
	}
	ctx := context.Background()
	_, err := t.conn.ExecContext(ctx, `
		INSERT INTO invoice_item (invoice, item_id)
		SELECT invoice, id
		FROM item
		WHERE id BETWEEN ?1 AND ?2
			AND invoice IS NOT NULL
		ORDER BY invoice
	`, i.first, i.last)
	if err != nil {
		return err
	}
	return i.publish(t)
}

// publish makes the job seen, as the one that was run last.
func (i *importing) publish(t *tx) error {
	if i.last < i.first { // no rows
		i.first, i.last = 0, -1
	}
	_, err := t.conn.ExecContext(context.Background(), `
		UPDATE job
		SET
			first_item = ?2,
			last_item = ?3,
			further_lines = ?4,
			ran = (SELECT max(ran) + 1 FROM job),
			imported = TRUE
		WHERE id = ?1
	`, i.ID, i.first, i.last, i.FurtherLines)
	if err != nil {
		return err
	}
	return t.takeOutput(i.ID, i.Output)
}

// takeOutput leaves a links file to this job: another one that wrote it has none any more.
func (t *tx) takeOutput(jobID int64, output string) error {
	if output == "" || output == "-" {
		return nil
	}
	_, err := t.conn.ExecContext(context.Background(), `UPDATE job SET output = '' WHERE output = ?2 AND id <> ?1`, jobID, output)
	return err
}

// removeUnfinishedImports deletes what imports have left that did not come to their end.
func (l *Ledger) removeUnfinishedImports() error {
	rows, err := l.read.QueryContext(context.Background(), `SELECT id, first_item FROM job WHERE NOT imported`)
	if err != nil {
		return err
	}
	defer rows.Close()
	firsts := map[int64]int64{}
	for rows.Next() {
		var id, first int64
		if err := rows.Scan(&id, &first); err != nil {
			return err
		}
		firsts[id] = first
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return err
	}
	for id, first := range firsts {
		if err := l.removeImport(id, first); err != nil {
			return err
		}
	}
	return nil
}

// removeImport deletes a job that is not imported to its end, by parts of partRows. Its items have the ids from
// first on, and nobody else has: an import is never beside anything else that makes items.
func (l *Ledger) removeImport(jobID, first int64) error {
	for left := int64(1); left > 0; {
		err := l.writer.write(func(t *tx) error {
			ctx := context.Background()
			const part = `BETWEEN ?1 AND (SELECT max(id) FROM (SELECT id FROM item WHERE id >= ?1 ORDER BY id LIMIT ?2))`
			if _, err := t.conn.ExecContext(ctx, `DELETE FROM line WHERE place `+part, first, partRows); err != nil {
				return err
			}
			result, err := t.conn.ExecContext(ctx, `DELETE FROM item WHERE id `+part, first, partRows)
			if err != nil {
				return err
			}
			if left, err = result.RowsAffected(); err != nil || left > 0 {
				return err
			}
			_, err = t.conn.ExecContext(ctx, `DELETE FROM item_tally WHERE job_id = ?1`, jobID)
			if err == nil {
				_, err = t.conn.ExecContext(ctx, `DELETE FROM job WHERE id = ?1 AND NOT imported`, jobID)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
