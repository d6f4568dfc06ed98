package store

import (
	"context"
	"fmt"
	"time"

	"paylinks/job"
)

// BeginRun records that a run of the job begins. Until EndRun it has no end: neither has one that was killed.
func (s *Store) BeginRun(jobID int64, at time.Time) error {
	return s.recordRun("begin a run of", `
		UPDATE job
		SET
			ran_at = ?2,
			ended_at = '',
			stopped = '',
			stop_reason = ''
		WHERE id = ?1
	`, jobID, stamp(at))
}

// EndRun records why the run that began last has ended.
func (s *Store) EndRun(jobID int64, at time.Time, stop job.Stop, reason string) error {
	return s.recordRun("end the run of", `
		UPDATE job
		SET
			ended_at = ?2,
			stopped = ?3,
			stop_reason = ?4
		WHERE id = ?1
	`, jobID, stamp(at), string(stop), reason)
}

func (s *Store) recordRun(doing, query string, jobID int64, args ...any) error {
	err := s.writer.write(func(t *tx) error {
		_, err := t.conn.ExecContext(context.Background(), query, append([]any{jobID}, args...)...)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s job %d: %w", doing, jobID, err)
	}
	return nil
}
