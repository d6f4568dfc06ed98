package xlsx

import (
	"archive/zip"
	"errors"
	"io"
	"strings"
)

const (
	maxDirectory = 4 << 20  // bytes of the archive's list of files; a workbook's has some thousands
	maxSmallPart = 64 << 20 // unpacked, of a part other than a sheet and the shared strings
	maxStrings   = 2 << 30  // unpacked, of the shared strings
	maxSheet     = 8 << 30  // unpacked, of a sheet
	maxRatio     = 200      // unpacked to packed; sheets have 10 to 50
	ratioFrom    = 32 << 20 // unpacked bytes from which maxRatio counts
)

// archive is the zip archive of a workbook.
type archive struct {
	disk  *disk
	files map[string]*zip.File // by partName
	first string               // the name of the first file
}

// disk is the file below the archive. It remembers the error of a reading, which is none of the archive, and bounds what is read while
// the archive's list of files is: the list is kept in memory.
type disk struct {
	r    io.ReaderAt
	left int64 // bytes that may be read; below 0 is no bound
	full bool  // the bound was reached
	err  error
}

var errDirectory = errors.New("the list of files is too long")

func (d *disk) ReadAt(p []byte, at int64) (int, error) {
	if at < 0 {
		return 0, io.ErrUnexpectedEOF // the archive refers to what would be before its beginning
	}
	if d.left >= 0 {
		if d.left < int64(len(p)) {
			d.full = true
			return 0, errDirectory
		}
		d.left -= int64(len(p))
	}
	n, err := d.r.ReadAt(p, at)
	if err != nil && err != io.EOF {
		d.err = err
	}
	return n, err
}

func openArchive(r io.ReaderAt, size int64) (*archive, error) {
	a := &archive{disk: &disk{r: r, left: maxDirectory}, files: map[string]*zip.File{}}
	z, err := zip.NewReader(a.disk, size)
	a.disk.left = -1
	switch {
	case a.disk.err != nil:
		return nil, a.disk.err
	case a.disk.full:
		return nil, tooLarge("lists more files than a workbook has")
	case err != nil && !errors.Is(err, zip.ErrInsecurePath):
		return nil, damaged("is cut off, or is no zip archive")
	}
	for i, file := range z.File {
		if i == 0 {
			a.first = file.Name
		}
		name := partName(file.Name)
		if _, twice := a.files[name]; twice {
			return nil, damaged("has the part " + name + " twice")
		}
		a.files[name] = file
	}
	return a, nil
}

// partName is the name under which a part is looked up: case does not count, and some programs write backslashes.
func partName(name string) string {
	return strings.ToLower(strings.TrimLeft(strings.ReplaceAll(name, `\`, "/"), "/"))
}

func (a *archive) has(name string) bool { return a.files[partName(name)] != nil }

// foreign says what an archive is that has no workbook.
func (a *archive) foreign() error {
	switch {
	case a.has("content.xml") && a.has("META-INF/manifest.xml"):
		return &Error{Kind: Foreign, What: "is a workbook of LibreOffice (.ods)"}
	case a.has("Index/Document.iwa") || a.has("Index.zip"):
		return &Error{Kind: Foreign, What: "is a document of Apple Numbers"}
	case a.has("xl/workbook.xml"):
		return damaged("lacks a list of its parts (_rels)")
	}
	return &Error{Kind: Foreign, What: "is a zip archive without a workbook"}
}

// open begins to read a part, of which at most so many bytes may be unpacked.
func (a *archive) open(name string, most int64) (*part, error) {
	file := a.files[partName(name)]
	if file == nil {
		return nil, damaged("lacks its part " + name)
	}
	const encrypted = 1
	if file.Flags&encrypted != 0 {
		return nil, &Error{Kind: Protected, What: "is a zip archive with a password"}
	}
	body, err := file.Open()
	if err != nil {
		return nil, a.failed(name, err)
	}
	return newPart(a, name, body, int64(file.CompressedSize64), most), nil
}

// failed is the error of reading a part: the disk's, else of the workbook.
func (a *archive) failed(name string, err error) error {
	if a.disk.err != nil {
		return a.disk.err
	}
	if bad, ok := errors.AsType[*Error](err); ok {
		return bad
	}
	if errors.Is(err, zip.ErrAlgorithm) {
		return damaged("is packed in a way that no workbook is (" + name + ")")
	}
	return damaged("is cut off or damaged (" + name + ": " + err.Error() + ")")
}
