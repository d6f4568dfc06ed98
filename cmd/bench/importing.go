package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"paylinks/job"
	"paylinks/job/invoice"
	"paylinks/store"
)

var importingFigure = figure{
	name:  "importing",
	title: "importing",
	what:  "rows a second into the ledger",
	note: `What paylinks run does between its check and its first request, by its own packages in a process of bench's:
it reads 1,000,000 rows, makes each an item with its request, looks whether the ledger knows it, and imports all of
them into a new ledger, by parts. Timed inside that process, from before the file is opened until the import
has returned and is durable (WAL, synchronous=FULL). The peer is the whole process of sqlite3 with the same two
settings: .import of the same file into one table of texts without index or checks, the WAL folded in when it closes.
Three pairs.`,
	measure: measureImporting,
}

func measureImporting(ctx context.Context, b *bench) ([]row, error) {
	in, err := b.input(b.sizes.long)
	if err != nil {
		return nil, err
	}
	peer, run := installed("sqlite3"), func() (ended, error) { return b.sqliteImport(ctx, in) }
	if peer != "" {
		run = nil
	}
	d, err := b.inTurns(b.sizes.turns, in.rows, func() (ended, error) { return b.importRun(ctx, in) }, run)
	if err != nil {
		return nil, err
	}
	if run != nil {
		peer = "sqlite3 `.import`: " + d.peer.rate()
	}
	return []row{{
		title:    english.Sprintf("importing %d rows", in.rows),
		measured: "**" + d.ours.rate() + "**",
		peer:     peer,
		reach:    "≥ 120,000 rows/s",
		met:      judge(d.ours.perSecond().median() >= 120_000),
	}}, nil
}

// imported is what the process that imports says.
type imported struct {
	Rows    int     `json:"rows"`
	Seconds float64 `json:"seconds"`
}

// importRun imports the file in a process of its own; the wall time is that of the import alone.
func (b *bench) importRun(ctx context.Context, in input) (ended, error) {
	ledger := filepath.Join(b.folder, "import.db")
	defer removeDatabase(ledger)
	e, err := b.execute(ctx, command{program: b.self, args: []string{"import", in.path, ledger}})
	if err != nil {
		return ended{}, err
	}
	var said imported
	if err := json.Unmarshal([]byte(e.stdout), &said); err != nil {
		return ended{}, fmt.Errorf("the import: %w", err)
	}
	if said.Rows != in.rows {
		return ended{}, fmt.Errorf("the import has taken %d rows, expected %d", said.Rows, in.rows)
	}
	e.wall = time.Duration(said.Seconds * float64(time.Second))
	return e, nil
}

func (b *bench) sqliteImport(ctx context.Context, in input) (ended, error) {
	database := filepath.Join(b.folder, "plain.db")
	defer removeDatabase(database)
	e, err := b.execute(ctx, command{program: "sqlite3", args: []string{
		database, "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL", ".import --csv " + in.path + " invoice", "SELECT count(*) FROM invoice",
	}})
	if lines := strings.Fields(e.stdout); err == nil && (len(lines) != 2 || lines[1] != fmt.Sprint(in.rows)) {
		err = fmt.Errorf("sqlite3 said %q, expected wal and %d rows", e.stdout, in.rows)
	}
	return e, err
}

func newImport(out io.Writer) *cobra.Command {
	return &cobra.Command{
		Use:    "import FILE LEDGER",
		Short:  "Import the file into a new ledger and say how long it took",
		Hidden: true,
		Args:   cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			said, err := importFile(cmd.Context(), args[0], args[1])
			if err != nil {
				return err
			}
			return json.NewEncoder(out).Encode(said)
		},
	}
}

// importFile does what run does with a checked file.
func importFile(ctx context.Context, path, ledgerPath string) (_ imported, err error) {
	identity := job.Identity{Environment: job.Simulator, BaseURL: job.InProcess, Options: invoice.Options{}.Canonical()}
	if identity.FileDigest, err = invoice.Digest(path); err != nil {
		return imported{}, err
	}
	ledger, err := store.OpenForSending(ledgerPath, "bench")
	if err != nil {
		return imported{}, err
	}
	begun := time.Now()
	reader, err := invoice.Open(path, invoice.Options{})
	if err != nil {
		return imported{}, err
	}
	defer reader.Close()
	header := reader.Header()
	var said imported
	_, err = ledger.Import(job.Job{
		Identity: identity, File: path, Columns: header.Columns, Delimiter: header.Delimiter, OnUnknown: job.Retry, Output: "-",
	}, items(ctx, reader, identity, ledger, &said.Rows), false, begun)
	if err != nil {
		return imported{}, err
	}
	said.Seconds = time.Since(begun).Seconds()
	return said, ledger.Close()
}

// items are the file's rows as the ledger takes them, counted. As in run, those that the reader has ready are looked up
// together.
func items(ctx context.Context, reader *invoice.Reader, identity job.Identity, ledger *store.Store, rows *int) iter.Seq2[job.NewItem, error] {
	return func(yield func(job.NewItem, error) bool) {
		var batch []job.NewItem
		for end := error(nil); end == nil; {
			batch, end = readItems(reader, identity, batch[:0])
			invoices := make([][16]byte, len(batch))
			for i, item := range batch {
				invoices[i] = item.Invoice
			}
			claims, err := ledger.Claims(ctx, invoices)
			for _, item := range batch {
				*rows++
				item.Fresh = len(claims[item.Invoice]) == 0
				if !yield(item, err) || err != nil {
					return
				}
			}
			if end != nil && end != io.EOF {
				yield(job.NewItem{}, end)
				return
			}
		}
	}
}

// readItems adds the rows that the reader has ready. Its error, io.EOF at the end, is of what follows them.
func readItems(reader *invoice.Reader, identity job.Identity, batch []job.NewItem) ([]job.NewItem, error) {
	for {
		row, err := reader.Next()
		if err != nil {
			return batch, err
		}
		if len(row.Problems) > 0 {
			return batch, fmt.Errorf("line %d of a generated file: %s", row.Line, row.Problems[0].What)
		}
		batch = append(batch, identity.NewRow(row, ""))
		if reader.Ready() == 0 {
			return batch, nil
		}
	}
}
