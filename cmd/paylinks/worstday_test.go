//go:build linux

package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"paylinks/clink/simulator"
	"paylinks/cmd/paylinks/exit"
	"paylinks/job"
)

// These are the days on which everything else goes wrong: a full disk, a ledger that cannot be written, a terminal that
// goes away, a clock that is set back, a Clink that loses answers while the run is killed again and again.

// worstDay is a simulator inside the test, and an invoice file with its ledger.
type worstDay struct {
	t             *testing.T
	clink         *simulator.Server
	url           string
	input, ledger string
	posts         atomic.Int32
	mu            sync.Mutex  // held while a process starts
	started       *os.Process // the last one
}

// newWorstDay has do called with the number of each POST before Clink sees it; where that is true, it has answered.
func newWorstDay(t *testing.T, config simulator.Config, rows int, do func(d *worstDay, w http.ResponseWriter, r *http.Request, post int32) bool) *worstDay {
	t.Helper()
	config.AllowNoKey, config.PublicURL = true, "http://127.0.0.1"
	d := &worstDay{t: t, clink: simulator.New(config), input: invoices(t, rows)}
	d.ledger = beside(d.input, "ledger.db")
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && do(d, w, r, d.posts.Add(1)) {
			return
		}
		d.clink.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	d.url = server.URL
	return d
}

func asUsual(*worstDay, http.ResponseWriter, *http.Request, int32) bool { return false }

// command is a paylinks that has not started; one that sends makes haste.
func (d *worstDay) command(args ...string) (cmd *exec.Cmd, errs *bytes.Buffer) {
	d.t.Helper()
	args = append(args, "--ledger", d.ledger, "--env", "simulator")
	if args[0] == "run" || args[0] == "resume" || args[0] == "retry" {
		args = append(args, "--base-url", d.url, "--rate", "0", "--concurrency", "8", "--timeout", "20s")
	}
	cmd, _, errs = paylinksCommand(d.t, nil, args...)
	return cmd, errs
}

// end waits for the process, which must end with this status; -1 is killed.
func (d *worstDay) end(cmd *exec.Cmd, errs *bytes.Buffer, want int) {
	d.t.Helper()
	_ = cmd.Wait() // the status is in cmd.ProcessState
	if got := cmd.ProcessState.ExitCode(); got != want {
		d.t.Fatalf("%v: exit status %d, want %d\n%s", cmd.Args, got, want, errs)
	}
}

// must runs a command to its end and returns what it said for people.
func (d *worstDay) must(want int, args ...string) string {
	d.t.Helper()
	cmd, errs := d.command(args...)
	d.start(cmd)
	d.end(cmd, errs, want)
	return errs.String()
}

func (d *worstDay) start(cmd *exec.Cmd) {
	d.t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.started = cmd.Process
	d.t.Cleanup(func() { _ = cmd.Process.Kill() }) // most have ended long before
}

// process is the one that sends, for a request of it.
func (d *worstDay) process() *os.Process {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.started
}

// onRecord checks that no request was sent without an intent on record, and returns the tally.
func (d *worstDay) onRecord() job.Tally {
	d.t.Helper()
	tally, _, attempts := onRecord(d.t, d.ledger)
	if posts := int(d.posts.Load()); posts > len(attempts) {
		d.t.Errorf("%d requests were sent, and %d attempts are on record", posts, len(attempts))
	}
	return tally
}

// finished checks that each row of the links file has its link, and that what more there is at Clink is counted.
func (d *worstDay) finished(rows, mostOrphans int) {
	d.t.Helper()
	tally := d.onRecord()
	if tally.Items[job.Created] != rows || tally.Rows() != rows {
		d.t.Errorf("the rows are %v, want %d created", tally.Items, rows)
	}
	links := map[string]bool{}
	for _, row := range publishedLinks(d.t, d.input) {
		links[row["url"]] = true
	}
	if len(links) != rows || links[""] {
		d.t.Errorf("%d links are published, want %d", len(links), rows)
	}
	surplus, orphans := d.clink.Summary().Sessions-rows, tally.PossibleOrphans()
	if surplus < 0 || surplus > orphans || orphans > mostOrphans {
		d.t.Errorf("%d sessions too many, %d possible orphans; want at most %d", surplus, orphans, mostOrphans)
	}
}

