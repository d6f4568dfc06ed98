package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
)

// ended is the condition that the item's link can no longer be paid, as far as is known, and was not; the parameter is the time now.
func ended(item string, parameter int) string {
	return fmt.Sprintf(`(%[1]s.link_status NOT IN ('paid', 'refunded') AND (%[1]s.link_status = 'expired' OR %[1]s.expires_at <= $%[2]d::timestamptz))`,
		item, parameter)
}

// unsettledLink is the condition on a created item that Clink has not said what became of its link, which has ended.
const unsettledLink = `(item.state = 'created' AND item.error_code = '` + job.CodeUnsettled + `')`

// linkQuery selects the items that a job.LinkQuery is about: $1 is the job, $2 when the asking began, $3 the last id that is known.
// columns end with the table item.
func linkQuery(columns string, which job.LinkChoice) string {
	text := columns
	switch which {
	case job.NotFinal:
		text += `
			WHERE ` + ids("item.id", 1) + `
				AND item.state IN ('created', 'duplicate')
				AND item.link_status NOT IN ('paid', 'refunded', 'expired')
		`
	case job.Ended:
		text += `
			WHERE ` + ids("item.id", 1) + `
				AND item.state = 'created'
				AND ` + ended("item", 2) + `
				AND (SELECT purged_at FROM {job} WHERE id = $1) IS NULL
		`
	case job.EndedElsewhere: // OFFSET has each link that is shared looked up by its index, where a join might read all links there are
		text += `
			WHERE item.state = 'created'
				AND item.id = ANY(ARRAY(
					SELECT owner.id
					FROM (
						SELECT DISTINCT shares.session_id
						FROM {item} AS shares
						WHERE ` + ids("shares.id", 1) + `
							AND shares.state = 'duplicate'
							AND ` + ended("shares", 2) + `
					) AS link
					CROSS JOIN LATERAL (
						SELECT owner.id
						FROM {item} AS owner
						WHERE owner.session_id = link.session_id
							AND owner.state = 'created'
						OFFSET 0
					) AS owner
					WHERE owner.id > $3
				))
				AND ` + ended("item", 2) + `
				AND (SELECT purged_at FROM {job} WHERE id = item.job_id) IS NULL
		`
	}
	return text + `
				AND item.id > $3
				-- checked after now is checked before the clock was set back
				AND (item.checked_at IS NULL OR item.checked_at < $2::timestamptz OR item.checked_at > clock_timestamp())
	`
}

// Links implements job.Ledger.
func (r *Reader) Links(ctx context.Context, q job.LinkQuery, after int64, n int) ([]job.Item, error) {
	replace := q.Which != job.NotFinal
	items, err := r.items(ctx, "links", replace, linkQuery(itemColumns, q.Which)+` ORDER BY item.id LIMIT $4`,
		q.JobID, r.at(q.At), after, n)
	for i := range items {
		items[i].Replace = replace
	}
	return items, err
}

// LastChecked implements job.Ledger.
func (r *Reader) LastChecked(ctx context.Context, jobID int64) (itemID int64, err error) {
	err = r.first(ctx, &itemID, `
		SELECT item.id
		FROM {item} AS item
		WHERE `+ids("item.id", 1)+`
			AND item.checked_at IS NOT NULL
		ORDER BY item.checked_at DESC, item.id DESC
		LIMIT 1
	`, jobID)
	if err != nil {
		return 0, fmt.Errorf("look for the link asked about last: %w", err)
	}
	return itemID, nil
}

// first reads the first value that a query finds, and leaves to as it is where there is none.
func (r *Reader) first(ctx context.Context, to any, query string, args ...any) error {
	err := r.again(ctx, func() error { return r.row(ctx, query, args...).Scan(to) })
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	return err
}

// CountLinks counts the links that the query is about, but for those of which only a person can say what became of them.
func (r *Reader) CountLinks(ctx context.Context, q job.LinkQuery) (n int, err error) {
	err = r.first(ctx, &n, linkQuery(`SELECT count(*) FROM {item} AS item`, q.Which)+`
		AND NOT `+unsettledLink, q.JobID, r.at(q.At), 0)
	if err != nil {
		return 0, fmt.Errorf("count the links of job %d: %w", q.JobID, err)
	}
	return n, nil
}

// LinkTally counts the job's links by what Clink last said of them. Those that it has said nothing of, "", are what is left of
// all links.
func (r *Reader) LinkTally(ctx context.Context, jobID int64) (job.LinkTally, error) {
	type count struct {
		status job.LinkStatus
		n      int
	}
	counts, err := all(ctx, r, func(row pgx.Row) (c count, err error) { return c, row.Scan(&c.status, &c.n) }, `
		SELECT link_status, count(*)
		FROM {item}
		WHERE job_id = $1
			AND link_status <> ''
		GROUP BY 1
		UNION ALL
		SELECT '', coalesce(sum(items), 0)::bigint
		FROM {item_tally}
		WHERE job_id = $1
			AND state IN ('created', 'duplicate')
	`, jobID)
	if err != nil {
		return nil, fmt.Errorf("count the links of job %d: %w", jobID, err)
	}
	tally := job.LinkTally{}
	for _, c := range counts {
		tally[c.status] += c.n
		if c.status != "" {
			tally[""] -= c.n
		}
	}
	return tally, nil
}

// PaidTotals are the amounts of the job's links that Clink says are paid, as plain decimals by currency.
func (r *Reader) PaidTotals(ctx context.Context, jobID int64) (map[string]string, error) {
	type sum struct {
		currency, amount string
		n                int
	}
	sums, err := all(ctx, r, func(row pgx.Row) (s sum, err error) { return s, row.Scan(&s.currency, &s.n, &s.amount) }, `
		SELECT currency, count(*), sum(amount)::text
		FROM {item}
		WHERE job_id = $1
			AND link_status = 'paid'
			AND link_status <> '' -- which goes without saying, and leads to the index
		GROUP BY currency
	`, jobID)
	tally := job.NewTally()
	for _, s := range sums {
		amount, ok := new(big.Int).SetString(s.amount, 10)
		if !ok {
			err = fmt.Errorf("the sum is %q", s.amount)
			break
		}
		tally.Add(job.Created, s.currency, s.n, amount)
	}
	if err != nil {
		return nil, fmt.Errorf("add up the paid links of job %d: %w", jobID, err)
	}
	return tally.Totals(job.Created), nil
}
