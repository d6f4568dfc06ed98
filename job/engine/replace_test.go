package engine

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"paylinks/job"
	"paylinks/job/invoice"
	"paylinks/store"
)

// TestCheckReplaced guards that a strange session is found wherever it stands in a links file, and that a simulator's is none.
func TestCheckReplaced(t *testing.T) {
	ledger, err := store.OpenToSend(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), store.Opening{Doing: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	defer ledger.Close()
	const rows = 3*sessionsAtOnce + 7
	for _, tt := range []struct {
		name    string
		strange int // the row of the real session; 0 is none
		real    string
		want    bool
	}{
		{"none", 0, "", true},
		{"in the first row", 1, "https://checkout.clinkbill.com/pay/sess_x", false},
		{"in the last row", rows, "https://checkout.clinkbill.com/pay/sess_x", false},
		{"at the end of a query", sessionsAtOnce, "https://checkout.clinkbill.com/pay/sess_x", false},
		{"without a link", rows, "", false},
		{"a link that cannot be read", rows, "https://%", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b strings.Builder
			fmt.Fprintf(&b, "id,%s\n", strings.Join(invoice.LinksColumns, ","))
			for i := 1; i <= rows; i++ {
				id, link := fmt.Sprintf("sess_%d", i), "http://127.0.0.1:8181/pay/sess"
				if i == tt.strange {
					id, link = "sess_x", tt.real
				}
				fmt.Fprintf(&b, "A,%d,created,%s,%s,,,1,,\n", i, id, link)
			}
			path := filepath.Join(t.TempDir(), "a.links.csv")
			if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			err := CheckReplaced(t.Context(), ledger, job.Job{Output: path})
			var other *OtherLedgerError
			if tt.want && err != nil || !tt.want && (!errors.As(err, &other) || other.Session != "sess_x") {
				t.Errorf("got %v", err)
			}
		})
	}
}
