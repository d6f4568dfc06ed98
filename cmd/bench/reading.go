package main

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
)

var readingFigure = figure{
	name:  "reading",
	title: "reading",
	what:  "rows a second of check",
	note: `paylinks check of 1,000,000 rows with no ledger there, as a whole process; --expect-rows makes sure that it
has seen them all. The peer is a process that reads the same file with encoding/csv (each record in the memory of the
one before) and counts the records. Three pairs.`,
	measure: measureReading,
}

func measureReading(ctx context.Context, b *bench) ([]row, error) {
	in, err := b.input(b.sizes.long)
	if err != nil {
		return nil, err
	}
	check := command{program: b.paylinks, args: []string{
		"check", in.path, "--env", "simulator", "--ledger", b.ledger(0), "--expect-rows", strconv.Itoa(in.rows),
	}}
	d, err := b.inTurns(b.sizes.turns, in.rows,
		func() (ended, error) { return b.execute(ctx, check) },
		func() (ended, error) { return b.scanRun(ctx, in) })
	if err != nil {
		return nil, err
	}
	return []row{{
		title:    english.Sprintf("reading (`check`), %d rows", in.rows),
		measured: "**" + d.ours.rate() + "**",
		peer:     "encoding/csv alone: " + d.peer.rate(),
		reach:    "≥ 300,000 rows/s",
		met:      judge(d.ours.perSecond().median() >= 300_000),
	}}, nil
}

func (b *bench) scanRun(ctx context.Context, in input) (ended, error) {
	e, err := b.execute(ctx, command{program: b.self, args: []string{"scan", in.path}})
	if err == nil && strings.TrimSpace(e.stdout) != strconv.Itoa(in.rows) {
		err = fmt.Errorf("encoding/csv has counted %q records, expected %d", e.stdout, in.rows)
	}
	return e, err
}

func newScan(out io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:    "scan FILE",
		Short:  "Count the file's records with encoding/csv: what check is compared with",
		Hidden: true,
		Args:   cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			rows, err := scan(args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(out, rows)
			return err
		},
	}
}

// scan counts the records below the header.
func scan(path string) (int, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	records := csv.NewReader(bufio.NewReaderSize(file, 1<<16))
	records.ReuseRecord = true
	for rows := -1; ; rows++ {
		if _, err := records.Read(); errors.Is(err, io.EOF) {
			return rows, nil
		} else if err != nil {
			return rows, err
		}
	}
}
