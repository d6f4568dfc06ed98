//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"paylinks/clink/simulator"
	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/options"
	"paylinks/job"
	"paylinks/store/postgres/pgtest"
)

const (
	sendersHosts = 3
	sendersLease = options.LeastLease
	batchEvery   = 2500 * time.Millisecond // there are new files so often
)

// sendersHistory is one random history: hosts that run commands on one ledger, and what happens to them.
type sendersHistory struct {
	t       *testing.T
	random  *rand.Rand
	program string
	server  *sendersServer
	view    *sendersView
	clink   *sendersClink
	folders []string   // of the hosts
	files   [][]string // by batch: of the same invoices
	held    bool       // nothing is sent again without a person's word
	rate    string
	timeout time.Duration // of a request
	delay   time.Duration // of a message on the way to the database, or back
	runs    int           // percent of the commands that run a file
	began   time.Time
	length  time.Duration // of the turmoil
	over    chan struct{} // closed when nothing more is begun
	settled time.Time     // when a person first said a word
	keys    atomic.Int64

	mu        sync.Mutex
	processes []*sendersProcess
	script    strings.Builder
	sum       crashSum
	events    int // that go on
	eventOver sync.Cond
}

func newSendersHistory(t *testing.T, program string, server *sendersServer, seed uint64, length time.Duration) *sendersHistory {
	h := &sendersHistory{
		t: t, random: rand.New(rand.NewPCG(seed, 2)), program: program, server: server, timeout: time.Second, length: length,
		over: make(chan struct{}), sum: crashSum{"histories": 1}, began: time.Now(), rate: "0",
	}
	h.eventOver.L = &h.mu
	config := simulator.Config{Seed: seed, Latency: time.Duration(20+h.random.IntN(130)) * time.Millisecond, Jitter: 1, SlowBy: 1500 * time.Millisecond}
	faults := pickOf(h.random, []string{"", "", "lost=4%,lost-before=2%,500-after=2%,slow=2%,429=0.3%", "slow=10%"})
	if faults == "slow=10%" { // Clink is so slow that others take over meanwhile
		h.timeout, config.SlowBy = 12*time.Second, 6*time.Second
	}
	var err error
	if config.Faults, err = simulator.ParseFaults(faults); err != nil {
		t.Fatal(err)
	}
	if h.held = h.random.IntN(4) == 0; !h.held && h.random.IntN(4) == 0 {
		h.rate = "100"
	}
	h.clink = newSendersClink(t, config)
	schema := fmt.Sprint("senders", seed)
	h.view = &sendersView{url: server.URL("postgres"), schema: schema}
	t.Cleanup(func() { server.drop(t, schema) })
	t.Cleanup(h.view.close)
	for range sendersHosts {
		h.folders = append(h.folders, t.TempDir())
	}
	rows := pickOf(h.random, []int{40, 150, 300})
	if length <= shortTurmoil || h.timeout > time.Second { // there is little time, or much of it goes by
		rows = 40
	}
	h.delay = pickOf(h.random, []time.Duration{0, 0, 2 * time.Millisecond, 8 * time.Millisecond})
	h.runs = pickOf(h.random, []int{30, 50, 90})
	h.note("seed %d: %d rows a file, faults %q, hold %t, rate %s, timeout %s, %s to the database", seed, rows, faults, h.held, h.rate, h.timeout, h.delay)
	for batch := range 1 + int(length/batchEvery) {
		h.files = append(h.files, h.write(batch, rows))
	}
	return h
}

