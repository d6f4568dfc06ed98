package job

import (
	"math"
	"slices"
	"testing"
	"time"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const ms = time.Millisecond

func at(d time.Duration) time.Time { return start.Add(d) }

// leave lets n requests leave, each late after its slot, and returns when they left, since the start.
func leave(p *pace, from time.Duration, n int, late func(int) time.Duration) []time.Duration {
	var left []time.Duration
	now := at(from)
	for i := range n {
		now = now.Add(p.wait(now, 0)).Add(late(i))
		p.sent(now)
		left = append(left, now.Sub(start))
	}
	return left
}

func punctual(int) time.Duration { return 0 }

// near allows for the nanoseconds that a rate in floating point is off.
func near(a, b time.Duration) bool { return (a - b).Abs() < time.Microsecond }

func checkGaps(t *testing.T, left []time.Duration, want time.Duration) {
	t.Helper()
	for i := 1; i < len(left); i++ {
		if gap := left[i] - left[i-1]; !near(gap, want) {
			t.Fatalf("request %d left %s after the one before, want %s", i, gap, want)
		}
	}
}

func TestPaceIsSmooth(t *testing.T) {
	p := newPace(100)
	first := leave(p, 0, 50, punctual)
	checkGaps(t, first, 10*ms)
	t.Run("after idleness", func(t *testing.T) {
		checkGaps(t, leave(p, time.Hour, 50, punctual), 10*ms)
	})
	t.Run("after a pause", func(t *testing.T) {
		now := at(2 * time.Hour)
		p.sent(now)
		p.throttled(now.Add(ms), now, time.Second)
		left := leave(p, now.Sub(start)+2*ms, 3, punctual)
		if want := now.Sub(start) + ms + time.Second; left[0] != want {
			t.Errorf("the first request left at %s, want %s", left[0], want)
		}
		for i, gap := range []time.Duration{left[1] - left[0], left[2] - left[1]} {
			if gap < 19*ms || gap > 20*ms+time.Microsecond {
				t.Errorf("gap %d is %s at half the rate of 100, want 20ms", i, gap)
			}
		}
	})
}

func TestPaceDoesNotDrift(t *testing.T) {
	for name, late := range map[string]func(int) time.Duration{
		"a little late":              func(int) time.Duration { return ms },
		"by turns late and punctual": func(i int) time.Duration { return time.Duration(i%2) * 9 * ms },
	} {
		t.Run(name, func(t *testing.T) {
			left := leave(newPace(100), 0, 1001, late)
			if took := left[1000] - left[0]; (took - 10*time.Second).Abs() > 10*ms {
				t.Errorf("1000 requests took %s at 100 a second", took)
			}
		})
	}
}

func TestPaceCatchesUpOneRequestAtMost(t *testing.T) {
	left := leave(newPace(100), 0, 6, func(i int) time.Duration {
		if i == 2 {
			return 90 * ms
		}
		return 0
	})
	want := []time.Duration{0, 10 * ms, 110 * ms, 110 * ms, 120 * ms, 130 * ms}
	if !slices.EqualFunc(left, want, near) {
		t.Errorf("requests left at %v, want %v", left, want)
	}
}

func TestPaceWithoutALimit(t *testing.T) {
	p := newPace(0)
	checkGaps(t, leave(p, 0, 1000, punctual), 0)
	p.throttled(at(time.Second), at(0), 5*time.Second)
	if got := p.wait(at(2*time.Second), 0); got != 4*time.Second {
		t.Errorf("waits %s, want 4s: it pauses all the same", got)
	}
	checkGaps(t, leave(p, 6*time.Second, 1000, punctual), 0)
}

func checkRate(t *testing.T, p *pace, at time.Time, want float64) {
	t.Helper()
	if got := float64(p.rate(at)); math.Abs(got-want) > 1e-9 {
		t.Errorf("%s after the start the rate is %g, want %g", at.Sub(start), got, want)
	}
}

func TestABurstOfThrottlingsHalvesTheRateOnce(t *testing.T) {
	p := newPace(8)
	p.throttled(at(10*time.Second), at(9*time.Second), 7*time.Second)
	p.throttled(at(11*time.Second), at(9*time.Second), 7*time.Second)
	p.throttled(at(12*time.Second), at(10*time.Second), 2*time.Second)
	checkRate(t, p, at(18*time.Second), 4)
	if got := p.wait(at(12*time.Second), 0); got != 6*time.Second {
		t.Errorf("waits %s, want 6s: the longest pause counts", got)
	}
	p.throttled(at(18*time.Second), at(18*time.Second), time.Second)
	checkRate(t, p, at(19*time.Second), 2)
}

func TestTheRateRecoversInAStraightLine(t *testing.T) {
	p := newPace(8)
	p.throttled(at(0), at(-time.Second), 10*time.Second)
	for after, want := range map[time.Duration]float64{
		0: 4, 7500 * ms: 5, 15 * time.Second: 6, 22500 * ms: 7, 30 * time.Second: 8, time.Hour: 8,
	} {
		checkRate(t, p, at(10*time.Second+after), want)
	}
	p.throttled(at(25*time.Second), at(24*time.Second), 10*time.Second) // at 6 a second
	checkRate(t, p, at(35*time.Second), 3)
	checkRate(t, p, at(50*time.Second), 5)
}

func TestTheRateHasAFloor(t *testing.T) {
	p := newPace(64)
	now := start
	for range 20 {
		p.throttled(now, now, time.Second)
		now = now.Add(time.Second)
	}
	checkRate(t, p, now, 1)
}

func TestPausesForWhichClinkNamesNoTime(t *testing.T) {
	p := newPace(0)
	now := start
	var pauses []time.Duration
	throttled := func(retryAfter time.Duration) {
		sent := now
		p.throttled(now, sent, retryAfter)
		pauses = append(pauses, p.wait(now, 0))
		now = p.pausedUntil
	}
	for range 8 {
		throttled(0)
	}
	throttled(3 * time.Second)
	throttled(0)
	throttled(0)
	p.answered()
	throttled(0)
	s := time.Second
	want := []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s, 60 * s, 3 * s, s, 2 * s, s}
	if !slices.Equal(pauses, want) {
		t.Errorf("pauses of %v, want %v", pauses, want)
	}
}

