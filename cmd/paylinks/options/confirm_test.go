package options

import (
	"math/big"
	"testing"

	"paylinks/job"
	"paylinks/job/intake"
)

// TestDescribeAll guards that a person who is asked before production is told what would be sent.
func TestDescribeAll(t *testing.T) {
	tally := job.NewTally()
	tally.Add(job.Pending, "EUR", 60, big.NewInt(1_234_500_000))
	tally.Add(job.Pending, "USD", 4, big.NewInt(40_000))
	file := &intake.File{Figures: &intake.Figures{Tally: tally}}
	resumed := &intake.File{Known: &job.Job{}}
	for _, tt := range []struct {
		name  string
		files []*intake.File
		limit int
		want  string
	}{
		{"a file", []*intake.File{file}, -1, "create 64 links, EUR 123,450.00, USD 4.00"},
		{"a canary", []*intake.File{file}, 2, "create at most 2 of 64 links, EUR 123,450.00, USD 4.00 in all"},
		{"a limit that is not reached", []*intake.File{file}, 64, "create 64 links, EUR 123,450.00, USD 4.00"},
		{"a job that goes on", []*intake.File{resumed}, 2, "go on with 1 job"},
		{"both", []*intake.File{file, resumed}, -1, "create 64 links, EUR 123,450.00, USD 4.00, go on with 1 job"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := DescribeAll(tt.files, tt.limit); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
