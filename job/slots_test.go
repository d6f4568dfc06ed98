package job

import (
	"slices"
	"testing"
	"time"
)

// tenth is a block of ten slots from a time on, at 100 a second.
func tenth(from time.Duration) Block {
	return Block{Start: at(from), End: at(from + 100*ms), N: 10, Every: 10 * ms, PerSecond: 100}
}

// leaveIn lets requests leave in the slots, each so late after its slot, until there is none, and returns when.
func leaveIn(s *slots, from time.Duration, late func(int) time.Duration) []time.Duration {
	var left []time.Duration
	now := at(from)
	for i := 0; ; i++ {
		s.heardAt = now // no pause has begun
		wait := s.wait(now)
		if wait < 0 {
			return left
		}
		now = now.Add(wait).Add(late(i))
		if from, _, ok := s.next(now); !ok || from.After(now) {
			continue // the slot was lost while nobody took it
		}
		s.use()
		left = append(left, now.Sub(start))
	}
}

func TestEachSlotIsUsedOnce(t *testing.T) {
	s := newSlots(100)
	s.answered(at(0), tenth(50*ms))
	s.answered(at(0), tenth(400*ms))
	var want []time.Duration
	for i := range time.Duration(10) {
		want = append(want, 50*ms+i*10*ms)
	}
	for i := range time.Duration(10) {
		want = append(want, 400*ms+i*10*ms)
	}
	if left := leaveIn(s, 0, punctual); !slices.Equal(left, want) {
		t.Errorf("requests left at %v, want %v", left, want)
	}
}

// A slot is lost when two more are due, or after a tenth of a second, and in any case at the end of its block: what is caught up makes no
// second see more than a handful above the rate.
func TestAMissedSlotIsLost(t *testing.T) {
	for _, tt := range []struct {
		name  string
		block Block
		late  time.Duration
		want  int // slots that are left
	}{
		{"not late", tenth(0), 0, 10},
		{"by one slot", tenth(0), 10 * ms, 10},
		{"by two", tenth(0), 20 * ms, 10},
		{"by more than two", tenth(0), 21 * ms, 9},
		{"by half a block", tenth(0), 55 * ms, 6},
		{"the last one", tenth(0), 100 * ms, 2},
		{"all", tenth(0), 101 * ms, 0},
		{"a slow pace, in time", Block{Start: at(0), End: at(time.Second), N: 1, Every: time.Second, PerSecond: 1}, 100 * ms, 1},
		{"a slow pace, too late", Block{Start: at(0), End: at(time.Second), N: 1, Every: time.Second, PerSecond: 1}, 101 * ms, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSlots(tt.block.PerSecond)
			s.answered(at(0), tt.block)
			s.next(at(tt.late))
			left := 0
			if len(s.blocks) > 0 {
				left = s.blocks[0].N - s.used
			}
			if left != tt.want {
				t.Errorf("%d slots are left, want %d", left, tt.want)
			}
		})
	}
}

func TestWhenTheBudgetIsAsked(t *testing.T) {
	type step struct {
		at      time.Duration
		probing bool
		want    int // less than 0: it is not asked
	}
	one := Block{Start: at(500 * ms), End: at(1500 * ms), N: 1, Every: time.Second, PerSecond: 1}
	for _, tt := range []struct {
		name   string
		s      *slots
		blocks []Block
		steps  []step
	}{
		{"nothing is reserved", newSlots(100), nil, []step{{0, false, 10}}},
		{"one probe", newSlots(100), nil, []step{{0, true, 1}}},
		{"a slow pace", newSlots(3), nil, []step{{0, false, 1}}},
		{"without a limit", newSlots(0), nil, []step{{0, false, 1}}},
		{"one ahead when a block begins", newSlots(100), []Block{tenth(50 * ms)}, []step{{49 * ms, false, -1}, {50 * ms, false, 10}}},
		{"none ahead for a probe", newSlots(100), []Block{tenth(0)}, []step{{0, true, -1}}},
		{"no more than one ahead", newSlots(100), []Block{tenth(0), tenth(100 * ms)}, []step{{0, false, -1}}},
		{"whether there is a pause, before a slot that is far ahead", newSlots(1), []Block{one}, []step{{449 * ms, false, -1}, {450 * ms, false, 0}}},
		{"in the middle of a block without limit", newSlots(0), []Block{{Start: at(0), End: at(100 * ms), N: 1}},
			[]step{{49 * ms, false, -1}, {50 * ms, false, 1}}},
		{"in a long block without limit, when the news is old", newSlots(0), []Block{{Start: at(0), End: at(time.Second), N: 1}},
			[]step{{100 * ms, false, -1}, {101 * ms, false, 1}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, b := range tt.blocks {
				tt.s.answered(at(0), b)
			}
			for _, step := range tt.steps {
				n, due := tt.s.ask(at(step.at), step.probing)
				if !due {
					n = -1
				}
				if n != step.want {
					t.Errorf("after %s it asks for %d, want %d", step.at, n, step.want)
				}
			}
			tt.s.asking = true
			if _, due := tt.s.ask(at(time.Hour), false); due {
				t.Error("it asks twice at once")
			}
		})
	}
}

// What the budget said of a pause holds for a tenth of a second: nothing leaves by older news.
func TestNothingLeavesByOldNews(t *testing.T) {
	s := newSlots(1)
	s.answered(at(0), Block{Start: at(500 * ms), End: at(1500 * ms), N: 1, Every: time.Second, PerSecond: 1})
	if wait := s.wait(at(0)); wait != 450*ms {
		t.Errorf("waits %s for the look, want 450ms", wait)
	}
	s.asking = true
	if wait := s.wait(at(500 * ms)); wait >= 0 {
		t.Errorf("waits %s, want until the budget has answered", wait)
	}
	s.answered(at(510*ms), Block{PerSecond: 1})
	if wait := s.wait(at(510 * ms)); wait != 0 {
		t.Errorf("waits %s, want not at all", wait)
	}
}

// A run that cannot use its slots leaves them to others, and comes back to a tenth of a second.
func TestABlockShrinksToWhatIsUsed(t *testing.T) {
	s := newSlots(100)
	s.answered(at(0), tenth(0))
	s.use()
	s.use()
	if s.next(at(time.Second)); s.size != 2 {
		t.Fatalf("asks for %d after two of ten were used, want 2", s.size)
	}
	var sizes []int
	for n := range 4 {
		from := time.Duration(n+2) * time.Second
		s.answered(at(from), Block{Start: at(from), End: at(from + 100*ms), N: 1, Every: 10 * ms, PerSecond: 100})
		s.use()
		s.next(at(from))
		sizes = append(sizes, s.size)
	}
	if want := []int{4, 8, 10, 10}; !slices.Equal(sizes, want) {
		t.Errorf("asks for %v, want %v", sizes, want)
	}
}

func TestABlockWithoutLimit(t *testing.T) {
	s := newSlots(0)
	s.answered(at(0), Block{Start: at(0), End: at(100 * ms), N: 1})
	for range 1000 {
		if wait := s.wait(at(50 * ms)); wait != 0 {
			t.Fatalf("waits %s", wait)
		}
		s.use()
	}
	if wait := s.wait(at(101 * ms)); wait >= 0 {
		t.Errorf("waits %s after its end, want until the budget has answered", wait)
	}
}
