package postgres

import (
	"context"
	"fmt"
	"time"
)

// LinksFileOwner is the job that last wrote a links file at path on this host; 0: none that is not purged.
func (r *Reader) LinksFileOwner(ctx context.Context, path string) (jobID int64, err error) {
	err = r.first(ctx, &jobID, `SELECT job_id FROM {links_file} WHERE host = $1 AND path = $2`, r.host, path)
	if err != nil {
		return 0, fmt.Errorf("look for the job that wrote %s: %w", path, err)
	}
	return jobID, nil
}

// UnknownSession is the first of the sessions that neither an item nor an attempt has, or "". Items show sessions of links that they
// have; a link that was given up and a session that was never published are in the attempts.
func (r *Reader) UnknownSession(ctx context.Context, ids []string) (id string, err error) {
	if len(ids) == 0 {
		return "", nil
	}
	err = r.first(ctx, &id, `
		SELECT named.id
		FROM unnest($1::text[]) WITH ORDINALITY AS named (id, place)
		WHERE NOT (
			EXISTS (SELECT FROM {item} AS item WHERE item.session_id = named.id AND item.state = 'created')
			OR EXISTS (SELECT FROM {item} AS item WHERE item.session_id = named.id AND item.state = 'duplicate')
			OR EXISTS (SELECT FROM {attempt} AS attempt WHERE attempt.session_id = named.id AND attempt.replaced IS NOT NULL)
			OR EXISTS (
				SELECT
				FROM {attempt} AS attempt
				WHERE attempt.session_id = named.id
					AND attempt.session_id <> ''
					AND attempt.outcome <> 'created'
			)
		)
		ORDER BY named.place
		LIMIT 1
	`, ids)
	if err != nil {
		return "", fmt.Errorf("look sessions up: %w", err)
	}
	return id, nil
}

// ExpiredLinks counts the job's links, at most so many, that have expired unpaid as far as is known: their time has passed, or Clink
// has said that they are expired, and Clink has not said since that one is paid or still open.
func (r *Reader) ExpiredLinks(ctx context.Context, jobID int64, now time.Time, most int) (n int, err error) {
	// The order is that of an index: without one, a few rows would be looked for in the table. A range of one value has an order, too.
	err = r.first(ctx, &n, `
		SELECT count(*)
		FROM (
			(SELECT
			FROM {item}
			WHERE job_id = $1
				AND expires_at <= $2
				AND state IN ('created', 'duplicate')
				AND link_status NOT IN ('paid', 'refunded', 'expired')
				AND (link_status = '' OR checked_at < expires_at)
			ORDER BY expires_at
			LIMIT $3)
			UNION ALL
			(SELECT
			FROM {item}
			WHERE job_id = $1
				AND link_status >= 'expired'
				AND link_status <= 'expired'
				AND link_status <> ''
			ORDER BY link_status
			LIMIT $3)
			LIMIT $3
		) AS expired
	`, jobID, r.at(now), most)
	if err != nil {
		return 0, fmt.Errorf("count the expired links of job %d: %w", jobID, err)
	}
	return n, nil
}

// madeLater says that the invoice of item has its link in a job that was run later. OFFSET has the invoice's items looked up by its index,
// where the server might think that there are few created ones, and read them all for each item.
const madeLater = `
	EXISTS (
		SELECT
		FROM (
			SELECT job_id, state
			FROM {item} AS other
			WHERE other.invoice = item.invoice
			OFFSET 0
		) AS other
		JOIN {job} AS later ON later.id = other.job_id
		WHERE other.state = 'created'
			AND later.ran > (SELECT ran FROM {job} WHERE id = item.job_id)
	)
`

// FailedButMade counts the job's failed items whose invoice has its link in a job that was run later.
func (r *Reader) FailedButMade(ctx context.Context, jobID int64) (n int, err error) {
	err = r.first(ctx, &n, `
		SELECT count(*)
		FROM {item} AS item
		WHERE item.job_id = $1
			AND item.state = 'failed'
			AND `+madeLater, jobID)
	if err != nil {
		return 0, fmt.Errorf("look for links that later jobs have made for job %d: %w", jobID, err)
	}
	return n, nil
}
