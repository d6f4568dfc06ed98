package transfer

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// world is all that a step can depend on: two ledgers, and processes that have read some of their marks.
type world struct {
	source, target  mark
	records, copied int8 // versions of what is on record in the source, and of what the target was filled with
	numbers         int8 // transfers that have begun
	opened          bool // the target was opened once
	wentBack        bool // a ledger has
	lost            bool // it was the target
	unsure          bool // which had been opened
	accepted        bool // a person has accepted a failover of the source
	former          mark // to which the database that fails may go back
	processes       [2]process
}

// mark is the number of a Mark: worlds are compared often.
type mark int16

var (
	marks   []Mark
	numbers = map[Mark]mark{}
)

func (m mark) read() Mark { return marks[m] }

func numbered(m Mark) mark {
	n, known := numbers[m]
	if !known {
		n = mark(len(marks))
		marks, numbers[m] = append(marks, m), n
	}
	return n
}

// change is the mark after a change by hand.
func (m mark) change(how func(*Mark)) mark {
	changed := m.read()
	how(&changed)
	return numbered(changed)
}

// process is a command at work. It reads the target, then the source, and then makes one step; it may die between any two of these.
type process struct {
	kind           kind
	read           int8
	source, target mark
	copied         int8 // the version that it has read to fill the target with; 0: none
}

type kind int8

// failing says whose database fails over.
type failing int8

const (
	nobodyFails failing = iota
	sourceFails
	targetFails
)

const (
	none kind = iota
	transfers
	takesBack
)

const (
	mostNumbers = 2
	mostRecords = 2
)

func newWorld(fails failing) world {
	source, target := numbered(Mark{ID: "s", State: Open}), numbered(Mark{ID: "t", State: Open, Empty: true})
	w := world{source: source, target: target, records: 1}
	switch fails {
	case sourceFails:
		w.former = source
	case targetFails:
		w.former = target
	}
	return w
}

// next are all worlds that one step of anybody leads to.
func (w world) next(fails failing) (all []world) {
	source, target := w.source.read(), w.target.read()
	step := func(do func(*world)) {
		n := w
		do(&n)
		all = append(all, n)
		// A database may go back to each state that it had.
		if fails == sourceFails && !w.wentBack && n.source != w.source {
			n.former = w.source
			all = append(all, n)
		}
		if fails == targetFails && !w.wentBack && n.target != w.target {
			n.former = w.target
			all = append(all, n)
		}
	}
	// A run at either ledger.
	if source.Refusal() == nil && w.records < mostRecords {
		step(func(n *world) { n.records++ })
	}
	if target.Refusal() == nil && target.Empty {
		step(func(n *world) { n.target = n.target.change(func(m *Mark) { m.Empty = false }) })
	}
	// A person says how to go on after a failover of the source.
	if source.State == FailedOver || source.State == Open && source.Replaced {
		step(func(n *world) {
			n.source = n.source.change(func(m *Mark) { m.State, m.Replaced = Open, false })
			n.accepted = true
		})
	}
	// A failover loses what a database has acknowledged, once.
	if fails != nobodyFails && !w.wentBack {
		n := w
		n.wentBack = true
		if former := w.former.change(func(m *Mark) { m.Replaced = true }); fails == sourceFails {
			n.source = former
		} else {
			n.target, n.lost, n.unsure = former, true, w.opened
		}
		all = append(all, n)
	}
	for i, p := range w.processes {
		if p.kind == none {
			step(func(n *world) { n.processes[i].kind = transfers })
			step(func(n *world) { n.processes[i].kind = takesBack })
			continue
		}
		step(func(n *world) { n.processes[i] = process{} }) // it dies
		step(func(n *world) { n.act(i) })
	}
	for i := range all { // the two processes are alike
		p := &all[i].processes
		if slices.Compare([]int{int(p[0].kind), int(p[0].read), int(p[0].source), int(p[0].target), int(p[0].copied)},
			[]int{int(p[1].kind), int(p[1].read), int(p[1].source), int(p[1].target), int(p[1].copied)}) > 0 {
			p[0], p[1] = p[1], p[0]
		}
	}
	return all
}

// act goes on with a process.
func (w *world) act(i int) {
	p := &w.processes[i]
	switch p.read {
	case 0:
		p.target, p.read = w.target, 1
		return
	case 1:
		p.source, p.read = w.source, 2
		return
	}
	step, err := Next(p.source.read(), p.target.read())
	if p.kind == takesBack {
		step, err = NextBack(p.source.read(), p.target.read(), false)
	}
	if err == nil && step == Fill && p.copied == 0 {
		p.copied = w.records // the source is read before the target's transaction comes to its end
		return
	}
	if err == nil {
		err = w.make(step, p)
	}
	if *p = (process{kind: p.kind}); err != nil || step == Done || step == TakeBack {
		*p = process{}
	}
}

