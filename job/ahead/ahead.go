// Package ahead lets an iterator work in a goroutine of its own, so that making values and using them share two cores.
package ahead

import "iter"

// Of yields what seq yields, in its order. seq runs in a goroutine of its own and is ahead by two values at most: the one
// it is about to hand over, and one that waits. When a range over it ends, early or not, seq has returned. Where seq
// panics, the range does.
func Of[T any](seq iter.Seq[T]) iter.Seq[T] {
	return func(yield func(T) bool) {
		values, stop := make(chan T, 1), make(chan struct{})
		var cause any
		go func() {
			defer close(values)
			defer func() { cause = recover() }()
			seq(func(value T) bool {
				select {
				case <-stop:
					return false
				case values <- value:
					return true
				}
			})
		}()
		defer func() {
			close(stop)
			for range values { // until seq has returned
			}
			if cause != nil {
				panic(cause)
			}
		}()
		for value := range values {
			if !yield(value) {
				return
			}
		}
	}
}