// write writes the files of a batch on each host: two of the same invoices, of which some are in the batch before, too.
func (h *sendersHistory) write(batch, rows int) (names []string) {
	var ids []int
	for i := range rows {
		ids = append(ids, batch*rows+i)
	}
	for i := 0; batch > 0 && i < rows/5; i++ {
		ids = append(ids, (batch-1)*rows+h.random.IntN(rows))
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	for _, name := range []string{"a", "b"} {
		text := "invoice_id,customer_email,amount,currency,list\n"
		for _, id := range ids {
			text += fmt.Sprintf("I-%d,i%[1]d@example.com,%d.%02d,%s,%s\n", id, 1+id, id%100, []string{"USD", "EUR"}[id%2], name)
		}
		slices.Reverse(ids)
		file := fmt.Sprintf("%s%d.csv", name, batch)
		names = append(names, file)
		for _, folder := range h.folders {
			if err := os.WriteFile(filepath.Join(folder, file), []byte(text), 0o600); err != nil {
				h.t.Fatal(err)
			}
		}
	}
	return names
}

func pickOf[T any](random *rand.Rand, from []T) T { return from[random.IntN(len(from))] }

func (h *sendersHistory) note(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	fmt.Fprintf(&h.script, "%7.3f "+format+"\n", append([]any{time.Since(h.began).Seconds()}, args...)...)
}

func (h *sendersHistory) count(what string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sum[what]++
}

// play has the hosts work and things happen to them, and settles what they have left.
func (h *sendersHistory) play() {
	var hosts, watch sync.WaitGroup
	watched := make(chan struct{})
	watch.Go(func() { h.watch(watched) })
	first := h.files[0]
	for host := range sendersHosts {
		random := rand.New(rand.NewPCG(h.random.Uint64(), 3))
		hosts.Go(func() { h.work(host, random, first) })
	}
	h.turmoil()
	close(h.over)
	h.calmDown()
	hosts.Wait()
	h.allOver()
	close(watched)
	watch.Wait()
	h.gone()
	h.judge()
	if !h.t.Failed() {
		h.settle()
	}
	if !h.t.Failed() {
		h.judge()
	}
}

// work runs one command after the other on a host.
func (h *sendersHistory) work(host int, random *rand.Rand, first []string) {
	args := []string{"run", pickOf(random, first)} // on all hosts at once
	for {
		p := h.start(host, random, args)
		if p == nil {
			return
		}
		h.toItsEnd(p)
		pause := time.NewTimer(time.Duration(50+random.IntN(500)) * time.Millisecond)
		select {
		case <-pause.C:
		case <-h.over:
			return
		}
		args = h.next(random)
	}
}

// toItsEnd waits for its end, and looks at that.
func (h *sendersHistory) toItsEnd(p *sendersProcess) {
	if most := h.length + 2*soakHangs; !p.endsIn(most) {
		h.t.Errorf("this goes on for more than %s: %q\n%s", most, p.args, p.end())
	}
	h.ended(p)
}

// end kills it, and returns what it has said.
func (p *sendersProcess) end() string {
	p.kill()
	return p.said.String()
}

func (h *sendersHistory) next(random *rand.Rand) []string {
	var args []string
	switch n := random.IntN(100); {
	case n < h.runs:
		newest := min(len(h.files)-1, int(time.Since(h.began)/batchEvery))
		args = []string{"run", pickOf(random, h.files[max(0, newest-random.IntN(2))])}
	case n < 95 || h.held:
		args = []string{"resume"}
	default:
		args = []string{"retry", fmt.Sprint(1 + random.IntN(2*len(h.files))), "--unknown"}
	}
	if random.IntN(8) == 0 {
		args = append(args, "--limit", fmt.Sprint(1+random.IntN(20)))
	}
	return args
}

// start starts a command on a host; nil: nothing is begun any more.
func (h *sendersHistory) start(host int, random *rand.Rand, args []string) *sendersProcess {
	select {
	case <-h.over:
		return nil
	default:
	}
	if policy := random.IntN(20); h.held || policy == 0 {
		args = append(args, "--on-unknown", "hold")
	} else if policy == 1 {
		args = append(args, "--on-unknown", "retry")
	}
	p, err := h.begin(host, 1<<random.IntN(5), args)
	if err != nil {
		h.t.Errorf("%q: %v", args, err)
		return nil
	}
	return p
}

// begin begins a command on a host.
func (h *sendersHistory) begin(host, concurrency int, args []string) (*sendersProcess, error) {
	wire, err := newSendersWire(h.t, h.server.Address(), h.delay)
	if err != nil {
		return nil, err
	}
	key := fmt.Sprint("sk_test_", h.keys.Add(1))
	ledger := url.URL{
		Scheme: "postgres", User: url.User("postgres"), Host: wire.listener.Addr().String(), Path: "/postgres",
		RawQuery: url.Values{"sslmode": {"disable"}, "schema": {h.view.schema}}.Encode(),
	}
	p := newSendersProcess(h.program, h.folders[host], []string{
		"HOME=" + h.folders[host], "CLINK_BASE_URL=" + h.clink.address, "CLINK_SECRET_KEY=" + key, "PAYLINKS_LEDGER=" + ledger.String(),
		"PAYLINKS_RATE=" + h.rate, "PAYLINKS_LEASE=" + sendersLease.String(), "PAYLINKS_TIMEOUT=" + h.timeout.String(),
		"PAYLINKS_MAX_ATTEMPTS=1000", "PAYLINKS_GIVE_UP_AFTER=1m", "PAYLINKS_CONCURRENCY=" + fmt.Sprint(concurrency),
	}, args)
	p.host, p.concurrency, p.key, p.wire, p.began = host, concurrency, key, wire, time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := p.start(hostNames[host]); err != nil {
		wire.close()
		return nil, err
	}
	h.processes = append(h.processes, p)
	fmt.Fprintf(&h.script, "%7.3f %s: %s --concurrency %d # process %d\n", time.Since(h.began).Seconds(), hostNames[host], strings.Join(args, " "), concurrency, p.pid())
	return p, nil
}

var hostNames = []string{"host-a", "host-b", "host-c"}

// ended looks at how a process has ended.
func (h *sendersHistory) ended(p *sendersProcess) {
	p.wire.close()
	h.note("process %d: exit status %d", p.pid(), p.status())
	h.count("commands")
	h.count(fmt.Sprintf("status %3d", p.status()))
	said := p.said.String()
	fine := []int{exit.OK, exit.Attention, exit.Unfinished, exit.Interrupted, -1}
	unreachable := p.status() == exit.Ledger && strings.Contains(said, job.ErrUnreachable.Error()) && (p.wasDisturbed() || h.server.restartedSince(p.began))
	noJob := p.args[0] != "run" && p.status() == exit.Usage && (strings.Contains(said, "there is no ledger") || strings.Contains(said, job.ErrNoJob.Error()))
	if unreachable {
		h.t.Logf("process %d, whose database was away: %s", p.pid(), said)
	}
	if !slices.Contains(fine, p.status()) && !unreachable && !noJob || strings.Contains(said, "panic: ") || strings.Contains(said, "goroutine ") {
		h.t.Errorf("exit status %d of %q, process %d:\n%s", p.status(), p.args, p.pid(), said)
	}
}

// some is a process that runs, or nil.
func (h *sendersHistory) some() *sendersProcess {
	h.mu.Lock()
	defer h.mu.Unlock()
	var running []*sendersProcess
	for _, p := range h.processes {
		if p.running() {
			running = append(running, p)
		}
	}
	if len(running) == 0 {
		return nil
	}
	return pickOf(h.random, running)
}

// sendersEvents are what happens to a process, each as often as its weight.
var sendersEvents = []struct {
	name   string
	weight int
	happen func(*sendersHistory, *sendersProcess)
}{
	{"kill", 12, (*sendersHistory).kill},
	{"interrupt", 3, func(h *sendersHistory, p *sendersProcess) { p.signal(syscall.SIGTERM) }},
	{"stop for moments", 14, (*sendersHistory).stutter},
	{"stop past the lease", 10, (*sendersHistory).stopPastLease},
	{"stop at a message", 22, (*sendersHistory).stopAtMessage},
	{"cut", 6, func(h *sendersHistory, p *sendersProcess) { p.disturb(); p.wire.cut() }},
	{"cut at a message", 14, (*sendersHistory).cutAtMessage},
	{"dark for a moment", 6, func(h *sendersHistory, p *sendersProcess) {
		h.darken(p, time.Duration(h.random.IntN(800))*time.Millisecond)
	}},
	{"dark past the lease", 9, func(h *sendersHistory, p *sendersProcess) { h.darken(p, h.pastLease()) }},
	{"restart the server", 4, (*sendersHistory).restart},
}

// turmoil has things happen, until the history's time is over.
func (h *sendersHistory) turmoil() {
	var mixture []int
	for i, e := range sendersEvents {
		mixture = append(mixture, slices.Repeat([]int{i}, e.weight*pickOf(h.random, []int{0, 1, 1, 2}))...)
	}
	mixture = append(mixture, 0)
	end := h.began.Add(h.length)
	for now := h.began; now.Before(end) && !h.t.Failed(); now = time.Now() {
		pause := time.NewTimer(min(end.Sub(now), time.Duration(30+h.random.IntN(400))*time.Millisecond))
		<-pause.C
		if p := h.some(); p != nil {
			e := sendersEvents[pickOf(h.random, mixture)]
			h.note("%s %d", e.name, p.pid())
			h.count(e.name)
			e.happen(h, p)
		}
	}
}

// later does something that takes its time. A wire may call it when all that was begun before has ended.
func (h *sendersHistory) later(do func()) {
	h.mu.Lock()
	h.events++
	h.mu.Unlock()
	go func() {
		do()
		h.mu.Lock()
		defer h.mu.Unlock()
		h.events--
		h.eventOver.Broadcast()
	}()
}

// allOver waits until nothing that was begun goes on.
func (h *sendersHistory) allOver() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for h.events > 0 {
		h.eventOver.Wait()
	}
}

