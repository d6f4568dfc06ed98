package store

import (
	"database/sql"
	"fmt"
	"time"
)

// timeLayout is how times stand in the ledger: UTC, to the millisecond, in the order of the calendar as text.
const timeLayout = "2006-01-02T15:04:05.000Z"

// stamp writes a time for the ledger; no time is the empty text.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(timeLayout)
}

// timeOf scans what stamp wrote.
func timeOf(t *time.Time) sql.Scanner { return scanTime{t} }

type scanTime struct{ to *time.Time }

func (s scanTime) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("a time is stored as %T", value)
	}
	*s.to = time.Time{}
	if text == "" {
		return nil
	}
	t, err := time.Parse(timeLayout, text)
	*s.to = t
	return err
}
