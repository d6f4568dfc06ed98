package main

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"paylinks/clink/simulator"
	"paylinks/cmd/paylinks/exit"
)

var (
	soakKills = flag.Int("soak.kills", 20, "how often TestKills kills paylinks")
	crashAll  = flag.Bool("crash.all", false, "TestCrashAnywhere leaves no operation out")
)

// killWeather is what a campaign's simulator does to it.
type killWeather struct {
	rows    int
	latency time.Duration
	faults  string
}

var killWeathers = []killWeather{
	{400, 15 * time.Millisecond, ""},
	{120, 15 * time.Millisecond, "lost=3%,lost-before=2%,500-before=2%,500-after=2%,cut=2%,429=1%"},
	{60, 60 * time.Millisecond, "lost=3%,cut=3%"},
	{1, time.Millisecond, ""},
}

// killPatience is how long a run goes on once a campaign has had its kills: several back-offs.
const killPatience = 30 * time.Second

// TestKills kills paylinks with SIGKILL at random moments, campaign after campaign, until -soak.kills are used up. A
// campaign has a ledger and a simulator of its own; in every second one the file is edited half way. Its kills hit
// whatever there is to hit: the start, the import, the sending, the export, the end.
func TestKills(t *testing.T) {
	t.Parallel()
	program := builtProgram(t)
	random := rand.New(rand.NewPCG(*soakSeed, 0))
	sum := crashSum{}
	for campaign := 0; sum["kills"] < *soakKills && !t.Failed(); campaign++ {
		t.Run(fmt.Sprint("campaign ", campaign), func(t *testing.T) {
			weather := killWeathers[campaign%len(killWeathers)]
			address := killSimulator(t, program, "--latency", weather.latency.String(), "--jitter", "1",
				"--faults", weather.faults, "--seed", fmt.Sprint(random.Uint64()))
			site := newCrashSite(t, program, address, 8)
			site.invoices(fmt.Sprintf("c%d", campaign), weather.rows)
			killCampaign(site, random, *soakKills-sum["kills"], campaign%2 == 1, sum)
			site.audit(sum)
			site.again()
		})
	}
	t.Log(sum)
	if *soakKills >= 20 && sum["kills: "+crashSending] == 0 {
		t.Error("no kill came while rows were sent")
	}
}

// killCampaign runs and resumes the site's job until a run has ended by itself, and kills it most times before.
func killCampaign(site *crashSite, random *rand.Rand, kills int, edits bool, sum crashSum) {
	kills = min(kills, 10+random.IntN(15))
	editAt := -1
	if edits {
		editAt = kills / 2
	}
	for killed := 0; ; {
		if killed == editAt {
			editAt = -1
			site.edit()
		}
		args := site.run()
		if random.IntN(3) == 0 {
			args = []string{"resume"}
		}
		alive := killPatience
		if killed < kills {
			alive = killMoment(random)
		}
		p := site.start(nil, args...)
		if !p.endsIn(alive) {
			p.kill()
		}
		switch {
		case p.killed():
			killed++
			sum["kills"]++
			sum["kills: "+site.look().moment()]++
		case p.status() == exit.Usage && args[0] == "resume" && strings.Contains(p.said.String(), "there is no ledger"):
		case p.status() != exit.OK:
			site.t.Fatalf("%v: exit status %d\n%s", args, p.status(), &p.said)
		case args[0] == "run" && editAt < 0:
			return
		}
	}
}

// killMoment is how long a run lives. Every second one is as likely to die from 1 to 4 ms as from 100 to 400 ms, so that
// the short phases are hit as often as the long ones.
func killMoment(random *rand.Rand) time.Duration {
	if random.IntN(2) == 0 {
		return time.Duration(float64(time.Millisecond) * math.Pow(400, random.Float64()))
	}
	return time.Duration(random.Int64N(int64(600 * time.Millisecond)))
}

// killSimulator starts a simulator as a process of its own and returns its address.
func killSimulator(t *testing.T, program string, flags ...string) string {
	t.Helper()
	cmd := exec.Command(program, append([]string{"simulator", "--addr", "127.0.0.1:0"}, flags...)...)
	cmd.Env = []string{}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	address, found := strings.CutPrefix(strings.TrimSpace(line), "simulator at ")
	if !found {
		t.Fatalf("the simulator said %q, %v", line, err)
	}
	return address
}

