package invoice

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/gocarina/gocsv"
)

const benchRows = 100_000

// benchFile is a plain six-column file of rows invoices.
func benchFile(b *testing.B, rows int) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "bench.csv")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintln(f, "invoice_id,customer_email,amount,currency,description,note")
	for i := range rows {
		fmt.Fprintf(f, "INV-%07d,accounts+%d@shop.example.com,%d.%02d,EUR,\"Wholesale, March\",batch %d\n", i, i, 100+i%5000, i%100, i%7)
	}
	return path
}

// perSecond reports rows a second for a run over the whole file.
func perSecond(b *testing.B, rows int, run func(path string) int) {
	path := benchFile(b, rows)
	b.ReportAllocs()
	for b.Loop() {
		if n := run(path); n != rows {
			b.Fatalf("read %d rows, want %d", n, rows)
		}
	}
	b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

func BenchmarkReader(b *testing.B) {
	perSecond(b, benchRows, func(path string) int {
		r, err := Open(path, Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer r.Close()
		for n := 0; ; n++ {
			row, err := r.Next()
			if err == io.EOF {
				return n
			}
			if err != nil || len(row.Problems) > 0 {
				b.Fatal(err, row.Problems)
			}
		}
	})
}

func BenchmarkEncodingCSVAlone(b *testing.B) {
	perSecond(b, benchRows, func(path string) int {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		r := csv.NewReader(f)
		for n := -1; ; n++ {
			if _, err := r.Read(); err == io.EOF {
				return n
			} else if err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkGocsvAlone(b *testing.B) {
	perSecond(b, benchRows, func(path string) int {
		f, err := os.Open(path)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		r, err := gocsv.NewUnmarshaller(csv.NewReader(f), record{})
		if err != nil {
			b.Fatal(err)
		}
		for n := 0; ; n++ {
			if _, err := r.Read(); err == io.EOF {
				return n
			} else if err != nil {
				b.Fatal(err)
			}
		}
	})
}
