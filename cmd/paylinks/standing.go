package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/schollz/progressbar/v3"
)

// standing is how far a job is, for one line of progress.
type standing struct {
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
func (s standing) problems() string {
	var words []string
	if s.failed > 0 {
		words = append(words, grouped(fmt.Sprint(s.failed))+" failed")
	}
	if s.unknown > 0 {
		words = append(words, grouped(fmt.Sprint(s.unknown))+" unknown")
	}
	return strings.Join(words, ", ")
}

func (s standing) speed() string {
	if s.perSecond == 0 || s.halt.long != "" {
		return ""
	}
	return fmt.Sprintf("%.1f/s", s.perSecond)
}

func (s standing) timeLeft() string {
	if s.left == 0 || s.halt.long != "" {
		return ""
	}
	return roughly(s.left) + " left"
}

// roughly writes a duration as people say it.
func roughly(d time.Duration) string {
	switch d = d.Round(time.Second); {
	case d < 100*time.Second:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < 100*time.Minute:
		return fmt.Sprintf("%d min", (d+30*time.Second)/time.Minute)
	}
	return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
}

// plain is the line for a log or a mail.
func (s standing) plain() string {
	words := []string{fmt.Sprintf("%s of %s %s", grouped(fmt.Sprint(s.done)), grouped(fmt.Sprint(s.total)), s.unit)}
	return strings.Join(filled(append(words, s.speed(), s.timeLeft(), s.problems(), s.halt.long)), ", ")
}

// bar is the line for a terminal. What matters least goes first where there is no room: the bar with its
// percentage, the rate, the time left. One column stays free: a terminal breaks a line that fills it.
func (s standing) bar(width int) string {
	width = max(width-1, 1)
	rows := grouped(fmt.Sprint(s.done)) + "/" + grouped(fmt.Sprint(s.total))
	var line string
	for _, words := range [][]string{
		{rows, s.speed(), s.timeLeft(), s.halt.long, s.problems()},
		{rows, s.timeLeft(), s.halt.long, s.problems()},
		{rows, s.halt.short, s.problems()},
	} {
		line = strings.Join(filled(words), "  ")
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
func filled(words []string) []string {
	var kept []string
	for _, word := range words {
		if word != "" {
			kept = append(kept, word)
		}
	}
	return kept
}
