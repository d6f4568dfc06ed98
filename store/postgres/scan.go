package postgres

import (
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"paylinks/clink"
	"paylinks/job"
)

// at is a time as it is recorded: UTC, to the millisecond as in every ledger; no time is NULL.
func at(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Truncate(time.Millisecond)
}

// timeOf scans a time, in UTC; NULL is no time.
func timeOf(t *time.Time) pgtype.TimestamptzScanner { return timeScanner{t} }

type timeScanner struct{ to *time.Time }

func (s timeScanner) ScanTimestamptz(v pgtype.Timestamptz) error {
	*s.to = time.Time{}
	if v.Valid {
		*s.to = v.Time.UTC()
	}
	return nil
}

// itemColumns selects what a job.Item is, for scanItem.
const itemColumns = `
	SELECT
		item.id, item.job_id, item.row, item.state, item.invoice_id, item.reference, item.currency, item.amount, item.request,
		item.attempts, item.unknown_ends, item.suspect_ends, job.on_unknown = 'hold', item.invoice_id = '' AND job.allow_repeats, item.session_id
	FROM {item} AS item
	JOIN {job} AS job ON job.id = item.job_id
`

// scanItem reads what itemColumns selects, and the request where it is wanted: one of a purged job cannot be read.
func scanItem(row pgx.Row, request bool) (job.Item, error) {
	var i job.Item
	var body string
	err := row.Scan(&i.ID, &i.JobID, &i.Row, &i.State, &i.InvoiceID, &i.Reference, &i.Currency, &i.Amount, &body,
		&i.Attempts, &i.UnknownEnds, &i.SuspectEnds, &i.Hold, &i.Repeat, &i.SessionID)
	if err == nil && request {
		i.Request, err = clink.ReadRequest(body)
	}
	return i, err
}
