package postgres

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"paylinks/job"
)

// Purge takes the customers' data out of the job, whose seat this sender has: cells, requests, URLs, texts and folders. Of invoice ids,
// references and customers digests stay, which recognise them and do not tell them; sessions, amounts and counts stay as they are. A job
// that must not be purged is job.ErrKept, and unchanged. The data is only gone from the database's files after [Ledger.Scrub], and from
// what the server's archives and backups keep when these are gone.
func (l *Ledger) Purge(j job.Job, now time.Time) error {
	salt := rand.Text()
	err := l.writer.write(func(t *tx) error {
		if err := t.take(j.ID); err != nil {
			return err
		}
		var open, live int
		if err := t.row(purgeCounts, j.ID, l.at(now)).Scan(&open, &live); err != nil {
			return err
		}
		if open > 0 || live > 0 {
			return job.ErrKept
		}
		if err := t.sealItems(j.ID, salt); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE {line} SET cells = '[]' WHERE `+ids("place", 1), j.ID); err != nil {
			return err
		}
		if _, err := t.exec(`UPDATE {attempt} SET message = '' WHERE `+ids("item_id", 1)+` AND message <> ''`, j.ID); err != nil {
			return err
		}
		if _, err := t.exec(`DELETE FROM {links_file} WHERE job_id = $1`, j.ID); err != nil {
			return err
		}
		_, err := t.exec(`
			UPDATE {job}
			SET
				file = $2,
				output = '',
				stop_reason = '',
				salt = $3,
				purged_at = $4
			WHERE id = $1
		`, j.ID, j.FileName(), salt, l.at(now))
		if err != nil {
			return err
		}
		_, err = t.exec(`DELETE FROM {seat} WHERE job_id = $1`, j.ID)
		return err
	})
	if err != nil {
		return fmt.Errorf("purge job %d: %w", j.ID, err)
	}
	return nil
}

// sealItems leaves of the job's items what recognises them.
func (t *tx) sealItems(jobID int64, salt string) error {
	for after := int64(0); ; {
		rows, err := t.query(`
			SELECT id, invoice_id, reference, customer_id, request
			FROM {item}
			WHERE `+ids("id", 1)+`
				AND id > $2
			ORDER BY id
			LIMIT $3
		`, jobID, after, partRows)
		if err != nil {
			return err
		}
		var items []int64
		var invoices, references, customers, requests []string
		var id int64
		var invoice, reference, customer, request string
		_, err = pgx.ForEachRow(rows, []any{&id, &invoice, &reference, &customer, &request}, func() error {
			sealed, err := sealedRequest(salt, request)
			items, requests = append(items, id), append(requests, sealed)
			invoices = append(invoices, job.Seal(salt, job.SealInvoiceID, invoice))
			references = append(references, job.Seal(salt, job.SealReference, reference))
			customers = append(customers, job.Seal(salt, job.SealCustomerID, customer))
			return err
		})
		if err != nil || len(items) == 0 {
			return err
		}
		after = items[len(items)-1]
		_, err = t.exec(`
			UPDATE {item} AS item
			SET
				invoice_id = sealed.invoice_id,
				reference = sealed.reference,
				customer_id = sealed.customer_id,
				request = sealed.request,
				cells = '[]',
				url = '',
				error = ''
			FROM unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[])
				AS sealed (id, invoice_id, reference, customer_id, request)
			WHERE item.id = sealed.id
		`, items, invoices, references, customers, requests)
		if err != nil {
			return err
		}
	}
}

// sealedRequest is what stays of a request: digests of who the customer is. An item that was never good has none.
func sealedRequest(salt, request string) (string, error) {
	if request == "" {
		return "", nil
	}
	var customer struct {
		ID        string `json:"customerId,omitempty"`
		Email     string `json:"customerEmail,omitempty"`
		Reference string `json:"referenceCustomerId,omitempty"`
	}
	if err := json.Unmarshal([]byte(request), &customer); err != nil {
		return "", err
	}
	customer.ID = job.Seal(salt, job.SealCustomerID, customer.ID)
	customer.Email = job.Seal(salt, job.SealCustomerEmail, customer.Email)
	customer.Reference = job.Seal(salt, job.SealCustomerReference, customer.Reference)
	sealed, err := json.Marshal(customer)
	return string(sealed), err
}

// Scrub has the database reuse the room of what was purged, and forget the old versions of rows, as far as VACUUM does: no table is
// locked, and senders go on beside it. A transaction of somebody else that stays open keeps them. The error is job.ErrDenied where the
// role owns neither the tables nor the database.
func (l *Ledger) Scrub() error {
	for _, table := range []string{"{item}", "{line}", "{attempt}", "{job}", "{links_file}"} {
		if err := l.vacuum(table); err != nil {
			return fmt.Errorf("clear the database of old versions of rows: %w", l.explain(err))
		}
	}
	return nil
}

func (l *Ledger) vacuum(table string) error {
	config := l.writer.config.Copy()
	var skipped error
	config.OnNotice = func(_ *pgconn.PgConn, n *pgconn.Notice) {
		// A warning without a code of its own, in any language, is all that is said where the role may not do it.
		if strings.HasPrefix(n.Routine, "vacuum_is_") {
			skipped = fmt.Errorf("%w: %s", job.ErrDenied, n.Message)
		}
	}
	conn, err := pgx.ConnectConfig(context.Background(), config)
	if err != nil {
		return err
	}
	_, err = conn.Exec(context.Background(), l.sql("VACUUM "+table))
	return errors.Join(err, skipped, conn.Close(context.Background()))
}
