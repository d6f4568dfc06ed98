package postgres_test

import (
	"slices"
	"testing"
	"time"

	"paylinks/store/postgres/pgtest"
)

// A links file belongs to its host: elsewhere the job has none that could be written, and says where it is.
func TestLinksFileOfAnotherHost(t *testing.T) {
	r := made(t, pgtest.Shared(t).Ledger(t))
	addJob(t, r, 1)
	run(t, r, `INSERT INTO {links_file} (host, path, job_id) VALUES ('this', '/files/a.links.csv', 1)`)
	for _, test := range []struct {
		host, stored, output, outputHost string
		unwritten                        bool
		owner                            int64
	}{
		{"this", "/files/a.links.csv", "/files/a.links.csv", "", true, 1},
		{"other", "/files/a.links.csv", "", "this", false, 0},
		{"other", "-", "-", "", false, 0},
		{"other", "", "", "", false, 0},
	} {
		r.On(test.host)
		run(t, r, `UPDATE {job} SET output = '`+test.stored+`'`)
		j, err := r.Job(t.Context(), 1)
		if err != nil || j.Output != test.output || j.OutputHost != test.outputHost || j.Unwritten() != test.unwritten {
			t.Errorf("on %s: output %q on %q, unwritten %t, %v; want %+v", test.host, j.Output, j.OutputHost, j.Unwritten(), err, test)
		}
		if owner, err := r.LinksFileOwner(t.Context(), "/files/a.links.csv"); err != nil || owner != test.owner {
			t.Errorf("on %s: the file is job %d's, %v", test.host, owner, err)
		}
	}
}

// Senders are listed until they have ended, and one that was fenced until nothing of it is left to take over. Whose lease is over is what
// the database's clock says.
func TestSenders(t *testing.T) {
	r := made(t, pgtest.Shared(t).Ledger(t))
	for id := range 3 {
		addJob(t, r, id+1)
	}
	run(t, r, `
		INSERT INTO {sender} (doing, host, process, began_at, lease, recover, lease_until, fenced_at, ended_at)
		VALUES
			('run', 'a', 1, '2026-03-01 12:00:00Z', '10 s', '40 s', clock_timestamp() + interval '1 hour', NULL, NULL),
			('run', 'b', 2, '2026-03-01 12:00:00Z', '10 s', '40 s', clock_timestamp() - interval '1 ms', NULL, NULL),
			('run', 'c', 3, '2026-03-01 12:00:00Z', '10 s', '40 s', clock_timestamp() + interval '1 hour', clock_timestamp(), NULL),
			('run', 'd', 4, '2026-03-01 12:00:00Z', '10 s', '40 s', clock_timestamp() + interval '1 hour', clock_timestamp(), NULL),
			('run', 'e', 5, '2026-03-01 12:00:00Z', '10 s', '40 s', clock_timestamp() + interval '1 hour', NULL, clock_timestamp())
	`, `INSERT INTO {seat} (job_id, sender_id) VALUES (3, 1), (1, 1), (2, 3)`)
	senders, err := r.Senders(t.Context())
	if err != nil || len(senders) != 3 {
		t.Fatalf("%+v, %v", senders, err)
	}
	for i, want := range []struct {
		host string
		over bool
		jobs []int64
	}{{"a", false, []int64{1, 3}}, {"b", true, nil}, {"c", true, []int64{2}}} {
		s := senders[i]
		if s.Host != want.host || s.Over != want.over || !slices.Equal(s.Jobs, want.jobs) || s.Process != i+1 {
			t.Errorf("got %+v, want %+v", s, want)
		}
		if s.Lease != 10*time.Second || s.Timeout != 30*time.Second || !s.Since.Equal(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)) {
			t.Errorf("got %+v", s)
		}
	}
}

// All counts of what is left are of one moment, and reads through a pooler share nothing but their transaction.
func TestReadsThroughAPooler(t *testing.T) {
	s := pgtest.Shared(t)
	r := made(t, s.Pooler(t).URL("postgres")+"&schema=through_a_pooler")
	t.Cleanup(func() { s.Exec(t, "postgres", `DROP SCHEMA through_a_pooler CASCADE`) })
	fill(t, r, 1, 1000)
	j, err := r.Job(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	left, err := r.Left(t.Context(), j, 5)
	if err != nil || left.Sendable != 30 { // that the rows say that they are held makes them none: no other job has their invoice
		t.Errorf("%+v, %v", left, err)
	}
	if found, err := r.Facts(t.Context(), [][16]byte{invoiceNumber(7), invoiceNumber(7000)}); err != nil || len(found) != 1 {
		t.Errorf("%+v, %v", found, err)
	}
	for range r.Results(t.Context(), 1) {
		break
	}
	if items, err := r.Open(t.Context(), 1, 0, 10); err != nil || len(items) != 10 {
		t.Errorf("%d items, %v", len(items), err)
	}
}
