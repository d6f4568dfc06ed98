package invoice

import (
	"bufio"
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"hash"
	"io"
	"iter"
	"os"
	"slices"

	"paylinks/job/ahead"
)

// Reader reads one invoice file, row by row. Two goroutines work ahead of Next: one splits the file into rows, the other
// checks them. They start with the first Next and end with the file, or with Close.
type Reader struct {
	file   string
	closer io.Closer
	sum    hash.Hash
	head   *head
	text   *text
	csv    *csv.Reader
	offset int      // lines above the first that csv has seen
	names  []string // the header that gocsv sees
	judge  *judge
	id     identifier
	ids    *ids
	ways   readings
	rows   int // taken from the file so far

	next  func() (*batch, bool) // nil before the first Next
	stop  func()                // ends the goroutines
	batch *batch                // what Next returns the rows of
	at    int
	spent chan *batch
}

// batches is how many exist at a time: one in each of the three goroutines, and two that wait between them.
const batches = 5

// batch is some rows on their way through a Reader.
type batch struct {
	rows   []Row
	err    error    // after the rows; io.EOF at the end of the file
	digest [32]byte // of the whole file, where err is io.EOF
}

// Row is one invoice as the file has it.
type Row struct {
	Line     int       // the physical line on which the record starts; the header is line 1
	Cells    []string  // as they stand in the file, one for each of Header.Columns; "" for those that a short row lacks
	Ours     []string  // the cells of our own columns, one for each of Header.Ours; none in a row with too many or too few cells
	Surplus  []string  // cells beyond the header's, in a row that is refused for them
	Invoice  Invoice   // only to be used when there are no problems
	Problems []Problem // everything that is wrong with the row; of one with too many or too few cells only that

	ragged   bool      // too many or too few cells: they may stand in wrong columns
	readings []Reading // of its cells that were read in a way of their own, without their lines
}

// Digest is the SHA-256 of the file's bytes.
func Digest(path string) (sum [32]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, fmt.Errorf("open invoice file: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return sum, fmt.Errorf("read %s: %w", path, err)
	}
	return [32]byte(h.Sum(nil)), nil
}

// Open reads the file's header. Its error is a [Problems] if the file or its options are wrong, else of the disk.
func Open(path string, o Options) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open invoice file: %w", err)
	}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, Problems{flaw(FileFolder, "is a folder", "name the file in it").at(path, 0, "", "")}
	}
	r, err := newReader(path, f, o)
	if err != nil {
		f.Close()
		return nil, err
	}
	r.closer = f
	return r, nil
}

func newReader(file string, src io.Reader, o Options) (*Reader, error) {
	r := &Reader{file: file, sum: sha256.New()}
	raw := bufio.NewReaderSize(io.TeeReader(src, r.sum), bufferSize)
	utf8, encoding, bad, err := decoded(raw, o.Encoding)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	if bad == nil {
		start, _ := utf8.Peek(64)
		bad = foreignText(start)
	}
	if bad != nil && bad.Kind == EncodingUnknown {
		return nil, Problems{bad.atSetting(file, 0, "encoding", o.Encoding)}
	}
	if bad != nil {
		return nil, Problems{bad.at(file, 0, "", "")}
	}
	r.text = newText(file, utf8, encoding != utf8Name)
	if r.head, err = readHead(r.text, o); err != nil {
		return nil, err
	}
	r.head.Encoding = encoding
	r.judge = newJudge(file, o, r.head.Taken)
	if problems := r.judge.checkDefaults(); len(problems) > 0 {
		return nil, problems
	}
	r.ids, r.ways = newIDs(r.head), readings{}
	r.names = make([]string, len(r.head.Columns))
	for name, i := range r.head.taken {
		r.names[i] = name
	}
	r.offset = r.text.line
	r.csv = csv.NewReader(r.text)
	r.csv.Comma = r.head.Delimiter
	r.csv.FieldsPerRecord = -1
	r.batch, r.spent = &batch{}, make(chan *batch, batches)
	return r, nil
}

