package main

import (
	"math/big"
	"testing"

	"paylinks/job"
)

// TestDescribeAll guards that a person who is asked before production is told what would be sent.
func TestDescribeAll(t *testing.T) {
	tally := job.NewTally()
	tally.Add(job.Pending, "EUR", 60, big.NewInt(1_234_500_000))
	tally.Add(job.Pending, "USD", 4, big.NewInt(40_000))
	file := &intake{figures: figures{tally: tally}}
	resumed := &intake{known: &job.Job{}}
	for _, tt := range []struct {
		name    string
		intakes []*intake
		limit   int
		want    string
	}{
		{"a file", []*intake{file}, -1, "create 64 links, EUR 123,450.00, USD 4.00"},
		{"a canary", []*intake{file}, 2, "create at most 2 of 64 links, EUR 123,450.00, USD 4.00 in all"},
		{"a limit that is not reached", []*intake{file}, 64, "create 64 links, EUR 123,450.00, USD 4.00"},
		{"a job that goes on", []*intake{resumed}, 2, "go on with 1 job"},
		{"both", []*intake{file, resumed}, -1, "create 64 links, EUR 123,450.00, USD 4.00, go on with 1 job"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := describeAll(tt.intakes, tt.limit); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}
