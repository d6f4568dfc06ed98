// Package intake takes invoice files into the ledger: it looks at all files of a run, checks each against its own rules, the
// ledger and the other files, writes the rejected files, and imports. [Open], [Batch.Outputs], [Batch.Find], [File.Check],
// [Batch.TryOutputs] and [File.Import] follow each other. What is refused is a [*Refusal]; other errors are the ledger's, an
// output's (a [*links.Error]), or the context's.
package intake

import (
	"context"
	"errors"
	"hash/maphash"
	"io"
	"io/fs"
	"iter"
	"math"
	"os"
	"path/filepath"
	"time"

	"paylinks/job"
	"paylinks/job/invoice"
	"paylinks/job/links"
)

// Ledger is what intake asks of a ledger to check files.
type Ledger interface {
	Find(ctx context.Context, identity job.Identity) (job.Job, error)
	Facts(ctx context.Context, invoices [][16]byte) (map[[16]byte][]job.Facts, error)
	Tally(ctx context.Context, jobID int64) (job.Tally, error)
}

// Importer is what intake asks of a ledger to import a file.
type Importer interface {
	Take(jobID int64) error
	Import(j job.Job, rows iter.Seq2[job.NewItem, error], skipInvalid bool, at time.Time) (job.Job, error)
	RunAgain(j job.Job, disputed map[int]string, at time.Time) error
}

// Settings are the same for all files of a run.
type Settings struct {
	Environment job.Environment
	BaseURL     string
	Options     invoice.Options
	OnUnknown   job.Policy // "" is what a known job has, and Retry for a new one
	SkipInvalid bool       // bad rows are let through, but not an unreadable file
	RawCells    bool       // write the user's cells without the formula guard
	BOM         bool       // begin written files with a byte order mark, whatever the input has
	Rejected    string     // path of the rejected file; "" is beside its input
	Expect      Expect
	Piped       map[string]*Piped // by path, files that were kept aside
}

// Batch are the files of one run.
type Batch struct {
	Settings
	Files []*File

	ledger  Ledger // nil: there is none yet
	repeats repeats
	seed    maphash.Seed // of hashes of cells
	lines   int          // of the files whose invoices are in repeats
}

// File is one input file on its way into the ledger.
type File struct {
	Path      string // as the user gave it, for messages
	Identity  job.Identity
	Known     *job.Job          // the ledger's job of this file; nil: it has none
	Header    invoice.Header    // empty until the file was read
	IDs       []string          // where no column was taken as the invoice id: those that could be it, after the file was read
	Readings  []invoice.Reading // the ways in which cells were read, other than as they stand there; after the file was read
	Notes     invoice.Notes     // what was read in a way of its own, after the file was read
	Figures   *Figures          // nil until the whole file was read; it stays so for a known job
	Rejected  string            // path of the rejected file, if one was written
	Unwritten error             // why it could not be written, where the file is refused for its rows all the same
	Output    string            // path of the links file; "-" is standard output

	batch    *Batch
	piped    *Piped // nil where it is read at its path
	abs      string
	rejected string // where the rejected file is to be
	bom      bool   // written files begin with a byte order mark
	surveyed bool
	invoices *invoice.Invoices // of a file with lines, once all of it was read
	alike    map[uint32]*alike // of a file without, the invoices whose rows differ, by the place of the first
	refused  int               // rows that the last reading refused because of another job or file
	before   int               // lines of the files that were surveyed before; no place is after it until this one is
}

// Open looks at all files before it reads the rows of any.
func Open(paths []string, settings Settings) (*Batch, error) {
	b := &Batch{Settings: settings, seed: maphash.MakeSeed()}
	for _, path := range paths {
		f, err := b.open(path)
		if err != nil {
			return nil, err
		}
		for _, other := range b.Files {
			if other.Identity == f.Identity {
				return nil, &Refusal{Kind: SameFile, Path: path, Other: other.Path}
			}
		}
		b.Files = append(b.Files, f)
	}
	return b, nil
}

func (b *Batch) open(path string) (*File, error) {
	if piped := b.Piped[path]; piped != nil {
		return b.look(&File{Path: piped.Name, piped: piped}, piped.Name)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Refusal{Kind: NoFile, Path: path}
	case err != nil:
		return nil, &Refusal{Kind: Unreadable, Path: path, Err: err}
	case info.IsDir():
		return nil, &Refusal{Kind: Folder, Path: path}
	case !info.Mode().IsRegular():
		return nil, &Refusal{Kind: NotRegular, Path: path}
	}
	return b.look(&File{Path: path}, path)
}

// look reads the file for the first time: for its digest, and for how what is written of it begins. Its outputs stand beside the path.
func (b *Batch) look(f *File, path string) (_ *File, err error) {
	f.batch, f.before = b, math.MaxInt
	f.Identity = job.Identity{Environment: b.Environment, BaseURL: b.BaseURL, Options: b.Options.Canonical()}
	if f.abs, err = filepath.Abs(path); err == nil {
		err = f.sum()
	}
	f.rejected = links.RejectedPath(f.abs)
	if err == nil && b.Rejected != "" {
		f.rejected, err = filepath.Abs(b.Rejected)
	}
	if err != nil {
		return nil, &Refusal{Kind: Unreadable, Path: f.Path, Err: err}
	}
	return f, nil
}

// sum takes the file's digest.
func (f *File) sum() error {
	var src interface {
		io.Reader
		io.ReaderAt
	}
	if f.piped != nil {
		src = f.piped.reader()
	} else {
		file, err := os.Open(f.Path)
		if err != nil {
			return err
		}
		defer file.Close()
		src = file
	}
	var err error
	if f.Identity.FileDigest, err = invoice.DigestOf(src); err == nil {
		f.bom, err = invoice.Marked(src, f.batch.Options)
	}
	f.bom = f.bom || f.batch.BOM
	return err
}

// reader begins to read the file.
func (f *File) reader(options invoice.Options) (*invoice.Reader, error) {
	if f.piped != nil {
		return invoice.OpenAt(f.Path, f.piped.reader(), f.piped.size, options)
	}
	return invoice.Open(f.Path, options)
}

// Find looks which of the files the ledger has jobs of already. The ledger is what Check holds rows against from now on;
// without one, files are held against each other alone.
func (b *Batch) Find(ctx context.Context, ledger Ledger) error {
	b.ledger = ledger
	for _, f := range b.Files {
		j, err := ledger.Find(ctx, f.Identity)
		switch {
		case err == nil:
			f.Known = &j
		case !errors.Is(err, job.ErrNoJob):
			return err
		}
	}
	return nil
}
