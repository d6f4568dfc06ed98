package intake

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"paylinks/job"
	"paylinks/job/invoice"
	"paylinks/job/links"
)

// Adopter is what intake asks of a ledger to take in a links file.
type Adopter interface {
	Adopt(j job.Job, rows iter.Seq2[job.AdoptedItem, error], at time.Time) (job.Adopted, error)
}

// LinksFile is a links file, written from another ledger, on its way into this one. [OpenLinks], [LinksFile.Check] and [LinksFile.Adopt]
// follow each other.
type LinksFile struct {
	Path    string            // as the user gave it, for messages
	LeftOut map[job.State]int // rows that have neither a link nor a doubt, by their status, after Check

	file    *File
	options invoice.Options
	header  invoice.Header // empty until Check
}

// AdoptKind is the kind of everything that is wrong with what a row of a links file says of its link.
const AdoptKind invoice.Kind = "link-unreadable"

// OpenLinks looks at all files before it reads the rows of any. Of the settings it needs where the files belong and the options.
func OpenLinks(paths []string, settings Settings) ([]*LinksFile, error) {
	b := &Batch{Settings: settings}
	var all []*LinksFile
	for _, path := range paths {
		options, err := optionsOf(path, settings.Options)
		if err != nil {
			return nil, &Refusal{Kind: Unreadable, Path: path, Err: err}
		}
		f, err := b.open(path)
		if err != nil {
			return nil, err
		}
		f.Identity.Options, f.Identity.Adopted = options.Canonical(), true
		all = append(all, &LinksFile{Path: path, file: f, options: options})
	}
	return all, nil
}

// optionsOf are the options for reading the links file: it is UTF-8 as it was written, whatever the encoding of the input was, unless
// another program has saved it since.
func optionsOf(path string, options invoice.Options) (invoice.Options, error) {
	options.AllowEmpty = true // a night may have had nothing to bill
	if options.Encoding == "" {
		return options, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return options, nil // open says what is wrong with the path
	}
	defer file.Close()
	if info, err := file.Stat(); err != nil || !info.Mode().IsRegular() {
		return options, err
	}
	text := bufio.NewReader(file)
	for {
		r, size, err := text.ReadRune()
		switch {
		case err == io.EOF:
			options.Encoding = ""
			return options, nil
		case err != nil || r == utf8.RuneError && size == 1:
			return options, err
		}
	}
}

// Check reads the whole file and reports what is wrong with rows that would be adopted. Where there are any, the error says so.
func (f *LinksFile) Check(ctx context.Context, to Reporter) error {
	f.LeftOut = map[job.State]int{}
	bad := 0
	for row, err := range f.rows(ctx) {
		if err != nil {
			return reported(err, to)
		}
		switch {
		case len(row.problems) > 0:
			bad++
		case row.item.Further:
		case row.item.State == job.Created, row.item.State == job.Unknown:
		default:
			f.LeftOut[row.item.State]++
		}
		for _, p := range row.problems {
			if err := to.Report(Problem{Problem: p}); err != nil {
				return err
			}
		}
	}
	if bad > 0 {
		return &Refusal{Kind: BadLinks, Path: f.Path, Rows: bad}
	}
	return nil
}

// Adopt takes the file's links and doubts into the ledger, all or nothing. A row without an answer waits there for a person's word.
func (f *LinksFile) Adopt(ctx context.Context, ledger Adopter) (job.Adopted, error) {
	output, err := links.Output(links.DefaultPath(f.file.abs))
	if err != nil {
		return job.Adopted{}, err
	}
	adopted, err := ledger.Adopt(job.Job{
		Identity: f.file.Identity, File: f.file.abs, Columns: f.header.Columns, Delimiter: f.header.Delimiter, OnUnknown: job.Hold,
		AllowRepeats: f.options.AllowRepeats, Output: output, BOM: f.file.bom,
	}, f.items(ctx), time.Now())
	var refusal *Refusal
	if errors.As(err, &refusal) {
		err = &Refusal{Kind: NotImported, Path: f.Path, Err: err}
	}
	return adopted, err
}

