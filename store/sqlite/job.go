package sqlite

import (
	"context"
	"errors"
	"fmt"
	"time"

	"paylinks/job"
)

// BeginRun records that a run of the job begins. Until EndRun it has no end: neither has one that was killed. Until
// LinksFileWritten its links file lags behind.
func (l *Ledger) BeginRun(jobID int64, at time.Time) error {
	return l.updateJob(jobID, "begin a run of", `
		ran_at = ?2,
		written = FALSE,
		ended_at = '',
		stopped = '',
		stop_reason = ''
	`, timestamp(at))
}

// EndRun records why the run that began last has ended.
func (l *Ledger) EndRun(jobID int64, at time.Time, stop job.Stop, reason string) error {
	return l.updateJob(jobID, "end the run of", `
		ended_at = ?2,
		stopped = ?3,
		stop_reason = ?4,
		rejected_from = CASE
			WHEN ?3 = 'all_rejected' THEN `+createdAttempts+`
			ELSE rejected_from
		END
	`, timestamp(at), string(stop), reason)
}

// Refreshed records when the job's links were last asked about.
func (l *Ledger) Refreshed(jobID int64, at time.Time) error {
	return l.updateJob(jobID, "record the refresh of", `refreshed_at = ?2`, timestamp(at))
}

// Remember records what a later run of the same job may say anew: where its file is and where its links file goes, in
// which form, and the policy. Another job that wrote the same links file has none any more. A links file at another place or in
// another form is not written yet.
func (l *Ledger) Remember(j job.Job) error {
	if err := l.writer.write(func(t *tx) error { return t.remember(j) }); err != nil {
		return fmt.Errorf("remember job %d: %w", j.ID, err)
	}
	return nil
}

func (t *tx) remember(j job.Job) error {
	return t.updateJob(j.ID, `
		file = ?2,
		written = written AND output = ?3 AND raw_cells = ?4 AND bom = ?5,
		output = ?3,
		raw_cells = ?4,
		bom = ?5,
		on_unknown = ?6,
		allow_repeats = ?7
	`, j.File, j.Output, j.RawCells, j.BOM, string(j.OnUnknown), j.AllowRepeats)
}

// updateJob sets columns of the job, of which ?1 is the number. Without such a job it is job.ErrNoJob.
func (l *Ledger) updateJob(jobID int64, doing, set string, args ...any) error {
	if err := l.writer.write(func(t *tx) error { return t.updateJob(jobID, set, args...) }); err != nil {
		return fmt.Errorf("%s job %d: %w", doing, jobID, err)
	}
	return nil
}

func (t *tx) updateJob(jobID int64, set string, args ...any) error {
	ctx := context.Background()
	result, err := t.conn.ExecContext(ctx, `UPDATE job SET `+set+` WHERE id = ?1`, append([]any{jobID}, args...)...)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, job.ErrNoJob)
	}
	var output string
	if err := t.conn.QueryRowContext(ctx, `SELECT output FROM job WHERE id = ?1`, jobID).Scan(&output); err != nil {
		return err
	}
	return t.takeOutput(jobID, output)
}
