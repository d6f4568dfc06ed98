package main

import "context"

var ledgerFigure = figure{
	name:  "ledger",
	title: "ledger",
	what:  "bytes a row in the ledger, and the largest WAL",
	note: `The ledger file of the long job when every row has its link, over its 1,000,000 rows; beside it the file
that was imported. The WAL is looked at every 5 ms throughout the job's first run, import and export included.`,
	measure: measureLedger,
}

func measureLedger(_ context.Context, b *bench) ([]row, error) {
	j, err := b.finished()
	if err != nil {
		return nil, err
	}
	ledger, err := size(b.ledger(j.rows))
	if err != nil {
		return nil, err
	}
	file, err := size(j.path)
	if err != nil {
		return nil, err
	}
	return []row{{
		title:    english.Sprintf("ledger of %d rows", j.rows),
		measured: english.Sprintf("**%.0f bytes** a row (%.0f MiB)", float64(ledger)/float64(j.rows), float64(ledger)/mebibyte),
		peer:     english.Sprintf("the invoice file: %.0f bytes a row", float64(file)/float64(j.rows)),
	}, {
		title:    "largest WAL",
		measured: english.Sprintf("**%.1f MiB**", float64(j.wal)/mebibyte),
	}}, nil
}
