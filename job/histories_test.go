package job_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// The test in this file explores all histories of a small world: a few files with the same invoices, one ledger, Clink, and what
// people, customers and the network do. What decides is [job.Resolve] itself. The ledger and the runner around it are modelled after the
// real ones: see histories_world_test.go for what there is, histories_ledger_test.go for what commands do. Equal worlds are explored once,
// short histories first, so the history that is printed for a broken promise is as short as any. The promises:
//
//  1. An invoice has one session at most that can be paid or was paid, but for what a person allowed, repeats, and lies of Clink.
//  2. No session is made after one that the ledger knows to be paid, or of which Clink would have said so, but for repeats: a repeat, and
//     a row whose file was not run since the repeat's.
//  3. What a row shows was made for its invoice, its money and its customer; rows without an invoice id share no link.
//  4. Of open and failed rows of an invoice only the one of the job whose file was run last is sent, and that one is not superseded.
//  5. Under hold a row in doubt is not sent, in its own job or another, without a person's word.
//  6. No row is left that no command moves.
//  7. A duplicate whose file was run again shows no link that has ended, while its invoice can have another.
//
// Left out is what cannot matter to them: sessions whose answer was lost (nobody has their URL), sessions that are not what was asked
// for (their rows have failed), and a ledger that was restored from an older copy.

// The promises hold in all histories.
func TestAllHistories(t *testing.T) {
	for _, s := range []setting{
		{name: "the same in two files", files: [][]terms{{forTen}, {forTen}}, depth: 7},
		{name: "another amount", files: [][]terms{{forTen}, {forTwo}}, depth: 7},
		{name: "another customer", files: [][]terms{{forTen}, {forBert}}, depth: 6},
		{name: "two senders at once", files: [][]terms{{forTen}, {forTwo}}, inFlight: true, depth: 6},
		{name: "without invoice ids", files: [][]terms{{forTen}, {forTen}}, noID: true, depth: 6},
		{name: "repeats are meant in one", files: [][]terms{{forTen}, {forTen}}, noID: true, repeats: 1, depth: 5},
		{name: "two invoices", files: [][]terms{{forTen, forTen}, {forTwo, forTen}}, depth: 4},
		{name: "two files and an edited one", files: [][]terms{{forTen}, {forTen}, {forTwo}}, depth: 5},
	} {
		t.Run(s.name, func(t *testing.T) {
			worlds, broken := explore(&s)
			t.Logf("%d worlds in %d events, %d questions", worlds, s.depth, len(s.decisions))
			if broken != "" {
				t.Errorf("%s", broken)
			}
		})
	}
}

// visit is how a world was reached first.
type visit struct {
	from    int // the visit before
	event   int
	choices string
}

// explore follows all histories, the short ones first, and returns how many worlds there are before the last event, and the history
// that breaks a promise. After the last event, whether all rows can come to their end is not looked at.
func explore(s *setting) (worlds int, history string) {
	events := s.events()
	s.decisions = map[question]decision{}
	visits, front := []visit{{}}, []world{{}} // those of the front are the last visits
	known := map[world]bool{{}: true}
	at := &step{}
	for depth := 1; depth <= s.depth; depth++ {
		first := len(visits) - len(front)
		var next []world
		for n := range front {
			for e := range events {
				for more := true; more; {
					*at = step{world: front[n], setting: s, choices: at.choices, widths: at.widths[:0]}
					happened := at.do(events[e]) && !at.full
					now := visit{from: first + n, event: e}
					if happened {
						at.check(events[e])
						now.choices = string(at.choices)
					}
					if happened && depth < s.depth && at.forget() && !known[at.world] {
						known[at.world] = true
						next, visits = append(next, at.world), append(visits, now)
						at.canEnd()
					}
					if at.broken != "" {
						return len(visits), at.broken + "\n" + s.history(events, visits, now)
					}
					more = at.following()
				}
			}
		}
		front = next
	}
	return len(visits), ""
}

// following makes the choices those that come after the ones made; false where there are none.
func (s *step) following() bool {
	for n := len(s.widths) - 1; n >= 0; n-- {
		if s.choices[n]++; s.choices[n] < s.widths[n] {
			s.choices = s.choices[:n+1]
			return true
		}
	}
	s.choices = s.choices[:0]
	return false
}

