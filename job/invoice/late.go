package invoice

import (
	"encoding/binary"
)

// late keeps the lines that stand apart from the first rows of their invoice, which has to be sent with them: of a file that has its
// invoices together there are none. A line is found by its offset, from 1 on.
type late struct {
	chunks [][]byte
}

// lateChunk is more than the texts of a line can have: a cell has at most maxCell.
const lateChunk = 1 << 20

// add keeps a line, and chains it to the last one of its invoice.
func (l *late) add(g *Group, line Line, amount int64) {
	text := make([]byte, 4, 64)
	text = binary.AppendVarint(text, amount)
	text = binary.AppendVarint(text, line.Quantity)
	for _, s := range []string{line.Description, line.UnitAmount, line.ImageURL} {
		text = binary.AppendUvarint(text, uint64(len(s)))
		text = append(text, s...)
	}
	if n := len(l.chunks); n == 0 || len(l.chunks[n-1])+len(text) > lateChunk {
		l.chunks = append(l.chunks, make([]byte, 0, lateChunk))
	}
	n := len(l.chunks) - 1
	offset := uint32(n*lateChunk+len(l.chunks[n])) + 1
	l.chunks[n] = append(l.chunks[n], text...)
	if g.late == 0 {
		g.late = offset
	} else {
		binary.LittleEndian.PutUint32(l.at(g.lastLate), offset)
	}
	g.lastLate = offset
}

func (l *late) at(offset uint32) []byte {
	return l.chunks[(offset-1)/lateChunk][(offset-1)%lateChunk:]
}

// of yields the late lines of an invoice, in the file's order.
func (l *late) of(g *Group, yield func(line Line, amount int64)) {
	for offset := g.late; offset != 0; {
		text := l.at(offset)
		offset = binary.LittleEndian.Uint32(text)
		text = text[4:]
		number := func() int64 {
			n, size := binary.Varint(text)
			text = text[size:]
			return n
		}
		word := func() string {
			n, size := binary.Uvarint(text)
			s := string(text[size : size+int(n)])
			text = text[size+int(n):]
			return s
		}
		amount, line := number(), Line{Quantity: number()}
		line.Description, line.UnitAmount, line.ImageURL = word(), word(), word()
		yield(line, amount)
	}
}
