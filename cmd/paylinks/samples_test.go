package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"paylinks/clink/simulator"
	"paylinks/cmd/paylinks/exit"
	"paylinks/cmd/paylinks/options"
	"paylinks/job/metrics"
	"paylinks/store"
)

// These guard the samples for cron, systemd and Prometheus: that they run, and that what they name is there.

func sample(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "..", "samples", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func readSample(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(sample(t, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// night is an inbox, and what samples/nightly.sh is told by variables.
type night struct {
	t     *testing.T
	inbox string
	env   []string
}

// newNight makes an inbox with these files. They are old enough to be sent.
func newNight(t *testing.T, files map[string]string, env ...string) *night {
	n := &night{t: t, inbox: filepath.Join(t.TempDir(), "in box")}
	for name, text := range files {
		n.put(name, text)
	}
	if err := os.MkdirAll(filepath.Dir(n.ledger()), 0o700); err != nil {
		t.Fatal(err)
	}
	n.env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GORACE=atexit_sleep_ms=0", "INBOX=" + n.inbox}, env...)
	return n
}

// at is nightly.sh with the real program, in front of this simulator.
func (n *night) at(clink *simulator.Server) *night {
	server := httptest.NewServer(clink)
	n.t.Cleanup(server.Close)
	n.toward(server.URL)
	return n
}

func (n *night) toward(address string) {
	n.env = append(n.env, "PAYLINKS_ENV=simulator", "PAYLINKS_BASE_URL="+address, "PAYLINKS_RATE=0", "PAYLINKS_LEDGER="+n.ledger())
}

func (n *night) ledger() string { return filepath.Join(filepath.Dir(n.inbox), "state", "ledger.db") }

func (n *night) put(name, text string) {
	n.t.Helper()
	path := filepath.Join(n.inbox, name)
	hourAgo := time.Now().Add(-time.Hour)
	for _, err := range []error{
		os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, hourAgo, hourAgo),
	} {
		if err != nil {
			n.t.Fatal(err)
		}
	}
}

// run runs nightly.sh and returns its exit status and standard output.
func (n *night) run(env ...string) (status int, said string) {
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(sample(n.t, "nightly.sh"))
	cmd.Env = append(slices.Clone(n.env), env...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		n.t.Error(err)
	}
	n.t.Logf("%s%s", &stdout, &stderr)
	return cmd.ProcessState.ExitCode(), stdout.String()
}

// want wants exactly these files in the inbox and the folders in it.
func (n *night) want(files ...string) {
	n.t.Helper()
	var found []string
	err := filepath.WalkDir(n.inbox, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			found = append(found, path[len(n.inbox)+1:])
		}
		return err
	})
	if err != nil {
		n.t.Fatal(err)
	}
	slices.Sort(found)
	slices.Sort(files)
	if !slices.Equal(found, files) {
		n.t.Errorf("there are the files\n%q\nwant\n%q", found, files)
	}
}

func invoiceFile(id string, amount string) string {
	return "invoice_id,customer_email,amount,currency\n" + id + ",a@example.com," + amount + ",USD\n"
}

// TestNightly guards a night with every kind of file: each is sent once and goes where its exit status says, and what
// is no invoice file is left alone. Running the script again sends nothing.
func TestNightly(t *testing.T) {
	clink := simulator.New(simulator.Config{AllowNoKey: true})
	n := newNight(t, map[string]string{
		"good.csv":              invoiceFile("G-1", "1.00"),
		"-rf.csv":               invoiceFile("G-2", "1.00"),
		"two  words $(x) *.csv": invoiceFile("G-3", "1.00"),
		"line\nbreak.csv":       invoiceFile("G-4", "1.00"),
		"LOUD.CSV":              invoiceFile("G-5", "1.00"),
		"wrong.csv":             invoiceFile("W-1", "1.005"),
		"old.links.csv":         invoiceFile("X-1", "1.00"),
		"old.rejected.csv":      invoiceFile("X-2", "1.00"),
		"old.rejected.2.csv":    invoiceFile("X-3", "1.00"),
		"wrong.rejected.txt":    invoiceFile("X-4", "1.00"),
		"coming.csv.part":       invoiceFile("X-5", "1.00"),
		".hidden.csv":           invoiceFile("X-6", "1.00"),
		"notes.txt":             "",
		"folder.csv/inside.csv": invoiceFile("X-7", "1.00"),
	}).at(clink)
	n.put("fresh.csv", invoiceFile("F-1", "1.00"))
	if err := os.Chtimes(filepath.Join(n.inbox, "fresh.csv"), time.Time{}, time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(n.inbox, "notes.txt"), filepath.Join(n.inbox, "link.csv")); err != nil {
		t.Fatal(err)
	}
	left := []string{
		"old.links.csv", "old.rejected.csv", "old.rejected.2.csv", "wrong.rejected.txt", "coming.csv.part", ".hidden.csv", "notes.txt",
		"folder.csv/inside.csv", "fresh.csv", "link.csv",
	}
	settled := []string{
		"done/good.csv", "done/good.links.csv", "done/-rf.csv", "done/-rf.links.csv", "done/two  words $(x) *.csv",
		"done/two  words $(x) *.links.csv", "done/line\nbreak.csv", "done/line\nbreak.links.csv", "done/LOUD.CSV", "done/LOUD.links.csv",
		"attention/wrong.csv", "attention/wrong.rejected.csv",
	}

	status, said := n.run()
	if status != exit.Attention {
		t.Errorf("exit status %d, want %d", status, exit.Attention)
	}
	for _, line := range []string{
		"0 good.csv -> " + n.inbox + "/done/good.csv\n", "65 wrong.csv -> " + n.inbox + "/attention/wrong.csv\n", "- fresh.csv -> changed just now",
		"0 line?break.csv -> ",
	} {
		if !strings.Contains(said, line) {
			t.Errorf("standard output lacks %q", line)
		}
	}
	if n := strings.Count(said, "\n"); n != 7 {
		t.Errorf("%d lines on standard output, want one for each of 7 files", n)
	}
	n.want(slices.Concat(left, settled)...)

	if status, _ := n.run(); status != exit.OK {
		t.Errorf("again: exit status %d, want 0", status)
	}
	n.want(slices.Concat(left, settled)...)
	if creates := clink.Summary().Creates; creates != 5 {
		t.Errorf("%d requests for a session, want 5", creates)
	}
}

// TestNightlyResumes guards that a file stays in the inbox until it is finished, whatever keeps it, and that going on
// sends nothing twice: not after an end in the middle, not after a move that did not come to pass.
func TestNightlyResumes(t *testing.T) {
	clink := simulator.New(simulator.Config{AllowNoKey: true})
	n := newNight(t, map[string]string{
		"a.csv": "invoice_id,customer_email,amount,currency\nA-1,a@example.com,1,USD\nA-2,a@example.com,1,USD\nA-3,a@example.com,1,USD\n",
	}).at(clink)
	step := func(what string, want int, env ...string) {
		t.Helper()
		if status, _ := n.run(env...); status != want {
			t.Errorf("%s: exit status %d, want %d", what, status, want)
		}
	}
	step("a canary", exit.Unfinished, "PAYLINKS_LIMIT=1")
	n.want("a.csv", "a.links.csv")

	held, err := store.OpenToSend(t.Context(), n.ledger(), store.Opening{Doing: "a test"})
	if err != nil {
		t.Fatal(err)
	}
	step("another sender", exit.Unfinished)
	n.want("a.csv", "a.links.csv")
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}

	step("a done folder that is none", exit.Output, "DONE=/dev/null/done")
	n.want("a.csv", "a.links.csv")
	step("the rest", exit.OK)
	n.want("done/a.csv", "done/a.links.csv")

	// As if the script had been killed when the links were moved and the invoices were not.
	if err := os.Rename(filepath.Join(n.inbox, "done", "a.csv"), filepath.Join(n.inbox, "a.csv")); err != nil {
		t.Fatal(err)
	}
	step("after a half move", exit.OK, "SETTLE_MINUTES=0")
	n.want("done/a.links.csv", "done/a.2.csv", "done/a.2.links.csv")
	if s := clink.Summary(); s.Creates != 3 || s.Sessions != 3 {
		t.Errorf("%d requests, %d sessions, want 3 of each", s.Creates, s.Sessions)
	}
}