// history is a history in words, from its last visit.
func (s *setting) history(events []event, visits []visit, last visit) string {
	trail := []visit{last}
	for trail[0] != visits[0] {
		trail = slices.Insert(trail, 0, visits[trail[0].from])
	}
	var lines []string
	var w world
	for _, v := range trail[1:] {
		at := step{world: w, setting: s, choices: []byte(v.choices), tell: true}
		e := events[v.event]
		at.do(e)
		lines = append(lines, "  "+strings.Join(append([]string{s.words(e)}, at.words...), ": "))
		at.forget()
		w = at.world
	}
	return strings.Join(lines, "\n")
}

func (s *setting) words(e event) string {
	switch {
	case slices.Contains([]string{"run", "resume", "retry", "retry --unknown", "reissue", "refresh", "purge", "the answer comes for"}, e.what):
		words := fmt.Sprintf("%s job %d", e.what, e.number+1)
		if e.policy != "" {
			words += " --on-unknown " + string(e.policy)
		}
		return words
	case strings.HasPrefix(e.what, "the ledger"):
		return e.what
	}
	return fmt.Sprintf("s%d %s", e.number+1, e.what)
}

// mayBeSent checks promises 1, 2, 4 and 5 for a row that is about to be sent.
func (s *step) mayBeSent(j, v int) {
	i := &s.items[j][v]
	if i.doubt && s.jobs[j].hold {
		s.breaks(5, "job %d sends a row in doubt under hold", j+1)
	}
	if s.repeat(j) {
		return
	}
	for n, k := range s.sessions {
		switch {
		case int(k.invoice) != v || !k.status.wasPaid() || k.repeat && s.ranAfter(int(k.file), j):
		case k.known:
			s.breaks(2, "job %d sends an invoice again for which s%d is known to be paid", j+1, n+1)
		case !k.excused:
			s.breaks(2, "job %d sends an invoice again for which Clink would have said that s%d was paid", j+1, n+1)
		}
	}
	for other, record := range s.jobs {
		o := &s.items[other][v]
		if other == j || s.repeat(other) {
			continue
		}
		if o.state == sending {
			s.breaks(1, "job %d sends an invoice that is being sent for job %d", j+1, other+1)
		}
		if o.state == unknown && (record.hold || s.jobs[j].hold) {
			s.breaks(5, "job %d sends an invoice that is in doubt in job %d, and one of them is under hold", j+1, other+1)
		}
		isOpen := o.state == pending || o.state == unknown
		if (isOpen || o.state == failed && !record.purged) && record.ran > s.jobs[j].ran {
			s.breaks(4, "job %d sends an invoice that job %d has, which was run later", j+1, other+1)
		}
	}
}

// ranAfter says whether a job of the file was run after job j.
func (s *step) ranAfter(file, j int) bool {
	for other, record := range s.jobs {
		if other%mostFiles == file && record.ran > s.jobs[j].ran {
			return true
		}
	}
	return false
}

// check checks the other promises, but for 6, after an event.
func (s *step) check(e event) {
	for v := range s.files[0] {
		payable := 0
		for _, k := range s.sessions {
			if k.status != 0 && int(k.invoice) == v && k.status != over && !k.excused && !k.repeat {
				payable++
			}
		}
		if payable > 1 {
			s.breaks(1, "row %d has %d sessions that can be paid or were", v+1, payable)
		}
		last := 0
		for j, record := range s.jobs {
			if s.items[j][v].state != 0 && record.ran > s.jobs[last].ran {
				last = j
			}
		}
		if s.items[last][v].state == superseded {
			s.breaks(4, "row %d of job %d is superseded, and no job was run later", v+1, last+1)
		}
		for j := range s.items {
			i := &s.items[j][v]
			if i.state != created && i.state != duplicate {
				continue
			}
			k := s.sessions[i.session-1]
			if s.noID && int(k.file) != j%mostFiles {
				s.breaks(3, "row %d of job %d has no invoice id, and shows the link of another row", v+1, j+1)
			}
			if int(k.invoice) != v || s.files[k.file][v] != s.terms(j, v) {
				s.breaks(3, "row %d of job %d shows s%d, which is for something else", v+1, j+1, i.session)
			}
			if (e.what == "run" || e.what == "reissue") && e.number == j && i.state == duplicate && s.faultless() {
				s.upToDate(j, v)
			}
		}
	}
}

