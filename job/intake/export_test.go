package intake

import (
	"os"
	"testing"
)

// Mode is that of the file in which it is kept.
func (p *Piped) Mode(t *testing.T) os.FileMode {
	t.Helper()
	info, err := p.file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return info.Mode()
}
