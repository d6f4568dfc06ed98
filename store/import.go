package store

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
	"paylinks/job/ahead"
)

// ErrImported means that the ledger has this job already.
var ErrImported = errors.New("the ledger has this job already")

// ConflictError means that a row cannot be imported, since another job has, or may have, a link for its invoice.
type ConflictError struct {
	Row        int
	What, Hint string
}

func (e *ConflictError) Error() string { return fmt.Sprintf("row %d: %s; %s", e.Row, e.What, e.Hint) }

// A part of an import is a transaction of its own, so that the -wal stays as small as it is while a run sends. Smaller ones
// cost more: each is synced, and each pays for the pages that it shares with the next.
const (
	partRows = 4096
	partSize = 2 << 20 // bytes of requests and cells
)

// Import makes the job with its rows, all or nothing, and returns it with its number. Each row is looked up in other
// jobs: it may become a duplicate, or take an open item over. A row that meets a link for another amount is a
// *ConflictError, or, with skipInvalid, an invalid item. rows is ranged over once, in a goroutine of its own.
//
// The rows are recorded in parts. Until the last part, nobody sees the job, and no other job has changed.
func (s *Store) Import(j job.Job, rows iter.Seq2[job.NewItem, error], skipInvalid bool, at time.Time) (job.Job, error) {
	i := importing{Job: j, skipInvalid: skipInvalid, at: at}
	i.CreatedAt = at
	err := s.writer.write(i.begin)
	if err == nil {
		err = s.importParts(&i, rows)
		if err != nil {
			// What stays after all is taken out when the ledger is opened next.
			_ = s.takeOut(i.ID, i.first)
		}
	}
	if err != nil {
		return job.Job{}, fmt.Errorf("import %s: %w", j.File, err)
	}
	return i.Job, nil
}

func (s *Store) importParts(i *importing, rows iter.Seq2[job.NewItem, error]) error {
	for p := range ahead.Of(parts(rows)) {
		if p.err != nil {
			return p.err
		}
		before := *i
		err := s.writer.write(func(t *tx) error {
			*i = before // beside a record that fails, it is tried once more
			return i.add(t, p.rows)
		})
		if err != nil {
			return err
		}
	}
	return s.writer.write(i.end)
}

// part is some rows on their way into the ledger, or why there are no more.
type part struct {
	rows []encodedRow
	err  error
}

// encodedRow is a job.NewItem as it is recorded.
type encodedRow struct {
	row                            int
	invoice                        [16]byte
	invoiceID, reference, currency string
	amount                         int64
	fresh                          bool
	problem                        string
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
		row: row.Row, invoice: row.Invoice, invoiceID: row.InvoiceID, reference: row.Reference, currency: row.Currency,
		amount: row.Amount, fresh: row.Fresh, problem: row.Problem,
	}
	var err error
	if e.cells, err = encodeCells(row.Cells); err != nil || e.problem != "" {
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
	first, last int64 // of its items
	others      bool  // the ledger has other jobs' items
	taken       []takenOver
	inputs      inputs
	standings   [][]driver.Value // of the part's items of which there is something to say
}

// takenOver is an item of another job that the last part makes superseded: a million of them must not take much memory.
type takenOver struct {
	id      int64
	unknown bool // else it is pending
}

