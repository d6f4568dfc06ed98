package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"

	"paylinks/job"
)

// factsOf selects the job.Facts of the items, of imported jobs, that match where.
func factsOf(where string) string {
	return `
		SELECT
			invoice_item.invoice,
			item.id,
			item.job_id,
			job.ran,
			item.state,
			job.on_unknown = 'hold',
			item.invoice_id = '',
			item.invoice_id = '' AND job.allow_repeats,
			item.currency,
			item.amount,
			coalesce(item.request ->> '$.customerId', item.customer_id),
			coalesce(item.request ->> '$.customerEmail', ''),
			coalesce(item.request ->> '$.referenceCustomerId', ''),
			job.purged_at <> '',
			job.salt,
			item.reference,
			item.session_id,
			item.url,
			item.expires_at,
			item.created_at,
			item.link_status,
			item.checked_at,
			item.given_up,
			item.error_code = '` + job.CodeConflict + `'
		FROM invoice_item
		JOIN item ON item.id = invoice_item.item_id
		JOIN job ON job.id = item.job_id
		WHERE ` + where + `
		ORDER BY invoice_item.invoice, invoice_item.item_id
	`
}

// factsBatch is how many invoices are looked up by one statement: one by one they take three times as long.
const factsBatch = 256

var factsOfBatch = factsOf(`invoice_item.invoice IN (?` + strings.Repeat(`, ?`, factsBatch-1) + `)`)

// factsByInvoice are in the order of their items.
type factsByInvoice map[[16]byte][]job.Facts

// look adds the facts of these invoices; batch is factsOfBatch, prepared.
func (f factsByInvoice) look(ctx context.Context, batch *sql.Stmt, invoices [][16]byte) error {
	for some := range slices.Chunk(invoices, factsBatch) {
		arguments := make([]any, factsBatch) // those left over are NULL, which no invoice equals
		for i := range some {
			arguments[i] = some[i][:]
		}
		if err := f.scan(batch.QueryContext(ctx, arguments...)); err != nil {
			return err
		}
	}
	return nil
}

func (f factsByInvoice) scan(rows *sql.Rows, err error) error {
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var invoice sql.RawBytes
		var one job.Facts
		err := rows.Scan(&invoice, &one.ItemID, &one.JobID, &one.Ran, &one.State, &one.Hold, &one.NoID, &one.Repeat, &one.Currency, &one.Amount,
			&one.Customer.ID, &one.Customer.Email, &one.Customer.Reference, &one.Purged, &one.Salt, &one.Reference,
			&one.SessionID, &one.URL, timeOf(&one.ExpiresAt), timeOf(&one.CreatedAt), &one.Link, timeOf(&one.CheckedAt), &one.GivenUp, &one.Refused)
		if err != nil {
			return err
		}
		of := [16]byte(invoice)
		f[of] = append(f[of], one)
	}
	return rows.Err()
}

// divide tells an item's own facts from those of other jobs' items.
func divide(all []job.Facts, itemID int64) (this job.Facts, others []job.Facts) {
	i := slices.IndexFunc(all, func(f job.Facts) bool { return f.ItemID == itemID })
	if i < 0 {
		return this, nil
	}
	this = all[i]
	return this, slices.DeleteFunc(slices.Clone(all), func(f job.Facts) bool { return f.JobID == this.JobID })
}

// Facts looks up the items of these invoices (see job.Identity.InvoiceKey), each named once, for a file that is not imported yet. An
// invoice that no job has is not in the map.
func (r *Reader) Facts(ctx context.Context, invoices [][16]byte) (map[[16]byte][]job.Facts, error) {
	found := factsByInvoice{}
	if err := found.look(ctx, r.facts, invoices); err != nil {
		return nil, fmt.Errorf("look up invoices: %w", err)
	}
	return found, nil
}
