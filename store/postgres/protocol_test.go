package postgres_test

import (
	"fmt"
	"strings"
	"testing"
)

// The protocol of senders, explored whole: two senders, two jobs with one invoice, and every order of their steps, of the clock's and of
// what the network does, up to the end of time. A request is three steps: its intent is on record, its first byte leaves, its answer is on
// record; each may be as late as it likes. rules are what the code keeps; a test shows for each that without it something goes wrong.
type rules struct {
	deadline bool // a byte leaves only before the sender's own deadline
	margin   bool // which is before the lease is over
	atWrite  bool // the deadline is looked at as the byte leaves, not before
	guard    bool // an intent is recorded only by a sender that is not fenced
	over     bool // who fences waits until the lease is over
	lock     bool // an intent looks at the invoice in the other job while nobody else can begin one
	taken    bool // what an intent takes over must still be as it was looked up
	late     bool // an end that comes late counts only while its item is in doubt, and nobody has gone on
}

var all = rules{true, true, true, true, true, true, true, true}

const (
	timeEnds = 5
	leaseFor = 2
)

// model is the state of the world. Its fields are small, so that it can be a key.
type model struct {
	now    int8
	seats  [2]int8 // job → sender
	sender [2]modelSender
	item   [2]modelItem // one a job
	tries  [3]modelTry
	begun  int8 // tries
}

type modelSender struct {
	until    int8 // lease, by the database
	deadline int8 // by itself
	fenced   bool
}

type modelItem struct {
	state    string // pending, sending, unknown, created, superseded
	attempts int8
}

// modelTry is an attempt. looked says that its invoice has been looked up and it may be recorded.
type modelTry struct {
	job, sender, number int8
	stage               string // looked, gone, recorded, cleared, left, done
	outcome             string // on record: "", unknown, not_sent, created
	doubtless           bool   // when its byte left, another one was on its way without a doubt on record
}

// next are all states that one step leads to.
func (m model) next(r rules) map[string]model {
	steps := map[string]model{}
	do := func(name string, change func(*model)) {
		to := m
		change(&to)
		steps[name] = to
	}
	if m.now < timeEnds {
		do("time goes on", func(to *model) { to.now++ })
	}
	for s := range int8(2) {
		me := m.sender[s]
		if !me.fenced {
			do(fmt.Sprint("renews ", s), func(to *model) { to.renew(s, r) })
		}
		for j := range int8(2) {
			holder := m.seats[j]
			switch {
			case holder == s || me.fenced && r.guard:
			case m.now > m.sender[holder].until || m.sender[holder].fenced || !r.over:
				do(fmt.Sprint(s, " takes job ", j), func(to *model) {
					to.sender[holder].fenced = true
					to.seats[j] = s
				})
			}
			if m.seats[j] != s && r.guard || m.begun == int8(len(m.tries)) {
				continue
			}
			if m.mayBegin(j, s, r) {
				do(fmt.Sprint(s, " looks at job ", j), func(to *model) {
					to.tries[to.begun] = modelTry{job: j, sender: s, number: to.item[j].attempts + 1, stage: "looked"}
					to.begun++
				})
			}
		}
	}
	for n := range m.begun {
		m.tryOn(n, r, do)
	}
	for j := range int8(2) {
		if m.item[j].state == "superseded" && m.item[1-j].state != "created" {
			do(fmt.Sprint("runs the file of job ", j, " again"), func(to *model) {
				to.item[j].state = "pending"
				if other := &to.item[1-j]; other.state != "sending" {
					other.state = "superseded"
				}
			})
		}
		// The grace is over where no byte is on its way any more; without one that is known only to the model, which is what makes it safe.
		for n := range m.begun {
			try := m.tries[n]
			if try.job == j && try.outcome == "" && try.stage != "looked" && try.stage != "gone" && m.item[j].state == "sending" && m.item[j].attempts == try.number && m.sender[try.sender].fenced {
				do(fmt.Sprint("recovers ", n), func(to *model) {
					to.item[j].state = "unknown"
					to.tries[n].outcome = "unknown"
				})
			}
		}
	}
	return steps
}

func (m *model) renew(s int8, r rules) {
	m.sender[s].until = m.now + leaseFor
	m.sender[s].deadline = m.now + leaseFor
	if !r.margin {
		m.sender[s].deadline += 2
	}
}

// mayBegin says what an intent's transaction finds out before it records.
func (m model) mayBegin(j, s int8, r rules) bool {
	mine, other := m.item[j], m.item[1-j]
	if mine.state != "pending" && mine.state != "unknown" || other.state == "sending" || other.state == "created" {
		return false
	}
	if r.lock { // another transaction has the invoice
		for n := range m.begun {
			if m.tries[n].stage == "looked" {
				return false
			}
		}
	}
	return true
}