// begin makes the job, so far unseen.
func (i *importing) begin(t *tx) error {
	columns, err := json.Marshal(i.Columns)
	if err != nil {
		return err
	}
	ctx := context.Background()
	if err := t.conn.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) + 1 FROM input`).Scan(&i.first); err != nil {
		return err
	}
	i.others, i.last = i.first > 1, i.first-1
	key := i.Key()
	result, err := t.conn.ExecContext(ctx, `
		INSERT INTO job (
			identity, file, file_digest, environment, base_url, options, columns, delimiter, on_unknown,
			allow_repeats, raw_cells, bom, output, created_at, first_item, imported
		)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, FALSE)
		ON CONFLICT (identity) DO NOTHING
	`, key[:], i.File, i.FileDigest[:], string(i.Environment), i.BaseURL, i.Options, string(columns),
		string(i.Delimiter), string(i.OnUnknown), i.AllowRepeats, i.RawCells, i.BOM, i.Output, stamp(i.at), i.first)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, ErrImported)
	}
	i.ID, err = result.LastInsertId()
	return err
}

func (i *importing) add(t *tx, rows []encodedRow) error {
	from := i.last + 1
	i.standings = i.standings[:0]
	for some := range slices.Chunk(rows, claimsBatch) {
		held, err := i.held(t, some)
		if err != nil {
			return err
		}
		for n := range some {
			if err := i.addRow(t, &some[n], held[some[n].invoice]); err != nil {
				return err
			}
		}
	}
	if err := i.inputs.flush(t); err != nil {
		return err
	}
	for _, standing := range i.standings {
		if _, err := t.stmts.insertStanding.exec(standing...); err != nil {
			return err
		}
	}
	_, err := t.stmts.fresh.exec(from, i.last)
	return err
}

// held are the claims of the rows' invoices, where there can be any.
func (i *importing) held(t *tx, rows []encodedRow) (claims, error) {
	var invoices [][16]byte
	for n := range rows {
		row := &rows[n]
		if i.others && row.problem == "" && !row.fresh && (row.invoiceID != "" || !i.AllowRepeats) {
			invoices = append(invoices, row.invoice)
		}
	}
	held := claims{}
	return held, held.look(context.Background(), t.stmts.claims, invoices)
}

// addRow adds a row; others' claims of its invoice decide what it becomes.
func (i *importing) addRow(t *tx, row *encodedRow, claims []claim) error {
	if row.problem != "" {
		return i.insert(t, job.Invalid, row, job.Claim{}, string(job.Invalid), row.problem)
	}
	if len(claims) == 0 {
		return i.insertInput(t, job.Pending, row)
	}
	alike := row.invoiceID == ""
	var meeting job.Meeting
	if alike {
		meeting = job.MeetAlike(bare(claims), i.at)
	} else {
		meeting = job.Meet(job.Mine{JobID: i.ID, Currency: row.currency, Amount: row.amount, Hold: i.OnUnknown == job.Hold}, bare(claims), i.at)
	}
	switch meeting.Action {
	case job.Reuse:
		note, err := t.linkNote(meeting.Other, row.request)
		if err != nil {
			return err
		}
		return i.insert(t, job.Duplicate, row, meeting.Other, "", note)
	case job.Refuse:
		what, hint := meeting.Conflict(alike)
		if !i.skipInvalid {
			return &ConflictError{Row: row.row, What: what, Hint: hint}
		}
		return i.insert(t, job.Invalid, row, job.Claim{}, string(job.Invalid), what+"; "+hint)
	case job.Wait:
		return i.insert(t, job.Pending, row, job.Claim{}, job.CodeHeld, meeting.Held(i.ID))
	case job.TakeOver:
		for _, c := range claims {
			i.taken = append(i.taken, takenOver{c.ItemID, c.recorded == job.Unknown})
		}
	}
	return i.insertInput(t, job.Pending, row)
}

// insert makes an item of which there is something to say.
func (i *importing) insert(t *tx, state job.State, row *encodedRow, link job.Claim, code, note string) error {
	err := i.insertInput(t, state, row)
	i.standings = append(i.standings, []driver.Value{
		i.last, string(state), link.SessionID, link.URL, stamp(link.ExpiresAt), stamp(link.CreatedAt), code, note,
	})
	return err
}

// insertInput makes an item. One with nothing to say of it is one of the part's fresh items.
func (i *importing) insertInput(t *tx, state job.State, row *encodedRow) error {
	var invoice []byte
	if state != job.Invalid {
		invoice = row.invoice[:]
	}
	i.last++
	t.enter(i.ID, state, row.currency, row.amount)
	return i.inputs.add(t, i.ID, i.last, [...]driver.Value{
		int64(row.row), invoice, row.invoiceID, row.reference, row.currency, row.amount, row.request, row.cells,
	})
}

// end makes the job seen: its invoices are claimed, and what it takes over is superseded.
func (i *importing) end(t *tx) error {
	for _, taken := range i.taken {
		from := job.Pending
		if taken.unknown {
			from = job.Unknown
		}
		if err := t.supersede(taken.id, from, i.ID); err != nil {
			return err
		}
	}
	ctx := context.Background()
	_, err := t.conn.ExecContext(ctx, `
		INSERT INTO claim (invoice, item_id)
		SELECT invoice, id
		FROM input
		WHERE id BETWEEN ?1 AND ?2
			AND invoice IS NOT NULL
		ORDER BY invoice
	`, i.first, i.last)
	if err != nil {
		return err
	}
	if i.last < i.first { // no rows
		i.first, i.last = 0, -1
	}
	_, err = t.conn.ExecContext(ctx, `
		UPDATE job
		SET
			first_item = ?2,
			last_item = ?3,
			imported = TRUE
		WHERE id = ?1
	`, i.ID, i.first, i.last)
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

// takeOutUnfinished takes out what imports have left that did not come to their end.
func (s *Store) takeOutUnfinished(ctx context.Context) error {
	rows, err := s.read.QueryContext(ctx, `SELECT id, first_item FROM job WHERE NOT imported`)
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
		if err := s.takeOut(id, first); err != nil {
			return err
		}
	}
	return nil
}

// takeOut deletes a job that is not imported to its end, by parts of partRows. Its items have the ids from
// first on, and nobody else has: an import is never beside anything else that makes items.
func (s *Store) takeOut(jobID, first int64) error {
	for left := int64(1); left > 0; {
		err := s.writer.write(func(t *tx) error {
			ctx := context.Background()
			for _, table := range []struct{ name, id string }{{"fresh", "item_id"}, {"standing", "item_id"}, {"input", "id"}} {
				result, err := t.conn.ExecContext(ctx, fmt.Sprintf(`
					DELETE FROM %[1]s
					WHERE %[2]s BETWEEN ?1 AND (
						SELECT max(id)
						FROM (SELECT id FROM input WHERE id >= ?1 ORDER BY id LIMIT ?2)
					)
				`, table.name, table.id), first, partRows)
				if err != nil {
					return err
				}
				if left, err = result.RowsAffected(); err != nil {
					return err
				}
			}
			if left > 0 {
				return nil
			}
			for _, text := range []string{
				`DELETE FROM item_tally WHERE job_id = ?1`,
				`DELETE FROM job WHERE id = ?1 AND NOT imported`,
			} {
				if _, err := t.conn.ExecContext(ctx, text, jobID); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Remember records what a later run of the same job may say anew: where its file is and where its links file goes, in
// which form, and the policy. Another job that wrote the same links file has none any more. Without such a job it is ErrNoJob.
func (s *Store) Remember(j job.Job) error {
	return s.writer.write(func(t *tx) error {
		result, err := t.conn.ExecContext(context.Background(), `
			UPDATE job
			SET
				file = ?2,
				output = ?3,
				raw_cells = ?4,
				bom = ?5,
				on_unknown = ?6
			WHERE id = ?1
		`, j.ID, j.File, j.Output, j.RawCells, j.BOM, string(j.OnUnknown))
		if err != nil {
			return err
		}
		if n, err := result.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, ErrNoJob)
		}
		return t.takeOutput(j.ID, j.Output)
	})
}

func itemRange(ctx context.Context, q querier, jobID int64) (first, last int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT first_item, last_item FROM job WHERE id = ?1`, jobID).Scan(&first, &last)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoJob
	}
	return first, last, err
}
