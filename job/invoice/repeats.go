package invoice

import (
	"encoding/binary"
	"math/bits"
)

// repeats is a hash table from an identity to the line on which it first stood, smaller than a map: at a million rows a map
// would not keep memory within the bounds that the benchmark states. It keeps 96 bits of the digest: at a billion rows the
// odds of two invoices being taken for one are below one in 10^10. Each shard grows by itself, by a quarter at a time, so
// that little memory is copied or unused.
type repeats struct {
	shards [256]shard
}

type shard struct {
	slots []slot // at most three quarters of them used
	used  int
}

type slot struct {
	key  [12]byte
	line uint32 // 0 is a free slot
}

// add stores the identity's line and returns 0, or returns the line that is stored already.
func (r *repeats) add(identity [16]byte, line int) int {
	s := &r.shards[identity[15]]
	if s.used >= len(s.slots)*3/4 {
		s.grow()
	}
	key := [12]byte(identity[:12])
	at := s.find(key)
	if first := s.slots[at].line; first != 0 {
		return int(first)
	}
	s.slots[at] = slot{key, uint32(line)}
	s.used++
	return 0
}

// find is the slot with the key, or the free one for it.
func (s *shard) find(key [12]byte) uint64 {
	at, _ := bits.Mul64(binary.LittleEndian.Uint64(key[:8]), uint64(len(s.slots))) // scales the key to 0 … len-1
	for s.slots[at].line != 0 && s.slots[at].key != key {
		if at++; at == uint64(len(s.slots)) {
			at = 0
		}
	}
	return at
}

func (s *shard) grow() {
	old := s.slots
	s.slots = make([]slot, max(16, len(old)*5/4))
	for _, o := range old {
		if o.line != 0 {
			s.slots[s.find(o.key)] = o
		}
	}
}