// upToDate checks promise 7 for a duplicate after a run of its job in which all went well.
func (s *step) upToDate(j, v int) {
	i := &s.items[j][v]
	if !s.gone(i) {
		return
	}
	for _, record := range s.items {
		if o := record[v]; o.state == created && s.sessions[o.session-1].status != over && s.files[s.sessions[o.session-1].file][v] == s.terms(j, v) {
			s.breaks(7, "row %d of job %d still shows s%d, which has ended: the invoice has s%d", v+1, j+1, i.session, o.session)
		} else if o.state == sending || o.state == unknown || o.code != 0 {
			return
		}
	}
	s.breaks(7, "row %d of job %d still shows s%d, which has ended", v+1, j+1, i.session)
}

// gone says of a row with a link that it has ended unpaid, and that the ledger can know that.
func (s *step) gone(i *item) bool {
	k := &s.sessions[i.session-1]
	return k.status == over && (k.past || i.link == saidExpired)
}

// canEnd checks promise 6: commands in which all goes well lead every row to an end.
func (s *step) canEnd() {
	last := -1
	for j := range s.files {
		if s.jobs[j].ran > 0 && !s.jobs[j].purged && (last < 0 || s.jobs[j].ran > s.jobs[last].ran) {
			last = j
		}
	}
	if last < 0 {
		return
	}
	var order []int
	for j := range s.jobs {
		if s.jobs[j].ran > 0 && j != last {
			order = append(order, j)
		}
	}
	order = append(order, last)
	left := *s
	for range 2 {
		for _, what := range []string{"the answer comes for", "refresh", "run", "resume", "retry", "retry --unknown", "reissue"} {
			for _, j := range order {
				if what == "run" && j >= mostFiles {
					continue
				}
				left.choices, left.widths, left.stopped, left.asked = nil, nil, false, [mostSessions + 1]bool{}
				left.do(event{what, j, ""})
			}
		}
		if left.full || left.unended(last) == "" {
			break
		}
	}
	if row := left.unended(last); row != "" && !left.full {
		s.breaks(6, "%s, whatever is done", row)
	}
}

// unended is a row that has not come to its end, or "".
func (s *step) unended(last int) string {
	for j, record := range s.jobs {
		for v := range s.files[0] {
			i := &s.items[j][v]
			switch {
			case i.state == 0 || record.purged:
			case (i.state == created || i.state == duplicate) && !s.gone(i):
			case i.state == superseded && j != last:
			case i.code == conflict && s.refusedRightly(j, v):
			default:
				return fmt.Sprintf("row %d of job %d is left %s", v+1, j+1, states[i.state])
			}
		}
	}
	return ""
}

func (s *step) refusedRightly(j, v int) bool {
	return slices.ContainsFunc(s.sessions[:], func(k checkout) bool {
		return k.status != 0 && k.status != over && int(k.invoice) == v && (s.noID || s.files[k.file][v] != s.terms(j, v))
	})
}

// forget takes out sessions that matter no more, so that worlds are equal that differ in them alone; false where too many are left.
func (s *step) forget() bool {
	var renumbered [mostSessions + 1]uint8
	shown := func(number uint8) bool {
		for j := range s.items {
			for v := range s.items[j] {
				if s.items[j][v].session == number {
					return true
				}
			}
		}
		return false
	}
	var kept [mostSessions]checkout
	n := uint8(0)
	for k, one := range s.sessions {
		if number := uint8(k + 1); shown(number) || one.status != 0 && one.status != over && (!one.excused || one.known) {
			kept[n] = one
			n++
			renumbered[number] = n
		}
	}
	if n > mostMade {
		return false
	}
	for j := range s.items {
		for v := range s.items[j] {
			i := &s.items[j][v]
			i.session = renumbered[i.session]
			replaced := i.replaced
			i.replaced = 0
			for number, to := range renumbered {
				if to > 0 && replaced&(1<<number) != 0 {
					i.replaced |= 1 << to
				}
			}
		}
	}
	s.sessions = kept
	return true
}