// pastLease is long enough that another one may take over meanwhile.
func (h *sendersHistory) pastLease() time.Duration {
	return sendersLease + time.Duration(h.random.IntN(2000))*time.Millisecond
}

// kill kills it. Mostly it is then made known that nothing of it is on its way any more, as far as that is so: others need not wait for
// the time that a sender is given which may not be dead.
func (h *sendersHistory) kill(p *sendersProcess) {
	p.kill()
	if h.random.IntN(4) == 0 {
		return
	}
	h.later(func() {
		if !h.clink.silent(p.key) {
			h.t.Errorf("process %d is dead, and has connections", p.pid())
		}
		h.inDoubt(p)
		h.forget(p)
	})
}

// forget makes it known that nothing of a process that is dead is on its way.
func (h *sendersHistory) forget(p *sendersProcess) {
	if err := h.view.change(`UPDATE sender SET recover = '0' WHERE process = $1`, p.pid()); err != nil && !noSchema(err) {
		h.t.Error(err)
	}
}

func (h *sendersHistory) stopPastLease(p *sendersProcess) {
	length, seed := h.pastLease(), h.random.Uint64()
	if h.random.IntN(2) == 0 {
		h.later(func() { p.stopFor(length) })
		return
	}
	h.later(func() {
		p.stop()
		h.untilFenced(p, rand.New(rand.NewPCG(seed, 6)))
		p.goOn()
	})
}