// Header is how the first row was understood.
func (r *Reader) Header() Header { return r.head.Header }

// Digest is the SHA-256 of the file's bytes, once Next has returned [io.EOF].
func (r *Reader) Digest() [32]byte { return r.batch.digest }

// Close ends the goroutines and closes the file.
func (r *Reader) Close() error {
	if r.stop != nil {
		r.stop()
	}
	return r.closer.Close()
}

// Next returns the next row that is not blank, and [io.EOF] after the last. A row with problems is a bad row, and the
// next can be read. A *[Problem] as the error is of the file: what follows cannot be read. A [Problems] at the end of the file says that
// no row of it can be used, since two columns that could be the amount differ, or customer ids may not be Clink's.
func (r *Reader) Next() (Row, error) {
	if r.Ready() == 0 {
		err := r.advance()
		if problems := append(r.differingRivals(), r.foreignCustomerIDs()...); err == io.EOF && len(problems) > 0 {
			return Row{}, problems
		}
		if err != nil {
			return Row{}, err
		}
	}
	row := r.batch.rows[r.at]
	r.at++
	if !row.ragged {
		r.compareRivals(&row)
		r.refusePaid(&row)
		r.lookAtCustomerID(&row)
		r.ids.add(row.Cells)
		r.ways.add(&row)
	}
	return row, nil
}

// IDs are the columns that could be the invoice id, as far as the rows say that Next has returned: each of the first 10,000 rows has
// another number there. There are none where the file has an invoice id.
func (r *Reader) IDs() []string { return r.ids.found() }

// KnowsIDs says whether further rows change nothing about IDs.
func (r *Reader) KnowsIDs() bool { return r.ids.known() }

// Readings are the ways in which cells of the rows were read that Next has returned, other than as they stand there.
func (r *Reader) Readings() []Reading { return r.ways.list() }

// Ready is how many rows Next returns without waiting: a few hundred at most.
func (r *Reader) Ready() int { return len(r.batch.rows) - r.at }

// advance takes the next batch. Its error is that of the last one.
func (r *Reader) advance() error {
	if r.batch.err != nil {
		return r.batch.err
	}
	if r.next == nil {
		r.next, r.stop = iter.Pull(ahead.Of(r.judged(ahead.Of(r.decoded))))
	}
	select {
	case r.spent <- r.batch:
	default:
	}
	b, ok := r.next()
	if !ok {
		b = &batch{err: os.ErrClosed}
	}
	r.batch, r.at = b, 0
	if len(b.rows) == 0 {
		return b.err
	}
	return nil
}

// decoded yields the file's rows, still without their invoices. The last batch has the error.
func (r *Reader) decoded(yield func(*batch) bool) {
	for {
		var b *batch
		select {
		case b = <-r.spent:
		default:
			b = &batch{}
		}
		r.fill(b)
		if !yield(b) || b.err != nil {
			return
		}
	}
}

// judged yields the batches with their invoices.
func (r *Reader) judged(batches iter.Seq[*batch]) iter.Seq[*batch] {
	return func(yield func(*batch) bool) {
		var cells table
		var records []record
		for b := range batches {
			cells = append(cells[:0], r.names)
			for i := range b.rows {
				cells = append(cells, b.rows[i].Cells)
			}
			var err error
			if records, err = cells.decode(records); err != nil {
				b.rows, b.err = nil, err
			}
			for i := range b.rows {
				if row := &b.rows[i]; !row.ragged {
					r.judge.judge(row, &records[i])
					r.id.identify(&row.Invoice)
				}
			}
			if !yield(b) {
				return
			}
		}
	}
}

