package job

import "testing"

// A row that is settled from the ledger alone says nothing of Clink.
func TestAnOutageOutlastsWhatNeedsNoRequest(t *testing.T) {
	for name, tt := range map[string]struct {
		end  result
		over bool
	}{
		"settled from the ledger":      {result{kind: resultSettled, decision: Decision{State: Duplicate}}, false},
		"waits for another job":        {result{kind: resultWaits}, false},
		"withdrawn":                    {result{kind: resultWithdrawn}, false},
		"settled by an answer":         {result{kind: resultSettled, status: 200, decision: Decision{State: Duplicate}}, true},
		"waits in spite of an answer":  {result{kind: resultWaits, status: 404}, true},
		"asked, and may be sent":       {result{kind: resultChecked, status: 200}, true},
		"asked, without an answer":     {result{kind: resultChecked, decision: Decision{Outcome: OutcomeUnknown}}, false},
		"sent, refused":                {result{kind: resultAttempted, status: 422, decision: Decision{Outcome: OutcomeRejected, State: Failed}}, true},
		"sent, in doubt, not a probe":  {result{kind: resultAttempted, decision: Decision{Outcome: OutcomeNotSent, State: Pending}}, false},
		"sent, asked for a slower way": {result{kind: resultAttempted, status: 429, decision: Decision{Outcome: OutcomeThrottled, State: Pending}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDispatcher(Settings{Concurrency: 1, MaxAttempts: 5}, Job{OnUnknown: Retry}, func(Event) {})
			d.pace = outage()
			d.inFlight = 1
			tt.end.task = &task{item: &Item{}}
			d.done(tt.end)
			if d.pace.outage() == tt.over || d.gate.outage.Load() == tt.over {
				t.Errorf("outage: %t, at the gate: %t", d.pace.outage(), d.gate.outage.Load())
			}
		})
	}
}
