package main

import (
	"bytes"
	"encoding/csv"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"paylinks/clink/simulator"
	"paylinks/cmd/paylinks/exit"
)

var (
	soakSeed = flag.Uint64("soak.seed", 1, "seed of TestSoak's first history; the others count up from it")
	soakTime = flag.Duration("soak.time", 0, "how long TestSoak begins new histories; 0: it plays soakShort of them")
)

const (
	soakShort  = 3  // histories in make test
	soakAtOnce = 12 // histories: they mostly wait
)

// TestSoak plays random histories on the built program: files that share invoices are edited, put back and run with all kinds of
// flags, while Clink fails, lies, throttles, and its sessions are paid and expire, and paylinks is killed. After each step the
// oracle holds what was published against the simulator's own record. What it finds is printed with the seed and the history as a
// shell script. The moments of kills depend on the machine, so that a seed gives the same plan and not always the same end.
func TestSoak(t *testing.T) {
	t.Parallel()
	program := builtProgram(t)
	sum, began := crashSum{}, time.Now()
	var lock sync.Mutex
	next := *soakSeed
	seed := func() (uint64, bool) {
		lock.Lock()
		defer lock.Unlock()
		next++
		return next - 1, *soakTime == 0 && next <= *soakSeed+soakShort || time.Since(began) < *soakTime
	}
	var players sync.WaitGroup
	for range soakAtOnce {
		players.Go(func() {
			for {
				n, more := seed()
				if !more {
					return
				}
				t.Run(fmt.Sprint("seed ", n), func(t *testing.T) {
					h := newSoakHistory(t, program, n)
					defer func() {
						lock.Lock()
						defer lock.Unlock()
						for what, n := range h.sum {
							sum[what] += n
						}
						if t.Failed() {
							sum["findings"]++
							t.Logf("after:\n%s", &h.script)
						}
					}()
					h.play()
				})
			}
		})
	}
	players.Wait()
	t.Log(sum)
}

// soakFile is an input file, of one history.
type soakFile struct {
	name     string
	records  [][]string // as it is now, with the header
	versions []string   // its contents so far
}

// The columns of a file; one without invoice ids lacks the first one.
var soakHeader = []string{"invoice_id", "customer_email", "amount", "currency", "days_overdue"}

func (f *soakFile) content() string {
	var text bytes.Buffer
	_ = csv.NewWriter(&text).WriteAll(f.records) // a buffer takes all
	return text.String()
}

// column is the place of one in the file, or less than 0.
func (f *soakFile) column(name string) int { return slices.Index(f.records[0], name) }

// soakWay is a way in which a file has been run: these bytes, with these flags of a job's identity.
type soakWay struct {
	file, content string
	flags         string // with spaces between
}

// soakRun is a run in the last step, of one file.
type soakRun struct {
	soakWay
	certain bool // its check has passed for certain, and the job is in the ledger
}

// soakHistory is one random history, in a folder with a ledger of its own, and a simulator.
type soakHistory struct {
	t               *testing.T
	random          *rand.Rand
	program, folder string
	clink, ledger   string
	lifetime        time.Duration // of sessions
	holds           int           // percent of the commands that name a policy
	getFaults       string        // as they are now
	files           []*soakFile
	ways            map[soakWay]bool
	script          strings.Builder
	oracle          *soakOracle
	view            soakView // after the last step
	runs            []soakRun
	order           map[int64]int // of jobs: when the file of each was run for the last time; less than 0 where that is not certain
	sum             crashSum
}

