package contents

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"iter"
	"math"
	"time"
)

// Digest is how many rows a table has, and a SHA-256 of them in order.
type Digest struct {
	Rows int64
	Sum  [sha256.Size]byte
}

// Digests are those of all tables.
type Digests struct {
	Jobs, LinksFiles, Paces, Items, Lines, Attempts Digest
}

// Compare says in which table the target differs from what was read; nil: in none.
func (read Digests) Compare(stands Digests) error {
	for _, table := range []struct {
		name         string
		read, stands Digest
	}{
		{"jobs", read.Jobs, stands.Jobs},
		{"links files", read.LinksFiles, stands.LinksFiles},
		{"paces", read.Paces, stands.Paces},
		{"rows", read.Items, stands.Items},
		{"lines", read.Lines, stands.Lines},
		{"attempts", read.Attempts, stands.Attempts},
	} {
		if table.read != table.stands {
			return &DifferError{Table: table.name, Read: table.read, Stands: table.stands}
		}
	}
	return nil
}

// DifferError means that what stands in the target is not what was read from the source.
type DifferError struct {
	Table        string
	Read, Stands Digest
}

func (e *DifferError) Error() string {
	if e.Read.Rows != e.Stands.Rows {
		return fmt.Sprintf("the target does not have what was read: %d %s were read, and %d are there", e.Read.Rows, e.Table, e.Stands.Rows)
	}
	return fmt.Sprintf("the target does not have what was read: of %d %s, some differ (digests %x and %x)", e.Read.Rows, e.Table, e.Read.Sum[:4], e.Stands.Sum[:4])
}

// Summed are the tables, whose digests are in the result when they have been ranged over. progress is called on the way with how many
// items and attempts went by.
func (t Tables) Summed(progress func(rows int64)) (Tables, *Digests) {
	d := &Digests{}
	n := int64(0)
	count := func() {
		if n++; n%progressEvery == 0 {
			progress(n)
		}
	}
	return Tables{
		Jobs:       summed(t.Jobs, &d.Jobs, (*encoder).job, func() {}),
		LinksFiles: summed(t.LinksFiles, &d.LinksFiles, (*encoder).linksFile, func() {}),
		Paces:      summed(t.Paces, &d.Paces, (*encoder).pace, func() {}),
		Items:      summed(t.Items, &d.Items, (*encoder).item, count),
		Lines:      summed(t.Lines, &d.Lines, (*encoder).line, count),
		Attempts:   summed(t.Attempts, &d.Attempts, (*encoder).attempt, count),
	}, d
}

// progressEvery is after how many rows a caller hears of them.
const progressEvery = 1000

// Sum ranges over all tables, and returns their digests.
func (t Tables) Sum(progress func(rows int64)) (Digests, error) {
	all, digests := t.Summed(progress)
	for _, exhaust := range []func() error{
		func() error { return exhausted(all.Jobs) },
		func() error { return exhausted(all.LinksFiles) },
		func() error { return exhausted(all.Paces) },
		func() error { return exhausted(all.Items) },
		func() error { return exhausted(all.Lines) },
		func() error { return exhausted(all.Attempts) },
	} {
		if err := exhaust(); err != nil {
			return Digests{}, err
		}
	}
	return *digests, nil
}

func exhausted[T any](rows iter.Seq2[T, error]) error {
	for _, err := range rows {
		if err != nil {
			return err
		}
	}
	return nil
}

func summed[T any](rows iter.Seq2[T, error], into *Digest, encode func(*encoder, *T), count func()) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		e := &encoder{hash: sha256.New()}
		n := int64(0)
		for row, err := range rows {
			if err == nil {
				encode(e, &row)
				e.flush()
				n++
				count()
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
		into.Rows = n
		e.hash.Sum(into.Sum[:0])
	}
}

// encoder writes rows for the digest: numbers as 8 bytes, texts with their length before them, so that no two rows look alike.
type encoder struct {
	hash hash.Hash
	row  []byte
}

func (e *encoder) flush() {
	_, _ = e.hash.Write(e.row) // a hash takes everything
	e.row = e.row[:0]
}

func (e *encoder) numbers(values ...int64) {
	for _, value := range values {
		e.row = binary.BigEndian.AppendUint64(e.row, uint64(value))
	}
}

func (e *encoder) texts(values ...string) {
	for _, value := range values {
		e.numbers(int64(len(value)))
		e.row = append(e.row, value...)
	}
}

func (e *encoder) bytes(value []byte) {
	length := int64(len(value))
	if value == nil {
		length = -1
	}
	e.numbers(length)
	e.row = append(e.row, value...)
}

func (e *encoder) flags(values ...bool) {
	for _, value := range values {
		bit := byte(0)
		if value {
			bit = 1
		}
		e.row = append(e.row, bit)
	}
}

func (e *encoder) times(values ...time.Time) {
	for _, value := range values {
		if e.flags(!value.IsZero()); !value.IsZero() {
			e.numbers(value.UnixMilli())
		}
	}
}

func (e *encoder) job(j *Job) {
	e.numbers(j.ID, j.Ran, j.FurtherLines)
	e.bytes(j.Identity)
	e.bytes(j.FileDigest)
	e.texts(j.File, j.Environment, j.BaseURL, j.Options, j.Columns, j.Delimiter, j.OnUnknown, j.Output, j.OutputHost, j.Stopped, j.StopReason, j.Salt)
	e.flags(j.Adopted, j.AllowRepeats, j.RawCells, j.BOM, j.Written, j.RejectedFrom != nil)
	if j.RejectedFrom != nil {
		e.numbers(*j.RejectedFrom)
	}
	e.times(j.CreatedAt, j.RanAt, j.EndedAt, j.RefreshedAt, j.PurgedAt)
}

func (e *encoder) linksFile(f *LinksFile) {
	e.texts(f.Host, f.Path)
	e.numbers(f.Job)
}

func (e *encoder) pace(p *Pace) {
	e.texts(p.Environment, p.BaseURL)
	e.numbers(int64(math.Float64bits(p.PerSecond)), int64(math.Float64bits(p.Reduced)), p.Streak)
	e.times(p.Since, p.PausedFrom, p.PausedUntil)
}

func (e *encoder) item(i *Item) {
	e.numbers(i.Job, i.Place, i.Row, i.Amount, i.Attempts, i.UnknownEnds, i.SuspectEnds)
	e.bytes(i.Invoice)
	e.texts(i.State, i.InvoiceID, i.Reference, i.Currency, i.SessionID, i.URL, i.LinkStatus, i.CustomerID, i.ErrorCode, i.Error, i.Request, i.Cells)
	e.times(i.ExpiresAt, i.CreatedAt, i.CheckedAt)
	e.flags(i.GivenUp)
}

func (e *encoder) line(l *Line) {
	e.numbers(l.Job, l.Place, l.Row, l.Item)
	e.texts(l.Cells)
}

func (e *encoder) attempt(a *Attempt) {
	e.numbers(a.Job, a.Place, a.Number, a.Status)
	e.texts(a.Outcome, a.Code, a.Message, a.SessionID)
	e.times(a.SentAt, a.EndedAt, a.Replaced)
}
