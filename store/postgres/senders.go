package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
)

// Senders implements [paylinks/store.Reader]. One that was fenced is among them as long as a job is on record as its own: nobody has taken
// that over yet. Whose lease is over is for the database's clock to say.
func (r *Reader) Senders(ctx context.Context) ([]job.Sender, error) {
	senders, err := all(ctx, r, scanSender, `
		SELECT
			sender.id, sender.doing, sender.host, sender.process, sender.began_at, sender.lease_until,
			sender.fenced_at IS NOT NULL OR sender.lease_until <= clock_timestamp(),
			round(extract(epoch FROM sender.lease) * 1000)::bigint,
			round(extract(epoch FROM sender.recover) * 1000)::bigint,
			ARRAY(SELECT seat.job_id FROM {seat} AS seat WHERE seat.sender_id = sender.id ORDER BY 1)
		FROM {sender} AS sender
		WHERE sender.ended_at IS NULL
			AND (sender.fenced_at IS NULL OR sender.id IN (SELECT seat.sender_id FROM {seat} AS seat))
		ORDER BY sender.id
	`)
	if err != nil {
		return nil, fmt.Errorf("read the senders: %w", err)
	}
	return senders, nil
}

func scanSender(row pgx.Row) (s job.Sender, err error) {
	var lease, recover int64 // ms
	err = row.Scan(&s.ID, &s.Doing, &s.Host, &s.Process, timeOf(&s.Since), timeOf(&s.LeaseUntil), &s.Over, &lease, &recover, &s.Jobs)
	s.Lease = time.Duration(lease) * time.Millisecond
	s.Timeout = time.Duration(recover)*time.Millisecond - job.Sender{}.RecoverAfter()
	return s, err
}