func newSoakHistory(t *testing.T, program string, seed uint64) *soakHistory {
	h := &soakHistory{
		t: t, random: rand.New(rand.NewPCG(seed, 1)), program: program, folder: t.TempDir(), ways: map[soakWay]bool{}, order: map[int64]int{},
		sum: crashSum{"histories": 1},
	}
	h.holds = pick(h, []int{0, 10, 60})
	h.lifetime = time.Hour
	if h.percent(60) {
		h.lifetime = time.Duration(500+h.random.IntN(2500)) * time.Millisecond
	}
	flags := []string{"--lifetime", h.lifetime.String(), "--slow-by", "1s", "--seed", fmt.Sprint(seed)}
	h.clink = killSimulator(t, program, flags...)
	h.ledger = filepath.Join(h.folder, "ledger.db")
	h.oracle = newSoakOracle(h)
	fmt.Fprintf(&h.script, `# seed %d
address=http://127.0.0.1:8181
export %s
paylinks simulator --addr 127.0.0.1:8181 %s &
control() { curl -s "$address/_simulator/$1" -d "$2"; }
session() { # REFERENCE N STATUS: what becomes of the N-th session of the reference
	id=$(curl -s $address/_simulator/sessions | grep "\"merchantReferenceId\":\"$1\"" | sed -n "$2p" | sed 's/.*"sessionId":"\([^"]*\)".*/\1/')
	control "sessions/$id" "{\"status\": \"$3\"}"
}
`, seed, strings.Join(h.environment("$address", "$PWD/ledger.db"), " "), strings.Join(flags, " "))
	for i, name := range []string{"a.csv", "b.csv", "c.csv"} {
		f := &soakFile{name: name, records: [][]string{soakHeader}}
		for n := range 3 {
			f.records = append(f.records, h.row(fmt.Sprintf("I-%d", i+n))) // b.csv has two of a.csv's
		}
		if i == 2 {
			for n := range f.records {
				f.records[n] = f.records[n][1:]
			}
		}
		h.files = append(h.files, f)
		h.save(f)
	}
	return h
}

func (h *soakHistory) environment(clink, ledger string) []string {
	return []string{
		"CLINK_BASE_URL=" + clink, "CLINK_SECRET_KEY=sk_test_soak", "PAYLINKS_LEDGER=" + ledger, "PAYLINKS_RATE=0",
		"PAYLINKS_GIVE_UP_AFTER=3s", "PAYLINKS_MAX_ATTEMPTS=2",
	}
}

// row is what an invoice should be, before anybody edits it.
func (h *soakHistory) row(id string) []string {
	n := int(id[len(id)-1] - '0')
	if n%4 == 3 {
		return []string{id, id + "@example.com", fmt.Sprint(1000 + n), "JPY", "0"}
	}
	return []string{id, id + "@example.com", fmt.Sprintf("%d.50", 10+n), "USD", "0"}
}

func (h *soakHistory) percent(n int) bool { return h.random.IntN(100) < n }

func pick[T any](h *soakHistory, from []T) T { return from[h.random.IntN(len(from))] }

// soakSteps are what a history is made of, each as often as its weight. A new command gets a line here; with
// adopt, one that loses the ledger, restores the last backup and adopts the links files.
var soakSteps = []struct {
	name   string
	weight int
	play   func(*soakHistory)
}{
	{"edit", 16, func(h *soakHistory) { h.edit(pick(h, h.files)) }},
	{"put back", 10, (*soakHistory).putBack},
	{"slip", 4, (*soakHistory).slip},
	{"faults", 14, (*soakHistory).faults},
	{"paid", 6, func(h *soakHistory) { h.become("paid") }},
	{"denied", 4, (*soakHistory).denied},
	{"processing", 3, func(h *soakHistory) { h.become("processing") }},
	{"refunded", 2, func(h *soakHistory) { h.become(pick(h, []string{"refunded", "partial_refunded", "failed"})) }},
	{"expired", 9, func(h *soakHistory) { h.become("expired") }},
	{"time", 6, func(h *soakHistory) { h.pass() }},
	{"run", 24, func(h *soakHistory) { h.run(h.some()...) }},
	{"check", 2, func(h *soakHistory) { h.command(append([]string{"check"}, h.some()...)...) }},
	{"resume", 6, func(h *soakHistory) { h.send("resume") }},
	{"resume JOB", 4, func(h *soakHistory) { h.sendJob("resume") }},
	{"retry", 6, func(h *soakHistory) { h.sendJob("retry") }},
	{"retry --unknown", 6, func(h *soakHistory) { h.sendJob("retry", "--unknown") }},
	{"reissue", 10, func(h *soakHistory) { h.sendJob("reissue") }},
	{"refresh", 4, func(h *soakHistory) { h.command("refresh") }},
	{"refresh JOB", 6, func(h *soakHistory) { h.withJob("refresh") }},
	{"export", 2, func(h *soakHistory) { h.withJob("export") }},
	{"show", 1, func(h *soakHistory) { h.withJob("show", "--attempts", "--json") }},
	{"jobs", 1, func(h *soakHistory) { h.command("jobs", "--json") }},
	{"purge", 4, func(h *soakHistory) { h.command("purge", "--older-than", "1ms", "--yes") }},
	{"backup", 1, func(h *soakHistory) { h.command("backup", "ledger.backup.db") }},
}

