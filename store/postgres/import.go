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
	"paylinks/job/ahead"
)

// A part of an import is a transaction of its own, which renews the lease.
const (
	partRows = 4096
	partSize = 2 << 20 // bytes of requests and cells
)

// lockImports orders what gives jobs their numbers and makes them seen: one import after the other, each for a short transaction.
const lockImports = `SELECT pg_advisory_xact_lock(hashtextextended('paylinks imports ' || $1::text, 0))`

func (t *tx) lockImports() error {
	_, err := t.exec(lockImports, t.l.name.schema)
	return err
}

// Import makes the job with its rows, all or nothing, and returns it with its number; this sender has its seat. Each row is looked up in
// other jobs: it may become a duplicate, or take an open item over. A row that meets a link for another amount is a *job.ConflictError,
// or, with skipInvalid, an invalid item. rows is ranged over once, in a goroutine of its own.
//
// The rows are recorded in parts. Until the last transaction nobody sees the job, and no other job has changed. That one looks up again
// what other imports have made seen meanwhile. What the job takes over is superseded after it, in parts: until then the jobs' order says
// the same.
func (l *Ledger) Import(j job.Job, rows iter.Seq2[job.NewItem, error], skipInvalid bool, at time.Time) (job.Job, error) {
	i := importing{Job: j, skipInvalid: skipInvalid, at: l.now(at)}
	i.CreatedAt = i.at
	i.OutputHost = ""
	err := l.writer.write(i.begin)
	if err == nil {
		err = l.importParts(&i, rows)
		if err != nil {
			// What stays after all is deleted when somebody opens the ledger after this sender has ended.
			_ = l.removeImport(i.ID)
		}
	}
	if err == nil {
		err = l.supersedeTaken(&i)
	}
	if err == nil && i.last-i.first >= statisticsFrom {
		l.takeStatistics()
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
			taken := before.taken[:len(before.taken):len(before.taken)]
			*i = before // it may be made once more
			i.taken = taken
			return i.add(t, p.rows)
		})
		if err != nil {
			return err
		}
	}
	return l.writer.write(i.publish)
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
		row: row.Row, further: row.Further, item: row.Item, invoice: row.Invoice, invoiceID: clean(row.InvoiceID), reference: clean(row.Reference), currency: row.Currency,
		amount: row.Amount, new: row.New, disputed: clean(row.Disputed), problem: clean(row.Problem),
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
	ran         int64      // the latest of all jobs when the import began
	first, last int64      // ids of its items
	others      bool       // other jobs have items
	taken       []job.Item // of other jobs, which become superseded
}

// begin makes the job, so far unseen.
func (i *importing) begin(t *tx) error {
	if err := t.lockImports(); err != nil {
		return err
	}
	key := i.Key()
	var known bool
	var next int64
	err := t.row(`
		SELECT
			EXISTS (SELECT 1 FROM {job} WHERE identity = $1 AND imported),
			coalesce(max(id), 0) + 1,
			coalesce(max(ran), 0),
			EXISTS (SELECT 1 FROM {item})
		FROM {job}
	`, key[:]).Scan(&known, &next, &i.ran, &i.others)
	switch {
	case err != nil:
		return err
	case known:
		return job.ErrImported
	}
	columns, err := json.Marshal(i.Columns)
	if err != nil {
		return err
	}
	_, err = t.exec(`
		INSERT INTO {job} (
			id, identity, file, file_digest, environment, base_url, options, columns, delimiter, on_unknown,
			allow_repeats, raw_cells, bom, output, output_host, created_at, adopted, importer
		)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)
	`, next, key[:], clean(i.File), i.FileDigest[:], string(i.Environment), i.BaseURL, i.Options, clean(string(columns)),
		string(i.Delimiter), string(i.OnUnknown), i.AllowRepeats, i.RawCells, i.BOM, i.Output, t.l.host, i.at, i.Adopted, t.l.sender.ID)
	i.ID, i.first, i.last = next, next<<32+1, next<<32
	return err
}

// itemTable is what COPY fills, in its order.
var itemTable = []string{
	"id", "job_id", "row", "state", "invoice", "invoice_id", "reference", "currency", "amount", "request", "cells",
	"session_id", "url", "expires_at", "created_at", "link_status", "checked_at", "error_code", "error",
}

var lineTable = []string{"place", "row", "item_id", "cells"}

