package progress

// Line shows a text as the last line of the terminal, cut to its width; "" takes it away.
func (c *Console) Line(text string) {
	c.draw(func(width int) string {
		if runes := []rune(text); len(runes) > width-1 {
			return string(runes[:width-1]) // a terminal breaks a line that fills it
		}
		return text
	})
}