// fill reads a batch, limited in rows and bytes so that memory stays flat.
func (r *Reader) fill(b *batch) {
	const rows, size = 256, 128 << 10
	b.rows = b.rows[:0]
	from := r.csv.InputOffset()
	for b.err == nil && len(b.rows) < rows && r.csv.InputOffset()-from < size {
		var row Row
		if row, b.err = r.read(); b.err == nil {
			b.rows = append(b.rows, row)
		}
	}
	r.rows += len(b.rows)
	if b.err == io.EOF {
		b.digest = [32]byte(r.sum.Sum(nil))
		if r.rows == 0 {
			p := flaw(NoRows, "has a header and no invoices below it", "check the export that writes it").at(r.file, r.head.line, "", "")
			b.err = &p
		}
	}
}

// read returns the next row that is not blank, without its invoice.
func (r *Reader) read() (Row, error) {
	for {
		cells, err := r.csv.Read()
		if err != nil {
			return Row{}, r.structural(cells, err)
		}
		if !slices.ContainsFunc(cells, func(cell string) bool { return !isBlank(cell) }) {
			continue
		}
		line, _ := r.csv.FieldPos(0)
		return r.shape(r.offset+line, cells), nil
	}
}

// shape fits the cells to the header, and leaves out the result columns of a links file or rejected file.
func (r *Reader) shape(line int, cells []string) Row {
	row := Row{Line: line}
	fail := func(column, value string, bad *Problem) {
		row.Problems = append(row.Problems, bad.at(r.file, line, column, value))
	}
	switch width := r.head.width; {
	case len(cells) > width:
		if slices.ContainsFunc(cells[width:], func(cell string) bool { return !isBlank(cell) }) {
			row.Surplus, row.ragged = cells[width:], true
			fail("", "", flaw(CellsTooMany, ragged(len(cells), width),
				fmt.Sprintf("put double quotes around a cell that contains a %s", DelimiterName(r.head.Delimiter))))
		}
		cells = cells[:width:width]
	case len(cells) < width:
		row.ragged = true
		fail("", "", flaw(CellsTooFew, ragged(len(cells), width),
			fmt.Sprintf("add the missing cells, or a %s for each empty one at the end", DelimiterName(r.head.Delimiter))))
		cells = append(cells, make([]string, width-len(cells))...)
	}
	if r.head.FedBack {
		if !row.ragged {
			row.Ours = cells[len(r.head.kept):]
		}
		kept := make([]string, len(r.head.kept))
		for i, at := range r.head.kept {
			kept[i] = Unguard(cells[at])
		}
		cells = kept
	}
	for i, cell := range cells {
		if len(cell) > maxCell {
			fail(r.head.Columns[i], cell, flaw(CellTooLong, "holds more than 64 KiB", "shorten it, or look for a double quote that is not closed and takes in the rows below it"))
		}
	}
	row.Cells = cells
	return row
}

func ragged(cells, width int) string {
	if cells == 1 {
		return fmt.Sprintf("the row has 1 cell and the header %d", width)
	}
	return fmt.Sprintf("the row has %d cells and the header %d", cells, width)
}

// DelimiterName is the delimiter in words.
func DelimiterName(delimiter rune) string {
	return map[rune]string{',': "comma", ';': "semicolon", '\t': "tab", '|': "vertical bar"}[delimiter]
}

// structural says where the CSV syntax is broken: the rest of the file cannot be split into cells.
func (r *Reader) structural(cells []string, err error) error {
	parse, ok := errors.AsType[*csv.ParseError](err)
	if !ok {
		return err
	}
	line, broken := r.offset+parse.StartLine, r.offset+parse.Line
	bad := flaw(QuoteStray, fmt.Sprintf("has a misplaced double quote at character %d", parse.Column),
		`put the whole cell in double quotes, with no space before them, and write a double quote inside it twice: ""`)

	if line != broken {
		bad = flaw(QuoteUnclosed, fmt.Sprintf("has a double quote in this row that is not closed before line %d", broken),
			`close the quote; a double quote inside a cell is written twice: ""`)

	}
	column := ""
	if at := slices.Index(r.head.kept, len(cells)); at >= 0 {
		column = r.head.Columns[at]
	}
	p := bad.at(r.file, line, column, "")
	return &p
}
