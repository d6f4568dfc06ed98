package invoice

import (
	"encoding/json"
	"fmt"
)

// Options are the settings for reading a file. The zero value is the default.
type Options struct {
	Encoding     string            // an IANA name such as windows-1252; "" is UTF-8, or UTF-16 by its mark
	DecimalComma bool              // 1.234,50 instead of 1,234.50
	Map          map[string]string // canonical column name to the header in the file
	Defaults     map[string]string // canonical column name, or item_name, to the value for a file that lacks the column
	AllowRepeats bool              // rows without an id may have the same cells
}

// Canonical is a stable text of the options that shape requests, which are part of a job's identity. It is the same for all
// names of an encoding. AllowRepeats is not in it, because it changes no request.
func (o Options) Canonical() string {
	text, err := json.Marshal(struct {
		Encoding     string            `json:"encoding,omitempty"`
		DecimalComma bool              `json:"decimal_comma,omitempty"`
		Map          map[string]string `json:"map,omitempty"`
		Defaults     map[string]string `json:"defaults,omitempty"`
	}{canonicalEncoding(o.Encoding), o.DecimalComma, o.Map, o.Defaults})
	if err != nil {
		panic(fmt.Sprintf("marshal options: %v", err)) // strings and a bool always marshal
	}
	return string(text)
}