// crashSum counts what tests have seen, by what it is.
type crashSum map[string]int

func (s crashSum) String() string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(s)) {
		parts = append(parts, fmt.Sprintf("%s: %d", name, s[name]))
	}
	return strings.Join(parts, ", ")
}

type crashRow struct{ reference, amount, currency string }

// crashSite is a folder with an invoice file and its ledger, where the real program is killed again and again.
type crashSite struct {
	t                       *testing.T
	program, folder, clink  string
	concurrency             int
	rows                    []crashRow        // of the file as it is now
	versions                map[int]bool      // how many rows the file has had
	published               map[string]string // session by reference: what a links file has once said
	file, ledger, linksFile string
	note                    string // in a column of the user's own, in each row
}

func newCrashSite(t *testing.T, program, clink string, concurrency int) *crashSite {
	folder := t.TempDir()
	return &crashSite{
		t: t, program: program, folder: folder, clink: clink, concurrency: concurrency,
		versions: map[int]bool{}, published: map[string]string{},
		file: filepath.Join(folder, "invoices.csv"), ledger: filepath.Join(folder, "ledger.db"),
		linksFile: filepath.Join(folder, "invoices.links.csv"),
	}
}

// invoices makes the file.
func (s *crashSite) invoices(prefix string, n int) {
	s.t.Helper()
	for i := range n {
		row := crashRow{fmt.Sprintf("%s-%d", prefix, i), fmt.Sprintf("%d.%02d", 10+i, i%100), "USD"}
		if i%3 == 1 {
			row.amount, row.currency = fmt.Sprint(1000+i), "JPY"
		}
		s.rows = append(s.rows, row)
	}
	s.save()
}

// edit adds some rows at the top of the file, so that it is another job, which meets the first one's items.
func (s *crashSite) edit() {
	s.t.Helper()
	for i := range 3 {
		s.rows = slices.Insert(s.rows, 0, crashRow{fmt.Sprintf("edited-%d", i), "7.50", "EUR"})
	}
	s.save()
}

func (s *crashSite) save() {
	s.t.Helper()
	text := "invoice_id,customer_email,amount,currency,description,note\n"
	for _, row := range s.rows {
		text += fmt.Sprintf("%s,%[1]s@example.com,%s,%s,The works,%s\n", row.reference, row.amount, row.currency, s.note)
	}
	if err := os.WriteFile(s.file, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
	s.versions[len(s.rows)] = true
}

func (s *crashSite) run() []string {
	return []string{"run", s.file, "--base-url", s.clink}
}

// crashProcess is a paylinks that runs.
type crashProcess struct {
	cmd   *exec.Cmd
	out   bytes.Buffer
	said  bytes.Buffer // standard error
	ended chan struct{}
}

// start starts a command at the site; one that sends gets the flags that make haste.
func (s *crashSite) start(environment []string, args ...string) *crashProcess {
	s.t.Helper()
	args = append(args, "--env", "simulator", "--ledger", s.ledger)
	if args[0] == "run" || args[0] == "resume" {
		args = append(args, "--rate", "0", "--concurrency", fmt.Sprint(s.concurrency), "--max-attempts", "1000")
	}
	return startCrash(s.t, s.program, s.folder, environment, args)
}

// startCrash starts paylinks in that folder, which is its home, too.
func startCrash(t *testing.T, program, folder string, environment, args []string) *crashProcess {
	t.Helper()
	p := &crashProcess{cmd: exec.Command(program, args...), ended: make(chan struct{})}
	p.cmd.Dir, p.cmd.Env = folder, append(environment, "HOME="+folder)
	p.cmd.Stdout, p.cmd.Stderr = &p.out, &p.said
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait() // the status is in p.cmd.ProcessState
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *crashProcess) kill() {
	_ = p.cmd.Process.Kill() // it may have ended
	<-p.ended
}

// killed says, of one that has ended, that it had no chance to exit.
func (p *crashProcess) killed() bool { return p.cmd.ProcessState.ExitCode() == -1 }
func (p *crashProcess) status() int  { return p.cmd.ProcessState.ExitCode() }

// endsIn waits until the process has ended, at most for so long, and says whether it has.
func (p *crashProcess) endsIn(most time.Duration) bool {
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-p.ended:
		return true
	case <-timer.C:
		return false
	}
}