// TestNightlyTogether guards that calls of the script that overlap send each file once and lose none.
func TestNightlyTogether(t *testing.T) {
	clink := simulator.New(simulator.Config{AllowNoKey: true})
	files, settled := map[string]string{}, []string(nil)
	for i := range 6 {
		files[fmt.Sprintf("%d.csv", i)] = invoiceFile(fmt.Sprintf("T-%d", i), "1.00")
		settled = append(settled, fmt.Sprintf("done/%d.csv", i), fmt.Sprintf("done/%d.links.csv", i))
	}
	n := newNight(t, files).at(clink)
	var calls sync.WaitGroup
	for range 4 {
		calls.Go(func() { n.run() })
	}
	calls.Wait()

	inbox, err := os.Open(n.inbox) // what the script locks
	if err != nil {
		t.Fatal(err)
	}
	defer inbox.Close()
	if err := syscall.Flock(int(inbox.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	if status, said := n.run(); status != exit.Unfinished || !strings.Contains(said, "another call") {
		t.Errorf("beside another call: exit status %d, want %d: %s", status, exit.Unfinished, said)
	}
	if err := syscall.Flock(int(inbox.Fd()), syscall.LOCK_UN); err != nil {
		t.Fatal(err)
	}
	if status, _ := n.run(); status != exit.OK {
		t.Errorf("afterwards: exit status %d, want 0", status)
	}
	n.want(settled...)
	if creates := clink.Summary().Creates; creates != 6 {
		t.Errorf("%d requests for a session, want 6", creates)
	}
}

// TestNightlyInterrupted guards that a signal to the script and paylinks (Ctrl-C, systemctl stop), or to the script alone,
// ends both in good order, and that the next call finishes what was left, sending nothing twice.
func TestNightlyInterrupted(t *testing.T) {
	for _, c := range []struct {
		what  string
		group bool
		left  []string
	}{
		{"both", true, []string{"a.csv", "a.links.csv", "b.csv"}},
		{"the script alone", false, []string{"done/a.csv", "done/a.links.csv", "b.csv"}},
	} {
		t.Run(c.what, func(t *testing.T) {
			rows := "invoice_id,customer_email,amount,currency\n"
			for i := range 20 {
				rows += fmt.Sprintf("I-%d,a@example.com,1.00,USD\n", i)
			}
			clink := simulator.New(simulator.Config{AllowNoKey: true})
			pid := make(chan int, 1)
			var once sync.Once
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				once.Do(func() {
					if err := syscall.Kill(<-pid, syscall.SIGTERM); err != nil {
						t.Error(err)
					}
				})
				clink.ServeHTTP(w, r)
			}))
			defer server.Close()
			n := newNight(t, map[string]string{"a.csv": rows, "b.csv": invoiceFile("B-1", "1.00")})
			n.toward(server.URL)
			cmd := exec.Command(sample(t, "nightly.sh"))
			cmd.Env = append(slices.Clone(n.env), "PAYLINKS_CONCURRENCY=1")
			cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if c.group {
				pid <- -cmd.Process.Pid
			} else {
				pid <- cmd.Process.Pid
			}
			_ = cmd.Wait() // the status is in cmd.ProcessState
			if status := cmd.ProcessState.ExitCode(); status != exit.Interrupted {
				t.Errorf("exit status %d, want %d", status, exit.Interrupted)
			}
			n.want(c.left...)
			if status, _ := n.run(); status != exit.OK {
				t.Errorf("again: exit status %d, want 0", status)
			}
			n.want("done/a.csv", "done/a.links.csv", "done/b.csv", "done/b.links.csv")
			if s := clink.Summary(); s.Sessions != 21 {
				t.Errorf("%d sessions, want 21", s.Sessions)
			}
		})
	}
}

