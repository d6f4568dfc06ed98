package postgres

import (
	"context"
	"fmt"

	"paylinks/job"
)

// Suspects implements job.Ledger.
func (r *Reader) Suspects(ctx context.Context, jobID, after int64, n int) ([]job.Item, error) {
	return r.items(ctx, "rows with suspect ends", true, itemColumns+`
		WHERE `+inFileOrder(1)+`
			AND item.suspect_ends > 0
			AND item.state IN ('pending', 'unknown')
			AND item.id > $2
		ORDER BY item.job_id, item.id
		LIMIT $3
	`, jobID, after, n)
}

// KnownSession implements job.Ledger. It looks in the latest job that has sessions of its own.
func (r *Reader) KnownSession(ctx context.Context, jobID int64) (session string, err error) {
	err = r.first(ctx, &session, `
		WITH latest AS (
			SELECT job.id
			FROM {job} AS this
			JOIN {job} AS job ON job.environment = this.environment AND job.base_url = this.base_url
			WHERE this.id = $1
				AND job.imported
				AND EXISTS (
					SELECT
					FROM {item_tally} AS tally
					WHERE tally.job_id = job.id
						AND tally.state = 'created'
						AND tally.items > 0
				)
			ORDER BY job.id DESC
			LIMIT 1
		)
		SELECT item.session_id
		FROM {item} AS item
		WHERE item.id BETWEEN (SELECT id << 32 FROM latest) AND (SELECT (id << 32) + 4294967295 FROM latest)
			AND item.state = 'created'
		ORDER BY item.id DESC
		LIMIT 1
	`, jobID)
	if err != nil {
		return "", fmt.Errorf("look up a session at the address of job %d: %w", jobID, err)
	}
	return session, nil
}

// createdAttempts counts the attempts of the job $1 that made a session.
const createdAttempts = `(
	SELECT coalesce(sum(attempts), 0)
	FROM {attempt_tally}
	WHERE job_id = $1
		AND outcome = 'created'
)`

// AllRejected says whether a run of the job has ended with job.AllRejected, and no session was created since.
func (r *Reader) AllRejected(ctx context.Context, jobID int64) (rejected bool, err error) {
	err = r.again(ctx, func() error {
		return r.row(ctx, `
			SELECT coalesce(rejected_from = `+createdAttempts+`, FALSE)
			FROM {job}
			WHERE id = $1
		`, jobID).Scan(&rejected)
	})
	if err != nil {
		return false, fmt.Errorf("look up how the runs of job %d ended: %w", jobID, err)
	}
	return rejected, nil
}
