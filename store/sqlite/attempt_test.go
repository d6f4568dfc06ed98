package sqlite_test

import (
	"errors"
	"testing"

	"paylinks/job"
)

// withLink returns a created item of another job, for another invoice.
func (l *ledger) withLink() *job.Item {
	l.t.Helper()
	item := l.first(l.imported(newJob("with a link"), invoice(2, "INV-LINK")).ID)
	l.send(item, job.OutcomeCreated)
	return item
}

// The constraints stand behind the guards.
func TestConstraints(t *testing.T) {
	l := newLedger(t)
	items := l.open(l.imported(newJob("a"), invoices(4)...).ID)
	l.send(items[0], job.OutcomeCreated)
	l.send(items[1], job.OutcomeUnknown)
	l.send(items[2], job.OutcomeCreated)
	for name, statement := range map[string]string{
		"a state nobody knows":            "UPDATE item SET state = 'done' WHERE id = 2",
		"created without a session":       "UPDATE item SET state = 'created' WHERE id = 2",
		"created without a time":          "UPDATE item SET created_at = '' WHERE id = 1",
		"duplicate without a session":     "UPDATE item SET state = 'duplicate' WHERE id = 2",
		"a URL without a link":            "UPDATE item SET url = 'https://pay.test/x' WHERE id = 2",
		"failed with its URL":             "UPDATE item SET state = 'failed' WHERE id = 1",
		"an invoice key that is too long": "UPDATE item SET invoice = zeroblob(17) WHERE id = 2",
		"an amount of nothing":            "UPDATE item SET amount = 0 WHERE id = 2",
		"a negative amount":               "UPDATE item SET amount = -1 WHERE id = 2",
		"a fraction":                      "UPDATE item SET amount = 1.5 WHERE id = 2",
		"an amount that is a text":        "UPDATE item SET amount = 'ten' WHERE id = 2",
		"no request":                      "UPDATE item SET request = '' WHERE id = 2",
		"an item of no job":               "UPDATE item SET job_id = 9 WHERE id = 2",
		"an outcome nobody knows":         "UPDATE attempt SET outcome = 'fine'",
		"an attempt twice":                "INSERT INTO attempt SELECT * FROM attempt",
		"an attempt of no item":           "INSERT INTO attempt SELECT 9, number, sent_at, ended_at, outcome, status, code, message, session_id, replaced FROM attempt WHERE item_id = 1",
		"a session twice":                 "UPDATE item SET session_id = (SELECT session_id FROM item WHERE id = 1) WHERE id = 3",
		"an item on its way twice":        "INSERT INTO attempt (item_id, number, sent_at) SELECT 4, n, '' FROM (SELECT 1 AS n UNION ALL SELECT 2)",
		"created without an attempt":      "UPDATE item SET attempts = 0 WHERE id = 1",
		"a job twice":                     "INSERT INTO job SELECT 9, identity, file, file_digest, environment, base_url, options, columns, delimiter, on_unknown, allow_repeats, raw_cells, bom, output, created_at, ran, '', '', '', '', '', '', '', 0, -1, 1 FROM job",
		"a policy nobody knows":           "UPDATE job SET on_unknown = 'guess'",
		"an environment nobody knows":     "UPDATE job SET environment = 'test'",
	} {
		t.Run(name, func(t *testing.T) {
			l.t = t
			l.unchanged(func() {
				if _, err := l.raw.Exec(statement); err == nil {
					t.Error("it went through")
				}
			})
		})
	}
	l.t = t
}

func (l *ledger) attempts(jobID int64, orphans bool) (all []job.Attempt) {
	l.t.Helper()
	for a, err := range l.Attempts(l.t.Context(), jobID, orphans) {
		if err != nil {
			l.t.Fatal(err)
		}
		all = append(all, a)
	}
	return all
}

// Where it cannot be read whose session it is, the error says so: it is no step that came too late.
func TestASessionWhoseOwnerCannotBeRead(t *testing.T) {
	l := newLedger(t)
	items := l.open(l.imported(newJob("a"), invoices(2)...).ID)
	l.send(items[0], job.OutcomeCreated)
	number := l.begin(items[1])
	rename := func(from, to string) {
		if _, err := l.raw.Exec("ALTER TABLE item RENAME COLUMN " + from + " TO " + to); err != nil {
			t.Fatal(err)
		}
	}
	rename("row", "line")
	_, err := ended(l.Ledger, items[1], number, ownSession(items[0], ends[job.OutcomeCreated]))
	if err == nil || errors.Is(err, job.ErrMoved) {
		t.Errorf("error %v", err)
	}
	rename("line", "row")
}
