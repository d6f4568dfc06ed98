package progress

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"

	"paylinks/cmd/paylinks/words"
)

// status is how far a job is, for one line of progress.
type status struct {
	done, total     int
	unit            string // what they count: rows or links
	failed, unknown int
	perSecond       float64       // rows; 0 is not known
	left            time.Duration // 0 is not known
	halt            halt
}

// halt is why nothing flows: in full, and for a narrow terminal. It is empty while rows move.
type halt struct{ long, short string }

// problems are the counts that somebody should see coming.
func (s status) problems() string {
	var parts []string
	if s.failed > 0 {
		parts = append(parts, words.Grouped(s.failed)+" failed")
	}
	if s.unknown > 0 {
		parts = append(parts, words.Grouped(s.unknown)+" unknown")
	}
	return strings.Join(parts, ", ")
}

func (s status) speed() string {
	if s.perSecond == 0 || s.halt.long != "" {
		return ""
	}
	return fmt.Sprintf("%.1f/s", s.perSecond)
}

func (s status) timeLeft() string {
	if s.left == 0 || s.halt.long != "" {
		return ""
	}
	return words.Roughly(s.left) + " left"
}

// plain is the line for a log or a mail.
func (s status) plain() string {
	parts := []string{fmt.Sprintf("%s of %s %s", words.Grouped(s.done), words.Grouped(s.total), s.unit)}
	return strings.Join(filled(append(parts, s.speed(), s.timeLeft(), s.problems(), s.halt.long)), ", ")
}

// bar is the line for a terminal. What matters least goes first where there is no room: the bar with its
// percentage, the rate, the time left. One column stays free: a terminal breaks a line that fills it.
func (s status) bar(width int) string {
	width = max(width-1, 1)
	rows := words.Grouped(s.done) + "/" + words.Grouped(s.total)
	var line string
	for _, parts := range [][]string{
		{rows, s.speed(), s.timeLeft(), s.halt.long, s.problems()},
		{rows, s.timeLeft(), s.halt.long, s.problems()},
		{rows, s.halt.short, s.problems()},
	} {
		line = strings.Join(filled(parts), "  ")
		if len(line) <= width {
			break
		}
	}
	if len(line) > width {
		return line[:width]
	}
	const least, most, frame = 10, 30, len("100% []  ")
	if room := min(width-len(line)-frame, most); room >= least {
		line = drawn(s.done, s.total, room) + "  " + line
	}
	return line
}

// drawn is the percentage and the bar, so many columns wide between its brackets.
func drawn(done, total, columns int) string {
	bar := progressbar.NewOptions(max(total, 1),
		progressbar.OptionSetWriter(io.Discard), // the console decides what is on the screen
		progressbar.OptionSetWidth(columns),
		progressbar.OptionSetTheme(progressbar.Theme{Saucer: "=", SaucerHead: "=", SaucerPadding: " ", BarStart: "[", BarEnd: "]"}),
		progressbar.OptionSetPredictTime(false),
		progressbar.OptionSetElapsedTime(false),
	)
	_ = bar.Set(done) // into nothing: it cannot fail
	_ = bar.RenderBlank()
	return fmt.Sprintf("%*s", columns+len("100% []"), strings.TrimSpace(bar.String()))
}

// filled leaves out the empty words.
func filled(parts []string) []string {
	var kept []string
	for _, word := range parts {
		if word != "" {
			kept = append(kept, word)
		}
	}
	return kept
}
