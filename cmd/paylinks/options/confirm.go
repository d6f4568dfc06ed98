package options

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"strings"

	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/words"
	"paylinks/job"
	"paylinks/job/intake"
)

// Confirm asks a person before real money is meant; see Send.CheckProduction for who is not at a terminal.
func Confirm(ctx context.Context, yes bool, environment job.Environment, what string, s Streams) error {
	if yes || environment != job.Production || what == "" {
		return nil
	}
	fmt.Fprintf(s.Err, "production: %s? type yes to go on: ", what)
	answer := make(chan string, 1)
	go func() {
		line, _ := bufio.NewReader(io.LimitReader(s.In, 100)).ReadString('\n')
		answer <- line
	}()
	select {
	case line := <-answer:
		if strings.TrimSpace(line) == "yes" {
			return nil
		}
	case <-ctx.Done():
		fmt.Fprintln(s.Err)
		return exit.Failf(exit.Interrupted, "interrupted: nothing was sent")
	}
	return exit.Failf(exit.Usage, "not confirmed: nothing was sent").WithHint("type yes in full, or say --yes")
}

// DescribeAll sums up for the question before production what would be sent; a limit below 1 is none.
func DescribeAll(files []*intake.File, limit int) string {
	tally := job.NewTally()
	resumed := 0
	for _, f := range files {
		if f.Known != nil {
			resumed++
			continue
		}
		tally.Merge(f.Figures.Tally)
	}
	var parts []string
	if n := tally.Items[job.Pending]; n > 0 {
		links, totals := words.Count(n, "link"), words.Amounts(tally.Totals(job.Pending))
		if limit > 0 && limit < n {
			links, totals = fmt.Sprintf("at most %s of %s", words.Grouped(limit), links), totals+" in all"
		}
		parts = append(parts, "create "+links, totals)
	}
	if resumed > 0 {
		parts = append(parts, "go on with "+words.Count(resumed, "job"))
	}
	return strings.Join(parts, ", ")
}
