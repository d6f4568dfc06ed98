package invoice

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Notes are what a [Reader] has met in the rows that Next has come past, and has read in a way of its own.
type Notes struct {
	Totals Lines    // left out
	Short  Lines    // lines that lack cells at their end, which nobody reads
	Hidden Hidden   // rows of a sheet; after the last row
	Words  []string // some words that are not ASCII, where an encoding was asked for: it could be another one
}

// Lines are how many lines there are, and the first of them.
type Lines struct {
	Count int
	First []int
}

// linesNamed is how many lines Lines keeps.
const linesNamed = 5

func (l *Lines) add(line int) {
	if l.Count++; len(l.First) < linesNamed {
		l.First = append(l.First, line)
	}
}

// String is their numbers: 4, 5, 7, 8, 9, and 2 more.
func (l Lines) String() string {
	var numbers []string
	for _, line := range l.First {
		numbers = append(numbers, strconv.Itoa(line))
	}
	if more := l.Count - len(l.First); more > 0 {
		numbers = append(numbers, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(numbers, ", ")
}

// note notes what there is to say of a row that is not left out.
func (r *Reader) note(row *Row) {
	if row.filled {
		r.notes.Short.add(row.Line)
	}
	if !r.asNamed || len(r.notes.Words) == wordsShown {
		return
	}
	for _, cell := range row.Cells {
		r.notes.Words = addWords(r.notes.Words, cell)
	}
}

// Notes are what was met so far.
func (r *Reader) Notes() Notes {
	notes := r.notes
	notes.Words, notes.Hidden = slices.Clone(notes.Words), r.hidden()
	return notes
}
