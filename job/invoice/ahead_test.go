package invoice

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
)

// disk is a file that says how much of it was read, and that knows whether it is closed.
type disk struct {
	io.Reader
	read   int
	closed bool
}

func (d *disk) Read(p []byte) (int, error) {
	if d.closed {
		return 0, errors.New("read after it was closed")
	}
	n, err := d.Reader.Read(p)
	d.read += n
	return n, err
}

func (d *disk) Close() error {
	d.closed = true
	return nil
}

// lines are n good rows below their header.
func lines(n int) string {
	var b strings.Builder
	b.WriteString(plainHeader)
	for i := range n {
		fmt.Fprintf(&b, "A-%d,a@example.com,10.00,EUR,%s\n", i, strings.Repeat("x", 100))
	}
	return b.String()
}

func readerOf(t *testing.T, d *disk) *Reader {
	t.Helper()
	r, err := newReader("in.csv", d, Options{})
	if err != nil {
		t.Fatal(err)
	}
	r.open = []io.Closer{d}
	return r
}

// TestReadsAheadALittle guards that memory stays flat however slow the caller is, that nothing goes on after Close (a bubble
// refuses to end with goroutines in it), and that a reader nobody asks for a row reads the header alone.
func TestReadsAheadALittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		content := lines(100_000)
		d := &disk{Reader: strings.NewReader(content)}
		r := readerOf(t, d)
		synctest.Wait()
		if d.read > bufferSize {
			t.Errorf("%d bytes were read for a header", d.read)
		}
		if _, err := r.Next(); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if most := len(content) / 100_000 * 256 * (batches + 1); d.read > most {
			t.Errorf("%d bytes were read for one row, want at most %d", d.read, most)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		for {
			if _, err := r.Next(); err != nil {
				break
			}
		}
	})
}

// TestDiskFails guards that an error of the disk comes after the rows above it, and stays.
func TestDiskFails(t *testing.T) {
	const rows = 1000
	broken := errors.New("the disk is gone")
	r := readerOf(t, &disk{Reader: io.MultiReader(strings.NewReader(lines(rows)), iotest.ErrReader(broken))})
	defer r.Close()
	for i := range rows {
		row, err := r.Next()
		if want := fmt.Sprintf("A-%d", i); err != nil || row.Line != i+2 || row.Invoice.ID != want || len(row.Problems) > 0 {
			t.Fatalf("row %d: %+v, %v", i, row, err)
		}
	}
	for range 2 {
		if _, err := r.Next(); !errors.Is(err, broken) {
			t.Errorf("after the last row: %v", err)
		}
	}
}