// TestNightlyOverwritesNothing guards that a name that comes every night keeps every night's files, with the links beside
// the invoices that they belong to, in both folders.
func TestNightlyOverwritesNothing(t *testing.T) {
	n := newNight(t, nil).at(simulator.New(simulator.Config{AllowNoKey: true}))
	for i := range 3 {
		n.put("tonight.csv", invoiceFile(fmt.Sprintf("N-%d", i), "1.00"))
		n.put("bad.csv", invoiceFile(fmt.Sprintf("B-%d", i), "0"))
		if status, _ := n.run(); status != exit.Attention {
			t.Errorf("exit status %d, want %d", status, exit.Attention)
		}
	}
	n.want("done/tonight.csv", "done/tonight.links.csv", "done/tonight.2.csv", "done/tonight.2.links.csv", "done/tonight.3.csv",
		"done/tonight.3.links.csv", "attention/bad.csv", "attention/bad.rejected.csv", "attention/bad.2.csv", "attention/bad.2.rejected.csv",
		"attention/bad.3.csv", "attention/bad.3.rejected.csv")
	for i, name := range []string{"tonight", "tonight.2", "tonight.3"} {
		for _, kind := range []string{".csv", ".links.csv"} {
			text, err := os.ReadFile(filepath.Join(n.inbox, "done", name+kind))
			if err != nil || !strings.Contains(string(text), fmt.Sprintf("N-%d,", i)) {
				t.Errorf("%s%s is not of night %d: %v", name, kind, i, err)
			}
		}
	}
}

