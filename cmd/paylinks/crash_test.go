//go:build linux

package main

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"paylinks/clink/simulator"
	"paylinks/cmd/paylinks/exit"
)

// crashClink is a simulator inside the test, which can kill its client at an exact moment of a request.
type crashClink struct {
	*httptest.Server
	victim atomic.Pointer[crashVictim]
}

// crashVictim is a process that is to be killed at a moment of its n-th POST.
type crashVictim struct {
	when    string // a word of crashRequestMoments
	n       int32
	posts   atomic.Int32
	process chan *crashProcess
}

// crashRequestMoments are the moments of a request that no write to the ledger marks.
var crashRequestMoments = []string{"the request is read", "the session is made", "the answer is written"}

func newCrashClink(t *testing.T) *crashClink {
	c := &crashClink{}
	clink := simulator.New(simulator.Config{AllowNoKey: true, Lifetime: 24 * time.Hour, PublicURL: "http://127.0.0.1"})
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := c.victim.Load()
		if v == nil || r.Method != http.MethodPost {
			clink.ServeHTTP(w, r)
			return
		}
		post := v.posts.Add(1)
		strike := func(when string) {
			if v.when == when && v.n == post {
				(<-v.process).kill()
			}
		}
		answer := httptest.NewRecorder()
		strike(crashRequestMoments[0])
		clink.ServeHTTP(answer, r)
		strike(crashRequestMoments[1])
		w.Header().Set("Content-Length", fmt.Sprint(answer.Body.Len()))
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes()) // the client may be dead
		_ = http.NewResponseController(w).Flush()
		strike(crashRequestMoments[2])
	}))
	t.Cleanup(c.Close)
	return c
}

// crashAfter looks at what a kill has left at the site, lets one run finish it, and holds it against the simulator's
// record. An attempt that was on its way is a possible orphan now, and no other is. It returns the moment of the kill.
func crashAfter(site *crashSite, sum crashSum) string {
	site.t.Helper()
	look := site.look()
	if posts := site.posts(); posts > look.attempts {
		site.t.Errorf("%d requests were sent, and %d attempts are on record", posts, look.attempts)
	}
	sum["kills"]++
	sum["kills: "+look.moment()]++
	// Who looks before anybody runs again sees the ledger, or that there is none yet.
	reader := site.start(nil, "jobs")
	reader.wait()
	if status := reader.status(); status != exit.OK && status != exit.Usage {
		site.t.Errorf("jobs: exit status %d\n%s", status, &reader.said)
	}
	site.must(exit.OK, site.run()...)
	own := crashSum{}
	site.audit(own)
	if want := look.sending + look.doubtful; own["possible orphans"] != want {
		site.t.Errorf("%d attempts were in doubt, and possible_orphans is %d", want, own["possible orphans"])
	}
	sum[fmt.Sprintf("kills: %d in doubt, %d extra", own["possible orphans"], own["extra sessions"])]++
	for what, n := range own {
		sum[what] += n
	}
	return look.moment()
}

// TestCrashAnywhere kills paylinks at exact moments. TestSoak has the random ones.
func TestCrashAnywhere(t *testing.T) {
	t.Parallel()
	program, shim := builtProgram(t), crashShim(t)
	t.Run("at requests", func(t *testing.T) { t.Parallel(); crashAtRequests(t, program) })
	t.Run("at the disk", func(t *testing.T) { t.Parallel(); crashAtTheDisk(t, program, shim) })
	t.Run("in an import", func(t *testing.T) { t.Parallel(); crashInImport(t, program, shim) })
	t.Run("in an export", func(t *testing.T) { t.Parallel(); crashInExport(t, program) })
}

// crashAtRequests kills paylinks at each moment of each of its requests.
func crashAtRequests(t *testing.T, program string) {
	const rows = 3
	for _, when := range crashRequestMoments {
		for n := int32(1); n <= rows; n++ {
			t.Run(fmt.Sprintf("%s, POST %d", when, n), func(t *testing.T) {
				clink := newCrashClink(t)
				site := newCrashSite(t, program, clink.URL, 1)
				site.invoices("a", rows)
				clink.crash(site, when, n)
				crashAfter(site, crashSum{})
			})
		}
	}
}

