package sqlite

import (
	"database/sql"
	"fmt"
	"time"
)

// timestampLayout is how times stand in the ledger: UTC, to the millisecond, so that texts sort as times do.
const timestampLayout = "2006-01-02T15:04:05.000Z"

// timestamp writes a time for the ledger; no time is the empty text.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timestampLayout)
}

// timeOf scans what timestamp wrote.
func timeOf(t *time.Time) sql.Scanner { return timeScanner{t} }

type timeScanner struct{ to *time.Time }

func (s timeScanner) Scan(value any) (err error) {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("a time is stored as %T", value)
	}
	if *s.to = (time.Time{}); text != "" {
		*s.to, err = time.Parse(timestampLayout, text)
	}
	return err
}