// fillsUp has the process find no room in any file beyond so many bytes, which is what a full disk does to a write.
func fillsUp(t *testing.T, pid int, bytes int64) {
	limit := unix.Rlimit{Cur: uint64(bytes), Max: unix.RLIM_INFINITY}
	if err := unix.Prlimit(pid, unix.RLIMIT_FSIZE, &limit, nil); err != nil {
		t.Error(err)
	}
}

// Promises 2 and 4: where the ledger cannot be written any more, nothing more is sent, and no row is lost.
func TestDiskFullForTheLedger(t *testing.T) {
	t.Parallel()
	const rows = 150
	d := newWorstDay(t, simulator.Config{}, rows, func(d *worstDay, _ http.ResponseWriter, _ *http.Request, post int32) bool {
		if post == 20 {
			wal, err := os.Stat(d.ledger + "-wal")
			if err != nil {
				t.Error(err)
				return false
			}
			fillsUp(t, d.process().Pid, wal.Size()+50_000)
		}
		return false
	})
	cmd, errs := d.command("run", d.input)
	d.start(cmd)
	d.end(cmd, errs, exit.Ledger)
	for _, want := range []string{"paylinks: error: job 1 stopped: ", "make room on the disk"} {
		if !strings.Contains(errs.String(), want) {
			t.Errorf("%q is not in what it said: %s", want, errs)
		}
	}
	tally := d.onRecord()
	if created := tally.Items[job.Created]; created < 10 || created > rows-50 || tally.Items[job.Failed] > 0 {
		t.Errorf("the rows are %v", tally.Items)
	}
	for _, row := range publishedLinks(t, d.input) {
		if (row["status"] == "created") != (row["url"] != "") {
			t.Errorf("the links file says %v", row)
		}
	}
	d.must(exit.OK, "run", d.input)
	d.finished(rows, 8)
}

// Promise 9: a links file for which there is no room leaves the old one as it was, and the links stay safe.
func TestDiskFullForTheLinksFile(t *testing.T) {
	t.Parallel()
	const rows, sent = 300, 297
	d := newWorstDay(t, simulator.Config{}, 0, asUsual)
	var b strings.Builder
	b.WriteString("invoice_id,customer_email,amount,currency,note\n")
	for i := range rows {
		fmt.Fprintf(&b, "A-%d,a@example.com,%d.50,USD,%s\n", i, i+1, strings.Repeat("n", 4000))
	}
	if err := os.WriteFile(d.input, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	d.must(exit.Unfinished, "run", d.input, "--limit", strconv.Itoa(sent))
	read := func() string {
		t.Helper()
		text, err := os.ReadFile(beside(d.input, "a.links.csv"))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	before := read()
	cmd, errs := d.command("run", d.input)
	d.start(cmd)
	fillsUp(t, cmd.Process.Pid, int64(len(before)/2))
	d.end(cmd, errs, exit.Output)
	if !strings.Contains(errs.String(), "the links are safe in the ledger; write them there with: paylinks resume 1 ") {
		t.Errorf("it said: %s", errs)
	}
	if read() != before {
		t.Error("the links file is not as it was")
	}
	left, err := filepath.Glob(beside(d.input, ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("there is left %v, %v", left, err)
	}
	if posts := d.posts.Load(); posts != rows {
		t.Errorf("%d requests, want %d: the ledger had room", posts, rows)
	}
	d.must(exit.OK, "run", d.input)
	d.finished(rows, 0)
}

// startMeek starts the command without root's right to pass over the modes of files.
func startMeek(cmd *exec.Cmd) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // for good: the thread ends with the goroutine, and its loss of rights with it
		// Anybody but root has no such right, nor the right to give one up.
		for _, right := range []uintptr{unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH} {
			_ = unix.Prctl(unix.PR_CAPBSET_DROP, right, 0, 0, 0)
		}
		done <- cmd.Start()
	}()
	return <-done
}

func TestLedgerThatCannotBeWritten(t *testing.T) {
	for name, modes := range map[string]map[string]os.FileMode{
		"the file":                 {"ledger.db": 0o400},
		"its folder":               {"": 0o500},
		"the file, and its folder": {"ledger.db": 0o400, "": 0o500},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newWorstDay(t, simulator.Config{}, 4, asUsual)
			state := filepath.Join(filepath.Dir(d.input), "state")
			d.ledger = filepath.Join(state, "ledger.db")
			if err := os.Mkdir(state, 0o700); err != nil {
				t.Fatal(err)
			}
			d.must(exit.Unfinished, "run", d.input, "--limit", "2")
			for file, mode := range modes {
				if err := os.Chmod(filepath.Join(state, file), mode); err != nil {
					t.Fatal(err)
				}
			}
			cmd, errs := d.command("run", d.input)
			if err := startMeek(cmd); err != nil {
				t.Fatal(err)
			}
			d.end(cmd, errs, exit.Ledger)
			if !strings.Contains(errs.String(), "paylinks: error: open ledger "+d.ledger) {
				t.Errorf("it said: %s", errs)
			}
			if posts := d.posts.Load(); posts != 2 {
				t.Errorf("%d requests were sent, want those of the first run alone", posts)
			}
			for file := range modes {
				mode := os.FileMode(0o600)
				if file == "" {
					mode = 0o700
				}
				if err := os.Chmod(filepath.Join(state, file), mode); err != nil {
					t.Fatal(err)
				}
			}
			d.must(exit.OK, "run", d.input)
			d.finished(4, 0)
		})
	}
}

