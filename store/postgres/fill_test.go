package postgres_test

import (
	"fmt"
	"testing"

	"paylinks/store/postgres"
)

// invoiceNumber is the invoice of the row with this number, in every job.
func invoiceNumber(n int) (invoice [16]byte) {
	copy(invoice[:], fmt.Sprintf("%016d", n))
	return invoice
}

// fillOpen makes so many rows of a new job, none of which was sent.
func fillOpen(t *testing.T, r *postgres.Reader, jobID, rows int) {
	t.Helper()
	addJob(t, r, jobID)
	run(t, r, fmt.Sprintf(`
		INSERT INTO {item} (id, job_id, row, state, invoice, invoice_id, reference, currency, amount, request, cells)
		SELECT
			(%[1]d::bigint << 32) + n, %[1]d, n + 1, 'pending', convert_to(lpad((%[1]d * 1000000 + n)::text, 16, '0'), 'UTF8'), 'OPEN-' || n, 'OPEN-' || n, 'USD',
			100000, '{"amount":10.00,"currency":"USD","customerId":"cus_1"}', '[]'
		FROM generate_series(1, %[2]d) AS n
	`, jobID, rows))
}

// fill makes so many rows of a job that is on record, most of them created: of each hundred one is pending, one in doubt, one failed,
// one waits for a person, one is a duplicate, and one has had a link that was given up.
func fill(t *testing.T, r *postgres.Reader, jobID, rows int) {
	t.Helper()
	of := fmt.Sprintf(`(%d::bigint << 32)`, jobID)
	var jobs []string
	if jobs, _ = r.Column(t.Context(), `SELECT id::text FROM {job} WHERE id = `+fmt.Sprint(jobID)); len(jobs) == 0 {
		addJob(t, r, jobID)
	}
	run(t, r, `
		INSERT INTO {item} (
			id, job_id, row, state, invoice, invoice_id, reference, currency, amount, attempts, unknown_ends, session_id, url, expires_at,
			created_at, link_status, checked_at, error_code, error, request, cells
		)
		SELECT
			`+of+` + n, `+of+` >> 32, n + 1, state, convert_to(lpad(n::text, 16, '0'), 'UTF8'), 'INV-' || n, 'INV-' || n, 'USD', 100000,
			CASE WHEN state IN ('created', 'unknown', 'failed') THEN 1 ELSE 0 END,
			CASE WHEN state = 'unknown' THEN 1 ELSE 0 END,
			CASE WHEN state IN ('created', 'duplicate') THEN session ELSE '' END,
			CASE WHEN state IN ('created', 'duplicate') THEN 'https://pay.test/' || session ELSE '' END,
			CASE WHEN state IN ('created', 'duplicate') THEN '2026-03-02 12:00:00Z'::timestamptz + n * interval '1 second' END,
			CASE WHEN state IN ('created', 'duplicate') THEN '2026-03-01 12:00:00Z'::timestamptz END,
			CASE WHEN state IN ('created', 'duplicate') AND n % 10 = 9 THEN 'paid' ELSE '' END,
			CASE WHEN state IN ('created', 'duplicate') AND n % 10 = 9 THEN '2026-03-01 13:00:00Z'::timestamptz END,
			CASE WHEN n % 100 = 3 THEN 'held' WHEN n % 1000 = 20 THEN 'unsettled' ELSE '' END,
			CASE WHEN state IN ('pending', 'created', 'duplicate') AND n % 100 <> 3 AND n % 1000 <> 20 THEN '' ELSE 'why' END,
			'{"amount":10.00,"currency":"USD","customerId":"cus_1","merchantReferenceId":"INV-' || n || '"}', '["INV-' || n || '"]'
		FROM (
			SELECT
				n,
				CASE WHEN n % 100 IN (0, 3) THEN 'pending' WHEN n % 100 = 1 THEN 'unknown' WHEN n % 100 = 2 THEN 'failed'
					WHEN n % 100 = 4 THEN 'duplicate' ELSE 'created' END AS state,
				'sess_' || CASE WHEN n % 100 = 4 THEN 1 ELSE `+fmt.Sprint(jobID)+` END || '_' || n AS session
			FROM generate_series(1, `+fmt.Sprint(rows)+`) AS n
		) AS numbered
	`, `
		INSERT INTO {attempt} (item_id, number, sender_id, sent_at, ended_at, outcome, session_id, replaced)
		SELECT
			id, 1, 0, created_at, created_at,
			CASE WHEN state = 'created' THEN 'created' WHEN state = 'unknown' THEN 'unknown' ELSE 'rejected' END,
			session_id, CASE WHEN state = 'created' AND row % 100 = 50 THEN checked_at END
		FROM (SELECT id, state, row, session_id, checked_at, coalesce(created_at, '2026-03-01 12:00:00Z') AS created_at, attempts FROM {item}) AS item
		WHERE id BETWEEN `+of+` AND `+of+` + 4294967295
			AND attempts > 0
	`, `
		INSERT INTO {item_tally} (job_id, state, currency, items, amount)
		SELECT job_id, state, currency, count(*), sum(amount)
		FROM {item}
		WHERE job_id = `+fmt.Sprint(jobID)+`
		GROUP BY 1, 2, 3
	`)
}