// tryOn are the steps of a try.
func (m model) tryOn(n int8, r rules, do func(string, func(*model))) {
	try := m.tries[n]
	me, item := m.sender[try.sender], m.item[try.job]
	late := r.deadline && m.now >= me.deadline
	switch try.stage {
	case "looked":
		other := m.item[1-try.job].state
		moved := other == "created" || other == "sending"
		if (item.state != "pending" && item.state != "unknown") || item.attempts+1 != try.number || me.fenced && r.guard || moved && r.taken {
			do(fmt.Sprint("rolls back ", n), func(to *model) { to.tries[n].stage = "gone" })
			return
		}
		do(fmt.Sprint("records the intent ", n), func(to *model) {
			to.renew(try.sender, r)
			to.item[try.job] = modelItem{"sending", try.number}
			if !moved {
				to.item[1-try.job].state = "superseded"
			}
			to.tries[n].stage = "recorded"
		})
	case "recorded":
		if late {
			do(fmt.Sprint("keeps back ", n), func(to *model) { to.end(n, "not_sent", r) })
			return
		}
		if r.atWrite {
			do(fmt.Sprint("first byte of ", n), func(to *model) { to.leave(n) })
		} else {
			do(fmt.Sprint("clears ", n), func(to *model) { to.tries[n].stage = "cleared" })
		}
	case "cleared":
		do(fmt.Sprint("first byte of ", n), func(to *model) { to.leave(n) })
	case "left":
		do(fmt.Sprint("answer of ", n), func(to *model) { to.end(n, "created", r) })
		do(fmt.Sprint("no answer of ", n), func(to *model) { to.end(n, "unknown", r) })
	}
}

func (m *model) leave(n int8) {
	m.tries[n].stage = "left"
	for o := range m.begun {
		if o == n {
			continue
		}
		other := m.tries[o]
		if other.stage == "left" && other.outcome == "" || other.outcome == "created" {
			m.tries[n].doubtless = true
		}
	}
	if m.sender[m.tries[n].sender].fenced {
		m.tries[n].doubtless = true
	}
}

// end records the end of a try.
func (m *model) end(n int8, outcome string, r rules) {
	try := &m.tries[n]
	item := &m.item[try.job]
	try.stage = "done"
	state := map[string]string{"created": "created", "unknown": "unknown", "not_sent": "pending"}[outcome]
	last := item.attempts == try.number
	switch {
	case try.outcome == "" && last && item.state == "sending":
	case try.outcome == "unknown" && last && item.state == "unknown":
	case !r.late:
	default:
		return // its session stays with the attempt, and its link is published nowhere
	}
	try.outcome, item.state = outcome, state
}

// wrong says what must not be.
func (m model) wrong() string {
	for n := range m.begun {
		if m.tries[n].doubtless {
			return fmt.Sprintf("request %d left though another may be on its way without a doubt on record, or after its sender was fenced", n)
		}
	}
	if m.item[0].state == "created" && m.item[1].state == "created" {
		return "two links are published"
	}
	links := 0
	for n := range m.begun {
		if m.tries[n].outcome == "created" {
			links++
		}
	}
	if links > 1 {
		return "two sessions are on record as links"
	}
	return ""
}

// explore walks through all that can happen, shortest stories first, and returns the first that goes wrong.
func explore(r rules) (states int, story []string) {
	start := model{seats: [2]int8{0, 1}, item: [2]modelItem{{state: "pending"}, {state: "pending"}}}
	for s := range int8(2) {
		start.renew(s, r)
	}
	type step struct {
		from model
		name string
	}
	came := map[model]step{start: {}}
	queue := []model{start}
	for len(queue) > 0 {
		m := queue[0]
		queue = queue[1:]
		for name, to := range m.next(r) {
			if _, known := came[to]; known {
				continue
			}
			came[to] = step{m, name}
			if wrong := to.wrong(); wrong != "" {
				story = []string{wrong}
				for at := to; at != start; at = came[at].from {
					story = append([]string{came[at].name}, story...)
				}
				return len(came), story
			}
			queue = append(queue, to)
		}
	}
	return len(came), nil
}

// Promise: with all rules, no order of events lets a second request out without a doubt on record, nor one of a fenced sender.
func TestProtocol(t *testing.T) {
	states, story := explore(all)
	if story != nil {
		t.Fatalf("this goes wrong:\n%s", strings.Join(story, "\n"))
	}
	t.Logf("%d states", states)
	if states < 10_000 {
		t.Errorf("only %d states", states)
	}
	for name, without := range map[string]func(*rules){
		"deadline": func(r *rules) { r.deadline = false },
		"margin":   func(r *rules) { r.margin = false },
		"at write": func(r *rules) { r.atWrite = false },
		"guard":    func(r *rules) { r.guard = false },
		"over":     func(r *rules) { r.over = false },
		"taken":    func(r *rules) { r.taken = false },
		// Each of these two holds where the other fails; the lock keeps a sender from waiting for another one's transaction besides.
		"lock and taken": func(r *rules) { r.lock, r.taken = false, false },
		"late end":       func(r *rules) { r.late = false },
	} {
		r := all
		without(&r)
		if _, story := explore(r); story == nil {
			t.Errorf("without the rule %q nothing goes wrong", name)
		} else {
			t.Logf("without %q: %s", name, strings.Join(story, "; "))
		}
	}
}