// wait waits until the process has ended. One that takes a minute, far more than anything here does, is killed.
func (p *crashProcess) wait() {
	if !p.endsIn(time.Minute) {
		p.kill()
	}
}

// must runs a command to its end, which must have that exit status, and returns its standard output.
func (s *crashSite) must(status int, args ...string) string {
	s.t.Helper()
	p := s.start(nil, args...)
	p.wait()
	if p.status() != status {
		s.t.Fatalf("%v: exit status %d, want %d\n%s", args, p.status(), status, &p.said)
	}
	return p.out.String()
}

// crashLook is a ledger as a kill has left it.
type crashLook struct {
	made          int // migrations
	unfinished    int // imports: their jobs are not there yet
	open, sending int // items
	attempts      int
	doubtful      int // attempts on record as such
	jobs          []int64
	session       map[string]string // by reference, of items with a link
}

// What a kill can hit.
const (
	crashNoLedger  = "before there was a ledger"
	crashNoJob     = "before there was a job"
	crashImporting = "while a job was imported"
	crashSending   = "while rows were sent"
	crashAllLinked = "when every row had its link"
)

func (l crashLook) moment() string {
	switch {
	case l.made == 0:
		return crashNoLedger
	case len(l.jobs) == 0:
		if l.unfinished > 0 {
			return crashImporting
		}
		return crashNoJob
	case l.open > 0:
		return crashSending
	}
	return crashAllLinked
}

// look copies the ledger, opens the copy, and checks what must hold at any moment. The ledger itself is left as it is
// for the next run to find.
func (s *crashSite) look() crashLook {
	s.t.Helper()
	look := crashLook{session: map[string]string{}}
	db, one, done := crashCopy(s.t, s.ledger)
	defer done()
	if look.made = crashSound(s.t, one); look.made == 0 {
		return look
	}
	look.sending = one(`SELECT count(*) FROM attempt WHERE outcome = ''`)
	look.open = one(`SELECT count(*) FROM item JOIN job ON job.id = job_id WHERE imported AND state IN ('pending', 'sending', 'unknown')`)
	look.unfinished = one(`SELECT count(*) FROM job WHERE NOT imported`)
	look.attempts = one(`SELECT count(*) FROM attempt`)
	look.doubtful = one(`SELECT count(*) FROM attempt WHERE outcome IN ('unknown', 'mismatch')`)
	if look.sending > s.concurrency {
		s.t.Errorf("%d rows are in doubt after one kill, and the concurrency was %d", look.sending, s.concurrency)
	}
	rows, err := db.Query(`SELECT job.id, count(item.id) FROM job LEFT JOIN item ON job_id = job.id WHERE imported GROUP BY job.id ORDER BY job.id`)
	if err != nil {
		s.t.Fatal(err)
	}
	for rows.Next() {
		var id int64
		var items int
		if err := rows.Scan(&id, &items); err != nil {
			s.t.Fatal(err)
		}
		look.jobs = append(look.jobs, id)
		if !s.versions[items] {
			s.t.Errorf("half a job: %d items", items)
		}
	}
	linked, err := db.Query(`SELECT reference, session_id FROM item WHERE state IN ('created', 'duplicate')`)
	if err != nil {
		s.t.Fatal(err)
	}
	for linked.Next() {
		var reference, session string
		if err := linked.Scan(&reference, &session); err != nil {
			s.t.Fatal(err)
		}
		if other := look.session[reference]; other != "" && other != session {
			s.t.Errorf("%s has two links: %s and %s", reference, other, session)
		}
		look.session[reference] = session
	}
	if err := errors.Join(rows.Err(), linked.Err()); err != nil {
		s.t.Fatal(err)
	}
	s.links(look)
	return look
}

