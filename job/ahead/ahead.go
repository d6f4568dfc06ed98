// Package ahead runs an iterator in its own goroutine, so that values are produced and used at the same time.
package ahead

import "iter"

// Of yields what seq yields, in the same order. seq runs in its own goroutine, at most two values ahead. When a range over
// it ends, early or not, seq has returned. If seq panics, the range panics.
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
			for range values { // wait until seq has returned
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

// A batch is passed on when it has batchMost values, or batchSize bytes in them.
const (
	batchMost = 256
	batchSize = 256 << 10
)

// InBatches is [Of] for values that are too small to be passed on one by one. size is a value's size in bytes; less than
// three batches are produced ahead.
func InBatches[T any](seq iter.Seq2[T, error], size func(T) int) iter.Seq2[T, error] {
	type made struct {
		value T
		err   error
	}
	batches := func(yield func([]made) bool) {
		var buffers [3][]made // one is filled while another waits, and a third is in use
		filling, bytes := 0, 0
		for value, err := range seq {
			batch := append(buffers[filling], made{value, err})
			buffers[filling] = batch
			bytes += size(value)
			if len(batch) < batchMost && bytes < batchSize {
				continue
			}
			if !yield(batch) {
				return
			}
			filling, bytes = (filling+1)%len(buffers), 0
			buffers[filling] = buffers[filling][:0]
		}
		yield(buffers[filling])
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
