package xlsx

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// lastDay is the last that a spreadsheet knows, 9999-12-31, in books that count from 1900.
const lastDay = 2958465

// daysTo1904 is how much later books begin to count that do so from 1904.
const daysTo1904 = 1462

// isoDate is the date or time of day that a spreadsheet shows for a number, by ISO 8601. ok is false where it shows none.
func isoDate(value float64, s *section, from1904 bool) (text string, ok bool) {
	if from1904 && s.date {
		value += daysTo1904
	}
	days := math.Floor(value)
	seconds := int(math.Round((value - days) * 24 * 60 * 60))
	if seconds == 24*60*60 {
		days, seconds = days+1, 0
	}
	if value < 0 || days > lastDay {
		return "", false
	}
	clock := fmt.Sprintf("%02d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
	switch {
	case s.elapsed:
		return fmt.Sprintf("%02d:%02d:%02d", int(days)*24+seconds/3600, seconds/60%60, seconds%60), true
	case days == 0 && !s.date:
		return clock, true
	case days == 0:
		return "", false // the day before the first
	}
	date := time.Date(1899, 12, 30+int(days), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	switch {
	case days == 60:
		date = "1900-02-29" // spreadsheets have that day
	case days < 60:
		date = time.Date(1899, 12, 31+int(days), 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	}
	if s.clock && seconds > 0 {
		return date + "T" + clock, true
	}
	return date, true
}

// withoutMidnight is a date that a cell stores as text, without the time that every date has.
func withoutMidnight(stored string) string {
	date, clock, _ := strings.Cut(stored, "T")
	if clock = strings.TrimSuffix(clock, "Z"); strings.Trim(clock, "0:.") == "" {
		return date
	}
	return stored
}
