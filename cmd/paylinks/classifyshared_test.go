package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/pflag"

	"paylinks/job"
	"paylinks/job/engine"
)

// Each error that only a ledger in a database has ends the command with its status, and says what to do.
func TestErrorsOfASharedLedger(t *testing.T) {
	for _, tt := range []struct {
		err  error
		want int
		hint string
	}{
		{job.ErrFailedOver, exitLedger, "paylinks resume --after-failover"},
		{job.ErrReadOnly, exitLedger, "read-only replica"},
		{job.ErrDenied, exitLedger, "which rights the role needs"},
		{job.ErrUnreachable, exitLedger, "when the database answers again"},
		{job.ErrUntrusted, exitLedger, "sslrootcert"},
		{job.ErrDropped, exitLedger, "put the ledger back"},
		{job.ErrUnsafe, exitConfig, "fsync"},
		{job.ErrLeases, exitUnfinished, "no sender any more"},
		{job.ErrFenced, exitUnfinished, "goes on"},
		{job.ErrPastDeadline, exitUnfinished, "run again"},
		{&job.TransferError{State: job.TransferMoved, Other: "/srv/a ledger.db"}, exitConfig, "--ledger '/srv/a ledger.db'"},
		{&job.TransferError{State: job.TransferMoving, Other: "x"}, exitConfig, "--cancel"},
		{&job.TransferError{State: job.TransferFilling, Other: "x"}, exitConfig, "--cancel"},
		{&job.VersionError{Found: 2, Known: 1}, exitLedger, "newer paylinks"},
		{&job.HeldError{JobID: 7, Holder: "paylinks resume (process 1 on b)"}, exitUnfinished, "wait until that has ended"},
	} {
		f := classify(fmt.Errorf("open ledger postgres://db/x: %w", tt.err))
		if f.status != tt.want || !strings.Contains(f.hint, tt.hint) {
			t.Errorf("%v: status %d, hint %q; want %d and %q", f, f.status, f.hint, tt.want, tt.hint)
		}
	}
	if said := classify(&job.HeldError{JobID: 7, Holder: "paylinks resume (process 1 on b)"}).Error(); said != "job 7 is being sent by paylinks resume (process 1 on b)" {
		t.Error(said)
	}
}

// A rate that a person has said holds for all senders, from the moment when it was said: a command with many jobs does not say it again
// with each of them, over what others have said since.
func TestARateIsGivenOnce(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	var o sendOptions
	o.addPace(flags)
	here, there := engine.Target{BaseURL: "https://a.example.com"}, engine.Target{BaseURL: "https://b.example.com"}
	if o.rateGiven(here) {
		t.Error("the default is nobody's word")
	}
	if err := flags.Set("rate", "10"); err != nil {
		t.Fatal(err)
	}
	if !o.rateGiven(here) || o.rateGiven(here) || !o.rateGiven(there) {
		t.Error("not once for each address")
	}
}