// play makes some steps, and then settles what they have left. Each history has its own mixture of steps, and some lack altogether:
// what needs many edits, or many losses, comes up sooner than where all have the same.
func (h *soakHistory) play() {
	defer h.oracle.count(h.sum)
	var mixture []int // steps by their number, each as often as it weighs
	for i, step := range soakSteps {
		weight := step.weight * pick(h, []int{0, 1, 1, 3})
		if step.name == "run" {
			weight = step.weight
		}
		mixture = append(mixture, slices.Repeat([]int{i}, weight)...)
	}
	h.run(h.some()...)
	h.look()
	steps := 8 + h.random.IntN(20)
	if *soakTime == 0 {
		steps = 8 // make test has little time
	}
	for range steps {
		step := soakSteps[pick(h, mixture)]
		step.play(h)
		h.sum["steps"]++
		h.sum["steps: "+step.name]++
		if h.look(); h.t.Failed() {
			return
		}
	}
	h.settle()
}

// look has the oracle judge the last step, and notes which files have been run in it.
func (h *soakHistory) look() {
	before := h.view
	h.view = h.oracle.look()
	h.oracle.heldRows(before, h.view)
	for n, run := range h.runs {
		var jobs soakView
		_, series, _ := strings.Cut(run.flags, "--series ")
		for _, j := range h.view {
			if j.isOf(run.content) && j.Series() == series { // whether repeats are allowed makes no other job
				jobs = append(jobs, j)
			}
		}
		h.sum["runs"]++
		for _, j := range jobs {
			h.order[j.ID] = -1
			if run.certain && len(jobs) == 1 {
				h.order[j.ID] = h.sum["runs"]
				if n == len(h.runs)-1 {
					h.oracle.lastRunHasAll(j)
				}
			}
		}
	}
	h.runs = nil
	h.oracle.lastRunCounts(before, h.order)
}

func (h *soakHistory) note(format string, args ...any) { fmt.Fprintf(&h.script, format+"\n", args...) }

