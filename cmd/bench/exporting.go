package main

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

var exportingFigure = figure{
	name:  "exporting",
	title: "exporting",
	what:  "rows a second of export",
	note: `paylinks export of the long job's 1,000,000 links, as a whole process. The peer is sqlite3's shell, which
writes the same columns of the same ledger as CSV; it decides nothing, quotes by rules of its own and guards no
formulas. Three pairs.`,
	measure: measureExporting,
}

func measureExporting(ctx context.Context, b *bench) ([]row, error) {
	j, err := b.finished()
	if err != nil {
		return nil, err
	}
	peer, run := installed("sqlite3"), func() (ended, error) { return b.sqliteExport(ctx, j.rows) }
	if peer != "" {
		run = nil
	}
	d, err := b.inTurns(b.sizes.turns, j.rows, func() (ended, error) { return b.exportRun(ctx, j.rows) }, run)
	if err != nil {
		return nil, err
	}
	if run != nil {
		peer = "sqlite3 `SELECT`: " + d.peer.rate()
	}
	return []row{{
		title:    english.Sprintf("exporting %d links", j.rows),
		measured: "**" + d.ours.rate() + "**",
		peer:     peer,
		reach:    "≥ 200,000 rows/s",
		met:      judge(d.ours.perSecond().median() >= 200_000),
	}}, nil
}

func (b *bench) exportRun(ctx context.Context, rows int) (ended, error) {
	output := filepath.Join(b.folder, "export.csv")
	e, err := b.execute(ctx, command{program: b.paylinks, args: []string{
		"export", "1", "--env", "simulator", "--ledger", b.ledger(rows), "--output", output,
	}})
	if err != nil {
		return ended{}, err
	}
	return e, checkLinks(output, rows)
}

func (b *bench) sqliteExport(ctx context.Context, rows int) (ended, error) {
	output := filepath.Join(b.folder, "sqlite.csv")
	var cells []string
	for i, column := range columns {
		cells = append(cells, fmt.Sprintf("cells ->> %d AS %s", i, column))
	}
	query := "SELECT " + strings.Join(cells, ", ") +
		", row, state AS status, session_id, url, expires_at, created_at, attempts, error_code, error FROM item WHERE job_id = 1 ORDER BY id"
	e, err := b.execute(ctx, command{program: "sqlite3", args: []string{
		"-readonly", b.ledger(rows), ".headers on", ".mode csv", ".output " + output, query,
	}})
	if err != nil {
		return ended{}, err
	}
	return e, checkLinks(output, rows)
}
