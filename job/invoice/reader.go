package invoice

import (
	"bufio"
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"iter"
	"math"
	"os"
	"slices"
	"strings"
	"unicode"

	"github.com/bojanz/currency"

	"paylinks/job/ahead"
)

// Reader reads one invoice file, row by row. Two goroutines work ahead of Next: one splits the file into rows, the other
// checks them. They start with the first Next and end with the file, or with Close.
type Reader struct {
	file    string
	open    []io.Closer
	digest  func() ([32]byte, error) // of the file's bytes, once it was read to its end
	again   func() (*Reader, error)  // opens the file from its top; nil where it can be read once
	head    *head
	source  source
	sheet   *sheetRows // the source, where it is of a workbook
	names   []string   // the header that gocsv sees
	judge   *judge
	id      identifier
	ids     *ids
	ways    readings
	totals  *totals
	notes   Notes
	asNamed bool // the encoding was asked for: it could be another
	given   bool // Next has returned a row

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
	Line     int       // the physical line on which the record starts; the header is line 1. In a workbook, the number of the sheet's row
	Cells    []string  // as they stand in the file, one for each of Header.Columns; "" for those that a short row lacks
	Ours     []string  // the cells of our own columns, one for each of Header.Ours; none in a row with too many or too few cells
	Surplus  []string  // cells beyond the header's, in a row that is refused for them
	Invoice  Invoice   // only to be used when there are no problems
	Problems []Problem // everything that is wrong with the row; of one with too many or too few cells only that
	Group    *Group    // of the rows of its invoice, in a file with lines; see [Invoices.Read]
	Further  bool      // it is not the first of them: the first one's Invoice is what all of them ask for

	part part

	ragged   bool      // too many or too few cells: they may stand in wrong columns
	typed    *typedRow // of a workbook; else nil
	readings []Reading // of its cells that were read in a way of their own, without their lines
	short    bool      // ragged, since cells are missing at its end
	filled   bool      // cells are missing at its end, and it is not ragged
}

// Digest is the SHA-256 of the file's bytes.
func Digest(path string) (sum [32]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return sum, fmt.Errorf("open invoice file: %w", err)
	}
	defer f.Close()
	if sum, err = DigestOf(f); err != nil {
		err = fmt.Errorf("read %s: %w", path, err)
	}
	return sum, err
}

// DigestOf is the SHA-256 of what is read.
func DigestOf(src io.Reader) (sum [32]byte, err error) {
	h := sha256.New()
	if _, err := io.Copy(h, src); err != nil {
		return sum, err
	}
	return [32]byte(h.Sum(nil)), nil
}

// Open reads the file's header. Its error is a [Problems] if the file or its options are wrong, else of the disk.
func Open(path string, o Options) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open invoice file: %w", err)
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = Problems{flaw(FileFolder, "is a folder", "name the file in it").at(path, 0, "", "")}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	r, err := OpenAt(path, f, info.Size(), o)
	if err != nil {
		f.Close()
		return nil, err
	}
	r.open = append(r.open, f)
	return r, nil
}

// OpenAt reads the header of a file of so many bytes, which src has; name is what problems call it. The errors are those of [Open].
func OpenAt(name string, src io.ReaderAt, size int64, o Options) (*Reader, error) {
	head := make([]byte, len(oleMark))
	n, err := src.ReadAt(head, 0)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	var r *Reader
	switch {
	case isOwnerFile(name):
		return nil, Problems{flaw(FileForeign, "is the mark of a workbook that is open in a spreadsheet program", "save and close the workbook, and leave this file out").
			at(name, 0, "", "")}
	case isZip(head[:n]):
		r, err = openWorkbook(name, src, size, o)
	case string(head[:n]) == oleMark:
		return nil, Problems{oldWorkbook(src).at(name, 0, "", "")}
	default:
		r, err = newReader(name, io.NewSectionReader(src, 0, math.MaxInt64), o) // a file that grows is found to have changed
	}
	if err == nil {
		r.again = func() (*Reader, error) { return OpenAt(name, src, size, o) }
	}
	return r, err
}

