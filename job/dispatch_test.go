package job

import "testing"

// A row that is settled from the ledger alone says nothing of Clink.
func TestAnOutageOutlastsWhatNeedsNoRequest(t *testing.T) {
	for name, tt := range map[string]struct {
		end  turn
		over bool
	}{
		"settled from the ledger":      {turn{kind: turnSettled, verdict: Verdict{State: Duplicate}}, false},
		"waits for another job":        {turn{kind: turnWaits}, false},
		"withdrawn":                    {turn{kind: turnWithdrawn}, false},
		"settled by an answer":         {turn{kind: turnSettled, status: 200, verdict: Verdict{State: Duplicate}}, true},
		"waits in spite of an answer":  {turn{kind: turnWaits, status: 404}, true},
		"asked, and may be sent":       {turn{kind: turnAsked, status: 200}, true},
		"asked, without an answer":     {turn{kind: turnAsked, verdict: Verdict{Outcome: OutcomeUnknown}}, false},
		"sent, refused":                {turn{kind: turnSent, status: 422, verdict: Verdict{Outcome: OutcomeRejected, State: Failed}}, true},
		"sent, in doubt, not a probe":  {turn{kind: turnSent, verdict: Verdict{Outcome: OutcomeNotSent, State: Pending}}, false},
		"sent, asked for a slower way": {turn{kind: turnSent, status: 429, verdict: Verdict{Outcome: OutcomeThrottled, State: Pending}}, true},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDispatcher(Settings{Concurrency: 1, MaxAttempts: 5}, Job{OnUnknown: Retry}, func(Event) {})
			d.pace = outage()
			d.inFlight = 1
			tt.end.task = &task{item: &Item{}}
			d.ended(tt.end)
			if d.pace.outage() == tt.over || d.gate.outage.Load() == tt.over {
				t.Errorf("outage: %t, at the gate: %t", d.pace.outage(), d.gate.outage.Load())
			}
		})
	}
}
