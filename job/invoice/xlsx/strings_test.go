package xlsx

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// TestStringTable guards that each string is found again, at the edges of the chunks, too.
func TestStringTable(t *testing.T) {
	var table stringTable
	var want []string
	for i := range 3 * chunkOfStarts {
		want = append(want, strings.Repeat("x", i%97)+fmt.Sprint(i))
	}
	want = append(want, "", strings.Repeat("a", chunkSize-5), "b", "")
	for _, s := range want {
		if err := table.add([]byte(s)); err != nil {
			t.Fatal(err)
		}
	}
	for i, s := range want {
		if got := table.at(i); got != s {
			t.Fatalf("string %d has %d bytes, want %d", i, len(got), len(s))
		}
	}
	if err := table.add(bytes.Repeat([]byte("a"), chunkSize-4)); err == nil {
		t.Error("a string beyond a chunk was taken")
	}
	table = stringTable{chunks: make([][]byte, maxStringBytes/chunkSize)}
	table.chunks[len(table.chunks)-1] = make([]byte, chunkSize)
	if err := table.add([]byte("a")); err == nil {
		t.Error("more text was taken than fits into the memory")
	}
}

// TestStringTableIsCompact guards the memory of a million rows, whose ids and addresses are shared strings of 12 to 40 bytes.
func TestStringTableIsCompact(t *testing.T) {
	const n = 300_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var table stringTable
	text := 0
	for i := range n {
		s := fmt.Appendf(nil, "accounts+%d@shop.example.com", i)
		text += len(s)
		if err := table.add(s); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if grown := int(after.HeapAlloc) - int(before.HeapAlloc); grown > text+8*n+2*chunkSize {
		t.Errorf("%d bytes of text take %d", text, grown)
	}
	runtime.KeepAlive(table)
}
