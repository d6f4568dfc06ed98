package job_test

import (
	"fmt"
	"slices"

	"paylinks/job"
)

// do makes the event happen; false means that it cannot.
func (s *step) do(e event) bool {
	switch e.what {
	case "run", "resume", "retry", "retry --unknown", "reissue", "refresh", "purge", "the answer comes for":
		return s.command(e)
	case "the ledger is lost, and the links files are adopted":
		return s.adopt()
	}
	k := &s.sessions[e.number]
	was := *k
	switch {
	case e.what == "is paid" && (k.status == open || k.status == processing):
		k.status = paid
	case e.what == "is being paid" && k.status == open:
		k.status = processing
	case e.what == "fails to be paid" && k.status == processing:
		if k.status = open; k.past {
			k.status = over
		}
	case e.what == "is refunded" && (k.status == paid || k.status == paidByOrder):
		k.status = refunded
	case e.what == "passes its time" && k.status != 0, e.what == "ends early" && !k.past:
		k.past = k.past || e.what == "passes its time"
		switch k.status {
		case open:
			k.status = over
		case paid:
			k.status = paidByOrder
		}
	case e.what == "passes its time, open" && k.status != 0:
		k.past = true
	}
	return *k != was
}

func (s *step) command(e event) bool {
	j := e.number
	record := &s.jobs[j]
	inFlight := slices.ContainsFunc(s.items[j][:], func(i item) bool { return i.state == sending })
	switch {
	case e.what == "the answer comes for":
		for v := range s.files[0] {
			if s.items[j][v].state == sending {
				s.answer(j, v)
			}
		}
		return inFlight
	case record.purged, inFlight, e.what != "run" && record.ran == 0:
		return false
	case e.policy != "" && record.hold == (e.policy == job.Hold):
		return false
	case e.what == "purge":
		return s.purge(j)
	}
	if e.policy != "" && record.ran > 0 {
		record.hold = e.policy == job.Hold
	}
	switch e.what {
	case "run":
		if record.ran > 0 {
			s.runAgain(j)
		} else if !s.load(j, e.policy == job.Hold) {
			return false
		}
		s.sendOpen(j)
		s.replace(j, false)
		s.lookAtDuplicates(j)
		s.sendOpen(j)
	case "resume":
		s.sendOpen(j)
	case "retry", "retry --unknown":
		s.retry(j, e.what == "retry --unknown")
		s.sendOpen(j)
	case "reissue":
		s.lookAtDuplicates(j)
		s.sendOpen(j)
		s.replace(j, true)
		s.replace(j, false)
		s.lookAtDuplicates(j)
		s.sendOpen(j)
	case "refresh":
		for v := range s.files[0] {
			if i := &s.items[j][v]; (i.state == created || i.state == duplicate) && !i.link.settled() && i.link != saidExpired {
				if l, _ := s.ask(i.session); l != 0 {
					s.checked(i.session, l)
				}
			}
		}
	}
	return true
}

// question is all that a decision about a row depends on.
type question struct {
	j, v      uint8
	importing bool
	jobs      [mostJobs]jobRecord
	rows      [mostJobs]rowFacts // of the invoice
}

type rowFacts struct {
	state         state
	link, heard   link
	past, givenUp bool
}

type decision struct {
	action job.Action
	other  int // the job whose row decided
	taken  [mostJobs]bool
}

// decide asks [job.Resolve] about a row. It is a pure function: nothing is asked twice.
func (s *step) decide(j, v int, importing bool, heard *[mostSessions + 1]link) decision {
	q := question{j: uint8(j), v: uint8(v), importing: importing, jobs: s.jobs}
	for n := range s.items {
		i := &s.items[n][v]
		q.rows[n] = rowFacts{state: i.state, link: i.link, givenUp: i.givenUp, heard: heard[i.session]}
		q.rows[n].past = i.session > 0 && s.sessions[i.session-1].past
	}
	if d, ok := s.decisions[q]; ok {
		return d
	}
	this := s.facts(&q, j)
	this.Importing = importing
	if q.jobs[j].ran == 0 { // not in the ledger yet
		this.ItemID, this.JobID, this.State = 0, 0, job.Pending
	}
	var others []job.Facts
	for other, row := range q.rows {
		if other != j && row.state != 0 {
			others = append(others, s.facts(&q, other))
		}
	}
	r := job.Resolve(this, others, noon)
	d := decision{action: r.Action, other: int(r.Other.JobID) - 1}
	for _, other := range r.TakenOver {
		d.taken[other.JobID-1] = true
	}
	s.decisions[q] = d
	return d
}

