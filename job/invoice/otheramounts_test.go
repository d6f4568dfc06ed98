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

// TestGuardIsNoIdentity guards that a job read by a profile is the job read by the same flags.
func TestGuardIsNoIdentity(t *testing.T) {
	plain := Options{Map: map[string]string{"amount": "Honorar"}}
	guarded := plain
	guarded.GuardAmount, guarded.OtherAmounts = true, []string{"Total"}
	if plain.Canonical() != guarded.Canonical() {
		t.Errorf("got %s and %s", plain.Canonical(), guarded.Canonical())
	}
}
