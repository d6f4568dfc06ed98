package options

import (
	"testing"

	"github.com/spf13/pflag"

	"paylinks/job/engine"
)

// A rate that a person has said holds for all senders, from the moment when it was said: a command with many jobs does not say it again
// with each of them, over what others have said since.
func TestARateIsGivenOnce(t *testing.T) {
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	var o Send
	o.AddPace(flags)
	here, there := engine.Target{BaseURL: "https://a.example.com"}, engine.Target{BaseURL: "https://b.example.com"}
	if o.RateGiven(here) {
		t.Error("the default is nobody's word")
	}
	if err := flags.Set("rate", "10"); err != nil {
		t.Fatal(err)
	}
	if !o.RateGiven(here) || o.RateGiven(here) || !o.RateGiven(there) {
		t.Error("not once for each address")
	}
}