// facts are those of a row as the ledger has them.
func (s *setting) facts(q *question, j int) job.Facts {
	row, record, terms := q.rows[j], q.jobs[j], s.terms(j, int(q.v))
	f := job.Facts{
		ItemID: int64(j + 1), JobID: int64(j + 1), Ran: int64(record.ran), State: states[row.state], Hold: record.hold,
		NoID: s.noID, Repeat: s.repeat(j), Currency: "USD", Amount: terms.amount, Customer: terms.customer,
		Purged: record.purged, Link: links[row.link], Heard: links[row.heard], GivenUp: row.givenUp,
	}
	if record.purged {
		f.Salt, f.Customer = salt, sealedBy[terms.customer]
	}
	if row.state == created || row.state == duplicate {
		f.SessionID, f.ExpiresAt = fmt.Sprint("s", j), after
		if row.past {
			f.ExpiresAt = before
		}
	}
	return f
}

func (s *step) takeOver(d decision, v int) {
	for other, taken := range d.taken {
		if i := &s.items[other][v]; taken {
			i.state, i.code = superseded, 0
		}
	}
}

// load imports a file that is run for the first time; false where it is refused, and nothing changes.
func (s *step) load(j int, hold bool) bool {
	s.jobs[j].hold = hold
	var decisions [mostInvoices]decision
	for v := range s.files[0] {
		decisions[v] = s.decide(j, v, true, &[mostSessions + 1]link{})
	}
	for _, d := range decisions {
		if d.action == job.Refuse && s.choose("skipping what is refused", "refused") == 1 {
			return false
		}
	}
	for v := range s.files[0] {
		i := &s.items[j][v]
		i.state = pending
		switch d := decisions[v]; d.action {
		case job.Reuse:
			s.reuse(i, &s.items[d.other][v])
		case job.Refuse:
			i.state, i.code = invalid, conflict
		case job.TakeOver:
			s.takeOver(d, v)
		}
	}
	s.putLast(j)
	return true
}

func (s *step) runAgain(j int) {
	s.putLast(j)
	for v := range s.files[0] {
		i := &s.items[j][v]
		if i.state == superseded || (i.state == failed || i.state == invalid) && i.code == conflict || s.deadDuplicate(j, v) {
			s.lookAgain(j, v)
		}
	}
}

func (s *step) putLast(j int) {
	s.jobs[j].ran = mostJobs + 1
	var order []uint8
	for _, record := range s.jobs {
		if record.ran > 0 {
			order = append(order, record.ran)
		}
	}
	slices.Sort(order)
	for j := range s.jobs {
		if s.jobs[j].ran > 0 {
			s.jobs[j].ran = uint8(slices.Index(order, s.jobs[j].ran) + 1)
		}
	}
}

// ended says of a row with a link that it can no longer be paid, as far as the ledger knows.
func (s *step) ended(i *item) bool {
	return !i.link.settled() && (i.link == saidExpired || s.sessions[i.session-1].past)
}

// deadDuplicate says whether the row has a link that has ended and cannot be replaced where it was made.
func (s *step) deadDuplicate(j, v int) bool {
	i := &s.items[j][v]
	if i.state != duplicate || !s.ended(i) {
		return false
	}
	owner := s.owner(i.session, v)
	return owner < 0 || s.jobs[owner].purged
}

// owner is the job for whose row the session was made, or -1 where that row has it no more.
func (s *step) owner(number uint8, v int) int {
	return slices.IndexFunc(s.items[:], func(row [mostInvoices]item) bool { return row[v].state == created && row[v].session == number })
}

func (s *step) lookAtDuplicates(j int) {
	for v := range s.files[0] {
		if s.deadDuplicate(j, v) {
			s.lookAgain(j, v)
		}
	}
}

func (s *step) lookAgain(j, v int) {
	i := &s.items[j][v]
	d := s.decide(j, v, true, &[mostSessions + 1]link{})
	was := i.state
	*i = item{state: pending, unknown: i.unknown, replaced: i.replaced, doubt: i.doubt}
	switch {
	case d.action == job.Refuse && was == failed:
		i.state, i.code = failed, conflict
	case d.action == job.Refuse:
		i.state, i.code = invalid, conflict
	case d.action == job.GiveWay:
		i.state = superseded
	case d.action == job.Reuse:
		s.reuse(i, &s.items[d.other][v])
	case i.unknown > 0:
		i.state = unknown
	}
	s.takeOver(d, v)
}