// terminal is a pseudo-terminal: what a person sits at, and what a program has for it.
func terminal(t *testing.T) (person, program *os.File) {
	t.Helper()
	person, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = person.Close() })
	raw, err := person.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var number int
	control := raw.Control(func(fd uintptr) {
		if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
			number, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
		}
	})
	if control != nil || err != nil {
		t.Fatal(control, err)
	}
	program, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return person, program
}

// Promise 4: a terminal that is closed, or where somebody presses Ctrl-C, stops the run and costs nothing.
func TestTerminal(t *testing.T) {
	for name, stop := range map[string]func(person *os.File) error{
		"is closed": (*os.File).Close,
		"Ctrl-C":    func(person *os.File) error { _, err := person.Write([]byte{3}); return err },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const rows = 60
			person, program := terminal(t)
			d := newWorstDay(t, simulator.Config{Latency: 150 * time.Millisecond}, rows, func(d *worstDay, _ http.ResponseWriter, _ *http.Request, post int32) bool {
				if post == 20 {
					if err := stop(person); err != nil {
						t.Error(err)
					}
				}
				return false
			})
			cmd, errs := d.command("run", d.input)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = program, program, program
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			d.start(cmd)
			_ = program.Close()
			said := make(chan string)
			go func() {
				text, _ := io.ReadAll(person) // it ends with an error: the terminal is gone, or nobody is at it any more
				said <- string(text)
			}()
			d.end(cmd, errs, exit.Interrupted)
			if text := <-said; !strings.Contains(text, "a.csv: 60 rows") {
				t.Errorf("the terminal said: %s", text)
			}
			tally := d.onRecord()
			posts := int(d.posts.Load())
			if created := tally.Items[job.Created]; created != posts || tally.Items[job.Pending] != rows-posts || posts < 20 || posts > 36 {
				t.Errorf("%d requests were sent, and the rows are %v", posts, tally.Items)
			}
			linked := 0
			for _, row := range publishedLinks(t, d.input) {
				if row["url"] != "" {
					linked++
				}
			}
			if linked != posts {
				t.Errorf("%d links are published, want %d", linked, posts)
			}
			d.must(exit.OK, "run", d.input)
			d.finished(rows, 0)
		})
	}
}

// passes makes the ledger so much older, which is what it looks like to a run whose clock was set on; with less than
// nothing, back.
func (d *worstDay) passes(days int) {
	d.t.Helper()
	db, err := sql.Open("sqlite3", "file:"+d.ledger)
	if err != nil {
		d.t.Fatal(err)
	}
	defer db.Close()
	for table, columns := range map[string][]string{
		"job": {"created_at"}, "item": {"created_at", "expires_at", "checked_at"}, "attempt": {"sent_at", "ended_at"},
	} {
		for _, column := range columns {
			result, err := db.Exec(fmt.Sprintf(`
				UPDATE %s
				SET %[2]s = strftime('%%Y-%%m-%%dT%%H:%%M:%%fZ', %[2]s, '%+d days')
				WHERE %[2]s <> ''
			`, table, column, -days))
			if err != nil {
				d.t.Fatal(err)
			}
			if n, err := result.RowsAffected(); err != nil || n == 0 && column == "sent_at" && table != "past_attempt" {
				d.t.Fatalf("no %s of %s was moved: %v", column, table, err)
			}
		}
	}
}

