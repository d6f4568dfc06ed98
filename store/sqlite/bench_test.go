package sqlite_test

import (
	"fmt"
	"path/filepath"
	"sync"
	"testing"

	"paylinks/job"
	"paylinks/store/sqlite"
)

const many = 100_000

func benchLedger(b *testing.B) *sqlite.Ledger {
	b.Helper()
	s, err := sqlite.OpenToSend(filepath.Join(b.TempDir(), "ledger.db"), "")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	return s
}

func BenchmarkImport(b *testing.B) {
	rows := invoices(many)
	for b.Loop() {
		b.StopTimer()
		s := benchLedger(b)
		b.StartTimer()
		if _, err := s.Import(newJob("a"), good(rows...), false, at); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*many)/b.Elapsed().Seconds(), "rows/s")
}

// Another file with the same invoices: each is looked up, and taken over.
func BenchmarkImportAgain(b *testing.B) {
	s := benchLedger(b)
	rows := invoices(many)
	imports := 0
	next := func() {
		imports++
		if _, err := s.Import(newJob(fmt.Sprint(imports)), good(rows...), false, at); err != nil {
			b.Fatal(err)
		}
	}
	next()
	for b.Loop() {
		next()
	}
	b.ReportMetric(float64(b.N*many)/b.Elapsed().Seconds(), "rows/s")
}

// One record is a Begin or an End.
func BenchmarkRecords(b *testing.B) {
	for _, workers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("%d workers", workers), func(b *testing.B) {
			s := benchLedger(b)
			n := 0
			var items []job.Item
			const each = 50
			for b.Loop() {
				if len(items) < workers*each {
					b.StopTimer()
					j, err := s.Import(newJob(fmt.Sprint(n)), good(invoices(many)...), false, at)
					if err == nil {
						items, err = s.Open(b.Context(), j.ID, 0, many)
					}
					if err != nil {
						b.Fatal(err)
					}
					b.StartTimer()
				}
				var group sync.WaitGroup
				for w := range workers {
					group.Go(func() {
						for i := range each {
							item := &items[w*each+i]
							_, number, err := s.Begin(item, at, nil)
							if err == nil {
								_, err = ended(s, item, number, ownSession(item, ends[job.OutcomeCreated]))
							}
							if err != nil {
								b.Error(err)
							}
						}
					})
				}
				group.Wait()
				items = items[workers*each:]
				n += workers * each
			}
			b.ReportMetric(float64(2*n)/b.Elapsed().Seconds(), "records/s")
		})
	}
}

func BenchmarkResults(b *testing.B) {
	s := benchLedger(b)
	j, err := s.Import(newJob("a"), good(invoices(many)...), false, at)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		for _, err := range s.Results(b.Context(), j.ID) {
			if err != nil {
				b.Fatal(err)
			}
			n++
		}
		if n != many {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.N*many)/b.Elapsed().Seconds(), "rows/s")
}

// The runner reads the open items page by page, while most of a job is done.
func BenchmarkOpen(b *testing.B) {
	s := benchLedger(b)
	j, err := s.Import(newJob("a"), good(invoices(many)...), false, at)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		n, after := 0, int64(0)
		for {
			page, err := s.Open(b.Context(), j.ID, after, 1024)
			if err != nil {
				b.Fatal(err)
			}
			if len(page) == 0 {
				break
			}
			n += len(page)
			after = page[len(page)-1].ID
		}
		if n != many {
			b.Fatal(n)
		}
	}
	b.ReportMetric(float64(b.N*many)/b.Elapsed().Seconds(), "rows/s")
}