// newReader reads a text.
func newReader(file string, src io.Reader, o Options) (*Reader, error) {
	sum := sha256.New()
	r := &Reader{file: file, digest: func() ([32]byte, error) { return [32]byte(sum.Sum(nil)), nil }}
	raw := bufio.NewReaderSize(io.TeeReader(src, sum), bufferSize)
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
	source, bad := newTextRows(newText(file, utf8, encoding), !o.NoQuotes)
	if bad != nil {
		return nil, Problems{*bad}
	}
	r.source = source
	if err := r.start(o, encoding); err != nil {
		return nil, err
	}
	r.head.NoQuotes = o.NoQuotes && !r.head.FedBack
	if r.asNamed = o.Encoding != "" && encoding != utf8Name; r.asNamed {
		r.notes.Words = addWords(nil, strings.Join(r.head.Columns, " "))
	}
	return r, nil
}

// start reads the header.
func (r *Reader) start(o Options, encoding string) (err error) {
	if r.head, err = readHead(r.file, r.source, o); err != nil {
		return err
	}
	r.head.Encoding = encoding
	r.judge = newJudge(r.file, o, r.head.Taken)
	r.judge.places = r.head.taken
	if problems := r.judge.checkDefaults(); len(problems) > 0 {
		return problems
	}
	r.ids, r.ways, r.totals = newIDs(r.head), readings{}, newTotals(r.head)
	r.names = make([]string, len(r.head.Columns))
	for name, i := range r.head.taken {
		r.names[i] = name
	}
	r.batch, r.spent = &batch{}, make(chan *batch, batches)
	return nil
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
	var err error
	for _, open := range r.open {
		err = cmp.Or(err, open.Close())
	}
	return err
}

// Next returns the next row that is not blank, and [io.EOF] after the last. A row with problems is a bad row, and the
// next can be read. A *[Problem] as the error is of the file: what follows cannot be read. A [Problems] at the end of the file says that
// no row of it can be used, since two columns that could be the amount differ, customer ids may not be Clink's, or rows of a sheet are hidden.
func (r *Reader) Next() (Row, error) {
	row, err := r.nextRow()
	return row, r.located(err)
}

func (r *Reader) nextRow() (Row, error) {
	for {
		if r.Ready() == 0 {
			if err := r.advance(); err == io.EOF {
				return Row{}, r.ending()
			} else if err != nil {
				return Row{}, err
			}
		}
		row := &r.batch.rows[r.at]
		r.at++
		leftOut, refused := r.screen(row)
		if leftOut {
			continue
		}
		r.given = true
		if !row.ragged && !refused {
			r.compareRivals(row)
			r.refusePaid(row)
			r.lookAtCustomerID(row)
			r.ids.add(row.Cells)
			r.ways.add(row)
		}
		r.note(row)
		return *row, nil
	}
}

// ending is io.EOF, or why the file cannot be used although it was read to its end.
func (r *Reader) ending() error {
	problems := append(r.differingRivals(), r.foreignCustomerIDs()...)
	if r.sheet != nil {
		problems = append(problems, r.sheet.refusals()...)
	}
	if len(problems) > 0 {
		return problems
	}
	if !r.given && !r.judge.options.AllowEmpty {
		p := flaw(NoRows, "has a header and no invoices below it", "check the export that writes it",
			Option{Do: Add, Setting: "allow_empty", When: "there may be nothing to bill"}).at(r.file, r.head.line, "", "")
		return &p
	}
	return io.EOF
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
		ends := b.err != nil // the batch is no longer ours after yield
		if !yield(b) || ends {
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
				row := &b.rows[i]
				if !row.ragged {
					r.judge.judge(row, &records[i])
				} else if at, has := r.head.taken["invoice_id"]; has && !isBlank(row.Cells[at]) { // it spoils the other rows of its invoice
					row.Invoice.ID = row.Cells[at]
				}
				r.id.identify(&row.Invoice)
				if len(row.Problems) == 0 {
					continue
				}
				if again := r.headerAgain(row); again != nil {
					b.rows, b.err = b.rows[:i], again
					break
				}
				r.locate(row)
			}
			ends := b.err != nil // the batch is no longer ours after yield
			if !yield(b) || ends {
				return
			}
		}
	}
}