// make makes the step, as the backends do: the mark is read, changed and written at once.
func (w *world) make(step Step, p *process) error {
	source, target := p.source.read(), p.target.read()
	at, change := &w.source, Change(nil)
	switch step {
	case Begin:
		if w.numbers == mostNumbers {
			return ErrChanged
		}
		w.numbers++
		change = begin(target, "target", fmt.Sprint(w.numbers))
	case Prepare:
		at, change = &w.target, prepare(source, target, "source")
	case Fill:
		at, change = &w.target, fill(source, target)
	case Leave:
		change = leave(source.Number, target.Origin == source.Number)
	case OpenIt:
		at, change = &w.target, open(source.Number)
	case TakeBack:
		change = takeBack(source.Number)
	default:
		return nil
	}
	after, err := change(at.read())
	if err != nil {
		return err
	}
	if step == Fill {
		w.copied, after.Empty = p.copied, false
	}
	w.opened = w.opened || step == OpenIt
	*at = numbered(after)
	return nil
}

// wrong says what must never be.
func (w world) wrong() string {
	source, target := w.source.read(), w.target.read()
	sourceSends, targetSends := source.Refusal() == nil, target.Refusal() == nil && target.Origin != ""
	switch {
	case sourceSends && targetSends && !w.accepted:
		return "both may send"
	case targetSends && w.copied != w.records && !w.accepted:
		return "the target lacks what is on record in the source"
	case w.unsure && targetSends:
		return "the target was opened again although its database went back"
	}
	return ""
}

// settled says that one of the two is the ledger.
func (w world) settled() bool {
	source, target := w.source.read(), w.target.read()
	return source.State == Open || source.State == FailedOver || (target.State == Open || target.State == FailedOver) && target.Origin != ""
}

// forward runs one command alone to its end, and says whether that settles it.
func (w world) forward(command kind) bool {
	w.processes = [2]process{{kind: command}}
	w.numbers = 0 // there is always a new one
	for w.processes[0].kind != none {
		w.act(0)
	}
	return w.settled()
}

// Whatever two commands, runs at both ledgers and crashes do in whatever order: never may both ledgers be sent from, the target never
// lacks anything, and there is a command that leads on.
func TestAllInterleavings(t *testing.T) { explore(t, nobodyFails) }

// Also where one of the databases goes back, unless the target has lost what was moved there.
func TestAllInterleavingsWithAFailoverOfTheSource(t *testing.T) { explore(t, sourceFails) }

func TestAllInterleavingsWithAFailoverOfTheTarget(t *testing.T) { explore(t, targetFails) }

func explore(t *testing.T, fails failing) {
	empty, made := newWorld(fails), newWorld(fails) // the target was there, or is made for the transfer
	made.target = numbered(*New(made.source.read(), "source")).change(func(m *Mark) { m.ID, m.Empty = "t", true })
	if fails == targetFails {
		made.former = made.target
	}
	seen, queue := map[world]world{empty: empty, made: made}, []world{empty, made} // and where each came from
	opened, back, accepted := 0, 0, 0
	for len(queue) > 0 {
		w := queue[0]
		queue = queue[1:]
		if what := w.wrong(); what != "" {
			t.Fatalf("%s:\n%s", what, history(seen, w))
		}
		if w.opened {
			opened++
		}
		if w.accepted {
			accepted++
		}
		if !w.wentBack && w.source.read().State == Open && w.numbers > 0 {
			back++
		}
		lost := w.lost && w.source.read().State == Moved
		if !lost && !w.settled() && !w.forward(transfers) && !w.forward(takesBack) {
			t.Fatalf("no way forward:\n%s", history(seen, w))
		}
		for _, n := range w.next(fails) {
			if _, known := seen[n]; !known {
				seen[n] = w
				queue = append(queue, n)
			}
		}
	}
	if opened == 0 || back == 0 || fails == sourceFails && accepted == 0 {
		t.Errorf("of %d worlds, %d have an opened target, and in %d a transfer was taken back", len(seen), opened, back)
	}
	t.Logf("%d worlds", len(seen))
}

func history(seen map[world]world, w world) string {
	var lines []string
	for {
		line := fmt.Sprintf("source %+v, target %+v", w.source.read(), w.target.read())
		for _, p := range w.processes {
			if p.kind != none {
				line += fmt.Sprintf(", process %d has read %d: %+v %+v", p.kind, p.read, p.source.read(), p.target.read())
			}
		}
		lines = append([]string{line}, lines...)
		before := seen[w]
		if before == w {
			return strings.Join(lines, "\n")
		}
		w = before
	}
}