// TestNightlyStatuses guards the script's table, with a program that ends with whatever status its file says.
func TestNightlyStatuses(t *testing.T) {
	program := filepath.Join(t.TempDir(), "the program")
	if err := os.WriteFile(program, []byte("#!/bin/sh\necho >\"${3%.*}.links.csv\"\nexit \"$(cat \"$3\")\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	here := func(name string) []string { return []string{name + ".csv", name + ".links.csv"} }
	for _, c := range []struct {
		first  int // of file a; file b ends with 0
		folder string
		stops  bool
		want   int
	}{
		{exit.OK, "done/", false, exit.OK},
		{exit.Bug, "", true, exit.Bug},
		{exit.Attention, "attention/", false, exit.Attention},
		{exit.Usage, "", true, exit.Usage},
		{exit.Data, "attention/", false, exit.Attention},
		{exit.Failures, "", false, exit.Failures},
		{exit.Output, "", true, exit.Output},
		{exit.Ledger, "", true, exit.Ledger},
		{exit.Unfinished, "", false, exit.Unfinished},
		{exit.Key, "", true, exit.Key},
		{exit.Config, "", true, exit.Config},
		{exit.Interrupted, "", true, exit.Interrupted},
		{137, "", true, 137}, // killed
	} {
		t.Run(fmt.Sprint(c.first), func(t *testing.T) {
			n := newNight(t, map[string]string{"a.csv": fmt.Sprint(c.first), "b.csv": "0"}, "PAYLINKS="+program)
			if status, _ := n.run(); status != c.want {
				t.Errorf("exit status %d, want %d", status, c.want)
			}
			want := here(c.folder + "a")
			if c.stops {
				want = append(want, "b.csv")
			} else {
				want = append(want, here("done/b")...)
			}
			n.want(want...)
		})
	}
	t.Run("the worst of several", func(t *testing.T) {
		n := newNight(t, map[string]string{"a.csv": "75", "b.csv": "69", "c.csv": "65", "d.csv": "0"}, "PAYLINKS="+program)
		if status, _ := n.run(); status != exit.Unfinished {
			t.Errorf("exit status %d, want %d", status, exit.Unfinished)
		}
	})
	for _, c := range []struct {
		what, setting string
		want          int
	}{
		{"no inbox", "INBOX=", exit.Usage},
		{"an inbox that is not there", "INBOX=/dev/null/none", exit.Usage},
		{"no program", "PAYLINKS=/dev/null/none", 127},
	} {
		t.Run(c.what, func(t *testing.T) {
			n := newNight(t, map[string]string{"a.csv": "0"}, "PAYLINKS="+program, c.setting)
			if status, _ := n.run(); status != c.want && status != 126 {
				t.Errorf("exit status %d, want %d", status, c.want)
			}
			n.want("a.csv")
		})
	}
}

// checkWith runs the tool, where this machine has it, and wants it to find nothing.
func checkWith(t *testing.T, tool string, args ...string) {
	t.Helper()
	path, err := exec.LookPath(tool)
	if err != nil {
		t.Logf("%s is not on this machine", tool)
		return
	}
	if said, err := exec.Command(path, args...).CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", tool, err, said)
	}
}

// TestNightlyShell guards that every shell can read the script, and what shellcheck knows.
func TestNightlyShell(t *testing.T) {
	checkWith(t, "sh", "-n", sample(t, "nightly.sh"))
	checkWith(t, "shellcheck", sample(t, "nightly.sh"))
	info, err := os.Stat(sample(t, "nightly.sh"))
	if err != nil || info.Mode()&0o111 != 0o111 {
		t.Errorf("nightly.sh cannot be run: %v %v", info.Mode(), err)
	}
}

// sampleSettings are the settings of paylinks.env, as a shell reads them: those of systemd are the same, since no value
// needs quotes.
func sampleSettings(t *testing.T) map[string]string {
	t.Helper()
	settings := map[string]string{}
	plain := regexp.MustCompile(`^([A-Z_]+)=([A-Za-z0-9/._%-]+)$`)
	for line := range strings.Lines(readSample(t, "paylinks.env")) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		setting := plain.FindStringSubmatch(line)
		if setting == nil {
			t.Fatalf("paylinks.env: %q is not read alike by a shell and by systemd", line)
		}
		settings[setting[1]] = setting[2]
	}
	return settings
}