func (h *sendersHistory) stutter(p *sendersProcess) {
	times := 1 + h.random.IntN(20)
	random := rand.New(rand.NewPCG(h.random.Uint64(), 4))
	h.later(func() {
		for range times {
			p.stopFor(time.Duration(random.IntN(60)) * time.Millisecond)
			p.endsIn(time.Duration(random.IntN(10_000)) * time.Microsecond)
		}
		if random.IntN(3) == 0 {
			p.stopFor(sendersLease + time.Duration(random.IntN(1500))*time.Millisecond)
		}
	})
}

// stopAtMessage stops it in the middle of a transaction, between an intent's commit and its request, or as COMMIT is on its way; mostly
// until another one has fenced it.
func (h *sendersHistory) stopAtMessage(p *sendersProcess) {
	trap := pickOf(h.random, []wireTrap{{answer: true, fits: committed}, {answer: true, fits: committed}, {answer: true, fits: begun}, {}})
	trap.after = h.random.IntN(8)
	order, short, seed := h.random.IntN(3), time.Duration(h.random.IntN(500))*time.Millisecond, h.random.Uint64()
	wait := func() { p.endsIn(short) }
	if h.random.IntN(4) > 0 {
		wait = func() { h.untilFenced(p, rand.New(rand.NewPCG(seed, 5))) }
	}
	trap.spring = func(_ *wireLink, pass func()) {
		h.note("process %d is stopped at a message, %s", p.pid(), []string{"which it has", "which arrives meanwhile", "which arrives later"}[order])
		h.count("stopped at a message")
		if order == 0 {
			pass()
		}
		p.stop()
		if order == 1 {
			pass()
		}
		if order == 2 {
			p.disturb()
			wait()
			p.goOn()
			pass()
			return
		}
		h.later(func() {
			wait()
			p.goOn()
		})
	}
	p.wire.set(&trap)
}

