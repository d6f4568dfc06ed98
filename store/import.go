package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"

	"paylinks/job"
)

// ErrImported means that the ledger has this job already.
var ErrImported = errors.New("the ledger has this job already")

// ConflictError means that a row cannot be imported, since another job has, or may have, a link for its invoice.
type ConflictError struct {
	Row        int
	What, Hint string
}

func (e *ConflictError) Error() string { return fmt.Sprintf("row %d: %s; %s", e.Row, e.What, e.Hint) }

// Import makes the job with its rows, all or nothing, and returns it with its number. Each row is looked up in other
// jobs: it may become a duplicate, or take an open item over. A row that meets a link for another amount is a
// *ConflictError, or, with skipInvalid, an invalid item. rows may be ranged over twice.
func (s *Store) Import(j job.Job, rows iter.Seq2[job.NewItem, error], skipInvalid bool, at time.Time) (job.Job, error) {
	err := s.writer.write(func(t *tx) error {
		var err error
		if j.ID, err = t.insertJob(j, at); err != nil {
			return err
		}
		j.CreatedAt = at
		var others bool
		const any = `SELECT EXISTS (SELECT 1 FROM item)`
		if err := t.conn.QueryRowContext(context.Background(), any).Scan(&others); err != nil {
			return err
		}
		var first, last int64
		for row, err := range rows {
			if err != nil {
				return err
			}
			if last, err = t.insertItem(j, row, others, skipInvalid, at); err != nil {
				return err
			}
			if first == 0 {
				first = last
			}
		}
		const span = `UPDATE job SET first_item = ?2, last_item = ?3 WHERE id = ?1`
		if first > 0 {
			_, err = t.conn.ExecContext(context.Background(), span, j.ID, first, last)
		}
		return err
	})
	if err != nil {
		return job.Job{}, fmt.Errorf("import %s: %w", j.File, err)
	}
	return j, nil
}

func (t *tx) insertJob(j job.Job, at time.Time) (int64, error) {
	columns, err := json.Marshal(j.Columns)
	if err != nil {
		return 0, err
	}
	key := j.Key()
	result, err := t.conn.ExecContext(context.Background(), `
		INSERT INTO job (
			identity, file, file_digest, environment, base_url, options, columns, delimiter, on_unknown,
			allow_repeats, raw_cells, bom, output, created_at
		)
		VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)
		ON CONFLICT (identity) DO NOTHING
	`, key[:], j.File, j.FileDigest[:], string(j.Environment), j.BaseURL, j.Options, string(columns),
		string(j.Delimiter), string(j.OnUnknown), j.AllowRepeats, j.RawCells, j.BOM, j.Output, stamp(at))
	if err != nil {
		return 0, err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return 0, errors.Join(err, ErrImported)
	}
	return result.LastInsertId()
}

// insertItem adds one row to the job and returns the item's id. others says that the ledger has other jobs' items.
func (t *tx) insertItem(j job.Job, row job.NewItem, others, skipInvalid bool, at time.Time) (int64, error) {
	cells, err := json.Marshal(row.Cells)
	if err != nil {
		return 0, err
	}
	if row.Problem != "" {
		return t.insert(j.ID, job.Invalid, row, cells, nil, job.Claim{}, string(job.Invalid), row.Problem)
	}
	request, err := json.Marshal(row.Request)
	if err != nil {
		return 0, err
	}
	if !others || row.Fresh || row.InvoiceID == "" && j.AllowRepeats {
		return t.insert(j.ID, job.Pending, row, cells, request, job.Claim{}, "", "")
	}
	claims, err := scanClaims(t.stmts.claims.Query(row.Invoice[:], j.ID))
	if err != nil {
		return 0, err
	}
	alike := row.InvoiceID == ""
	var meeting job.Meeting
	if alike {
		meeting = job.MeetAlike(bare(claims), at)
	} else {
		meeting = job.Meet(job.Mine{Currency: row.Currency, Amount: row.Amount, Hold: j.OnUnknown == job.Hold}, bare(claims), at)
	}
	switch meeting.Action {
	case job.Reuse:
		return t.insert(j.ID, job.Duplicate, row, cells, request, meeting.Other, "", fmt.Sprintf("link of job %d", meeting.Other.JobID))
	case job.Refuse:
		what, hint := meeting.Conflict(alike)
		if !skipInvalid {
			return 0, &ConflictError{Row: row.Row, What: what, Hint: hint}
		}
		return t.insert(j.ID, job.Invalid, row, cells, request, job.Claim{}, string(job.Invalid), what+"; "+hint)
	case job.Wait:
		return t.insert(j.ID, job.Pending, row, cells, request, job.Claim{}, job.CodeHeld, meeting.Held())
	}
	if err := t.takeOver(meeting, claims, j.ID); err != nil {
		return 0, err
	}
	return t.insert(j.ID, job.Pending, row, cells, request, job.Claim{}, "", "")
}

func (t *tx) insert(jobID int64, state job.State, row job.NewItem, cells, request []byte, link job.Claim, code, note string) (int64, error) {
	var invoice []byte
	if state != job.Invalid {
		invoice = row.Invoice[:]
	}
	result, err := t.stmts.insertItem.Exec(
		jobID, row.Row, string(state), invoice, row.InvoiceID, row.Reference, row.Currency, row.Amount,
		string(request), string(cells), link.SessionID, link.URL, stamp(link.ExpiresAt), stamp(link.CreatedAt), code, note)
	if err != nil {
		return 0, err
	}
	t.enter(jobID, state, row.Currency, row.Amount)
	return result.LastInsertId()
}

// Remember records what a later run of the same job may say anew: where its file is and where its links file goes, in
// which form, and the policy. Without such a job it is ErrNoJob.
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
		return nil
	})
}

// knownBatch is how many invoices Known looks up in one statement: a million one by one take 40 s, together 1 s.
const knownBatch = 256

var knownQuery = `SELECT invoice FROM item WHERE invoice IN (?` + strings.Repeat(`, ?`, knownBatch-1) + `)`

// Known tells which of these invoices stand in any job, so that only they need [Store.Claims].
func (s *Store) Known(ctx context.Context, invoices [][16]byte) (map[[16]byte]bool, error) {
	known := map[[16]byte]bool{}
	for batch := range slices.Chunk(invoices, knownBatch) {
		arguments := make([]any, knownBatch) // those left over are NULL, which no invoice equals
		for i := range batch {
			arguments[i] = batch[i][:]
		}
		if err := s.addKnown(ctx, known, arguments); err != nil {
			return nil, err
		}
	}
	return known, nil
}

func (s *Store) addKnown(ctx context.Context, known map[[16]byte]bool, arguments []any) error {
	rows, err := s.read.QueryContext(ctx, knownQuery, arguments...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var invoice []byte
		if err := rows.Scan(&invoice); err != nil {
			return err
		}
		known[[16]byte(invoice)] = true
	}
	return rows.Err()
}

// Claims looks up what other jobs hold of an invoice (see job.Identity.InvoiceKey), for a file that is not
// imported yet.
func (s *Store) Claims(ctx context.Context, invoice [16]byte) ([]job.Claim, error) {
	claims, err := scanClaims(s.read.QueryContext(ctx, claimsOf(claimColumns, "?1", "0")+` ORDER BY other.id`, invoice[:]))
	return bare(claims), err
}

func itemRange(ctx context.Context, q querier, jobID int64) (first, last int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT first_item, last_item FROM job WHERE id = ?1`, jobID).Scan(&first, &last)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNoJob
	}
	return first, last, err
}
