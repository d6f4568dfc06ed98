package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
)

// input is a generated invoice file.
type input struct {
	path string
	rows int
}

// columns are the generated file's, in its order.
var columns = []string{"invoice_id", "amount", "currency", "customer_email", "description"}

// input makes the file with so many rows, unless it is there.
func (b *bench) input(rows int) (input, error) {
	in := input{path: filepath.Join(b.folder, fmt.Sprintf("%d.csv", rows)), rows: rows}
	if _, err := os.Stat(in.path); err == nil {
		return in, nil
	}
	file, err := os.Create(in.path)
	if err != nil {
		return in, err
	}
	return in, errors.Join(writeInvoices(file, rows), file.Close())
}

var (
	currencies = []string{"USD", "EUR", "GBP", "CHF"}
	services   = []string{
		"Wholesale order, November", "Hosting & support, one month", "Workshop \"Glaze basics\", group A",
		"Consulting: 12 hours on site", "Café catering for the opening", "Spare parts and repair work",
	}
)

// writeInvoices writes the same rows every time.
func writeInvoices(to io.Writer, rows int) error {
	buffered := bufio.NewWriterSize(to, 1<<16)
	lines := csv.NewWriter(buffered)
	_ = lines.Write(columns) // Flush reports what went wrong
	record := make([]string, len(columns))
	for n := 1; n <= rows; n++ {
		mixed := uint64(n) * 0x9e3779b97f4a7c15 >> 32
		record[0] = fmt.Sprintf("INV-2026-%07d", n)
		record[1] = fmt.Sprintf("%d.%02d", 1+mixed%5_000, mixed/5_000%100)
		record[2] = currencies[mixed%uint64(len(currencies))]
		record[3] = fmt.Sprintf("accounts@customer-%06d.example.com", mixed%400_000)
		record[4] = services[n%len(services)] + ", order " + strconv.Itoa(100_000+n)
		_ = lines.Write(record)
	}
	lines.Flush()
	return errors.Join(lines.Error(), buffered.Flush())
}

// countLines counts the line breaks of a file.
func countLines(path string) (int, error) {
	file, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	lines, buffer := 0, make([]byte, 1<<16)
	for {
		n, err := file.Read(buffer)
		lines += bytes.Count(buffer[:n], []byte{'\n'})
		if err == io.EOF {
			return lines, nil
		}
		if err != nil {
			return lines, err
		}
	}
}