func (s *step) reuse(i, other *item) {
	i.state, i.session, i.link, i.late, i.code = duplicate, other.session, other.link, other.late, 0
}

func (s *step) sendable(j, v int) bool {
	i := &s.items[j][v]
	return (i.state == pending || i.state == unknown) && (i.unknown == 0 || !s.jobs[j].hold && i.unknown < maxAttempts)
}

func (s *step) sendOpen(j int) {
	for v := range s.files[0] {
		if s.sendable(j, v) && !s.stopped {
			s.send(j, v)
		}
	}
}

// send does what a run does with an open row until it moves it no more.
func (s *step) send(j, v int) {
	var heard [mostSessions + 1]link
	for i := &s.items[j][v]; s.sendable(j, v) && !s.stopped && !s.full; {
		d := s.decide(j, v, false, &heard)
		switch d.action {
		case job.Reuse:
			s.reuse(i, &s.items[d.other][v])
		case job.Refuse:
			i.state, i.code = failed, conflict
		case job.GiveWay:
			i.state, i.code = superseded, 0
		case job.Ask:
			number := s.items[d.other][v].session
			if heard[number] > 0 {
				s.breaks(6, "job %d asks about s%d again and again", j+1, number)
				return
			}
			l, answered := s.ask(number)
			if l == saidOpen && s.jobs[d.other].purged {
				l = 0
			}
			if l > 0 {
				heard[number] = l
				s.checked(number, l)
				continue
			}
			if i.code = 0; answered {
				i.code = unsettled
			}
			return
		case job.Wait, job.Later:
			i.code = 0
			return
		default:
			s.post(j, v, d)
		}
	}
}

// ask asks Clink about a session, and about its orders. An answer that cannot be believed is 0.
func (s *step) ask(number uint8) (said link, answered bool) {
	s.asked[number] = true
	k := &s.sessions[number-1]
	choices := []string{"", "Clink does not answer about s%d", "Clink answers about another session, or knows s%d no more", "Clink says that s%d has expired unpaid, which is a lie"}
	if !k.status.wasPaid() {
		choices = choices[:3]
	}
	if s.tell {
		for n := range choices[1:] {
			choices[n+1] = fmt.Sprintf(choices[n+1], number)
		}
	}
	switch s.choose(choices...) {
	case 1:
		return 0, false
	case 2:
		return 0, true
	case 3:
		k.excused = true
		return saidExpired, true
	}
	return k.status.said(), true
}

// checked records what Clink said, for all rows that have the link.
func (s *step) checked(number uint8, l link) {
	k := &s.sessions[number-1]
	k.known = k.known || l.settled()
	for j := range s.items {
		for v := range s.items[j] {
			i := &s.items[j][v]
			if i.session != number || i.state != created && i.state != duplicate {
				continue
			}
			if i.link != saidRefunded && (i.link != saidPaid || l == saidRefunded) {
				i.link = l
			}
			i.late, i.givenUp = k.past, i.givenUp && l == saidExpired
		}
	}
}

// post sends a row that nothing speaks against, after a look at whether something does.
func (s *step) post(j, v int, d decision) {
	i := &s.items[j][v]
	s.mayBeSent(j, v)
	s.takeOver(d, v)
	choices := []string{"", "Clink refuses the row", "the answer is lost", "the run ends before the row is sent", "the answer is not there yet"}
	if !s.inFlight {
		choices = choices[:4]
	}
	switch s.choose(choices...) {
	case 0:
		s.made(j, v)
	case 1:
		i.state, i.code, i.session = failed, 0, 0
	case 2:
		s.lost(i)
	case 3:
		s.stopped = true
	case 4:
		i.state, i.code, s.stopped = sending, 0, true
	}
}

func (s *step) answer(j, v int) {
	if s.choose("", "but is lost") == 0 {
		s.made(j, v)
	} else {
		s.lost(&s.items[j][v])
	}
}

func (s *step) lost(i *item) {
	i.state, i.code, i.unknown, i.doubt = unknown, 0, min(i.unknown+1, maxAttempts), true
}

