// Package contents is what a ledger has on record, apart from how it keeps it: for moving all of it from one ledger to another.
//
// Jobs keep their numbers. Items are named by their job and their place in it, since each ledger numbers them its own way. What a ledger
// knows of processes that send is not part of it.
package contents

import (
	"iter"
	"strings"
	"time"
	"unicode/utf8"
)

// Tables are all that a ledger has on record, from one moment. They are ranged over once each, in this order. Items come by job and place,
// lines by the item that they stand behind and their row, attempts by their item and number.
type Tables struct {
	Jobs       iter.Seq2[Job, error]
	LinksFiles iter.Seq2[LinksFile, error]
	Paces      iter.Seq2[Pace, error]
	Items      iter.Seq2[Item, error]
	Lines      iter.Seq2[Line, error]
	Attempts   iter.Seq2[Attempt, error]
}

// Job is a job whose import has come to its end. Times are in UTC and to the millisecond; zero is none.
type Job struct {
	ID           int64
	Identity     []byte
	File         string
	FileDigest   []byte
	Environment  string
	BaseURL      string
	Options      string
	Columns      string // JSON
	Delimiter    string
	OnUnknown    string
	Adopted      bool
	AllowRepeats bool
	RawCells     bool
	BOM          bool
	Output       string
	OutputHost   string // "" where Output is no path
	CreatedAt    time.Time
	Ran          int64
	RanAt        time.Time
	EndedAt      time.Time
	Stopped      string
	StopReason   string
	RejectedFrom *int64
	RefreshedAt  time.Time
	PurgedAt     time.Time
	Salt         string
	Written      bool
	FurtherLines int64
}

// LinksFile is a path of a host where a job last wrote its links file.
type LinksFile struct {
	Host string
	Path string
	Job  int64
}

// Pace is the rate that all senders at an address share.
type Pace struct {
	Environment string
	BaseURL     string
	PerSecond   float64
	Reduced     float64
	Since       time.Time
	PausedFrom  time.Time
	PausedUntil time.Time
	Streak      int64
}

// Item is an invoice inside a job. Place is 1 for the job's first.
type Item struct {
	Job, Place  int64
	Row         int64
	State       string
	Invoice     []byte // nil: none
	InvoiceID   string
	Reference   string
	Currency    string
	Amount      int64 // 1/10,000 of the currency's major unit
	Attempts    int64
	UnknownEnds int64
	SuspectEnds int64
	SessionID   string
	URL         string
	ExpiresAt   time.Time
	CreatedAt   time.Time
	LinkStatus  string
	CheckedAt   time.Time
	CustomerID  string
	GivenUp     bool
	ErrorCode   string
	Error       string
	Request     string // JSON
	Cells       string // JSON
}

// Line is a further row of an invoice. It stands behind the item with this place.
type Line struct {
	Job, Place int64
	Row        int64
	Item       int64  // the place of its invoice's
	Cells      string // JSON
}

// Attempt is a POST for an item that has ended.
type Attempt struct {
	Job, Place int64
	Number     int64
	SentAt     time.Time
	EndedAt    time.Time
	Outcome    string
	Status     int64
	Code       string
	Message    string
	SessionID  string
	Replaced   time.Time
}

// IsPath says whether a job's output is a path, which belongs to a host.
func IsPath(output string) bool { return output != "" && output != "-" }

// Form is what a ledger can keep.
type Form struct {
	Host  string // whose output paths it keeps; "": those of all hosts
	Texts bool   // texts must be UTF-8 without NUL, as a database wants them
	Paces bool   // it has a pace that senders share
}

// Left is an output that a ledger of the form cannot keep.
type Left struct {
	Job  int64
	Host string
	Path string
}

// In are the tables as a ledger of this form can keep them. left is called for each job that has no output there.
func (t Tables) In(form Form, left func(Left)) Tables {
	in := t
	in.Jobs = changed(t.Jobs, func(j *Job) bool {
		if IsPath(j.Output) && !form.keeps(j.OutputHost, j.Output) {
			left(Left{j.ID, j.OutputHost, j.Output})
			j.Output, j.OutputHost, j.Written = "", "", false
		}
		form.clean(&j.File, &j.StopReason)
		return true
	})
	in.LinksFiles = changed(t.LinksFiles, func(f *LinksFile) bool { return form.keeps(f.Host, f.Path) })
	in.Paces = changed(t.Paces, func(*Pace) bool { return form.Paces })
	in.Items = changed(t.Items, func(i *Item) bool {
		form.clean(&i.ErrorCode, &i.Error)
		return true
	})
	in.Attempts = changed(t.Attempts, func(a *Attempt) bool {
		form.clean(&a.Code, &a.Message)
		return true
	})
	return in
}

func (f Form) keeps(host, path string) bool {
	return (f.Host == "" || f.Host == host) && (!f.Texts || path == clean(path))
}

// clean changes words that are for people to read: of a path, or of what a server said. What is sent never has such bytes.
func (f Form) clean(texts ...*string) {
	for _, text := range texts {
		if f.Texts {
			*text = clean(*text)
		}
	}
}

func clean(text string) string {
	if utf8.ValidString(text) && strings.IndexByte(text, 0) < 0 {
		return text
	}
	return strings.ToValidUTF8(strings.ReplaceAll(text, "\x00", "\uFFFD"), "\uFFFD")
}

// Failing are the tables; an error in reading them is what fail makes of it.
func (t Tables) Failing(fail func(error) error) Tables {
	return Tables{
		Jobs: failing(t.Jobs, fail), LinksFiles: failing(t.LinksFiles, fail), Paces: failing(t.Paces, fail), Items: failing(t.Items, fail),
		Lines:    failing(t.Lines, fail),
		Attempts: failing(t.Attempts, fail),
	}
}

func failing[T any](rows iter.Seq2[T, error], fail func(error) error) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for row, err := range rows {
			if err != nil {
				err = fail(err)
			}
			if !yield(row, err) {
				return
			}
		}
	}
}

// changed yields what is kept, as change leaves it.
func changed[T any](rows iter.Seq2[T, error], change func(*T) (kept bool)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for row, err := range rows {
			if err != nil {
				yield(row, err)
				return
			}
			if change(&row) && !yield(row, nil) {
				return
			}
		}
	}
}