// TestSampleSettings guards that each setting is a flag of run or a variable of nightly.sh, with a value that is taken,
// and that there is no secret among them.
func TestSampleSettings(t *testing.T) {
	settings := sampleSettings(t)
	root := newRoot(options.Streams{})
	cmd, _, err := root.Find([]string{"run"})
	if err != nil {
		t.Fatal(err)
	}
	err = options.SetFromEnvironment(cmd.Flags(), func(name string) (string, bool) { value, ok := settings[name]; return value, ok })
	if err != nil {
		t.Error(err)
	}
	for name := range settings {
		flag := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "PAYLINKS_")), "_", "-")
		switch {
		case strings.HasPrefix(name, "PAYLINKS_") && cmd.Flags().Lookup(flag) != nil:
		case !strings.HasPrefix(name, "PAYLINKS_") && strings.Contains(readSample(t, "nightly.sh"), "#   "+name+" "):
		default:
			t.Errorf("%s is a setting of nobody's", name)
		}
	}
	if settings["PAYLINKS_METRICS_FILE"] == "" || filepath.Ext(settings["PAYLINKS_METRICS_FILE"]) != ".prom" {
		t.Error("node_exporter reads files in .prom only")
	}
}

// TestUnits guards that the systemd units name what is there, and what systemd says against them.
func TestUnits(t *testing.T) {
	service := readSample(t, "paylinks.service")
	const script = "/usr/local/lib/paylinks/nightly.sh"
	for _, line := range []string{
		"ExecStart=" + script,
		"EnvironmentFile=/etc/paylinks/paylinks.env",
		"LoadCredential=clink-secret-key:/etc/paylinks/clink-secret-key",
		fmt.Sprintf("SuccessExitStatus=%d %d", exit.Attention, exit.Interrupted),
		fmt.Sprintf("RestartForceExitStatus=%d", exit.Unfinished),
		"ReadWritePaths=" + sampleSettings(t)["INBOX"],
	} {
		if !strings.Contains(service, "\n"+line+"\n") {
			t.Errorf("paylinks.service lacks the line %q", line)
		}
	}
	for _, folder := range []string{filepath.Dir(sampleSettings(t)["PAYLINKS_LEDGER"]), filepath.Dir(sampleSettings(t)["PAYLINKS_METRICS_FILE"])} {
		states := regexp.MustCompile(`(?m)^StateDirectory=(.*)$`).FindStringSubmatch(service)
		if states == nil || !slices.Contains(strings.Fields(states[1]), strings.TrimPrefix(folder, "/var/lib/")) {
			t.Errorf("the service cannot write %s", folder)
		}
	}
	folder := t.TempDir()
	for name, text := range map[string]string{
		"paylinks.service": strings.ReplaceAll(service, "ExecStart="+script, "ExecStart="+sample(t, "nightly.sh")), // which must be there
		"paylinks.timer":   readSample(t, "paylinks.timer"),
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	checkWith(t, "systemd-analyze", "verify", "--man=no", filepath.Join(folder, "paylinks.service"), filepath.Join(folder, "paylinks.timer"))
}

// pastedLines are the commands that the comments of a sample give to be typed.
func pastedLines(t *testing.T, name string) (lines []string) {
	for line := range strings.Lines(readSample(t, name)) {
		if command, ok := strings.CutPrefix(line, "#   "); ok {
			lines = append(lines, strings.TrimSpace(command))
		}
	}
	return lines
}

// TestInstallLines guards that what the samples say to type can be pasted, and installs all files that they name, each
// in a folder that is there by then.
func TestInstallLines(t *testing.T) {
	installed := map[string]bool{}
	folders := []string{"/etc/systemd/system"} // that there are
	for _, line := range slices.Concat(pastedLines(t, "paylinks.service"), pastedLines(t, "crontab")) {
		checkWith(t, "sh", "-n", "-c", line)
		if _, note, found := strings.Cut(line, "  "); found {
			t.Errorf("%q: the shell takes %q for a part of the command", line, note)
		}
		words := strings.Fields(line)
		if words[0] != "install" {
			continue
		}
		to := words[len(words)-1]
		if strings.HasSuffix(to, "/") {
			to += filepath.Base(words[len(words)-2])
		}
		installed[to] = true
		switch {
		case slices.Contains(words, "-D"):
			folders = append(folders, filepath.Dir(to))
		case !slices.Contains(words, "-d") && !slices.Contains(folders, filepath.Dir(to)):
			t.Errorf("%q: nothing has made the folder", line)
		}
	}
	settings := sampleSettings(t)
	for _, path := range []string{
		settings["PAYLINKS"], settings["INBOX"], "/usr/local/lib/paylinks/nightly.sh", "/etc/paylinks/paylinks.env",
		"/etc/paylinks/clink-secret-key", "/etc/systemd/system/paylinks.timer", filepath.Dir(settings["PAYLINKS_METRICS_FILE"]),
	} {
		if !installed[path] {
			t.Errorf("no line installs %s", path)
		}
	}
}

// TestTwoHosts guards that the crontab of two hosts names programs and settings that there are, and has no secret in it.
func TestTwoHosts(t *testing.T) {
	root := newRoot(options.Streams{})
	times := regexp.MustCompile(`^([0-9*/,-]+\s+){5}paylinks (run|resume)( \S+)?$`)
	settings := map[string]string{}
	commands := 0
	for line := range strings.Lines(readSample(t, "two-hosts.crontab")) {
		line = strings.TrimSpace(line)
		name, value, isSetting := strings.Cut(line, "=")
		switch {
		case line == "" || line[0] == '#':
		case times.MatchString(line):
			commands++
		case isSetting && regexp.MustCompile(`^[A-Z_]+$`).MatchString(name):
			settings[name] = value
		default:
			t.Errorf("%q is no line of a crontab", line)
		}
	}
	if commands != 2 {
		t.Errorf("%d commands, want 2", commands)
	}
	checkSharedSettings(t, root, settings)
}

// checkSharedSettings wants each of our variables to be a setting of run, and the ledger one in a database, without a password.
func checkSharedSettings(t *testing.T, root *cobra.Command, settings map[string]string) {
	t.Helper()
	run, _, err := root.Find([]string{"run"})
	if err != nil {
		t.Fatal(err)
	}
	if err := options.SetFromEnvironment(run.Flags(), func(name string) (string, bool) { value, ok := settings[name]; return value, ok }); err != nil {
		t.Error(err)
	}
	for name := range settings {
		flag := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "PAYLINKS_")), "_", "-")
		if strings.HasPrefix(name, "PAYLINKS_") && run.Flags().Lookup(flag) == nil {
			t.Errorf("%s is a setting of nobody's", name)
		}
	}
	if ledger := settings["PAYLINKS_LEDGER"]; !store.IsDatabase(ledger) || store.HasPassword(ledger) {
		t.Errorf("the ledger is %q, want one in a database, and no password in its name", ledger)
	}
}

