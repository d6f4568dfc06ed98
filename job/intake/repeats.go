package intake

import (
	"encoding/binary"
	"math/bits"

	"paylinks/job/invoice"
)

// repeats is a hash table from an invoice to the place where it stood first, and to what was sent for it there. It is smaller than
// a map: at a million rows a map would not keep memory within the bounds that the benchmark states. It keeps 72 bits of the
// identity: at a million rows the odds of two invoices being taken for one, which refuses the file, are below one in 10^9. Each
// shard grows by itself, by a quarter at a time, so that little memory is copied or unused.
//
// A place is a number from 1 on that belongs to one row of one file.
type repeats struct {
	shards   [256]shard
	disputed map[uint32]uint32 // first place of an invoice to another where something else is sent for it
}

type shard struct {
	slots []slot // at most three quarters of them used
	used  int
}

type slot struct {
	key     [8]byte
	content [4]byte // the beginning of Invoice.Content
	place   uint32  // 0 is a free slot
	cells   uint32  // hash of the row's cells
}

// add remembers a row. Of an invoice that is there already it remembers only whether something else is sent for it, or, where both rows
// are of the file whose places are after since, whether a cell of theirs differs.
func (r *repeats) add(inv *invoice.Invoice, cells, place, since uint32) {
	s := &r.shards[inv.Identity[15]]
	if s.used >= len(s.slots)*3/4 {
		s.grow()
	}
	this := slotOf(inv, cells, place)
	first := &s.slots[s.find(this.key)]
	switch {
	case first.place == 0:
		*first = this
		s.used++
	case first.differs(this, since) && r.disputed[first.place] == 0:
		if r.disputed == nil {
			r.disputed = map[uint32]uint32{}
		}
		r.disputed[first.place] = place
	}
}

// find says where the invoice stood first, and where a row of it stands for which something else is sent; 0 is nowhere.
func (r *repeats) find(inv *invoice.Invoice, cells, since uint32) (first, differing uint32) {
	s := &r.shards[inv.Identity[15]]
	if len(s.slots) == 0 {
		return 0, 0
	}
	this := slotOf(inv, cells, 0)
	found := s.slots[s.find(this.key)]
	differing = r.disputed[found.place]
	if differing != 0 && found.differs(this, since) {
		differing = found.place
	}
	return found.place, differing
}

func slotOf(inv *invoice.Invoice, cells, place uint32) slot {
	return slot{key: [8]byte(inv.Identity[:8]), content: [4]byte(inv.Content[:4]), place: place, cells: cells}
}

// differs says whether a later row of the invoice, in the file whose places are after since, differs.
func (s slot) differs(later slot, since uint32) bool {
	return s.content != later.content || s.place > since && s.cells != later.cells
}

// find is the slot with the key, or the free one for it.
func (s *shard) find(key [8]byte) uint64 {
	at, _ := bits.Mul64(binary.LittleEndian.Uint64(key[:]), uint64(len(s.slots))) // scales the key to 0 … len-1
	for s.slots[at].place != 0 && s.slots[at].key != key {
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
		if o.place != 0 {
			s.slots[s.find(o.key)] = o
		}
	}
}