// crashCopy copies the ledger, with what a kill has left beside it, and opens the copy; one answers a query with a number, and done
// takes the copy away: a long soak makes thousands.
func crashCopy(t *testing.T, ledger string) (db *sql.DB, one func(query string) int, done func()) {
	t.Helper()
	folder := t.TempDir()
	for _, suffix := range []string{"", "-wal", "-journal"} {
		content, err := os.ReadFile(ledger + suffix)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, "copy.db"+suffix), content, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite3", "file:"+url.PathEscape(filepath.Join(folder, "copy.db")))
	if err != nil {
		t.Fatal(err)
	}
	one = func(query string) (n int) {
		t.Helper()
		if err := db.QueryRow(query).Scan(&n); err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		return n
	}
	return db, one, func() {
		_ = db.Close()
		_ = os.RemoveAll(folder)
	}
}

// crashSound checks what must hold of a ledger at any moment, and returns how many migrations it has had.
func crashSound(t *testing.T, one func(query string) int) (made int) {
	t.Helper()
	if one(`SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'`) > 0 {
		t.Fatal("the integrity check fails")
	}
	if made = one(`PRAGMA user_version`); made == 0 {
		if n := one(`SELECT count(*) FROM sqlite_schema`); n > 0 {
			t.Fatalf("half a migration: %d tables of no version", n)
		}
		return 0
	}
	for query, what := range map[string]string{
		`SELECT count(*) FROM item WHERE (SELECT count(*) FROM attempt WHERE item_id = item.id AND outcome = '') <> (state = 'sending')`: "items whose state and attempts disagree on whether one is on its way",
		`SELECT count(*) FROM item WHERE attempts <> (SELECT count(*) FROM attempt WHERE item_id = item.id)`:                             "items whose attempts are not all on record",
		// An import that did not come to its end is deleted in parts, its tallies last.
		`SELECT count(*) FROM item_tally AS tally JOIN job ON job.id = job_id WHERE imported AND items <> (
			SELECT count(*) FROM item WHERE job_id = tally.job_id AND currency = tally.currency AND tally.state = state
		)`: "wrong tallies of items",
		`SELECT count(*) FROM attempt_tally AS tally WHERE attempts <>
			(SELECT count(*) FROM attempt JOIN item ON item.id = item_id WHERE job_id = tally.job_id AND outcome = tally.outcome)`: "wrong tallies of attempts",
		`SELECT (SELECT count(*) FROM item JOIN job ON job.id = job_id WHERE imported) -
			(SELECT sum(items) FROM item_tally JOIN job ON job.id = job_id WHERE imported)`: "items that are not in the tallies",
		`SELECT count(*) FROM invoice_item JOIN item ON item.id = item_id JOIN job ON job.id = job_id WHERE NOT imported`: "invoices of jobs that are not imported yet",
		`SELECT count(*) FROM item JOIN job ON job.id = job_id WHERE imported AND invoice IS NOT NULL AND
			NOT EXISTS (SELECT 1 FROM invoice_item WHERE invoice_item.invoice = item.invoice AND item_id = item.id)`: "items that cannot be found by their invoice",
	} {
		if n := one(`SELECT coalesce((` + query + `), 0)`); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	return made
}

// linksOf reads a links file, which must be whole, as the user's own cells with their header, and as lines by the names of all columns.
// Both are nil where there is none.
func linksOf(t *testing.T, path string) (cells [][]string, lines []map[string]string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(bytes.NewReader(content)).ReadAll() // each of as many fields as the first
	if err != nil || !bytes.HasSuffix(content, []byte("\n")) {
		t.Fatalf("half a links file, %s: %v\n%s", filepath.Base(path), err, content)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%s: mode %v, %v", filepath.Base(path), info.Mode(), err)
	}
	users := max(0, slices.Index(records[0], "row"))
	for n, record := range records {
		cells = append(cells, record[:users])
		line := map[string]string{}
		for i, name := range records[0] {
			line[name] = record[i]
		}
		if n > 0 {
			lines = append(lines, line)
		}
	}
	return cells, lines
}

// links reads the links file, if there is one, and holds it against the ledger: it is whole, and no link that was
// once published is taken back.
func (s *crashSite) links(look crashLook) []map[string]string {
	s.t.Helper()
	_, lines := linksOf(s.t, s.linksFile)
	if lines != nil && !s.versions[len(lines)] {
		s.t.Fatalf("half a links file, of %d lines", len(lines))
	}
	for _, line := range lines {
		reference, session := line["invoice_id"], line["session_id"]
		if linked := line["status"] == "created" || line["status"] == "duplicate"; linked != (session != "" && line["url"] != "") {
			s.t.Errorf("%s is %s, with session %q and URL %q", reference, line["status"], session, line["url"])
		}
		if session == "" {
			session = s.published[reference]
		}
		if before := s.published[reference]; before != "" && before != session {
			s.t.Errorf("%s was published as %s, and then as %s", reference, before, session)
		}
		if session != look.session[reference] && session != "" {
			s.t.Errorf("%s was published as %s, and the ledger has %q", reference, session, look.session[reference])
		}
		s.published[reference] = session
	}
	return lines
}

// onSimulator reads from a simulator what it has on record.
func onSimulator(t *testing.T, url string, each func(*json.Decoder) error) {
	t.Helper()
	response, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	for decoder := json.NewDecoder(response.Body); err == nil; {
		err = each(decoder)
	}
	if err != io.EOF {
		t.Fatal(err)
	}
}

// postsTo is how many POSTs a simulator has seen.
func postsTo(t *testing.T, address string) (n int) {
	t.Helper()
	onSimulator(t, address+"/_simulator/summary", func(d *json.Decoder) error {
		var summary simulator.Summary
		err := d.Decode(&summary)
		n = max(n, summary.Creates)
		return err
	})
	return n
}

// sessionsOf are all that a simulator has made, by their ids.
func sessionsOf(t *testing.T, address string) map[string]simulator.Session {
	t.Helper()
	all := map[string]simulator.Session{}
	onSimulator(t, address+"/_simulator/sessions", func(d *json.Decoder) error {
		var session simulator.Session
		err := d.Decode(&session)
		if err == nil {
			all[session.ID] = session
		}
		return err
	})
	return all
}

func (s *crashSite) posts() int {
	s.t.Helper()
	return postsTo(s.t, s.clink)
}

// audit holds a finished site against the simulator's own record: every row has exactly one link, which is its own,
// and every other session is counted and listed.
func (s *crashSite) audit(sum crashSum) {
	s.t.Helper()
	look := s.look()
	sessions, byReference := sessionsOf(s.t, s.clink), map[string]int{}
	for _, session := range sessions {
		byReference[session.Reference]++
	}
	lines := s.links(look)
	if len(lines) != len(s.rows) || look.open != 0 || look.unfinished != 0 {
		s.t.Fatalf("%d rows, %d lines in the links file, %d items are open, %d imports unfinished",
			len(s.rows), len(lines), look.open, look.unfinished)
	}
	published, extra := map[string]bool{}, len(sessions)-len(s.rows)
	for i, row := range s.rows {
		line := lines[i]
		session, made := sessions[line["session_id"]]
		switch {
		case line["invoice_id"] != row.reference || line["status"] != "created" && line["status"] != "duplicate":
			s.t.Errorf("row %s has no link: %v", row.reference, line)
		case !made || !session.Delivered || session.URL != line["url"]:
			s.t.Errorf("row %s has a link that is not Clink's: %v, %+v", row.reference, line, session)
		case session.Reference != row.reference || session.Amount != row.amount || session.Currency != row.currency:
			s.t.Errorf("row %+v has the link of %+v", row, session)
		}
		published[session.ID] = true
	}
	if len(published) != len(s.rows) {
		s.t.Errorf("%d rows have %d different links", len(s.rows), len(published))
	}

	record := crashRecord{doubtful: map[string]int{}, created: map[string]int{}}
	for _, id := range look.jobs {
		s.listed(id, &record)
	}
	listed := 0
	for reference, n := range byReference {
		if n > 1 && record.doubtful[reference] < n-1 || record.created[reference] != 1 {
			s.t.Errorf("%s has %d sessions, and attempts of which %d may have made one unseen, %d have made one",
				reference, n, record.doubtful[reference], record.created[reference])
		}
		listed += record.doubtful[reference]
	}
	if len(byReference) != len(s.rows) || extra > record.orphans || listed > record.orphans {
		s.t.Errorf("%d rows, %d references, %d extra sessions, possible orphans: %d, listed for references with a session: %d",
			len(s.rows), len(byReference), extra, record.orphans, listed)
	}
	posts := s.posts()
	if posts > record.attempts {
		s.t.Errorf("%d requests were sent, and %d attempts are on record", posts, record.attempts)
	}
	for what, n := range map[string]int{
		"rows": len(s.rows), "posts": posts, "attempts": record.attempts, "sessions": len(sessions), "extra sessions": extra,
		"possible orphans": record.orphans, "ledgers": 1, "jobs": len(look.jobs),
	} {
		sum[what] += n
	}
}

// crashRecord is what paylinks show --attempts says of a site's jobs.
type crashRecord struct {
	attempts, orphans int
	doubtful          map[string]int // by reference, attempts that may have made a session unseen
	created           map[string]int // by reference, attempts that have made the link
}

// listed adds what is on record of one finished job, whose counts must be those of its list.
func (s *crashSite) listed(id int64, record *crashRecord) {
	s.t.Helper()
	text := s.must(exit.OK, "show", fmt.Sprint(id), "--attempts")
	facts, table, found := strings.Cut(text, "\n\nROW  REFERENCE")
	if !found {
		s.t.Fatalf("job %d has no list of attempts:\n%s", id, text)
	}
	fact := func(name string) (n int) {
		_, value, _ := strings.Cut(facts, "\n  "+name+" ")
		if _, err := fmt.Sscan(value, &n); err != nil {
			s.t.Fatalf("%s: %v in\n%s", name, err, facts)
		}
		return n
	}
	header, table, _ := strings.Cut("ROW  REFERENCE"+table, "\n")
	cell := func(line, column string) string {
		word, _, _ := strings.Cut(line[strings.Index(header, column):], "  ")
		return strings.TrimSpace(word)
	}
	attempts, orphans := 0, 0
	for line := range strings.Lines(table) {
		attempts++
		reference, outcome, orphan := cell(line, "REFERENCE"), cell(line, "OUTCOME"), cell(line, "POSSIBLE EXTRA")
		switch {
		case outcome == "unknown" && orphan == "yes":
			orphans++
			record.doubtful[reference]++
		case outcome == "created" && orphan == "":
			record.created[reference]++
		case outcome != "throttled" && outcome != "not_sent" || orphan != "":
			s.t.Errorf("a finished job lists an attempt as %q, possible orphan %q", outcome, orphan)
		}
	}
	if n := fact("attempts"); n != attempts {
		s.t.Errorf("job %d counts %d attempts and lists %d", id, n, attempts)
	}
	if n := fact("possible extra sessions"); n != orphans {
		s.t.Errorf("job %d counts %d possible orphans and lists %d", id, n, orphans)
	}
	record.attempts += attempts
	record.orphans += orphans
}

// again runs the file of a finished site once more: nothing is sent, nothing changes, and what it says for programs
// is what show says for people.
func (s *crashSite) again() {
	s.t.Helper()
	posts, links := s.posts(), s.read(s.linksFile)
	var summary struct {
		Job             int64 `json:"job"`
		Attempts        int   `json:"attempts"`
		PossibleOrphans int   `json:"possible_orphans"`
	}
	text := s.must(exit.OK, append(s.run(), "--json")...)
	if err := json.Unmarshal([]byte(text), &summary); err != nil {
		s.t.Fatalf("%v: %s", err, text)
	}
	record := crashRecord{doubtful: map[string]int{}, created: map[string]int{}}
	s.listed(summary.Job, &record)
	if summary.Attempts != record.attempts || summary.PossibleOrphans != record.orphans {
		s.t.Errorf("%s\nbut show has %d attempts, %d possible orphans", text, record.attempts, record.orphans)
	}
	if s.posts() != posts || s.read(s.linksFile) != links {
		s.t.Error("a run of the finished file has sent something, or has changed the links file")
	}
}

func (s *crashSite) read(path string) string {
	s.t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(content)
}
