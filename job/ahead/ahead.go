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

// A batch is handed over when it has so many values, or so much in them.
const (
	batchMost = 256
	batchSize = 256 << 10
)

// InBatches is [Of] for values that are too small to be handed over one by one. size is what a value takes, in bytes; what
// is made ahead stays below three batches.
func InBatches[T any](seq iter.Seq2[T, error], size func(T) int) iter.Seq2[T, error] {
	type made struct {
		value T
		err   error
	}
	batches := func(yield func([]made) bool) {
		var buffers [3][]made // one is filled while another waits, and a third is in use
		turn, held := 0, 0
		for value, err := range seq {
			batch := append(buffers[turn], made{value, err})
			buffers[turn] = batch
			held += size(value)
			if len(batch) < batchMost && held < batchSize {
				continue
			}
			if !yield(batch) {
				return
			}
			turn, held = (turn+1)%len(buffers), 0
			buffers[turn] = buffers[turn][:0]
		}
		yield(buffers[turn])
	}
	return func(yield func(T, error) bool) {
		for batch := range Of(batches) {
			for _, m := range batch {
				if !yield(m.value, m.err) {
					return
				}
			}
		}
	}
}