// items are the rows that may be new to the ledger.
func (f *LinksFile) items(ctx context.Context) iter.Seq2[job.AdoptedItem, error] {
	return func(yield func(job.AdoptedItem, error) bool) {
		n := 0
		for row, err := range f.rows(ctx) {
			if err == nil && len(row.problems) > 0 { // Check has seen none
				err = &Refusal{Kind: Changed, Path: f.Path}
			}
			if err == nil && row.item.State != job.Created && row.item.State != job.Unknown {
				continue
			}
			switch {
			case row.group == nil:
				n++
			case row.item.Further:
				row.item.Item = row.group.Item
			default:
				row.group.Item = n
				n++
			}
			if !yield(row.item, err) || err != nil {
				return
			}
		}
	}
}

// linksRow is a row of a links file. Of one that has neither a link nor a doubt only the state is known, and nothing is wrong with it.
type linksRow struct {
	item     job.AdoptedItem
	group    *invoice.Group // of the rows of its invoice, in a file with lines
	problems []invoice.Problem
}

// rows reads the file. A row is valid until the next.
func (f *LinksFile) rows(ctx context.Context) iter.Seq2[*linksRow, error] {
	return func(yield func(*linksRow, error) bool) {
		fail := func(err error) { yield(&linksRow{}, err) }
		reader, err := f.file.reader(f.options)
		if err != nil {
			fail(f.file.unreadable(err))
			return
		}
		defer reader.Close()
		header := reader.Header()
		if !header.IsLinksFile() {
			fail(&Refusal{Kind: NoLinksFile, Path: f.Path})
			return
		}
		f.header, f.file.Header = header, header
		source, err := f.source(ctx, reader)
		if err != nil {
			fail(err)
			return
		}
		var seen repeats
		for {
			row, err := source.Next()
			switch {
			case err == io.EOF && reader.Digest() != f.file.Identity.FileDigest:
				fail(&Refusal{Kind: Changed, Path: f.Path})
				return
			case err == io.EOF:
				return
			case err != nil:
				fail(f.file.unreadable(err))
				return
			case ctx.Err() != nil:
				fail(ctx.Err())
				return
			}
			read := f.read(header, row)
			if f.options.Lines == invoice.LinesNone {
				f.findSecond(&seen, &row, read)
			}
			if !yield(read, nil) {
				return
			}
		}
	}
}

// read makes an item of the row.
func (f *LinksFile) read(header invoice.Header, row invoice.Row) *linksRow {
	if row.Ours == nil { // its cells may stand in wrong columns
		return &linksRow{problems: row.Problems}
	}
	r := &resultReader{path: f.Path, header: header, row: row}
	if row.Group != nil {
		r.sameAsFirst()
	}
	state := job.State(r.cell("status"))
	switch state {
	case job.Created, job.Duplicate:
		state = job.Created
	case job.Unknown, job.Sending:
		state = job.Unknown
	default:
		if !slices.Contains(job.States, state) {
			r.bad("status", "is no status of a row", "write what the file had there before it was changed")
		}
		return &linksRow{item: job.AdoptedItem{State: state}, problems: r.problems}
	}
	r.problems = append(r.problems, row.Problems...)
	read := &linksRow{group: row.Group}
	if row.Further {
		read.item.Further, read.item.Row, read.item.Cells, read.item.State, read.problems = true, row.Line, row.Cells, state, r.problems
		return read
	}
	if len(row.Problems) == 0 {
		read.item = f.file.Identity.NewAdoptedItem(f.file.Identity.NewRow(row, f.options.Defaults["item_name"]), state)
	}
	read.item.State = state
	if state == job.Unknown {
		read.item.Reason = r.reason()
	} else {
		r.link(&read.item, !links.OnThisMachine(f.file.Identity.BaseURL) && f.file.Identity.Environment != job.Simulator)
	}
	read.problems = r.problems
	return read
}

// source reads the rows; of a file with lines it puts those of an invoice together.
func (f *LinksFile) source(ctx context.Context, reader *invoice.Reader) (rowSource, error) {
	if f.options.Lines == invoice.LinesNone {
		return reader, nil
	}
	if err := f.file.addUpInvoices(ctx, f.options); err != nil {
		return nil, err
	}
	return f.file.invoices.Read(reader), nil
}