func TestABurstForWhichClinkNamesNoTimeIsOnePause(t *testing.T) {
	p := newPace(0)
	for range 16 {
		p.throttled(at(100*ms), at(0), 0)
	}
	if got := p.wait(at(100*ms), 0); got != time.Second {
		t.Errorf("waits %s, want 1s", got)
	}
}

// outage is a pace that has seen the ends which make an outage, the last of them at the start.
func outage() *pace {
	p := newPace(0)
	for range outageAfter {
		p.missed(start, false)
	}
	return p
}

func TestAnOutageBeginsAfterTenEndsInARow(t *testing.T) {
	p := newPace(0)
	for range outageAfter - 1 {
		p.missed(start, false)
	}
	p.answered()
	for range outageAfter - 1 {
		p.missed(start, false)
	}
	if p.outage() || p.wait(start, 5) != 0 {
		t.Fatal("an outage after nine ends in a row")
	}
	p.missed(start, false)
	if !p.outage() {
		t.Fatal("no outage after ten ends in a row")
	}
	if got := p.wait(start, 1); got >= 0 {
		t.Errorf("with a request in flight the probe waits %s, want until that has ended", got)
	}
	if got := p.wait(start, 0); got != time.Second {
		t.Errorf("the first probe waits %s, want 1s", got)
	}
}

func TestProbesDoubleToAMinute(t *testing.T) {
	p, now := outage(), start
	var waits []time.Duration
	for range 8 {
		waits = append(waits, p.wait(now, 0))
		now = now.Add(p.wait(now, 0) + 30*time.Second) // the probe's own timeout
		p.missed(now, true)
	}
	s := time.Second
	want := []time.Duration{s, 2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s, 60 * s}
	if !slices.Equal(waits, want) {
		t.Errorf("probes after %v, want %v", waits, want)
	}
}

func TestLateEndsDoNotPutTheProbeOff(t *testing.T) {
	p := outage()
	for range 15 {
		p.missed(at(500*ms), false)
	}
	if got := p.wait(at(500*ms), 0); got != 500*ms {
		t.Errorf("the probe waits %s more, want 500ms", got)
	}
}

func TestAnyAnswerEndsAnOutage(t *testing.T) {
	for name, answer := range map[string]func(*pace){
		"an answer":    func(p *pace) { p.answered() },
		"a throttling": func(p *pace) { p.throttled(at(time.Second), at(time.Second), time.Second) },
	} {
		t.Run(name, func(t *testing.T) {
			p := outage()
			p.missed(at(time.Second), true)
			answer(p)
			if p.outage() || p.wait(at(2*time.Second), 5) != 0 {
				t.Error("the outage goes on")
			}
			for range outageAfter {
				p.missed(at(3*time.Second), false)
			}
			if got := p.wait(at(3*time.Second), 0); got != time.Second {
				t.Errorf("the next outage's first probe waits %s, want 1s", got)
			}
		})
	}
}

func TestGiveUp(t *testing.T) {
	p := newPace(0)
	check := func(now time.Time, want time.Duration, wantOK bool) {
		t.Helper()
		if left, ok := p.giveUp(now, time.Minute); left != want || ok != wantOK {
			t.Errorf("%s after the start: %s, %t; want %s, %t", now.Sub(start), left, ok, want, wantOK)
		}
	}
	check(at(time.Hour), 0, false)
	p.missed(at(0), false)
	p.throttled(at(10*time.Second), at(10*time.Second), time.Second)
	p.answered() // to a question that moved no row
	check(at(20*time.Second), 40*time.Second, true)
	check(at(time.Minute), 0, true)
	check(at(time.Hour), 0, true)
	if _, ok := p.giveUp(at(time.Hour), 0); ok {
		t.Error("gives up without a bound")
	}
	p.moved()
	check(at(time.Hour), 0, false)
	p.throttled(at(time.Hour), at(time.Hour), time.Second)
	check(at(time.Hour+10*time.Second), 50*time.Second, true)
}