func (i *importing) add(t *tx, rows []encodedRow) error {
	values := make([][]any, 0, len(rows))
	var lines [][]any
	for some := range slices.Chunk(rows, factsBatch) {
		others, err := i.factsOfOthers(t, some)
		if err != nil {
			return err
		}
		for n := range some {
			if some[n].further {
				i.FurtherLines++
				lines = append(lines, []any{i.last, int64(some[n].row), i.first + int64(some[n].item), some[n].cells})
				continue
			}
			row, err := i.addRow(t, &some[n], others[some[n].invoice])
			if err != nil {
				return err
			}
			values = append(values, row)
		}
	}
	if err := t.copyInto("item", itemTable, values); err != nil {
		return err
	}
	return t.copyInto("line", lineTable, lines)
}

// copyInto adds rows to a table.
func (t *tx) copyInto(table string, columns []string, rows [][]any) error {
	if len(rows) == 0 {
		return nil
	}
	ctx, cancel := t.l.writer.bounded()
	defer cancel()
	_, err := t.conn.CopyFrom(ctx, pgx.Identifier{t.l.name.schema, table}, columns, pgx.CopyFromRows(rows))
	return err
}

// factsOfOthers are the facts of other jobs' items of the rows' invoices, where there can be any.
func (i *importing) factsOfOthers(t *tx, rows []encodedRow) (factsByInvoice, error) {
	var invoices [][16]byte
	for n := range rows {
		row := &rows[n]
		if i.others && row.problem == "" && !row.further && !row.new && (row.invoiceID != "" || !i.AllowRepeats) {
			invoices = append(invoices, row.invoice)
		}
	}
	if len(invoices) == 0 {
		return nil, nil
	}
	found, err := t.query(factsOfInvoices, bytesOf(invoices))
	if err != nil {
		return nil, err
	}
	return scanFacts(found)
}

// addRow is a row as COPY takes it; other jobs' items of its invoice decide what it becomes.
func (i *importing) addRow(t *tx, row *encodedRow, others []job.Facts) ([]any, error) {
	if row.problem != "" {
		return i.values(t, job.Invalid, row, job.Facts{}, string(job.Invalid), row.problem), nil
	}
	if row.disputed != "" {
		return i.values(t, job.Invalid, row, job.Facts{}, job.CodeConflict, row.disputed), nil
	}
	this := row.facts
	this.Hold, this.Repeat = i.OnUnknown == job.Hold, this.NoID && i.AllowRepeats
	r := job.Resolve(this, others, i.at)
	switch r.Action {
	case job.Reuse:
		return i.values(t, job.Duplicate, row, r.Other, "", r.Reason()), nil
	case job.Refuse:
		if !i.skipInvalid {
			return nil, &job.ConflictError{Row: row.row, Resolution: r}
		}
		return i.values(t, job.Invalid, row, job.Facts{}, r.Code(), r.Reason()), nil
	case job.TakeOver:
		for _, other := range r.TakenOver {
			i.taken = append(i.taken, job.Item{
				ID: other.ItemID, JobID: other.JobID, State: other.State, Currency: other.Currency, Amount: other.Amount,
			})
		}
	}
	return i.values(t, job.Pending, row, job.Facts{}, r.Code(), r.Reason()), nil
}

// values are an item's; link is the item whose link it has.
func (i *importing) values(t *tx, state job.State, row *encodedRow, link job.Facts, code, reason string) []any {
	var invoice []byte
	if row.problem == "" {
		invoice = row.invoice[:]
	}
	i.last++
	t.count(itemTally{i.ID, state, row.currency}, 1, row.amount)
	return []any{
		i.last, i.ID, int64(row.row), string(state), invoice, row.invoiceID, row.reference, row.currency, row.amount, row.request, row.cells,
		link.SessionID, link.URL, at(link.ExpiresAt), at(link.CreatedAt), string(link.Link), at(link.CheckedAt), code, clean(reason),
	}
}

