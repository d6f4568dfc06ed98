// Package xlsx reads the sheets of a workbook in Office Open XML (.xlsx, .xlsm), row by row as a stream: transitional and strict.
//
// It says of each cell what it holds, and of a number how the spreadsheet shows it; what to make of that is the caller's. A file that is
// damaged, cut off or made to fill the memory is an [*Error]; other errors are the disk's.
package xlsx

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"
)

// Book is an open workbook. It must not be used by two goroutines at once.
type Book struct {
	archive  *archive
	sheets   []Sheet
	main     string            // the workbook's part
	kinds    map[string]string // kind of relationship to the part that the workbook names for it; sheets are left out
	outdated bool              // the values of formulas are to be calculated when the book is opened
	from1904 bool              // dates are counted from 1904
	formats  []*Format         // by the cells' style; nil until a sheet is read
	strings  stringTable
}

// Sheet is a sheet with cells. Sheets with a chart or a dialog alone are left out.
type Sheet struct {
	Name   string
	Hidden bool
	part   string
}

// Open reads the workbook's list of sheets. size is that of the file.
func Open(r io.ReaderAt, size int64) (*Book, error) {
	a, err := openArchive(r, size)
	if err != nil {
		return nil, err
	}
	b := &Book{archive: a, kinds: map[string]string{}}
	root, err := a.relations("")
	if err != nil {
		return nil, err
	}
	for _, rel := range root {
		if rel.kind == "officeDocument" {
			b.main = rel.target
		}
	}
	switch {
	case b.main == "":
		return nil, damaged("names no workbook part")
	case strings.HasSuffix(b.main, ".bin"):
		return nil, &Error{Kind: Foreign, What: "is a binary workbook (.xlsb)"}
	}
	if err := b.readWorkbook(); err != nil {
		return nil, err
	}
	return b, nil
}

// Sheets are the workbook's sheets in its order.
func (b *Book) Sheets() []Sheet { return b.sheets }

// readWorkbook reads the workbook part, and finds the parts that it names.
func (b *Book) readWorkbook() error {
	rels, err := b.archive.relations(b.main)
	if err != nil {
		return err
	}
	byID := map[string]relation{}
	for _, rel := range rels {
		byID[rel.id] = rel
		if rel.kind != "worksheet" {
			b.kinds[rel.kind] = rel.target
		}
	}
	p, err := b.archive.open(b.main, maxSmallPart)
	if err != nil {
		return err
	}
	defer p.close()
	root, err := p.begin()
	if err != nil {
		return err
	}
	if root.Name.Local != "workbook" || !isMain(root.Name.Space) {
		return &Error{Kind: Foreign, What: "is not a workbook but another document of an office program"}
	}
	seen := map[string]bool{}
	err = p.each(func(place string, e xml.StartElement) error {
		switch place {
		case "workbookPr":
			b.from1904 = isTrue(attribute(e, "date1904"))
		case "calcPr":
			b.outdated = isTrue(attribute(e, "fullCalcOnLoad"))
		case "sheets/sheet":
			rel, found := byID[relationID(e)]
			name := attribute(e, "name")
			if !found || name == "" {
				return damaged(fmt.Sprintf("has no part for its sheet %q", name))
			}
			if key := strings.ToLower(name); seen[key] {
				return damaged(fmt.Sprintf("has two sheets that are called %q", name))
			} else {
				seen[key] = true
			}
			if rel.kind == "worksheet" {
				state := attribute(e, "state")
				b.sheets = append(b.sheets, Sheet{Name: name, Hidden: state == "hidden" || state == "veryHidden", part: rel.target})
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.end()
}

// load reads the styles and shared strings, which the cells of all sheets refer to.
func (b *Book) load() error {
	if b.formats != nil {
		return nil
	}
	if err := b.readStyles(); err != nil {
		return err
	}
	if part, has := b.kinds["sharedStrings"]; has {
		if err := b.readStrings(part); err != nil {
			b.formats = nil
			return err
		}
	}
	return nil
}

// Kind is what an [*Error] is about.
type Kind int

const (
	Damaged   Kind = iota // cut off, not well formed, or with a reference to what is not there
	TooLarge              // more than a spreadsheet can hold, or packed so that it would fill the memory
	Foreign               // a file of another kind; What says which
	Protected             // by a password
)

// Error is why a workbook cannot be read.
type Error struct {
	Kind  Kind
	Sheet string // where it is in a sheet; "" is the workbook as a whole
	Row   int    // the row that was read last, or that is broken; 0 is none
	Cell  string // the cell that is broken, such as C7; "" is none
	What  string // a sentence without its subject: the workbook, sheet or cell
}

func (e *Error) Error() string {
	switch {
	case e.Sheet == "":
		return "workbook " + e.What
	case e.Cell != "":
		return "cell " + Place(e.Sheet, e.Cell) + " " + e.What
	case e.Row == 0:
		return fmt.Sprintf("sheet %q %s", e.Sheet, e.What)
	}
	return fmt.Sprintf("sheet %q, row %d: %s", e.Sheet, e.Row, e.What)
}

func damaged(what string) *Error { return &Error{Kind: Damaged, What: what} }

func tooLarge(what string) *Error { return &Error{Kind: TooLarge, What: what} }

// inSheet adds the place to an error that has none yet.
func inSheet(err error, sheet string, row int) error {
	bad, ok := errors.AsType[*Error](err)
	if !ok || bad.Sheet != "" {
		return err
	}
	placed := *bad
	placed.Sheet, placed.Row = sheet, row
	return &placed
}

// relation is a reference from one part to another.
type relation struct{ id, kind, target string }

// relationSpaces are the beginnings of the kinds of relationships, transitional and strict.
var relationSpaces = []string{
	"http://schemas.openxmlformats.org/officeDocument/2006/relationships/",
	"http://purl.oclc.org/ooxml/officeDocument/relationships/",
}

// relations are the references of the part, or of the archive as a whole for "".
func (a *archive) relations(from string) (rels []relation, err error) {
	dir, file := path.Split(from)
	name := dir + "_rels/" + file + ".rels"
	if !a.has(name) {
		return nil, a.foreign()
	}
	p, err := a.open(name, maxSmallPart)
	if err != nil {
		return nil, err
	}
	defer p.close()
	if _, err := p.begin(); err != nil {
		return nil, err
	}
	err = p.each(func(place string, e xml.StartElement) error {
		if place != "Relationship" || attribute(e, "TargetMode") == "External" {
			return nil
		}
		kind := attribute(e, "Type")
		for _, space := range relationSpaces {
			if short, ok := strings.CutPrefix(kind, space); ok {
				rels = append(rels, relation{attribute(e, "Id"), short, partAt(dir, attribute(e, "Target"))})
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return rels, p.end()
}

// partAt is the name of the part that the target leads to from the folder.
func partAt(dir, target string) string {
	target = strings.ReplaceAll(target, `\`, "/")
	if strings.HasPrefix(target, "/") {
		return partName(target)
	}
	return partName(path.Join(dir, target))
}

// relationID is the attribute by which an element refers to a relationship.
func relationID(e xml.StartElement) string {
	for _, a := range e.Attr {
		for _, space := range relationSpaces {
			if a.Name.Local == "id" && a.Name.Space == strings.TrimSuffix(space, "/") {
				return a.Value
			}
		}
	}
	return ""
}