// crash runs the site's file and kills paylinks at the moment of its n-th POST.
func (c *crashClink) crash(site *crashSite, when string, n int32) {
	site.t.Helper()
	v := &crashVictim{when: when, n: n, process: make(chan *crashProcess, 1)}
	c.victim.Store(v)
	defer c.victim.Store(nil)
	p := site.start(nil, site.run()...)
	v.process <- p
	p.wait()
	if !p.killed() {
		site.t.Fatalf("it was not killed: exit status %d\n%s", p.status(), &p.said)
	}
}

// crashShim compiles testdata/crash/shim.c, which kills the program at an exact write or sync of its ledger.
func crashShim(t *testing.T) string {
	t.Helper()
	shim := filepath.Join(t.TempDir(), "shim.so")
	source := filepath.Join("testdata", "crash", "shim.c")
	if out, err := exec.Command("cc", "-Wall", "-Werror", "-O1", "-shared", "-fPIC", "-pthread", "-o", shim, source).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	return shim
}

// crashAtTheDisk kills paylinks at every operation on its ledger in turn, from the first of a new ledger to the last
// of a finished job: in the migration, in the import, before and after each intent and each answer is recorded, and in
// the last checkpoint. Where the power fails, all that was not synced is lost: a kill alone never misses a sync. Before there is
// a ledger, and when every row has its link, it is every third operation, unless -crash.all is said.
func crashAtTheDisk(t *testing.T, program, shim string) {
	for _, scene := range []struct {
		name            string
		on, when, power string   // see shim.c
		crashed         bool     // the ledger is not new: a kill has left it with a row on its way
		wanted          []string // what the kills must have led to, among others
	}{
		{"kill before each operation", "any", "before", "0", false, []string{"1 in doubt, 0 extra", "1 in doubt, 1 extra"}},
		{"kill after each sync", "sync", "after", "0", false, []string{"1 in doubt, 0 extra"}},
		{"power fails before each sync", "sync", "before", "1", false, []string{"1 in doubt, 1 extra"}},
		{"power fails after each sync", "sync", "after", "1", false, []string{"1 in doubt, 0 extra"}},
		{"kill before each operation, after a crash", "any", "before", "0", true, []string{"2 in doubt, 1 extra", "2 in doubt, 2 extra"}},
		{"power fails before each sync, after a crash", "sync", "before", "1", true, []string{"2 in doubt, 2 extra"}},
	} {
		wanted := append(scene.wanted, crashSending, crashAllLinked)
		if !scene.crashed {
			wanted = append(wanted, crashNoLedger, crashNoJob, crashImporting)
		}
		t.Run(scene.name, func(t *testing.T) {
			t.Parallel()
			sum := crashSum{}
			step := 1
			for at, killed := 1, true; killed && !t.Failed(); at += step {
				t.Run(fmt.Sprint(at), func(t *testing.T) {
					clink := newCrashClink(t)
					site := newCrashSite(t, program, clink.URL, 1)
					site.invoices("a", 2)
					if scene.crashed {
						clink.crash(site, crashRequestMoments[1], 1)
					}
					killed = crashAtOperation(site, shim, at, scene.on, scene.when, scene.power)
					if !killed {
						return
					}
					step = 1
					if moment := crashAfter(site, sum); scene.on == "any" && !*crashAll && (moment == crashNoLedger || moment == crashAllLinked) {
						step = 3
					}
				})
			}
			t.Log(sum)
			for _, moment := range wanted {
				if !t.Failed() && sum["kills: "+moment] == 0 {
					t.Errorf("there were no kills: %s", moment)
				}
			}
		})
	}
}

// crashAtOperation runs the site's file, and says whether it came to the operation where it is killed.
func crashAtOperation(site *crashSite, shim string, at int, on, when, power string) bool {
	site.t.Helper()
	p := site.start([]string{
		"LD_PRELOAD=" + shim, fmt.Sprintf("CRASH_AT=%d", at), "CRASH_ON=" + on, "CRASH_WHEN=" + when, "CRASH_POWER=" + power,
	}, site.run()...)
	p.wait()
	if !p.killed() && p.status() != exit.OK {
		site.t.Fatalf("exit status %d\n%s", p.status(), &p.said)
	}
	return p.killed()
}

