package postgres

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
)

// factsQuery selects the job.Facts of all items, of imported jobs, of the invoices that a subquery selects as named.invoice, for scanFacts.
// OFFSET has each invoice looked up by its index: right after an import the server knows nothing of the table, and would read it whole.
// The invoice is written as hexadecimal digits whatever the server's bytea_output is.
func factsQuery(invoices string) string {
	return `
		SELECT
			encode(item.invoice, 'hex'),
			item.id,
			item.job_id,
			job.ran,
			item.state,
			job.on_unknown = 'hold',
			item.invoice_id = '',
			item.invoice_id = '' AND job.allow_repeats,
			item.currency,
			item.amount,
			coalesce(item.request::json ->> 'customerId', item.customer_id),
			coalesce(item.request::json ->> 'customerEmail', ''),
			coalesce(item.request::json ->> 'referenceCustomerId', ''),
			job.purged_at IS NOT NULL,
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
		FROM (` + invoices + `) AS named (invoice)
		CROSS JOIN LATERAL (
			SELECT *
			FROM {item} AS item
			WHERE item.invoice = named.invoice
			OFFSET 0
		) AS item
		JOIN {job} AS job ON job.id = item.job_id
		WHERE job.imported
		ORDER BY item.invoice, item.id
	`
}

// factsOfInvoices are the facts of all items of the invoices $1.
var factsOfInvoices = factsQuery(`SELECT DISTINCT unnest($1::bytea[])`)

// factsBatch is how many invoices are looked up by one statement.
const factsBatch = 1024

// factsByInvoice are in the order of their items.
type factsByInvoice map[[16]byte][]job.Facts

// scanFacts reads what factsQuery selects, to the end, and closes the rows.
func scanFacts(rows pgx.Rows) (factsByInvoice, error) {
	defer rows.Close()
	found := factsByInvoice{}
	for rows.Next() {
		var digits string
		var f job.Facts
		err := rows.Scan(&digits, &f.ItemID, &f.JobID, &f.Ran, &f.State, &f.Hold, &f.NoID, &f.Repeat, &f.Currency, &f.Amount,
			&f.Customer.ID, &f.Customer.Email, &f.Customer.Reference, &f.Purged, &f.Salt, &f.Reference,
			&f.SessionID, &f.URL, timeOf(&f.ExpiresAt), timeOf(&f.CreatedAt), &f.Link, timeOf(&f.CheckedAt), &f.GivenUp, &f.Refused)
		if err != nil {
			return nil, err
		}
		invoice, err := invoiceOf(digits)
		if err != nil {
			return nil, err
		}
		found[invoice] = append(found[invoice], f)
	}
	return found, rows.Err()
}

// invoiceOf reads an invoice that was selected as hexadecimal digits.
func invoiceOf(digits string) (invoice [16]byte, err error) {
	if hex.DecodedLen(len(digits)) != len(invoice) {
		return invoice, fmt.Errorf("the ledger has an invoice of %d bytes", hex.DecodedLen(len(digits)))
	}
	_, err = hex.Decode(invoice[:], []byte(digits))
	return invoice, err
}

// bytesOf are the invoices as an argument.
func bytesOf(invoices [][16]byte) [][]byte {
	all := make([][]byte, len(invoices))
	for i := range invoices {
		all[i] = invoices[i][:]
	}
	return all
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
	all := factsByInvoice{}
	for some := range slices.Chunk(invoices, factsBatch) {
		err := r.again(ctx, func() error {
			rows, err := r.query(ctx, factsOfInvoices, bytesOf(some))
			if err != nil {
				return err
			}
			found, err := scanFacts(rows)
			for invoice, facts := range found {
				all[invoice] = facts
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("look up invoices: %w", err)
		}
	}
	return all, nil
}