// TestCronJob guards that the example for Kubernetes says what a cluster reads: the settings are ours, the key and the password come from
// the secret, a run has the time to end in good order, and what a person must look at is not tried again.
func TestCronJob(t *testing.T) {
	text := readSample(t, "cronjob.yaml")
	settings := map[string]string{}
	for _, m := range regexp.MustCompile(`- name: ([A-Z_]+)\n +value: (.*)\n`).FindAllStringSubmatch(text, -1) {
		settings[m[1]] = strings.Trim(m[2], `"`)
	}
	checkSharedSettings(t, newRoot(options.Streams{}), settings)
	for _, want := range []string{
		"\nkind: Secret\n", "\nkind: CronJob\n", "secretKeyRef:", "secretName: paylinks", "args: [run, /invoices/tonight.csv]",
		fmt.Sprintf("values: [%d, %d, %d, %d, %d, %d, %d]", exit.Attention, exit.Usage, exit.Data, exit.Failures, exit.Output, exit.Key, exit.Config),
	} {
		if !strings.Contains(text, want) {
			t.Errorf("cronjob.yaml lacks %q", want)
		}
	}
	if settings["PGPASSWORD"] != "" || settings["PAYLINKS_YES"] != "true" || settings["PAYLINKS_ENV"] != "production" {
		t.Errorf("settings %v", settings)
	}
	grace := regexp.MustCompile(`terminationGracePeriodSeconds: (\d+)`).FindStringSubmatch(text)
	if grace == nil || grace[1] != "60" {
		t.Errorf("%q seconds to end in good order, want 60: a run waits up to its timeout, and writes its files", grace)
	}
	if strings.Contains(text, "\t") {
		t.Error("there is a tab in it, which YAML does not read")
	}
}

