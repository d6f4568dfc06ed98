package progress

import (
	"fmt"
	"io"
	"os"
	"sync"

	"golang.org/x/term"
)

// Console is standard error, shared by the line of progress and everything else that is said: what is written goes
// above the line, which stays the last one.
type Console struct {
	mu    sync.Mutex
	to    io.Writer
	line  string // of progress, as it is on the screen; "" without one
	width int    // of the terminal when it was drawn
}

// NewConsole writes to a stream, which may be a terminal.
func NewConsole(to io.Writer) *Console { return &Console{to: to} }

// Write prints whole lines. A terminal that is gone must not stop a run: only what was written counts.
func (c *Console) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.erase()
	n, err := c.to.Write(p)
	_, _ = io.WriteString(c.to, c.line)
	return n, err
}

// draw puts the line that fits the terminal's width in the place of the one before; "" leaves none.
func (c *Console) draw(fit func(width int) string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	width := TerminalWidth(c.to)
	line := fit(width)
	if line == c.line && width == c.width {
		return
	}
	c.erase()
	c.line, c.width = line, width
	_, _ = io.WriteString(c.to, line)
}

// erase takes the line off the screen. A terminal that has become narrower has broken it into several.
func (c *Console) erase() {
	if c.line == "" {
		return
	}
	if rows := (len([]rune(c.line)) - 1) / TerminalWidth(c.to); rows > 0 {
		_, _ = fmt.Fprintf(c.to, "\x1b[%dA", rows)
	}
	_, _ = io.WriteString(c.to, "\r\x1b[J")
}

// TerminalWidth is how many columns the stream's terminal has now, and 80 where it does not say.
func TerminalWidth(stream any) int {
	if file, ok := stream.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil && width > 0 {
			return width
		}
	}
	return 80
}
