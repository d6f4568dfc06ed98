package postgres

import (
	"context"
	"fmt"
	"time"

	"paylinks/job"
)

// purgeCounts counts what keeps the job $1 from being purged: open items, and links that can be paid, or may be, at the time $2.
var purgeCounts = `
	SELECT
		count(*) FILTER (WHERE state IN ('pending', 'sending', 'unknown')),
		count(*) FILTER (
			WHERE state IN ('created', 'duplicate')
				AND link_status NOT IN ('paid', 'refunded', 'expired')
				AND (
					expires_at IS NULL
					OR expires_at > $2::timestamptz
					OR link_status = 'processing'
					OR link_status = 'open' AND checked_at >= expires_at
				)
		)
	FROM {item}
	WHERE ` + ids("id", 1)

// Purgeable returns the jobs made before a time that are not purged yet, oldest first.
func (r *Reader) Purgeable(ctx context.Context, before, now time.Time) ([]job.Purgeable, error) {
	jobs, err := r.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	var old []job.Purgeable
	for _, j := range jobs {
		if !j.CreatedAt.Before(r.now(before)) || !j.PurgedAt.IsZero() {
			continue
		}
		p := job.Purgeable{Job: j}
		err := r.again(ctx, func() error {
			return r.row(ctx, purgeCounts, j.ID, r.at(now)).Scan(&p.Open, &p.Live)
		})
		if err != nil {
			return nil, fmt.Errorf("look at the rows of job %d: %w", j.ID, err)
		}
		old = append(old, p)
	}
	return old, nil
}
