package job

import "time"

const (
	blockLength = 100 * time.Millisecond // of a budget, at its rate
	budgetFresh = 100 * time.Millisecond // for so long a run relies on what the budget last said of a pause
	lateSlots   = 2                      // a slot that is missed by the time of so many is lost, so that a second sees no burst
)

// slots are the sends that a run has reserved from a [Budget]: the block in use, and one ahead. It is given the time and never waits
// itself.
type slots struct {
	blocks    []Block
	used      int       // slots of the first block that were used or lost
	lost      int       // of these
	size      int       // how many to ask for at once, at most; it shrinks while the run cannot use them
	perSecond float64   // as the budget last said; 0 is no limit
	heardAt   time.Time // when it did
	asking    bool      // an answer is on its way
}

func newSlots(perSecond float64) *slots {
	s := &slots{perSecond: perSecond}
	s.size = s.most()
	return s
}

// most is how many slots a block has at the rate.
func (s *slots) most() int { return max(1, int(s.perSecond*blockLength.Seconds())) }

// next is from when and until when the next request may leave; without a slot it is not ok. What is over is dropped.
func (s *slots) next(now time.Time) (from, until time.Time, ok bool) {
	for len(s.blocks) > 0 {
		b := s.blocks[0]
		if b.Every == 0 && b.N > 0 && !now.After(b.End) {
			return b.Start, b.End, true
		}
		for b.Every > 0 && s.used < b.N {
			from = b.Start.Add(time.Duration(s.used) * b.Every)
			until = from.Add(min(idle, lateSlots*b.Every))
			if until.After(b.End) {
				until = b.End
			}
			if !now.After(until) {
				return from, until, true
			}
			s.used++
			s.lost++
		}
		s.endBlock()
	}
	return from, until, false
}

// endBlock drops the first block. The next one to be asked for has no more slots than this one was used for, where some were lost:
// others can use them.
func (s *slots) endBlock() {
	if s.lost > 0 {
		s.size = max(1, s.blocks[0].N-s.lost)
	} else {
		s.size = min(2*s.size, s.most())
	}
	s.blocks, s.used, s.lost = s.blocks[1:], 0, 0
}

// use notes that a request leaves in the next slot.
func (s *slots) use() {
	if len(s.blocks) > 0 && s.blocks[0].Every > 0 {
		s.used++
	}
}

// stale says whether a pause could have begun that this run does not know of.
func (s *slots) stale(at time.Time) bool { return at.After(s.heardAt.Add(budgetFresh)) }

// wait is how long the next request must wait; less than 0 is until the budget has answered.
func (s *slots) wait(now time.Time) time.Duration {
	from, _, ok := s.next(now)
	switch look := from.Add(-budgetFresh / 2); {
	case !ok, !from.After(now) && s.stale(now):
		return -1
	case s.stale(from) && now.Before(look):
		return look.Sub(now)
	}
	return max(0, from.Sub(now))
}

// until is when the slot of a request that may leave now is lost.
func (s *slots) until(now time.Time) time.Time {
	_, until, _ := s.next(now)
	if fresh := s.heardAt.Add(budgetFresh); fresh.Before(until) {
		until = fresh
	}
	return until
}

// ask is how many slots the budget is to be asked for now, where that is due; 0 is only whether there is a pause. A run that probes wants
// one, and none ahead.
func (s *slots) ask(now time.Time, probing bool) (n int, due bool) {
	if s.asking {
		return 0, false
	}
	n = min(s.size, s.most())
	if probing {
		n = 1
	}
	from, until, ok := s.next(now)
	switch {
	case !ok:
		return n, true
	case s.blocks[0].Every == 0:
		return n, !now.Before(from.Add(until.Sub(from)/2)) || s.stale(now)
	case len(s.blocks) == 1 && !probing && !now.Before(s.blocks[0].Start):
		return n, true
	}
	return 0, s.stale(from) && !now.Before(from.Add(-budgetFresh/2)) || s.stale(now) && !from.After(now)
}

// answered takes a block of the budget.
func (s *slots) answered(now time.Time, b Block) {
	s.asking, s.heardAt, s.perSecond = false, now, b.PerSecond
	switch {
	case b.N == 0:
	case b.Every == 0: // it takes the place of what was reserved
		s.blocks, s.used, s.lost = []Block{b}, 0, 0
	default:
		s.blocks = append(s.blocks, b)
	}
}