// TestCrontab guards that each line has a time and a command that a shell can read, with a program or script of ours.
func TestCrontab(t *testing.T) {
	times := regexp.MustCompile(`^([0-9*/,-]+\s+){5}(.*)$`)
	commands := 0
	for line := range strings.Lines(readSample(t, "crontab")) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' || regexp.MustCompile(`^[A-Z_]+=\S+$`).MatchString(line) {
			continue
		}
		match := times.FindStringSubmatch(line)
		if match == nil {
			t.Errorf("%q is no line of a crontab", line)
			continue
		}
		commands++
		if regexp.MustCompile(`[^\\]%`).MatchString(match[2]) {
			t.Errorf("%q: cron ends the command at a bare %%", line)
		}
		checkWith(t, "sh", "-n", "-c", strings.ReplaceAll(match[2], `\%`, "%"))
		if !regexp.MustCompile(`/etc/paylinks/paylinks\.env; .*(/usr/local/lib/paylinks/nightly\.sh|paylinks backup)[ ;]`).MatchString(match[2]) {
			t.Errorf("%q runs nothing of ours", line)
		}
	}
	if commands != 2 {
		t.Errorf("%d commands, want 2", commands)
	}
}

// TestAlerts guards that the alerts watch metrics and labels that there are, and what promtool knows.
func TestAlerts(t *testing.T) {
	m, err := metrics.Open(filepath.Join(t.TempDir(), "p.prom"), "run")
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{} // the description of each metric, which names its labels
	descriptions := make(chan *prometheus.Desc, 100)
	m.Describe(descriptions)
	close(descriptions)
	name := regexp.MustCompile(`fqName: "(\w+)".*variableLabels: \{([\w,]*)\}`)
	for description := range descriptions {
		match := name.FindStringSubmatch(description.String())
		if match == nil {
			t.Fatalf("cannot read %s", description)
		}
		labels[match[1]] = match[2] + ",instance"
	}
	alerts := readSample(t, "alerts.yml")
	checks := regexp.MustCompile(`by \(([\w, ]+)\) \((\w+)\{(\w+)[=!]`)
	expressions := regexp.MustCompile(`(?m)^ +expr: (.*)$`).FindAllStringSubmatch(alerts, -1)
	if len(expressions) != 3 || strings.Count(alerts, "- alert: ") != 3 {
		t.Errorf("%d expressions, want 3", len(expressions))
	}
	for _, expression := range expressions {
		match := checks.FindStringSubmatch(expression[1])
		if match == nil {
			t.Errorf("this test cannot read %q", expression[1])
			continue
		}
		known, ok := labels[match[2]]
		if !ok {
			t.Errorf("there is no metric %s", match[2])
		}
		for _, label := range append(strings.Split(match[1], ", "), match[3]) {
			if !slices.Contains(strings.Split(known, ","), label) {
				t.Errorf("%s has no label %q but %s", match[2], label, known)
			}
		}
	}
	checkWith(t, "promtool", "check", "rules", sample(t, "alerts.yml"))
}
