package invoice

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestNewAmounts guards that a map from earlier does not hold for a file with an amount that was not there then, even where the two agree.
func TestNewAmounts(t *testing.T) {
	const file = "invoice_id,email,currency,Honorar,Total,Amount Paid\nA-1,a@example.com,USD,5.00,5.00,5.00\n"
	both := []string{"Total", "Amount Paid"}
	amount := map[string]string{"amount": "Honorar"}
	for _, tt := range []struct {
		name    string
		options Options
		refused string
		found   []string
	}{
		{"somebody has said so now", Options{Map: amount}, "", both},
		{"both were there", Options{Map: amount, GuardAmount: true, OtherAmounts: []string{"total", "amount_paid"}}, "", both},
		{"none was there", Options{Map: amount, GuardAmount: true}, "Total, Amount Paid", nil},
		{"one was there", Options{Map: amount, GuardAmount: true, OtherAmounts: []string{"Amount Paid"}}, "Total", nil},
		{"they are ignored", Options{Map: amount, GuardAmount: true, Ignore: []string{"Total", "Amount Paid"}}, "", nil},
		{"they are something else", Options{Map: map[string]string{"amount": "Honorar", "description": "Total"}, GuardAmount: true, OtherAmounts: both[1:]}, "", both[1:]},
	} {
		t.Run(tt.name, func(t *testing.T) {
			reader, _, err := readAll(t, write(t, file), tt.options)
			var refused []string
			if problems, ok := errors.AsType[Problems](err); ok {
				for _, p := range problems {
					if p.Kind != AmountRivals {
						t.Errorf("refused for %v", p)
					}
					refused = append(refused, p.Column)
				}
			} else if err != nil {
				t.Fatal(err)
			}
			if got := strings.Join(refused, ", "); got != tt.refused {
				t.Errorf("refused for %q, want %q", got, tt.refused)
			}
			if err == nil && !slices.Equal(reader.Header().OtherAmounts, tt.found) {
				t.Errorf("the other amounts are %q, want %q", reader.Header().OtherAmounts, tt.found)
			}
		})
	}
}

// TestNewLineAmounts guards the same of what a line comes to.
func TestNewLineAmounts(t *testing.T) {
	line := map[string]string{"line_amount": "Honorar"}
	for _, tt := range []struct{ name, header, others, refused string }{
		{"another line's amount", "Line Total", "", "Line Total,line_amount"},
		{"it was there", "Line Total", "line_total", ""},
		{"an amount beside it", "Balance", "", "Balance,line_amount"},
		{"what is paid", "Amount Paid", "", "Amount Paid,line_amount"},
		{"a total, which must agree", "Total", "", ""},
		{"something else", "Note", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path := write(t, "invoice_id,email,currency,Honorar,"+tt.header+"\nA-1,a@example.com,USD,5.00,5.00\n")
			options := Options{Lines: LinesSum, Map: line, OtherAmounts: strings.Fields(tt.others)}
			if _, _, err := readAll(t, path, options); err != nil {
				t.Errorf("refused where somebody says so now: %v", err)
			}
			options.GuardLine = true
			refused := ""
			_, _, err := readAll(t, path, options)
			if problems, ok := errors.AsType[Problems](err); ok {
				refused = problems[0].Column + "," + problems[0].Options[1].Column
			} else if err != nil {
				t.Fatal(err)
			}
			if refused != tt.refused {
				t.Errorf("refused for %q, want %q", refused, tt.refused)
			}
		})
	}
}

// TestGuardIsNoIdentity guards that a job read by a profile is the job read by the same flags.
func TestGuardIsNoIdentity(t *testing.T) {
	plain := Options{Map: map[string]string{"amount": "Honorar"}}
	guarded := plain
	guarded.GuardAmount, guarded.GuardLine, guarded.OtherAmounts = true, true, []string{"Total"}
	if plain.Canonical() != guarded.Canonical() {
		t.Errorf("got %s and %s", plain.Canonical(), guarded.Canonical())
	}
}
