package store

import (
	"database/sql"
	"fmt"
	"time"
)

// timeLayout is how times stand in the ledger: UTC, to the millisecond, in the order of the calendar as text.
const timeLayout = "2006-01-02T15:04:05.000Z"

// stamp writes a time for the ledger, in timeLayout; no time is the empty text. The library is twice as fast at RFC 3339, into
// which the milliseconds are put.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	t = t.UTC()
	text := t.AppendFormat(make([]byte, 0, len(timeLayout)), time.RFC3339)
	ms := t.Nanosecond() / int(time.Millisecond)
	text = append(text[:len(text)-len("Z")], '.', '0'+byte(ms/100), '0'+byte(ms/10%10), '0'+byte(ms%10), 'Z')
	return string(text)
}

// timeOf scans what stamp wrote.
func timeOf(t *time.Time) sql.Scanner { return scanTime{t} }

type scanTime struct{ to *time.Time }

func (s scanTime) Scan(value any) error {
	text, ok := value.(string)
	if !ok {
		return fmt.Errorf("a time is stored as %T", value)
	}
	t, err := parseStamp(text)
	*s.to = t
	return err
}

// parseStamp reads what stamp wrote. Its digits stand where they stand, so that time.Parse, which takes ten times as long,
// need only say what is wrong with anything else.
func parseStamp(text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if len(text) == len(timeLayout) {
		ok := text[4] == '-' && text[7] == '-' && text[10] == 'T' && text[13] == ':' && text[16] == ':' && text[19] == '.' && text[23] == 'Z'
		number := func(from, to int) (n int) {
			for _, c := range []byte(text[from:to]) {
				ok = ok && c >= '0' && c <= '9'
				n = 10*n + int(c-'0')
			}
			return n
		}
		year, month, day := number(0, 4), number(5, 7), number(8, 10)
		hour, minute, second, ms := number(11, 13), number(14, 16), number(17, 19), number(20, 23)
		if ok && month >= 1 && month <= 12 && hour < 24 && minute < 60 && second < 60 {
			t := time.Date(year, time.Month(month), day, hour, minute, second, ms*int(time.Millisecond), time.UTC)
			if t.Day() == day { // else the month has no such day
				return t, nil
			}
		}
	}
	return time.Parse(timeLayout, text)
}