// findSecond refuses a row whose invoice stands in a row above: its amount may be that of a line.
func (f *LinksFile) findSecond(seen *repeats, row *invoice.Row, read *linksRow) {
	if row.Invoice.ID == "" || read.item.State != job.Created && read.item.State != job.Unknown {
		return
	}
	if first, _ := seen.find(&row.Invoice, 0, 0); first != 0 {
		read.problems = append(read.problems, invoice.Problem{
			File: f.Path, Line: row.Line, Column: f.header.Taken["invoice_id"], Value: row.Invoice.ID, Kind: LinesUnsaid,
			What: fmt.Sprintf("stands on line %d, too", first), Options: []invoice.Option{
				{Do: invoice.Add, Setting: "lines", When: "its rows are lines of the invoice, and the file was made so"}},
		})
		return
	}
	seen.add(&row.Invoice, 0, uint32(row.Line), 0)
}

// resultReader reads our own cells of a row of a links file.
type resultReader struct {
	path     string
	header   invoice.Header
	row      invoice.Row
	problems []invoice.Problem
}

func (r *resultReader) cell(name string) string {
	cell, _ := r.row.Result(r.header, name)
	return cell
}

func (r *resultReader) bad(name, what, advice string) {
	cell, header := r.row.Result(r.header, name)
	r.problems = append(r.problems, invoice.Problem{
		File: r.path, Line: r.row.Line, Cell: r.row.Cell(header), Column: header, Value: cell, Kind: AdoptKind, What: what, Advice: advice,
	})
}

// sameAsFirst refuses a further row of an invoice that has another link than the first, or another status.
func (r *resultReader) sameAsFirst() {
	link := r.cell("status") + " " + r.cell("session_id")
	if !r.row.Further {
		r.row.Group.Link = link
	} else if r.row.Group.Link != link {
		r.bad("session_id", "is not that of the first row of its invoice, or its status is not", "take the file as it was written")
	}
}

// reason is why the row is in doubt, in the words of the file.
func (r *resultReader) reason() string {
	if reason := invoice.Unguard(r.cell("error")); strings.TrimSpace(reason) != "" {
		return reason
	}
	return "it was in doubt when its links file was written"
}

// link reads what the row says of its link. One of a simulator is refused where others could take it for one that can be paid.
func (r *resultReader) link(item *job.AdoptedItem, payable bool) {
	const asItWas = "take the file as it was written, or the row out of it"
	item.SessionID, item.URL = r.cell("session_id"), r.cell("url")
	switch {
	case item.SessionID == "":
		r.bad("session_id", fmt.Sprintf("the row is %s and has no session", r.cell("status")), asItWas)
	case !job.UsableSession(item.SessionID):
		r.bad("session_id", "is no session's id", asItWas)
	case payable && links.Session{ID: item.SessionID, URL: item.URL}.Rehearsed():
		r.bad("session_id", "is a session of a simulator, which nobody can pay", "adopt the file in the simulator's environment, or leave it")
	}
	if !job.UsableLink(item.URL, item.Request) {
		r.bad("url", "is no link that a customer can be sent to", asItWas)
	}
	item.ExpiresAt = r.time("expires_at")
	if item.CreatedAt = r.time("created_at"); r.cell("created_at") == "" {
		r.bad("created_at", "is missing", asItWas)
	}
	item.CheckedAt = r.time("checked_at")
	item.Link = job.LinkStatus(r.cell("link_status"))
	switch {
	case item.Link == "":
		item.CheckedAt = time.Time{}
	case !slices.Contains(job.LinkStatuses, item.Link):
		r.bad("link_status", "is no status of a link", asItWas)
	case r.cell("checked_at") == "":
		r.bad("checked_at", "is missing", asItWas)
	}
}

// time reads a time; an empty cell is none.
func (r *resultReader) time(name string) time.Time {
	text := r.cell(name)
	if text == "" {
		return time.Time{}
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		r.bad(name, "is no time", "write it as in 2026-03-01T12:00:00Z")
	}
	return at
}
