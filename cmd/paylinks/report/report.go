// Package report prints jobs, and what came of them, for people and for programs.
package report

import (
	"encoding/json"
	"io"

	"paylinks/cmd/paylinks/words"
	"paylinks/job"
)

// ReadError is an error of the ledger.
type ReadError struct{ Err error }

func (e *ReadError) Error() string { return e.Err.Error() }
func (e *ReadError) Unwrap() error { return e.Err }

// WriteError means that JSON could not be written.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return "write to standard output: " + e.Err.Error() }
func (e *WriteError) Unwrap() error { return e.Err }

// WriteJSON writes the value as a line of JSON. The error is a *[WriteError].
func WriteJSON(to io.Writer, value any) error {
	encoder := json.NewEncoder(to)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return &WriteError{err}
	}
	return nil
}

// JobObject is a job for programs. Its keys are fixed; times are RFC 3339 in UTC, or "".
type JobObject struct {
	Job         int64           `json:"job"`
	File        string          `json:"file"`
	Environment job.Environment `json:"environment"`
	counts
	Output    string        `json:"output"`
	BaseURL   string        `json:"base_url"`
	OnUnknown job.Policy    `json:"on_unknown"`
	Open      int           `json:"open"`
	State     string        `json:"state"`
	StartedAt string        `json:"started_at"`
	LastRun   LastRunObject `json:"last_run"`
	Sender    *SenderObject `json:"sender,omitempty"`
}

type LastRunObject struct {
	BeganAt string   `json:"began_at"`
	EndedAt string   `json:"ended_at"`
	Stop    job.Stop `json:"stop"`
	Reason  string   `json:"reason"`
}

// JobKeys is what the help says of JobObject.
const JobKeys = `job, file, environment, rows, lines, created, duplicate, failed, invalid, unknown, pending, superseded, attempts,
possible_orphans, totals (of the amounts that have links, by currency), output, base_url, on_unknown, open, state, started_at,
last_run (began_at, ended_at, stop, reason; no end: it goes on, or was killed), and where several hosts share the ledger and
one has the job: sender (host, process, doing, since, lease_until, over)`

// JobOf is the job with its counts; made and expired are as Progress has them, sender is who has the job, if anybody is known to.
func JobOf(j job.Job, t job.Tally, made, expired int, sender *job.Sender) JobObject {
	return JobObject{
		Job: j.ID, File: j.File, Environment: j.Environment, counts: countsOf(j, t), Output: j.Output, BaseURL: j.BaseURL,
		OnUnknown: j.OnUnknown, Open: t.Open(), State: Progress(j, t, made, expired), StartedAt: words.Moment(j.CreatedAt),
		LastRun: LastRunObject{words.Moment(j.LastRun.Began), words.Moment(j.LastRun.Ended), j.LastRun.Stop, j.LastRun.Reason},
		Sender:  senderObject(sender),
	}
}

// Progress says in a word how far a job is, with so many failed rows that a later job has made and so many links that have expired.
func Progress(j job.Job, t job.Tally, made, expired int) string {
	switch {
	case t.Items[job.Pending]+t.Items[job.Sending] > 0 || j.Unwritten():
		return "unfinished"
	case t.Items[job.Unknown] > 0:
		return "in doubt"
	case t.Linked()+made < t.Rows():
		return "attention"
	case expired > 0:
		return "expired"
	}
	return "done"
}