// fill reads a batch, limited in rows and bytes so that memory stays flat.
func (r *Reader) fill(b *batch) {
	const rows, most = 256, 128 << 10
	b.rows = b.rows[:0]
	size := 0
	for b.err == nil && len(b.rows) < rows && size < most {
		var row Row
		if row, b.err = r.read(); b.err == nil {
			b.rows = append(b.rows, row)
			for _, cell := range row.Cells {
				size += len(cell)
			}
		}
	}
	if b.err == io.EOF {
		if digest, err := r.digest(); err != nil {
			b.err = err
		} else {
			b.digest = digest
		}
	}
}

// read returns the next row that is not blank, without its invoice.
func (r *Reader) read() (Row, error) {
	for {
		t, err := r.source.next()
		switch {
		case err == errUndivided:
			p := t.bad.at(r.file, t.line, r.head.columnAt(t.badAt), "")
			return Row{}, &p
		case err != nil:
			return Row{}, err
		case t.bad == nil && !slices.ContainsFunc(t.cells, func(cell string) bool { return !isBlank(cell) }):
			continue
		}
		return r.shape(t), nil
	}
}

// headerAgain looks for column names in a bad row. The file's own are a row to take out; others begin another table, whose rows cannot be
// read by this header: the error is a *[Problem] of the file.
func (r *Reader) headerAgain(row *Row) error {
	cells := slices.Concat(row.Cells, row.Surplus)
	if row.Problems[0].Kind == QuoteStray || !r.namesColumns(cells) {
		return nil
	}
	if slices.Equal(filled(cells), filled(r.head.Columns)) {
		row.Problems = []Problem{flaw(RowIsHeader, "is the line of the column names again", "take it out").at(r.file, row.Line, "", "")}
		return nil
	}
	row.Problems = []Problem{flaw(HeaderAgain, "has other column names: another table begins here",
		"put each table into a file of its own").at(r.file, row.Line, "", "")}
	r.locate(row)
	return &row.Problems[0]
}

// namesColumns says whether the cells are a header: two of them are known column names and none is data; or one is, among three at least
// of which none has a digit; or none is, and these have words, no two the same, where an amount and a currency belong.
func (r *Reader) namesColumns(cells []string) bool {
	known, named := knownColumns(cells, r.judge.options), filled(cells)
	if known >= 2 {
		return !slices.ContainsFunc(cells, looksLikeData)
	}
	if len(named) < headerCells || slices.ContainsFunc(named, func(cell string) bool { return strings.ContainsAny(cell, "@0123456789") }) {
		return false
	}
	return known == 1 || areDistinct(named) && r.isWord("amount", cells) && r.isWord("currency", cells)
}

// isWord says whether the row has a word in the column, and not what belongs there.
func (r *Reader) isWord(column string, cells []string) bool {
	at, taken := r.head.taken[column]
	if !taken || at >= len(cells) {
		return false
	}
	text := strings.TrimSpace(cells[at])
	return strings.ContainsFunc(text, unicode.IsLetter) && !isNothing(text) && !currency.IsValid(strings.ToUpper(text))
}

func areDistinct(texts []string) bool {
	sorted := slices.Sorted(slices.Values(texts))
	return len(slices.Compact(sorted)) == len(texts)
}

// headerCells is how many names a header has at least where fewer than two of them are known.
const headerCells = 3

// locate names the cells of the row's problems, where the source is a workbook.
func (r *Reader) locate(row *Row) {
	for i := range row.Problems {
		row.Problems[i].Cell = row.Cell(row.Problems[i].Column)
	}
}

// located names the rows of the problems of the file that err is, where the source is a workbook.
func (r *Reader) located(err error) error {
	if r.sheet == nil {
		return err
	}
	locate := func(p *Problem) {
		if p.Cell == "" && p.Line > 0 {
			p.Cell = rowOf(r.sheet.sheet.Name, p.Line)
		}
	}
	switch err := err.(type) {
	case Problems:
		for i := range err {
			locate(&err[i])
		}
	case *Problem:
		locate(err)
	}
	return err
}

// DelimiterName is the delimiter in words.
func DelimiterName(delimiter rune) string {
	return map[rune]string{',': "comma", ';': "semicolon", '\t': "tab", '|': "vertical bar"}[delimiter]
}