// made has the row created, with a session. The duplicates of the sessions that it replaces get it, too.
func (s *step) made(j, v int) {
	n := slices.IndexFunc(s.sessions[:], func(k checkout) bool { return k.status == 0 })
	if s.full = n < 0; s.full {
		return
	}
	s.sessions[n] = checkout{status: open, invoice: uint8(v), file: uint8(j % mostFiles), repeat: s.repeat(j)}
	i, number := &s.items[j][v], uint8(n+1)
	*i = item{state: created, session: number, unknown: i.unknown, replaced: i.replaced}
	for other := range s.items {
		if d := &s.items[other][v]; d.state == duplicate && i.replaced&(1<<d.session) != 0 {
			d.session, d.link, d.late = number, 0, false
		}
	}
}

// replace asks about the links that have ended, the job's own or those that its duplicates share, and sends the rows of those that
// have expired unpaid anew.
func (s *step) replace(j int, own bool) {
	for v := range s.files[0] {
		owner := j
		if !own {
			i := &s.items[j][v]
			if i.state != duplicate || !s.ended(i) {
				continue
			}
			if owner = s.owner(i.session, v); owner < 0 {
				continue
			}
		}
		i := &s.items[owner][v]
		if s.stopped || i.state != created || !s.ended(i) || s.jobs[owner].purged || s.asked[i.session] {
			continue
		}
		switch l, _ := s.ask(i.session); l {
		case 0:
		case saidExpired:
			s.checked(i.session, l)
			*i = item{state: pending, replaced: i.replaced | 1<<i.session}
			s.send(owner, v)
		default:
			s.checked(i.session, l)
		}
	}
}

// retry is a person's word on failed rows or, with inDoubt, on those in doubt and on links that Clink says nothing sure of.
func (s *step) retry(j int, inDoubt bool) {
	for v := range s.files[0] {
		i := &s.items[j][v]
		code, state := i.code, i.state
		failedInDoubt := state == failed && i.unknown > 0 && s.jobs[j].hold
		if inDoubt && (state == unknown || failedInDoubt) || !inDoubt && state == failed && !failedInDoubt {
			*i = item{state: pending, replaced: i.replaced, doubt: i.doubt && !inDoubt, unknown: min(1, i.unknown)}
			if inDoubt {
				i.unknown = 0
			} else if i.unknown > 0 {
				i.state = unknown
			}
		}
		if !inDoubt || code != unsettled || state != pending && state != unknown {
			continue
		}
		for d := s.decide(j, v, false, &[mostSessions + 1]link{}); d.action == job.Ask; d = s.decide(j, v, false, &[mostSessions + 1]link{}) {
			if s.items[d.other][v].givenUp {
				s.breaks(6, "job %d asks about a link that was given up", j+1)
				break
			}
			other := &s.items[d.other][v]
			other.givenUp, s.sessions[other.session-1].excused = true, true
		}
		i.code = 0
	}
}

// purge takes the data out of a job; false where it has open rows or links that can be paid.
func (s *step) purge(j int) bool {
	for v := range s.files[0] {
		switch i := &s.items[j][v]; i.state {
		case pending, sending, unknown:
			return false
		case created, duplicate:
			past := s.sessions[i.session-1].past
			if !i.link.settled() && i.link != saidExpired && (!past || i.link == saidProcessing || i.link == saidOpen && i.late) {
				return false
			}
		}
	}
	s.jobs[j].purged = true
	return true
}

// adopt takes the links files of all jobs into a new ledger, under hold: rows with a link, each session once, and those in doubt.
func (s *step) adopt() bool {
	old, some := s.world, false
	s.jobs, s.items = [mostJobs]jobRecord{}, [mostJobs][mostInvoices]item{}
	for j := range s.files {
		if old.jobs[j+mostFiles].ran > 0 { // once is enough
			return false
		}
		for v := range s.files[0] {
			i := &old.items[j][v]
			switch {
			case (i.state == created || i.state == duplicate) && s.owner(i.session, v) < 0:
				s.items[j+mostFiles][v] = item{state: created, session: i.session, link: i.link, late: i.late}
			case i.state == unknown || i.state == sending:
				s.items[j+mostFiles][v] = item{state: unknown, unknown: 1, doubt: true}
			default:
				continue
			}
			if s.jobs[j+mostFiles].ran == 0 {
				s.jobs[j+mostFiles].hold = true
				s.putLast(j + mostFiles)
			}
			some = true
		}
	}
	return some
}
