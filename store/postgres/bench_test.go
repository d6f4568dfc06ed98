package postgres_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"paylinks/job"
	"paylinks/store/ledgertest"
	"paylinks/store/postgres"
	"paylinks/store/postgres/pgtest"
)

const many = 100_000

func benchLedger(b *testing.B) *postgres.Ledger {
	b.Helper()
	l, err := postgres.OpenToSend(b.Context(), pgtest.Shared(b).Ledger(b), senderOn("bench", time.Minute))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	return l
}

func BenchmarkImport(b *testing.B) {
	rows := ledgertest.Invoices(many)
	for b.Loop() {
		b.StopTimer()
		l := benchLedger(b)
		b.StartTimer()
		if _, err := l.Import(ledgertest.NewJob("a"), ledgertest.Good(rows...), false, ledgertest.At); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N*many)/b.Elapsed().Seconds(), "rows/s")
}

// Another file with the same invoices: each is looked up, and taken over.
func BenchmarkImportAgain(b *testing.B) {
	l := benchLedger(b)
	rows := ledgertest.Invoices(many)
	imports := 0
	next := func() {
		imports++
		if _, err := l.Import(ledgertest.NewJob(fmt.Sprint(imports)), ledgertest.Good(rows...), false, ledgertest.At); err != nil {
			b.Fatal(err)
		}
	}
	next()
	for b.Loop() {
		next()
	}
	b.ReportMetric(float64(b.N*many)/b.Elapsed().Seconds(), "rows/s")
}

// A row is a Begin and an End.
func BenchmarkRecords(b *testing.B) {
	for _, workers := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("%d workers", workers), func(b *testing.B) {
			l := benchLedger(b)
			n := 0
			var items []job.Item
			const each = 50
			for b.Loop() {
				if len(items) < workers*each {
					b.StopTimer()
					n++
					rows := make([]job.NewItem, many/4)
					for i := range rows {
						rows[i] = ledgertest.Invoice(i+2, fmt.Sprintf("%d-%d", n, i))
					}
					j, err := l.Import(ledgertest.NewJob(fmt.Sprint(n)), ledgertest.Good(rows...), false, ledgertest.At)
					if err == nil {
						items, err = l.Open(b.Context(), j.ID, 0, many)
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
							_, number, err := l.Begin(item, ledgertest.At, nil)
							if err != nil {
								b.Error(err)
								return
							}
							done := make(chan error, 1)
							l.End(item, number, ledgertest.OwnSession(item, ledgertest.Ends[job.OutcomeCreated]), func(_ job.Decision, err error) { done <- err })
							if err := <-done; err != nil {
								b.Error(err)
							}
						}
					})
				}
				group.Wait()
				items = items[workers*each:]
			}
			b.ReportMetric(float64(b.N*workers*each)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
