package engine

import (
	"context"
	"errors"
	"io"
	"iter"

	"paylinks/job"
	"paylinks/job/ahead"
	"paylinks/job/links"
)

// resultsLedger is what writing a links file asks of a ledger.
type resultsLedger interface {
	Results(ctx context.Context, jobID int64) iter.Seq2[job.Result, error]
}

// writeLinks writes the job's links file, unless another job writes that file now.
func (e *Engine) writeLinks(ctx context.Context, j job.Job) error {
	if j.Output == "" {
		return nil
	}
	return WriteLinks(ctx, e.Ledger, j, e.Stdout)
}

// recordWritten records that the job's links file has been written.
func (e *Engine) recordWritten(j job.Job) error {
	if j.Output == "" || j.Output == "-" {
		return nil
	}
	return e.Ledger.LinksFileWritten(j.ID, j.Output)
}

// writesMost is how often a links file is begun, at most, since its rows broke off.
const writesMost = 5

// WriteLinks writes the job's links file at its output, or into stdout where that is "-". Where the database is lost in the middle of the
// rows, the file is begun anew: what was read is not of the moment that the rest would be of. What stdout or a pipe has cannot be taken back.
func WriteLinks(ctx context.Context, ledger resultsLedger, j job.Job, stdout io.Writer) error {
	format := links.Format{
		Columns: j.Columns, Delimiter: j.Delimiter, RawCells: j.RawCells, BOM: j.BOM, Refreshed: !j.RefreshedAt.IsZero(),
	}
	rows := linkRows(ledger.Results(ctx, j.ID))
	if j.Output == "-" {
		return links.WriteTo(stdout, format, rows)
	}
	most := writesMost
	if links.IsStream(j.Output) {
		most = 1
	}
	for writes := 1; ; writes++ {
		begun := false
		err := links.Write(j.Output, format, func(yield func(links.Row, error) bool) {
			for row, err := range rows {
				begun = begun || err == nil
				if !yield(row, err) {
					return
				}
			}
		})
		// A ledger that has told nothing has tried long enough.
		if !begun || writes == most || !errors.Is(err, job.ErrUnreachable) {
			return err
		}
	}
}

// linkRows are the ledger's results as lines of the links file, read ahead of them: reading a line takes as long as writing it. An
// item in state sending is one in doubt.
func linkRows(results iter.Seq2[job.Result, error]) iter.Seq2[links.Row, error] {
	return func(yield func(links.Row, error) bool) {
		for r, err := range ahead.InBatches(results, resultSize) {
			state := r.State
			if state == job.Sending {
				state = job.Unknown
			}
			row := links.Row{
				Line: r.Row, Cells: r.Cells, Status: string(state), SessionID: r.SessionID, URL: r.URL,
				ExpiresAt: r.ExpiresAt, CreatedAt: r.CreatedAt, Attempts: r.Attempts, ErrorCode: r.ErrorCode, Error: r.Error,
				Link: string(r.Link), CheckedAt: r.CheckedAt,
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}

// resultSize is what the large parts of a result take, in bytes: the user's own cells, and Clink's words.
func resultSize(r job.Result) int {
	const perCell = 16 // of a string, beside its text
	size := len(r.Error) + perCell*len(r.Cells)
	for _, cell := range r.Cells {
		size += len(cell)
	}
	return size
}