// publish makes the job seen, as the one that was run last, and takes its seat.
func (i *importing) publish(t *tx) error {
	if err := t.lockImports(); err != nil {
		return err
	}
	key := i.Key()
	var known, later bool
	err := t.row(`
		SELECT
			EXISTS (SELECT 1 FROM {job} WHERE identity = $1 AND imported),
			EXISTS (SELECT 1 FROM {job} WHERE ran > $2 AND imported)
	`, key[:], i.ran).Scan(&known, &later)
	switch {
	case err != nil:
		return err
	case known:
		return job.ErrImported
	case later:
		if err := i.lookAgain(t); err != nil {
			return err
		}
	}
	n, err := t.exec(`
		UPDATE {job}
		SET
			ran = (SELECT coalesce(max(ran), 0) + 1 FROM {job}),
			imported = TRUE,
			importer = NULL,
			further_lines = $2
		WHERE id = $1
			AND NOT imported
	`, i.ID, i.FurtherLines)
	if err != nil {
		return err
	}
	if n == 0 {
		return errors.New("the import was taken out meanwhile, since the lease of this run was over")
	}
	if _, err := t.exec(`INSERT INTO {seat} (job_id, sender_id) VALUES ($1, $2)`, i.ID, t.l.sender.ID); err != nil {
		return err
	}
	return t.takeOutput(i.ID, t.l.host, i.Output)
}

// lookAgain resolves the job's items against those jobs that were run since the import began: what they have made is not to be asked for
// again. What is open in them is looked at when it is sent.
func (i *importing) lookAgain(t *tx) error {
	for after := int64(0); ; {
		items, err := t.itemsToMove(toMove+`
			WHERE item.job_id = $1
				AND item.id > $2
				AND item.state = 'pending'
				AND EXISTS (
					SELECT 1
					FROM {item} AS other
					JOIN {job} AS job ON job.id = other.job_id
					WHERE other.invoice = item.invoice
						AND other.job_id <> item.job_id
						AND job.imported
						AND job.ran > $3
				)
			ORDER BY item.id
			LIMIT $4
		`, i.ID, after, i.ran, partRows)
		if err != nil || len(items) == 0 {
			return err
		}
		after = items[len(items)-1].ID
		found, err := t.factsOfUnseen(items)
		if err != nil {
			return err
		}
		for n := range items {
			item := &items[n]
			others := found[item.ID]
			this := job.Facts{
				State: job.Pending, Hold: i.OnUnknown == job.Hold, NoID: item.InvoiceID == "", Repeat: item.InvoiceID == "" && i.AllowRepeats,
				Currency: item.Currency, Amount: item.Amount, Customer: others.customer, Reference: item.Reference, Importing: true,
			}
			r := job.Resolve(this, others.facts, i.at)
			switch {
			case r.Action == job.Refuse && !i.skipInvalid:
				return &job.ConflictError{Row: item.Row, Resolution: r}
			case r.Action == job.Refuse:
				err = t.leave(item, job.Invalid, r.Code(), r.Reason())
			case r.Action == job.Reuse:
				err = t.reuse(item, r.Other.ItemID, r.Reason())
			case r.Action == job.TakeOver:
				for _, other := range r.TakenOver {
					i.taken = append(i.taken, job.Item{
						ID: other.ItemID, JobID: other.JobID, State: other.State, Currency: other.Currency, Amount: other.Amount,
					})
				}
			}
			if err != nil {
				return err
			}
		}
	}
}

// factsOfOther are those of other jobs' items of an invoice, with the customer of the item itself.
type factsOfOther struct {
	customer job.Customer
	facts    []job.Facts
}

// factsOfUnseen are the facts of other jobs' items, by the items of a job that nobody sees yet.
func (t *tx) factsOfUnseen(items []job.Item) (map[int64]factsOfOther, error) {
	byID := make([]int64, len(items))
	for n := range items {
		byID[n] = items[n].ID
	}
	rows, err := t.query(`
		SELECT
			id,
			encode(invoice, 'hex'),
			coalesce(request::json ->> 'customerId', ''),
			coalesce(request::json ->> 'customerEmail', ''),
			coalesce(request::json ->> 'referenceCustomerId', '')
		FROM {item}
		WHERE id = ANY($1::bigint[])
	`, byID)
	if err != nil {
		return nil, err
	}
	type own struct {
		invoice  [16]byte
		customer job.Customer
	}
	owns := map[int64]own{}
	var invoices [][16]byte
	var id int64
	var digits string
	var customer job.Customer
	_, err = pgx.ForEachRow(rows, []any{&id, &digits, &customer.ID, &customer.Email, &customer.Reference}, func() error {
		invoice, err := invoiceOf(digits)
		owns[id] = own{invoice, customer}
		invoices = append(invoices, invoice)
		return err
	})
	if err != nil {
		return nil, err
	}
	if rows, err = t.query(factsOfInvoices, bytesOf(invoices)); err != nil {
		return nil, err
	}
	found, err := scanFacts(rows)
	if err != nil {
		return nil, err
	}
	all := map[int64]factsOfOther{}
	for id, own := range owns {
		all[id] = factsOfOther{own.customer, found[own.invoice]}
	}
	return all, nil
}

