package intake

import (
	"context"
	"io"

	"paylinks/job/invoice"
)

// rowSource is what rows are read from.
type rowSource interface {
	Next() (invoice.Row, error)
	Ready() int
}

// source is the reader itself, or, of a file with lines, one that puts the rows of each invoice together. That needs all rows to have been
// read before, which is done once.
func (f *File) source(ctx context.Context, reader *invoice.Reader) (rowSource, error) {
	if f.batch.Options.Lines == invoice.LinesNone {
		return reader, nil
	}
	if err := f.addUpInvoices(ctx, f.batch.Options); err != nil {
		return nil, err
	}
	return f.invoices.Read(reader), nil
}

// addUpInvoices reads all rows, for what is to be known of an invoice at its first row.
func (f *File) addUpInvoices(ctx context.Context, options invoice.Options) error {
	if f.invoices != nil {
		return nil
	}
	reader, err := f.reader(options)
	if err != nil {
		return f.unreadable(err)
	}
	defer reader.Close()
	invoices := invoice.NewInvoices(reader)
	for {
		row, err := reader.Next()
		switch {
		case err == io.EOF && reader.Digest() != f.Identity.FileDigest:
			return &Refusal{Kind: Changed, Path: f.Path}
		case err == io.EOF:
			if err := invoices.End(); err != nil {
				return f.unreadable(err)
			}
			f.invoices = invoices
			return nil
		case err != nil:
			return f.unreadable(err)
		case ctx.Err() != nil:
			return ctx.Err()
		}
		invoices.Add(&row)
	}
}

// refusedLine is what is wrong with a further row whose invoice is refused at its first row.
func (f *File) refusedLine(row *invoice.Row) invoice.Problem { return f.invoices.Refused(row) }
