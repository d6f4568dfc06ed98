package postgres

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
)

// BeginRun records that a run of the job begins. Until EndRun it has no end: neither has one that was killed. Until
// LinksFileWritten its links file lags behind.
func (l *Ledger) BeginRun(jobID int64, began time.Time) error {
	return l.updateJob(jobID, "begin a run of", `
		ran_at = $2,
		written = FALSE,
		ended_at = NULL,
		stopped = '',
		stop_reason = ''
	`, at(l.now(began)))
}

// EndRun records why the run that began last has ended.
func (l *Ledger) EndRun(jobID int64, ended time.Time, stop job.Stop, reason string) error {
	return l.updateJob(jobID, "end the run of", `
		ended_at = $2,
		stopped = $3,
		stop_reason = $4,
		rejected_from = CASE
			WHEN $3::text = 'all_rejected' THEN `+createdAttempts+`
			ELSE rejected_from
		END
	`, at(l.now(ended)), string(stop), clean(reason))
}

// Refreshed records when the job's links were last asked about.
func (l *Ledger) Refreshed(jobID int64, asked time.Time) error {
	return l.updateJob(jobID, "record the refresh of", `refreshed_at = $2`, at(l.now(asked)))
}

// Remember records what a later run of the same job may say anew: where its file is and where its links file goes, in
// which form, and the policy. Another job that wrote the same links file has none any more. A links file at another place or in
// another form is not written yet. A links file on another host stays that host's.
func (l *Ledger) Remember(j job.Job) error {
	if err := l.writer.write(func(t *tx) error { return t.remember(j) }); err != nil {
		return fmt.Errorf("remember job %d: %w", j.ID, err)
	}
	return nil
}

func (t *tx) remember(j job.Job) error {
	set := `
		file = $2,
		on_unknown = $3,
		allow_repeats = $4,
		written = written AND raw_cells = $5 AND bom = $6,
		raw_cells = $5,
		bom = $6
	`
	args := []any{clean(j.File), string(j.OnUnknown), j.AllowRepeats, j.RawCells, j.BOM}
	if j.OutputHost == "" {
		set = strings.Replace(set, "written = written", "written = written AND output = $7 AND output_host = $8", 1)
		set += `, output = $7, output_host = $8`
		args = append(args, j.Output, t.l.host)
	}
	return t.updateJob(j.ID, set, args...)
}

// updateJob sets columns of the job, of which $1 is the number. Without such a job it is job.ErrNoJob.
func (l *Ledger) updateJob(jobID int64, doing, set string, args ...any) error {
	if err := l.writer.write(func(t *tx) error { return t.updateJob(jobID, set, args...) }); err != nil {
		return fmt.Errorf("%s job %d: %w", doing, jobID, err)
	}
	return nil
}

func (t *tx) updateJob(jobID int64, set string, args ...any) error {
	var host, output string
	err := t.row(`UPDATE {job} SET `+set+` WHERE id = $1 AND imported RETURNING output_host, output`, append([]any{jobID}, args...)...).
		Scan(&host, &output)
	if errors.Is(err, pgx.ErrNoRows) {
		return job.ErrNoJob
	}
	if err != nil {
		return err
	}
	return t.takeOutput(jobID, host, output)
}

// LinksFileChanges records that the job's links file is about to lag behind what is on record.
func (l *Ledger) LinksFileChanges(jobID int64) error {
	return l.updateJob(jobID, "begin to change", `written = FALSE`)
}

// LinksFileWritten records that the job's links file was written at path on this host, whole: path is the job's from now on, whatever
// other job wrote it before. A file beside the job's own output does not count as its links file.
func (l *Ledger) LinksFileWritten(jobID int64, path string) error {
	err := l.writer.write(func(t *tx) error {
		_, err := t.exec(`UPDATE {job} SET written = TRUE WHERE id = $1 AND output = $2 AND output_host = $3`, jobID, path, t.l.host)
		if err != nil {
			return err
		}
		_, err = t.exec(`
			INSERT INTO {links_file} (host, path, job_id)
			VALUES ($3, $2, $1)
			ON CONFLICT (host, path) DO UPDATE SET job_id = excluded.job_id
		`, jobID, path, t.l.host)
		return err
	})
	if err != nil {
		return fmt.Errorf("record the links file of job %d: %w", jobID, err)
	}
	return nil
}