// supersedeTaken makes superseded what the job takes over. What was sent or taken over by another job meanwhile stays as it is.
func (l *Ledger) supersedeTaken(i *importing) error {
	for some := range slices.Chunk(i.taken, partRows) {
		err := l.writer.write(func(t *tx) error { return t.supersedeAll(some, i.ID) })
		if err != nil {
			return err
		}
	}
	return nil
}

// supersedeAll makes those of the items superseded that are still open.
func (t *tx) supersedeAll(items []job.Item, by int64) error {
	itemIDs, states := make([]int64, len(items)), make([]string, len(items))
	for n := range items {
		itemIDs[n], states[n] = items[n].ID, string(items[n].State)
	}
	moved, err := idsOf(t.query(`
		UPDATE {item} AS item
		SET
			state = 'superseded',
			error_code = '',
			error = $3
		FROM unnest($1::bigint[], $2::text[]) AS taken (id, state)
		WHERE item.id = taken.id
			AND item.state = taken.state
			AND item.state IN ('pending', 'unknown')
		RETURNING item.id
	`, itemIDs, states, job.Resolution{Action: job.GiveWay, Other: job.Facts{JobID: by}}.Reason()))
	if err != nil {
		return err
	}
	for n := range items {
		if moved[items[n].ID] {
			delete(moved, items[n].ID) // an invoice that is twice in the file has taken the same item over twice
			t.move(&items[n], job.Superseded)
		}
	}
	return nil
}

// takeOutput leaves a links file to this job: another one that wrote it on that host has none any more.
func (t *tx) takeOutput(jobID int64, host, output string) error {
	if output == "" || output == "-" {
		return nil
	}
	_, err := t.exec(`UPDATE {job} SET output = '' WHERE output = $2 AND output_host = $3 AND id <> $1`, jobID, output, host)
	return err
}

// removeUnfinishedImports deletes what imports have left that did not come to their end, and whose senders are gone.
func (l *Ledger) removeUnfinishedImports() error {
	var half []int64
	err := l.writer.write(func(t *tx) error {
		half = nil
		rows, err := t.query(`
			SELECT job.id, sender.id
			FROM {job} AS job
			JOIN {sender} AS sender ON sender.id = job.importer
			WHERE NOT job.imported
				AND ` + over + `
			ORDER BY job.id
		`)
		if err != nil {
			return err
		}
		type left struct{ job, sender int64 }
		var all []left
		var one left
		if _, err := pgx.ForEachRow(rows, []any{&one.job, &one.sender}, func() error {
			all = append(all, one)
			return nil
		}); err != nil {
			return err
		}
		for _, one := range all {
			gone, err := t.fence(one.sender)
			if err != nil {
				return err
			}
			if gone {
				half = append(half, one.job)
			}
		}
		return nil
	})
	for _, id := range half {
		if err == nil {
			err = l.removeImport(id)
		}
	}
	return err
}

// removeImport deletes a job that is not imported to its end, by parts. Its items have ids that nobody else has.
func (l *Ledger) removeImport(jobID int64) error {
	for left := int64(1); left > 0; {
		err := l.writer.write(func(t *tx) error {
			_, err := t.exec(`
				DELETE FROM {line}
				WHERE place IN (SELECT id FROM {item} WHERE `+ids("id", 1)+` ORDER BY id LIMIT $2)
					AND EXISTS (SELECT 1 FROM {job} WHERE id = $1 AND NOT imported)
			`, jobID, partRows)
			if err != nil {
				return err
			}
			n, err := t.exec(`
				DELETE FROM {item}
				WHERE id IN (SELECT id FROM {item} WHERE `+ids("id", 1)+` ORDER BY id LIMIT $2)
					AND EXISTS (SELECT 1 FROM {job} WHERE id = $1 AND NOT imported)
			`, jobID, partRows)
			left = n
			if err != nil || n > 0 {
				return err
			}
			_, err = t.exec(`DELETE FROM {item_tally} WHERE job_id = $1 AND EXISTS (SELECT 1 FROM {job} WHERE id = $1 AND NOT imported)`, jobID)
			if err == nil {
				_, err = t.exec(`DELETE FROM {job} WHERE id = $1 AND NOT imported`, jobID)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}
