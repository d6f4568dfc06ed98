package intake

import (
	"crypto/sha256"
	"encoding/binary"
	"testing"

	"paylinks/job/invoice"
)

// TestRepeatTable guards that growing forgets nothing and mistakes nothing.
func TestRepeatTable(t *testing.T) {
	const n = 20_000
	row := func(i int, content byte) *invoice.Invoice {
		sum := sha256.Sum256(binary.LittleEndian.AppendUint64(nil, uint64(i)))
		return &invoice.Invoice{Identity: [16]byte(sum[:16]), Content: [16]byte{content}}
	}
	var seen repeats
	for i := 1; i <= n; i++ {
		if first, _ := seen.find(row(i, 0), 0, 0); first != 0 {
			t.Fatalf("%d is taken for %d", i, first)
		}
		seen.add(row(i, 0), 0, uint32(i), 0)
	}
	for i := 1; i <= n; i++ {
		seen.add(row(i, byte(i%2)), 0, uint32(n+i), 0)
	}
	for i := 1; i <= n; i++ {
		var want uint32
		if i%2 == 1 {
			want = uint32(n + i)
		}
		if first, differing := seen.find(row(i, 0), 0, 0); first != uint32(i) || differing != want {
			t.Fatalf("%d was first seen at %d, and with another content at %d, want %d", i, first, differing, want)
		}
	}
}
