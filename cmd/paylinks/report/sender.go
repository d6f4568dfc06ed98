package report

import (
	"fmt"
	"slices"

	"paylinks/cmd/paylinks/words"
	"paylinks/job"
)

// SenderObject is a process that has a job, for programs. Its keys are fixed.
type SenderObject struct {
	Host       string `json:"host"`
	Process    int    `json:"process"`
	Doing      string `json:"doing"`
	Since      string `json:"since"`
	LeaseUntil string `json:"lease_until"`
	Over       bool   `json:"over"`
}

func senderObject(s *job.Sender) *SenderObject {
	if s == nil {
		return nil
	}
	return &SenderObject{s.Host, s.Process, s.Doing, words.Moment(s.Since), words.Moment(s.LeaseUntil), s.Over}
}

// SenderOf is the one that has the job, or nil.
func SenderOf(senders []job.Sender, jobID int64) *job.Sender {
	for i := range senders {
		if slices.Contains(senders[i].Jobs, jobID) {
			return &senders[i]
		}
	}
	return nil
}

// SenderCell says in a table who has a job.
func SenderCell(s *job.Sender) string {
	switch {
	case s == nil:
		return "-"
	case s.Over:
		return fmt.Sprintf("%s since %s, lease over", words.Printable(s.Host), words.Moment(s.Since))
	}
	return fmt.Sprintf("%s since %s", words.Printable(s.Host), words.Moment(s.Since))
}

// senderWords say who sends the job, and how to go on where that one is gone.
func senderWords(s job.Sender, jobID int64, flags string) string {
	if s.Over {
		return fmt.Sprintf("its sender on %s is gone since %s: paylinks resume %d%s takes it over", words.Printable(s.Host), words.Moment(s.LeaseUntil), jobID, flags)
	}
	return fmt.Sprintf("sent by %s, lease until %s", words.Printable(s.String()), words.Moment(s.LeaseUntil))
}