// A clock that is set back or on between two runs costs no row and makes no second link. Set back, a link counts as live
// for that much longer; set on, as expired, and then Clink is asked.
func TestClockIsSet(t *testing.T) {
	for _, days := range []int{-1, 2} {
		t.Run(fmt.Sprintf("by %d days", days), func(t *testing.T) {
			t.Parallel()
			const rows = 6
			d := newWorstDay(t, simulator.Config{Lifetime: 24 * time.Hour}, rows, func(d *worstDay, _ http.ResponseWriter, _ *http.Request, post int32) bool {
				if post == 4 {
					_ = d.process().Kill()
				}
				return false
			})
			cmd, errs := d.command("run", d.input)
			cmd.Args = append(cmd.Args, "--concurrency", "1")
			d.start(cmd)
			d.end(cmd, errs, -1)
			d.passes(days)
			d.must(exit.OK, "run", d.input)
			d.finished(rows, 1)
			d.must(exit.OK, "show", "1", "--attempts")
			d.must(exit.OK, "jobs")

			// The same invoices in another file; those of the first run have a creation in the future, or a link that is over.
			text, err := os.ReadFile(d.input)
			if err != nil {
				t.Fatal(err)
			}
			d.input = beside(d.input, "b.csv")
			if err := os.WriteFile(d.input, append(text, "A-7,a7@example.com,7.50,USD\n"...), 0o600); err != nil {
				t.Fatal(err)
			}
			before := d.posts.Load()
			d.must(exit.OK, "run", d.input)
			if n := d.posts.Load() - before; n != 1 {
				t.Errorf("%d requests for another file with one new invoice", n)
			}
			wantReads := 0
			if days > 0 {
				wantReads = 3
			}
			if reads := d.clink.Summary().Reads; reads != wantReads {
				t.Errorf("Clink was asked about %d links, want %d", reads, wantReads)
			}
		})
	}
}

// Promise 10: a second run does not wait for the first, which cannot end before it.
func TestSecondRunEndsAtOnce(t *testing.T) {
	t.Parallel()
	hold, arrived := make(chan struct{}), make(chan struct{})
	d := newWorstDay(t, simulator.Config{}, 3, func(d *worstDay, _ http.ResponseWriter, _ *http.Request, post int32) bool {
		if post == 1 {
			close(arrived)
			<-hold
		}
		return false
	})
	defer close(hold)
	first, errs := d.command("run", d.input)
	first.Args = append(first.Args, "--concurrency", "1")
	d.start(first)
	<-arrived
	said := d.must(exit.Unfinished, "run", d.input)
	if want := fmt.Sprintf("(process %d, since ", first.Process.Pid); !strings.Contains(said, want) {
		t.Errorf("%q is not in what it said: %s", want, said)
	}
	if posts := d.posts.Load(); posts != 1 {
		t.Errorf("%d requests were sent, want that of the first run", posts)
	}
	_ = first.Process.Kill()
	d.end(first, errs, -1)
	if _, err := os.Stat(d.ledger + ".lock"); err != nil {
		t.Errorf("the killed run has left no lock: %v", err)
	}
	d.must(exit.OK, "run", d.input)
}

// Promise 4: whatever Retry-After says, nothing is sent before the pause is over, and nobody waits longer than
// --give-up-after.
func TestRetryAfterAsItComes(t *testing.T) {
	for _, c := range []struct {
		name, header string
		status       int
		wait         time.Duration // until the next request; a date has whole seconds
	}{
		{"missing", "", exit.OK, time.Second},
		{"past", "Mon, 02 Jan 2006 15:04:05 GMT", exit.OK, time.Second},
		{"an hour", "3600", exit.Unfinished, 0},
		{"beyond all numbers", "99999999999999999999999999", exit.Unfinished, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var mu sync.Mutex
			var until time.Time
			d := newWorstDay(t, simulator.Config{}, 30, func(d *worstDay, w http.ResponseWriter, _ *http.Request, post int32) bool {
				mu.Lock()
				defer mu.Unlock()
				if time.Now().Before(until) {
					t.Errorf("request %d left %s before the pause was over", post, time.Until(until))
				}
				if post != 3 {
					return false
				}
				if c.header != "" {
					w.Header().Set("Retry-After", c.header)
				}
				w.WriteHeader(http.StatusTooManyRequests)
				until = time.Now().Add(c.wait)
				if c.wait == 0 {
					until = time.Now().Add(time.Hour)
				}
				return true
			})
			cmd, errs := d.command("run", d.input)
			cmd.Args = append(cmd.Args, "--concurrency", "1") // so that none is on its way when the pause begins
			d.start(cmd)
			d.end(cmd, errs, c.status)
			if c.status == exit.OK {
				d.finished(30, 0)
				return
			}
			if !strings.Contains(errs.String(), "hint: no row was lost; run again after 2") {
				t.Errorf("it said: %s", errs)
			}
			if tally := d.onRecord(); tally.Items[job.Created]+tally.Items[job.Pending] != 30 {
				t.Errorf("the rows are %v", tally.Items)
			}
		})
	}
}