// untilFenced waits until the process, which does not renew its lease, is fenced. Somebody notices that it does nothing, and lets another
// one go on with its job.
func (h *sendersHistory) untilFenced(p *sendersProcess, random *rand.Rand) {
	p.endsIn(sendersLease)
	others := rand.New(rand.NewPCG(random.Uint64(), 7))
	h.later(func() {
		if other := h.start(others.IntN(sendersHosts), others, []string{"resume"}); other != nil {
			h.toItsEnd(other)
		}
	})
	fenced := within(4*time.Second, func() bool {
		type row struct{ Yes bool }
		found, err := rowsOf[row](h.view, `SELECT fenced_at IS NOT NULL OR ended_at IS NOT NULL FROM sender WHERE process = $1`, p.pid())
		if err != nil && !noSchema(err) {
			h.t.Error(err)
		}
		return !p.running() || len(found) > 0 && found[0].Yes
	})
	if !fenced || !p.running() {
		return
	}
	h.count("stopped until fenced")
	if random.IntN(2) == 0 && within(10*time.Second, func() bool { return h.clink.answeredAll(p.key) }) {
		// It cannot send, and what it had sent is answered, which it does not know: its rows may be sent again before it does.
		h.forget(p)
		p.endsIn(time.Duration(random.IntN(3000)) * time.Millisecond)
		h.count("stopped until its rows were recovered")
	}
}

func (h *sendersHistory) cutAtMessage(p *sendersProcess) {
	trap := &wireTrap{after: h.random.IntN(8), spring: cutUnheard}
	if h.random.IntN(2) == 0 {
		trap.spring = cutHeard
	}
	p.disturb()
	p.wire.set(trap)
}

// darken cuts it off from the database, and not from Clink. What it has sent arrives late, or never.
func (h *sendersHistory) darken(p *sendersProcess, length time.Duration) {
	p.disturb()
	p.wire.darken()
	lost := h.random.IntN(3) == 0
	h.later(func() {
		p.endsIn(length)
		if lost {
			p.wire.cut()
		}
		p.wire.light()
	})
}

func (h *sendersHistory) restart(*sendersProcess) {
	h.server.restart(h.t, pickOf(h.random, []pgtest.Mode{pgtest.Fast, pgtest.Immediate}))
}

// calmDown lets those that still run go on undisturbed, or interrupts them.
func (h *sendersHistory) calmDown() {
	h.note("calm")
	interrupt := *soakTime == 0 || h.random.IntN(2) == 0
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.processes {
		p.wire.set(nil)
		if interrupt && p.running() {
			p.signal(syscall.SIGTERM)
		}
	}
}

// gone has the leases of all processes be over, which have ended, and nothing of theirs on its way any more.
func (h *sendersHistory) gone() {
	if !h.clink.silent("") {
		h.t.Error("all processes have ended, and there are connections")
	}
	err := h.view.change(`
		UPDATE sender
		SET
			lease_until = least(lease_until, clock_timestamp() - interval '1 millisecond'),
			recover = '0'
		WHERE ended_at IS NULL
	`)
	if err != nil && !noSchema(err) { // all were stopped before one had made it
		h.t.Error(err)
	}
}

// settle runs the files until each row has its link: nothing fails any more.
func (h *sendersHistory) settle() {
	h.faultless()
	h.settled = time.Now()
	h.rate = "0"
	const rounds = 4
	for round := range rounds {
		open := false
		for _, file := range slices.Concat(h.files...) {
			open = h.calmly("run", file, "--on-unknown", "retry") != exit.OK || open
		}
		if !open {
			return
		}
		jobs, err := rowsOf[struct{ ID int64 }](h.view, `SELECT DISTINCT job_id FROM item WHERE state IN ('pending', 'unknown') ORDER BY 1`)
		if err != nil {
			h.t.Error(err)
		}
		for _, j := range jobs {
			h.calmly("retry", fmt.Sprint(j.ID), "--unknown", "--on-unknown", "retry")
		}
		if h.t.Failed() {
			return
		}
		if round == rounds-1 {
			h.t.Error("all is calm, and rows stay open")
		}
	}
}

// calmly runs a command undisturbed, to its end.
func (h *sendersHistory) calmly(args ...string) (status int) {
	p, err := h.begin(0, 16, args)
	if err != nil {
		h.t.Fatal(err)
	}
	h.toItsEnd(p)
	return p.status()
}

// faultless has Clink answer all that comes from now on.
func (h *sendersHistory) faultless() {
	response, err := http.Post(h.clink.address+"/_simulator/faults", "application/json", strings.NewReader("{}"))
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		h.t.Fatal(response.Status)
	}
}