// save writes the file, as a new version of it.
func (h *soakHistory) save(f *soakFile) {
	content := f.content()
	f.versions = append(f.versions, content)
	h.note("cat >%s <<'END'\n%sEND", f.name, content)
	if err := os.WriteFile(filepath.Join(h.folder, f.name), []byte(content), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

// putBack makes a file what it was before, byte for byte.
func (h *soakHistory) putBack() {
	f := pick(h, h.files)
	if content := pick(h, f.versions); content != f.content() {
		h.restore(f, content)
		h.runEdited(f)
	}
}

// slip has new rows in a file, edits it wrongly, and puts it back, each time running it for one row more. The first one may be in
// doubt, and held.
func (h *soakHistory) slip() {
	f := pick(h, h.files)
	some := func(flags ...string) {
		h.save(f)
		h.send(append([]string{"run", f.name, "--skip-invalid", "--limit", "1"}, flags...)...)
		h.look()
	}
	for n := range 3 {
		next := h.row(fmt.Sprintf("I-%d%d", h.sum["steps"], n))
		f.records = slices.Insert(slices.Clone(f.records), 1, next[len(next)-len(f.records[0]):])
	}
	if h.percent(40) {
		h.setFaults("lost=100%", "")
		some("--on-unknown", "hold")
		h.setFaults("", "")
	} else {
		some()
	}
	right := f.records
	f.edit(h)
	some()
	f.records = right
	some()
}

// runEdited mostly runs a file that has just been edited.
func (h *soakHistory) runEdited(f *soakFile) {
	if h.percent(70) {
		h.run(f.name)
	}
}

func (h *soakHistory) restore(f *soakFile, content string) {
	records, err := csv.NewReader(strings.NewReader(content)).ReadAll()
	if err != nil {
		h.t.Fatal(err)
	}
	f.records = records
	h.save(f)
}

func (h *soakHistory) edit(f *soakFile) {
	f.edit(h)
	h.save(f)
	h.runEdited(f)
}

// edit changes something in the file.
func (f *soakFile) edit(h *soakHistory) {
	f.records = slices.Clone(f.records)
	at := 1 + h.random.IntN(len(f.records)-1)
	row := slices.Clone(f.records[at])
	f.records[at] = row
	set := func(column, value string) { row[f.column(column)] = value }
	id := fmt.Sprintf("I-%d", h.random.IntN(5))
	switch n := h.random.IntN(100); {
	case n < 30:
		set("amount", fmt.Sprint(20+h.random.IntN(3)))
		set("currency", pick(h, []string{"USD", "USD", "EUR"}))
	case n < 38:
		set("customer_email", fmt.Sprintf("other%d@example.com", h.random.IntN(2)))
	case n < 50:
		f.nextDay()
	case n < 57 && len(f.records) > 2:
		f.records = slices.Delete(f.records, at, at+1)
	case n < 65:
		h.random.Shuffle(len(f.records)-1, func(i, j int) {
			f.records[i+1], f.records[j+1] = f.records[j+1], f.records[i+1]
		})
	case n < 72:
		set("amount", "12.5.0")
	case n < 76 && f.column("invoice_id") == 0: // another row has this invoice, too
		set("invoice_id", pick(h, f.records[1:])[0])
	default:
		next := h.row(id)
		f.records = slices.Insert(f.records, at, next[len(next)-len(row):])
	}
}

// nextDay makes the file a list of the next day, with nothing new in it but that.
func (f *soakFile) nextDay() {
	for i := range f.records[1:] {
		next := slices.Clone(f.records[i+1])
		next[f.column("days_overdue")] += "1"
		f.records[i+1] = next
	}
}

// soakFaults are what Clink, or the way to it, does from now on: to POSTs, and to GETs.
var soakFaults = [][2]string{
	{}, {}, {}, {}, {},
	{"lost=30%,lost-before=20%", ""}, {"500-after=20%,500-before=20%,cut=20%", ""}, {"429=30%", "429=30%"}, {"slow=40%", ""},
	{"html-200=20%,html=20%", ""}, {"refuse=40%,code=20%", ""}, {"refuse=100%", ""}, {"customer-500=30%", ""}, {"code-500=20%", ""},
	{"401=100%", "401=100%"}, {"redirect=100%", "redirect=100%"}, {"401=10%,redirect=5%", ""},
	{"html-403:I-2=100%,html-413:I-3@example.com=100%", ""}, {"403:I-3=100%", ""}, {"html-404=100%", "html-404=100%"},
	{"wrong-amount=15%,wrong-currency=15%,wrong-reference=15%,no-url=15%,bad-url=15%", ""}, {"no-expiry=40%", ""},
	{"lost=100%", ""}, {"lost=50%", ""}, {"500-after=100%", "500-before=100%"}, {"code-500=100%", "code-500=100%"},
	{"", "404=60%"}, {"", "lost=50%"}, {"", "wrong-reference=60%"}, {"", "says-expired=100%"}, {"", "says-expired=60%,unfiltered=40%"},
	{"", "no-orders=100%"}, {"lost=20%,429=10%,refuse=10%,wrong-amount=10%,slow=10%", "404=20%,lost=20%"},
}

func (h *soakHistory) faults() {
	faults := pick(h, soakFaults)
	h.setFaults(faults[0], faults[1])
}

func (h *soakHistory) setFaults(faults, getFaults string) {
	h.getFaults = getFaults
	body := fmt.Sprintf(`{"faults": %q, "getFaults": %q}`, faults, getFaults)
	h.control("faults", body, "control faults '"+body+"'")
}

// control asks the simulator for something; line is what the script has for it.
func (h *soakHistory) control(path, body, line string) {
	h.t.Helper()
	h.note("%s", line)
	response, err := http.Post(h.clink+"/_simulator/"+path, "application/json", strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		h.t.Fatalf("%s %s: %s", path, body, response.Status)
	}
}

// become has a customer pay, or a session expire. Only what is published can be paid, and only what is paid is refunded. One that
// the ledger knows to be paid may be said to be expired later, as some have seen it. It returns the session, or "".
func (h *soakHistory) become(status string) (id string) {
	var ids []string
	for id, s := range h.oracle.sessions {
		paid := s.PaymentStatus == simulator.Paid
		open := !paid && (s.Expires.After(time.Now()) || s.PaymentStatus == simulator.Processing) && !h.oracle.saidExpired[id]
		fits := h.oracle.known[id] || open
		if strings.HasSuffix(status, "refunded") {
			fits = paid
		} else if status != "expired" {
			fits = open
		}
		if h.oracle.published[id] != nil && fits {
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		slices.Sort(ids)
		id = pick(h, ids)
		h.sessionBecomes(id, status)
	}
	return id
}

// denied has somebody pay, and paylinks hear of it; from then on Clink says that the session has expired unpaid.
func (h *soakHistory) denied() {
	h.setFaults("", "")
	id := h.become("paid")
	if id == "" {
		return
	}
	if h.calm("refresh"); h.oracle.known[id] {
		h.sessionBecomes(id, "expired")
		h.pass()
		h.edit(pick(h, h.files))
	}
}

func (h *soakHistory) sessionBecomes(id, status string) {
	session, n := h.oracle.sessions[id], 0
	for _, other := range h.oracle.sessions {
		if other.Reference == session.Reference && (other.Created.Before(session.Created) || other.ID == id) {
			n++
		}
	}
	h.control("sessions/"+id, fmt.Sprintf(`{"status": %q}`, status), fmt.Sprintf("session %s %d %s", session.Reference, n, status))
}

// pass lets time pass, until sessions that live for a short time have expired.
func (h *soakHistory) pass() {
	if h.lifetime < time.Minute {
		h.note("sleep %.1f", h.lifetime.Seconds())
		time.Sleep(h.lifetime)
	}
}

// some are one to three of the files, by their names.
func (h *soakHistory) some() (names []string) {
	for _, i := range h.random.Perm(len(h.files))[:pick(h, []int{1, 1, 1, 2, 2, 3})] {
		names = append(names, h.files[i].name)
	}
	return names
}

func (h *soakHistory) run(files ...string) {
	var identity, flags []string
	if h.percent(10) {
		identity = append(identity, "--allow-repeats")
	}
	if h.percent(15) && !slices.Contains(files, "c.csv") {
		identity = append(identity, "--series", pick(h, []string{"2025", "2026"}))
	}
	if h.percent(50) {
		flags = append(flags, "--skip-invalid")
	}
	if len(files) == 1 && h.percent(10) {
		flags = append(flags, "--output", "other."+files[0])
	}
	h.send(slices.Concat([]string{"run"}, files, identity, flags)...)
}

// noteRun keeps what a run with these arguments, which has ended with that status, was of.
func (h *soakHistory) noteRun(args []string, status int) {
	way, files := soakWay{}, 0
	for i, arg := range args {
		if arg == "--allow-repeats" {
			way.flags += " " + arg
		}
		if arg == "--series" {
			way.flags += " " + arg + " " + args[i+1]
		}
		if h.file(arg) != nil {
			files++
		}
	}
	certain := status == exit.OK || status == exit.Attention || files == 1 && slices.Contains([]int{exit.Failures, exit.Unfinished, exit.Key}, status)
	for _, arg := range args {
		if f := h.file(arg); f != nil {
			way.file, way.content = f.name, f.content()
			h.ways[way] = true
			if status != exit.Usage && status != exit.Data { // else nothing has come of it
				h.runs = append(h.runs, soakRun{way, certain})
			}
		}
	}
}

// file is the one of that name, or nil.
func (h *soakHistory) file(name string) *soakFile {
	if i := slices.IndexFunc(h.files, func(f *soakFile) bool { return f.name == name }); i >= 0 {
		return h.files[i]
	}
	return nil
}

// send is a command that sends, with some more flags.
func (h *soakHistory) send(args ...string) {
	for _, flag := range []struct {
		percent int
		name    string
		values  []string
	}{
		{30, "--limit", []string{"1", "2"}}, {h.holds, "--on-unknown", []string{"hold", "hold", "retry"}},
		{10, "--max-failures", []string{"1", "50%"}}, {60, "--concurrency", []string{"1", "2", "16"}},
		{40, "--timeout", []string{"400ms", "2s"}}, {40, "--max-attempts", []string{"1", "2", "3"}},
	} {
		if h.percent(flag.percent) {
			args = append(args, flag.name, pick(h, flag.values))
		}
	}
	if h.percent(70) {
		args = append(args, "--json")
	}
	h.command(args...)
}

// withJob is a command about one of the jobs, if there are any.
func (h *soakHistory) withJob(command string, flags ...string) {
	if len(h.view) > 0 {
		h.command(append([]string{command, fmt.Sprint(pick(h, h.view).ID)}, flags...)...)
	}
}

func (h *soakHistory) sendJob(command string, flags ...string) {
	if len(h.view) > 0 {
		h.send(append([]string{command, fmt.Sprint(pick(h, h.view).ID)}, flags...)...)
	}
}

// command runs one. Some are killed or interrupted at a random moment.
func (h *soakHistory) command(args ...string) {
	var signal os.Signal
	switch n := h.random.IntN(100); {
	case n < 25:
		signal = syscall.SIGKILL
	case n < 35:
		signal = pick(h, []os.Signal{syscall.SIGINT, syscall.SIGTERM})
	}
	h.process(signal, 2*killMoment(h.random), args...)
}

// soakHangs is far more than any command takes.
const soakHangs = 90 * time.Second

// process runs paylinks, and sends it a signal, if there is one, after so long. What it says of itself is held against the ledger.
func (h *soakHistory) process(signal os.Signal, after time.Duration, args ...string) {
	h.t.Helper()
	line := "paylinks " + strings.Join(args, " ")
	if signal != nil {
		names := map[os.Signal]string{syscall.SIGKILL: "KILL", syscall.SIGINT: "INT", syscall.SIGTERM: "TERM"}
		line = fmt.Sprintf("timeout -s %s %.3f %s", names[signal], after.Seconds(), line)
	}
	h.oracle.said = ""
	p := startCrash(h.t, h.program, h.folder, h.environment(h.clink, h.ledger), args)
	if signal != nil && !p.endsIn(after) {
		_ = p.cmd.Process.Signal(signal) // it may have ended
	}
	if !p.endsIn(soakHangs) {
		h.t.Errorf("this goes on for more than %s: %s\n%s", soakHangs, line, &p.said)
		p.kill()
	}
	h.note("%s # exit status %d", line, p.status())
	if args[0] == "run" {
		h.noteRun(args, p.status())
	}
	if slices.Contains(args, "--unknown") {
		h.oracle.word()
	}
	h.sum["commands"]++
	h.sum[fmt.Sprintf("status %3d", p.status())]++
	switch {
	case p.killed():
		h.sum["kills"]++
		_, one, done := crashCopy(h.t, h.ledger)
		defer done()
		crashSound(h.t, one)
	case p.status() == exit.Bug, p.status() == exit.Ledger, strings.Contains(p.said.String(), "panic: "), strings.Contains(p.said.String(), "goroutine "):
		h.t.Errorf("exit status %d of %s:\n%s", p.status(), line, &p.said)
	case slices.Contains([]string{"run", "resume", "retry", "reissue"}, args[0]) && slices.Contains(args, "--json"):
		h.oracle.status, h.oracle.said = p.status(), p.out.String()
	}
}

// calm runs a command undisturbed, unless there is a finding already.
func (h *soakHistory) calm(args ...string) {
	if !h.t.Failed() {
		h.process(nil, 0, args...)
		h.look()
	}
}

// settle ends the history: nothing fails any more, and the commands that paylinks itself names must lead each row to its end.
func (h *soakHistory) settle() {
	h.setFaults("", "")
	h.control("lifetime", `{"lifetime": "1h"}`, `control lifetime '{"lifetime": "1h"}'`)
	h.pass()
	if h.look(); h.percent(50) { // who was refused because of a link must get on once that has expired
		for _, id := range slices.Sorted(maps.Keys(h.oracle.sessions)) {
			if s := h.oracle.sessions[id]; h.oracle.published[id] != nil && !h.oracle.known[id] && s.Status == simulator.Open && s.PaymentStatus == simulator.Unpaid {
				h.sessionBecomes(id, "expired")
			}
		}
	}
	for _, f := range h.files {
		purged := func(j *soakJob) bool { return !j.PurgedAt.IsZero() && j.isOf(f.content()) }
		for slices.ContainsFunc(h.view, purged) { // the file of a purged job is refused
			f.nextDay()
			h.save(f)
		}
	}
	var stuck soakView
	for round := range 4 {
		for _, f := range h.files {
			h.calm("run", f.name, "--skip-invalid", "--on-unknown", "retry", "--json")
		}
		h.calm("resume")
		for _, j := range h.view {
			for _, args := range h.oracle.moves(j) {
				h.calm(args...)
			}
		}
		if stuck = h.oracle.stuck(h.view); len(stuck) == 0 || h.t.Failed() {
			break
		}
		for _, j := range stuck { // a row may wait until its file is run again
			if round > 0 {
				h.runAgain(j)
			}
		}
	}
	if h.t.Failed() {
		return
	}
	for _, j := range stuck {
		for _, r := range j.results {
			h.t.Errorf("no command moves row %d of job %d, %q: %s %s %s", r.Row, j.ID, r.Cells, r.State, r.ErrorCode, r.Error)
		}
	}
	if h.t.Failed() {
		return
	}
	posts := postsTo(h.t, h.clink)
	for _, f := range h.files {
		h.calm("run", f.name, "--skip-invalid")
		h.oracle.liveLinks(f)
	}
	if n := postsTo(h.t, h.clink); n != posts && !h.t.Failed() {
		h.t.Errorf("all rows have their end, and to run the files again has sent %d requests", n-posts)
	}
}

// runAgain runs the file of the job again, as it was, in each of the ways in which it has been run.
func (h *soakHistory) runAgain(j *soakJob) {
	for _, f := range h.files {
		for way := range h.ways {
			if way.file == f.name && j.isOf(way.content) {
				now := f.content()
				h.restore(f, way.content)
				h.calm(slices.Concat([]string{"run", f.name, "--skip-invalid"}, strings.Fields(way.flags))...)
				h.restore(f, now)
			}
		}
	}
}
