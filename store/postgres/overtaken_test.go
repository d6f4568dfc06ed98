package postgres_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
	"paylinks/store/ledgertest"
	"paylinks/store/postgres/pgtest"
)

// A row that this sender has tried before, and that another job has taken over since, is another sender's: its own last attempt does not
// mean that it has moved the row itself.
func TestTriedRowIsTakenOver(t *testing.T) {
	s := newShared(t, pgtest.Shared(t))
	a, b := s.open("host-a", long), s.open("host-b", long)
	j := a.imported("a", ledgertest.Invoices(2)...)
	items := a.items(j.ID)
	for i, outcome := range []job.Outcome{job.OutcomeThrottled, job.OutcomeUnknown} {
		if _, err := a.end(&items[i], a.begin(&items[i]), ledgertest.Ends[outcome]); err != nil {
			t.Fatal(err)
		}
	}
	items = a.items(j.ID)
	b.imported("b", ledgertest.Invoices(2)...)
	s.want(`SELECT string_agg(state, ', ' ORDER BY id) FROM item`, "superseded, superseded, pending, pending")
	for i := range items {
		if r, _, err := a.Begin(&items[i], time.Now(), nil); err != nil || r.Action != job.Overtaken || items[i].State != job.Superseded {
			t.Errorf("Begin: %+v, %v, %+v", r, err, items[i])
		}
	}
	s.checkTallies()
}

// meanwhile does something while another transaction is at its end: the statements are on record from when what is done has begun to wait
// for them.
func (s *shared) meanwhile(do func(), statements ...string) {
	s.t.Helper()
	url, schema, _ := strings.Cut(s.name, "&schema=")
	conn, err := pgx.Connect(s.t.Context(), url)
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, statement := range append([]string{"SET search_path = " + schema, "BEGIN"}, statements...) {
		if _, err := conn.Exec(s.t.Context(), statement); err != nil {
			s.t.Fatal(err)
		}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		do()
	}()
	s.until(`EXISTS (SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND pid <> pg_backend_pid())`)
	if _, err := conn.Exec(s.t.Context(), "COMMIT"); err != nil {
		s.t.Fatal(err)
	}
	<-done
}

// A row that an import takes over in the moment in which it is to be sent is another sender's, and no bug.
func TestRowIsTakenOverWhileItBegins(t *testing.T) {
	s := newShared(t, pgtest.New(t))
	a, b := s.open("host-a", long), s.open("host-b", long)
	j := a.imported("a", ledgertest.Invoices(1)...)
	items := a.items(j.ID)
	b.imported("b", ledgertest.Invoices(1)...)
	if _, err := s.sql.Exec(t.Context(), `UPDATE item SET state = 'pending', error = ''`); err != nil { // as if both had been imported at one moment
		t.Fatal(err)
	}
	s.meanwhile(func() {
		if r, _, err := a.Begin(&items[0], time.Now(), nil); err != nil || r.Action != job.Overtaken {
			t.Errorf("Begin: %+v, %v", r, err)
		}
	}, fmt.Sprintf(`UPDATE item SET state = 'superseded' WHERE id = %d`, items[0].ID))
}

// A row whose end comes in the moment in which it is recovered needs no recovery: the others are recovered all the same.
func TestEndComesWhileItsRowIsRecovered(t *testing.T) {
	s := newShared(t, pgtest.New(t))
	a, b := s.open("host-a", short), s.open("host-b", long)
	j := a.imported("a", ledgertest.Invoices(2)...)
	items := a.items(j.ID)
	a.begin(&items[0])
	a.begin(&items[1])
	a.Pause()
	defer a.Continue()
	s.over("host-a")
	s.meanwhile(func() {
		if err := b.Take(j.ID); err != nil {
			t.Error(err)
		}
	},
		fmt.Sprintf(`UPDATE item SET state = 'pending' WHERE id = %d`, items[0].ID),
		fmt.Sprintf(`UPDATE attempt SET outcome = 'not_sent', ended_at = clock_timestamp() WHERE item_id = %d`, items[0].ID),
	)
	s.want(`SELECT string_agg(state, ', ' ORDER BY id) FROM item`, "pending, unknown")
}