// crashInImport kills paylinks while the ledger takes a larger file in, part by part: it takes all of it or nothing.
func crashInImport(t *testing.T, program, shim string) {
	sum := crashSum{}
	for _, at := range []int{100, 1500, 3000, 4500, 6000} {
		t.Run(fmt.Sprint(at), func(t *testing.T) {
			clink := newCrashClink(t)
			site := newCrashSite(t, program, clink.URL, 8)
			site.note = strings.Repeat("x", 50_000)
			site.invoices("a", 200)
			if !crashAtOperation(site, shim, at, "any", "before", "0") {
				t.Fatal("it was not killed")
			}
			crashAfter(site, sum)
		})
	}
	t.Log(sum)
	if n := sum["kills: "+crashImporting]; n != sum["kills"] {
		t.Errorf("%d kills came in the middle of the import", n)
	}
}

// crashInExport kills paylinks at what it does in the links file's folder: the file is the old one or the new one,
// to the byte.
func crashInExport(t *testing.T, program string) {
	clink := newCrashClink(t)
	site := newCrashSite(t, program, clink.URL, 8)
	site.invoices("a", 5_000)
	site.must(exit.Unfinished, append(site.run(), "--limit", "1")...)
	older := site.read(site.linksFile)
	site.must(exit.Unfinished, append(site.run(), "--limit", "1")...)
	newer := site.read(site.linksFile)
	if older == newer {
		t.Fatal("the second run has changed nothing")
	}
	for _, moment := range []struct {
		name  string
		event uint32
		n     int
	}{
		{"the new file is made", unix.IN_CREATE, 1},
		{"its first write", unix.IN_MODIFY, 1},
		{"a write in its middle", unix.IN_MODIFY, 3},
		{"it has its name", unix.IN_MOVED_TO, 1},
	} {
		t.Run(moment.name, func(t *testing.T) {
			const tries = 20 // the kernel tells of several writes at once where the test is late
			killed := false
			for try := 0; try < tries && !killed; try++ {
				if err := os.WriteFile(site.linksFile, []byte(older), 0o600); err != nil {
					t.Fatal(err)
				}
				killed = crashAtEvent(site, moment.event, moment.n)
			}
			if !killed {
				t.Fatalf("it has ended before in each of %d tries", tries)
			}
			found := site.read(site.linksFile)
			if found != older && found != newer {
				t.Errorf("the links file is neither the old one nor the new one, but has %d bytes", len(found))
			}
			if found != newer && moment.event == unix.IN_MOVED_TO {
				t.Error("the links file is not the new one")
			}
		})
	}
}

// crashAtEvent exports the site's job, and kills the export at the n-th such event that has to do with the links file.
// It says whether there was one.
func crashAtEvent(site *crashSite, event uint32, n int) bool {
	site.t.Helper()
	events, stop := crashWatch(site.t, site.folder)
	defer stop()
	p := site.start(nil, "export", "1")
	for n > 0 {
		select {
		case e := <-events:
			if e.mask&event != 0 && strings.Contains(e.name, filepath.Base(site.linksFile)) {
				n--
			}
		case <-p.ended:
			return false
		}
	}
	p.kill()
	return true
}

type crashEvent struct {
	mask uint32
	name string
}

// crashWatch tells what happens in a folder, as the kernel sees it, until it is stopped.
func crashWatch(t *testing.T, folder string) (_ <-chan crashEvent, stop func()) {
	t.Helper()
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fd), "inotify")
	if _, err := unix.InotifyAddWatch(fd, folder, unix.IN_CREATE|unix.IN_MODIFY|unix.IN_MOVED_TO); err != nil {
		t.Fatal(err)
	}
	events, done := make(chan crashEvent), make(chan struct{})
	stop = func() {
		close(done)
		_ = file.Close()
	}
	go func() {
		buffer := make([]byte, 1<<16)
		for {
			n, err := file.Read(buffer)
			if err != nil {
				return
			}
			for rest := buffer[:n]; len(rest) >= unix.SizeofInotifyEvent; {
				end := unix.SizeofInotifyEvent + binary.NativeEndian.Uint32(rest[12:])
				name := strings.TrimRight(string(rest[unix.SizeofInotifyEvent:end]), "\x00")
				select {
				case events <- crashEvent{binary.NativeEndian.Uint32(rest[4:]), name}:
				case <-done:
					return
				}
				rest = rest[end:]
			}
		}
	}()
	return events, stop
}