// Promise 3: under hold there is no second request for a row after one that may have arrived, however often the run is
// killed and whatever command goes on with it, until somebody says retry --unknown. Clink keeps the account itself.
func TestHoldThroughAnything(t *testing.T) {
	t.Parallel()
	const rows, kills, seed = 120, 5, 7
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, seed))
	arrived := map[string]int{} // by reference: requests that may have made a session
	calm, throttled, killed := false, 0, 0
	d := newWorstDay(t, simulator.Config{}, rows, func(d *worstDay, w http.ResponseWriter, r *http.Request, _ int32) bool {
		body, err := io.ReadAll(r.Body)
		var asked struct {
			Reference string `json:"merchantReferenceId"`
		}
		if err != nil || json.Unmarshal(body, &asked) != nil || asked.Reference == "" {
			return false // cut off by a kill
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		mu.Lock()
		defer mu.Unlock()
		dice := random.IntN(100)
		if !calm && dice < 3 && throttled < 2 {
			throttled++
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		}
		arrived[asked.Reference]++
		if n := arrived[asked.Reference]; n > 1 {
			t.Errorf("%s was sent %d times", asked.Reference, n)
		}
		switch {
		case calm || dice < 70:
			return false
		case dice < 80:
			w.WriteHeader(http.StatusBadGateway)
		case dice < 90 || killed == kills:
			panic(http.ErrAbortHandler) // the connection is cut
		default:
			killed++
			_ = d.process().Kill()
		}
		return true
	})
	commands := [][]string{{"run", d.input}, {"resume", "1"}, {"resume"}, {"retry", "1"}}
	args := []string{"run", d.input, "--on-unknown", "hold"}
	for i := 0; ; i++ {
		cmd, errs := d.command(args...)
		d.start(cmd)
		_ = cmd.Wait()
		if status := cmd.ProcessState.ExitCode(); status == exit.Attention {
			break
		} else if status != -1 {
			t.Fatalf("%v: exit status %d\n%s", cmd.Args, status, errs)
		}
		args = commands[i%len(commands)]
	}
	tally := d.onRecord()
	unknown := tally.Items[job.Unknown]
	if killed != kills || unknown <= kills || tally.Items[job.Created]+unknown != rows {
		t.Fatalf("%d kills, and the rows are %v", killed, tally.Items)
	}
	_, results, _ := onRecord(t, d.ledger)
	inDoubt := map[string]int{}
	for _, r := range results {
		if r.State == job.Unknown {
			inDoubt[r.Reference] = 1
		}
	}
	for _, args := range commands {
		d.must(exit.Attention, args...)
	}

	// Another file with the same invoices waits, too; it asks for one that is new.
	text, err := os.ReadFile(d.input)
	if err != nil {
		t.Fatal(err)
	}
	edited := beside(d.input, "edited.csv")
	if err := os.WriteFile(edited, append(text, "NEW,a@example.com,7.50,USD\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	calm = true
	mu.Unlock()
	d.must(exit.Attention, "run", edited)
	mu.Lock()
	if arrived["NEW"] != 1 {
		t.Errorf("the new row was sent %d times", arrived["NEW"])
	}
	clear(arrived) // the word is given
	mu.Unlock()
	d.must(exit.Attention, "retry", "1", "--unknown") // the rows are the later job's now
	mu.Lock()
	if len(arrived) > 0 {
		t.Errorf("%d rows were sent for the earlier job", len(arrived))
	}
	mu.Unlock()
	d.must(exit.OK, "resume", "2")
	mu.Lock()
	defer mu.Unlock()
	if !maps.Equal(arrived, inDoubt) {
		t.Errorf("what was sent again is %v, want what was in doubt: %v", arrived, inDoubt)
	}
}
