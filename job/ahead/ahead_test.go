package ahead_test

import (
	"errors"
	"iter"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"paylinks/job/ahead"
)

// upTo yields 1 to n, and says how many it has begun to hand over and whether it has returned.
func upTo(n int, begun *atomic.Int64, returned *atomic.Bool) iter.Seq[int] {
	return func(yield func(int) bool) {
		defer returned.Store(true)
		for i := 1; i <= n; i++ {
			begun.Add(1)
			if !yield(i) {
				return
			}
		}
	}
}

func TestOrder(t *testing.T) {
	var begun atomic.Int64
	var returned atomic.Bool
	got := slices.Collect(ahead.Of(upTo(1000, &begun, &returned)))
	want := slices.Collect(upTo(1000, &begun, &returned))
	if !slices.Equal(got, want) {
		t.Errorf("%d values, not those of 1 to 1000 in their order", len(got))
	}
	for range ahead.Of(upTo(0, &begun, &returned)) {
		t.Error("a value of none")
	}
}

// What is made ahead stays little, whatever the number of values.
func TestBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun atomic.Int64
		var returned atomic.Bool
		for i := range ahead.Of(upTo(10, &begun, &returned)) {
			synctest.Wait()
			if n, want := int(begun.Load()), min(i+2, 10); n != want {
				t.Errorf("at value %d it is at %d, want %d", i, n, want)
			}
		}
	})
}

// Who stops early can let go of what seq has used: it has returned.
func TestLeftEarly(t *testing.T) {
	for n := range 5 {
		var begun atomic.Int64
		var returned atomic.Bool
		for i := range ahead.Of(upTo(1000, &begun, &returned)) {
			if i > n {
				break
			}
		}
		if !returned.Load() {
			t.Error("seq goes on")
		}
	}
}

func TestPanics(t *testing.T) {
	panicked := func(do func()) (cause any) {
		defer func() { cause = recover() }()
		do()
		return nil
	}
	var begun atomic.Int64
	var returned atomic.Bool
	broken := func(yield func(int) bool) {
		yield(1)
		panic("broken")
	}
	last := 0
	if cause := panicked(func() {
		for i := range ahead.Of(broken) {
			last = i
		}
	}); cause != "broken" || last != 1 {
		t.Errorf("seq has panicked, and the range has after value %d: %v", last, cause)
	}
	if cause := panicked(func() {
		for range ahead.Of(upTo(1000, &begun, &returned)) {
			panic("used up")
		}
	}); cause != "used up" || !returned.Load() {
		t.Errorf("the range has panicked: %v, seq has returned: %t", cause, returned.Load())
	}
}

func TestInBatches(t *testing.T) {
	last := errors.New("no more")
	values := func(n int, begun *int) iter.Seq2[int, error] {
		return func(yield func(int, error) bool) {
			for *begun = 1; *begun <= n; *begun++ {
				if !yield(*begun, nil) {
					return
				}
			}
			yield(0, last)
		}
	}
	one := func(int) int { return 1 }
	for _, n := range []int{0, 1, 255, 256, 257, 511, 512, 10_000} {
		var begun, got int
		var err error
		for value, e := range ahead.InBatches(values(n, &begun), one) {
			if got++; e == nil && value != got {
				t.Fatalf("of %d: value %d at place %d", n, value, got)
			}
			err = e
		}
		if got != n+1 || err != last {
			t.Errorf("of %d: %d values, and then %v", n, got-1, err)
		}
	}
	for name, size := range map[string]func(int) int{"small": one, "large": func(int) int { return 1 << 20 }} {
		t.Run("left early, "+name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				most := 3 * 256
				if name == "large" {
					most = 3
				}
				var begun int
				for range ahead.InBatches(values(10_000, &begun), size) {
					synctest.Wait()
					break
				}
				if begun > most {
					t.Errorf("%d were made for one, want at most %d", begun, most)
				}
			})
		})
	}
}
