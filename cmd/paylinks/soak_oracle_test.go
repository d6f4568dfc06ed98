package main

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"paylinks/clink/simulator"
	"paylinks/cmd/paylinks/exit"
	"paylinks/job"
	"paylinks/store"
)

// soakJob is a job with all that its ledger has on record of it.
type soakJob struct {
	job.Job
	tally    job.Tally
	results  []job.Result
	attempts []job.Attempt
}

// soakView is a ledger between two commands.
type soakView []*soakJob

// options.IsOf says whether the job is of a file with that content.
func (j *soakJob) isOf(content string) bool { return sha256.Sum256([]byte(content)) == j.FileDigest }

// soakInvoice is what a row asks for.
type soakInvoice struct{ id, customer, amount, currency string }

func soakInvoiceOf(columns, cells []string) (i soakInvoice) {
	for n, to := range map[string]*string{
		"invoice_id": &i.id, "customer_email": &i.customer, "amount": &i.amount, "currency": &i.currency,
	} {
		if at := slices.Index(columns, n); at >= 0 && at < len(cells) {
			*to = cells[at]
		}
	}
	return i
}

// key tells the invoice from others: it has the reference at Clink where its row has an id, else what is sent for it.
func (i soakInvoice) key(reference string) string {
	switch {
	case i.id == "":
		return strings.Join([]string{"row without id", i.customer, i.amount, i.currency}, " ")
	case reference == "": // of a row that is not sent
		return i.id
	}
	return reference
}

// isFor says whether the session is for that invoice, exactly.
func (i soakInvoice) isFor(s simulator.Session) bool {
	asked, ok := new(big.Rat).SetString(i.amount)
	made, _ := new(big.Rat).SetString(s.Amount)
	return ok && asked.Cmp(made) == 0 && s.Currency == i.currency && s.CustomerEmail == i.customer &&
		(i.id == "" || s.Reference == i.id || strings.HasSuffix(s.Reference, "-"+i.id))
}

func linked(state job.State) bool { return state == job.Created || state == job.Duplicate }

// soakLink is a session that paylinks has published at some time: the ledger or a links file has, or had, it as somebody's link.
type soakLink struct {
	invoice string // its key
	repeat  bool   // its row has no invoice id, and its job says that rows alike are meant
}

// soakFresh is an item that has a new session.
type soakFresh struct {
	job     *soakJob
	invoice soakInvoice
	key     string
}

// soakOracle judges a history by the simulator's own record.
type soakOracle struct {
	h         *soakHistory
	sessions  map[string]simulator.Session
	published map[string]*soakLink // by session
	purged    bool                 // a job is
	known     map[string]bool      // sessions that the ledger has once called paid
	fresh     []soakFresh          // what was published since the last look
	said      string               // what the last command has said with --json
	status    int                  // its exit status
	worded    bool                 // in the last step a person has said that rows in doubt may be sent again

	// Where Clink itself lies, paylinks cannot know better, and where it does not settle the matter a person must.
	saidExpired map[string]bool // sessions that were there while GETs said that all have expired unpaid
	unsettled   map[string]bool // … while GETs told of no session, or of another one; or it is being paid, of a job that was purged
	settled     map[string]bool // of these, the ones that a person has then said to have looked up
}

func newSoakOracle(h *soakHistory) *soakOracle {
	return &soakOracle{
		h: h, published: map[string]*soakLink{}, known: map[string]bool{},
		saidExpired: map[string]bool{}, unsettled: map[string]bool{}, settled: map[string]bool{},
	}
}

// word notes that a person has said that rows in doubt may be sent again.
func (o *soakOracle) word() {
	o.worded = true
	for id := range o.unsettled {
		o.settled[id] = true
	}
}

// look reads the simulator, the ledger and the links files, and judges them. No command may be running.
func (o *soakOracle) look() soakView {
	o.h.t.Helper()
	o.sessions = sessionsOf(o.h.t, o.h.clink)
	posts := postsTo(o.h.t, o.h.clink)
	view := o.ledger()
	o.fresh = nil
	attempts, hasLink := 0, view.hasLink()
	for _, j := range view {
		attempts += j.tally.AllAttempts()
		o.purged = o.purged || !j.PurgedAt.IsZero()
		o.publishedBy(j)
		o.counted(j, hasLink)
	}
	if posts > attempts {
		o.h.t.Errorf("%d requests were sent, and %d attempts are on record", posts, attempts)
	}
	o.linksFiles()
	o.oneLinkAnInvoice()
	o.extraSessions(view)
	o.replacedLinks(view)
	for id := range o.sessions {
		if strings.Contains(o.h.getFaults, "says-expired") {
			o.saidExpired[id] = true
		}
		if strings.Contains(o.h.getFaults, "404") || strings.Contains(o.h.getFaults, "wrong-reference") {
			o.unsettled[id] = true
		}
	}
	return view
}

// ledger reads all jobs that are on record.
func (o *soakOracle) ledger() (view soakView) {
	ctx, must := o.h.t.Context(), func(err error) {
		if err != nil {
			o.h.t.Helper()
			o.h.t.Errorf("read the ledger: %v", err)
		}
	}
	reader, err := store.OpenToRead(ctx, o.h.ledger)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if must(err); err != nil {
		return nil
	}
	defer reader.Close()
	jobs, err := reader.Jobs(ctx)
	must(err)
	for _, of := range jobs {
		j := &soakJob{Job: of}
		j.tally, err = reader.Tally(ctx, j.ID)
		must(err)
		for r, err := range reader.Results(ctx, j.ID) {
			must(err)
			r.Cells = slices.Clone(r.Cells)
			j.results = append(j.results, r)
		}
		for a, err := range reader.Attempts(ctx, j.ID, false) {
			must(err)
			j.attempts = append(j.attempts, a)
		}
		view = append(view, j)
	}
	return view
}

// publishedBy notes the sessions that the job has made known, each of which must be for its row.
func (o *soakOracle) publishedBy(j *soakJob) {
	if !j.PurgedAt.IsZero() {
		return // its rows are gone
	}
	byRow := map[int]job.Result{}
	publish := func(session string, r job.Result) {
		invoice := soakInvoiceOf(j.Columns, r.Cells)
		key := invoice.key(r.Reference)
		s, made := o.sessions[session]
		switch {
		case !made || !s.Delivered:
			o.h.t.Errorf("job %d, row %d has a session that Clink has not answered with: %s %+v", j.ID, r.Row, session, s)
		case !invoice.isFor(s) || invoice.id != "" && s.Reference != r.Reference:
			o.h.t.Errorf("job %d, row %d asks for %+v, and has the link of %+v", j.ID, r.Row, invoice, s)
		}
		link := o.published[session]
		if link == nil {
			link = &soakLink{invoice: key}
			o.published[session] = link
			o.fresh = append(o.fresh, soakFresh{j, invoice, key})
		}
		if link.invoice != key {
			o.h.t.Errorf("%s is the link of two invoices: of %s, and of %s", session, link.invoice, key)
		}
		link.repeat = link.repeat || j.AllowRepeats && invoice.id == ""
	}
	for _, r := range j.results {
		byRow[r.Row] = r
		if linked(r.State) {
			publish(r.SessionID, r)
		}
		if r.Link == job.LinkPaid || r.Link == "refunded" {
			o.known[r.SessionID] = true
		}
	}
	for _, a := range j.attempts {
		if a.Outcome == job.OutcomeCreated {
			publish(a.SessionID, byRow[a.Row])
		}
	}
}

func doubtful(a job.Attempt) bool {
	return a.Outcome == job.OutcomeUnknown || a.Outcome == job.OutcomeMismatch || a.Outcome == ""
}

// counted holds the job's counts against its rows and attempts, and what the last command has said against both.
func (o *soakOracle) counted(j *soakJob, hasLink map[string]bool) {
	states, orphans, open := map[job.State]int{}, 0, 0
	for _, r := range j.results {
		states[r.State]++
	}
	for _, a := range j.attempts {
		if doubtful(a) {
			orphans++
		}
		if a.Outcome == "" {
			open++
		}
	}
	for state, n := range states {
		if j.tally.Items[state] != n {
			o.h.t.Errorf("job %d has %d rows that are %s, and counts %d", j.ID, n, state, j.tally.Items[state])
		}
	}
	if j.tally.Rows() != len(j.results) || j.tally.AllAttempts() != len(j.attempts) || j.tally.PossibleOrphans() != orphans {
		o.h.t.Errorf("job %d has %d rows, %d attempts, %d of them in doubt, and counts %d, %d, %d", j.ID, len(j.results),
			len(j.attempts), orphans, j.tally.Rows(), j.tally.AllAttempts(), j.tally.PossibleOrphans())
	}
	if open > maxConcurrency {
		o.h.t.Errorf("job %d has %d attempts on their way after a kill", j.ID, open)
	}
	o.saidOf(j, states, hasLink)
}

// saidOf holds what the last command has said with --json of the job, if it was that which it came to last, against the ledger and
// the job's links file.
func (o *soakOracle) saidOf(j *soakJob, states map[job.State]int, hasLink map[string]bool) {
	var said map[string]any
	for decoder := json.NewDecoder(strings.NewReader(o.said)); decoder.More(); {
		said = nil
		if err := decoder.Decode(&said); err != nil {
			o.h.t.Errorf("--json: %v\n%s", err, o.said)
			return
		}
	}
	if said["job"] != float64(j.ID) {
		return
	}
	for key, n := range map[string]int{
		"rows": len(j.results), "created": states[job.Created], "duplicate": states[job.Duplicate], "failed": states[job.Failed],
		"invalid": states[job.Invalid], "unknown": states[job.Unknown] + states[job.Sending], "pending": states[job.Pending],
		"superseded": states[job.Superseded], "attempts": len(j.attempts), "possible_orphans": j.tally.PossibleOrphans(),
	} {
		if said[key] != float64(n) {
			o.h.t.Errorf("the command has said %v, and the ledger has %s: %d", said, key, n)
		}
	}
	made := j.tally.Linked() // and a failed row whose link a later job has made needs nobody any more
	j.rows(func(key string, r job.Result) {
		if r.State == job.Failed && hasLink[key] {
			made++
		}
	})
	if o.status == exit.OK && made < j.tally.Rows() {
		o.h.t.Errorf("exit status 0, with %v", said)
	}
	if o.status != exit.OK && o.status != exit.Attention && o.status != exit.Unfinished {
		return
	}
	_, lines := linksOf(o.h.t, said["output"].(string))
	for n, line := range lines {
		if r := j.results[min(n, len(j.results)-1)]; len(lines) != len(j.results) || line["status"] != string(r.State) || linked(r.State) && line["session_id"] != r.SessionID {
			o.h.t.Errorf("job %d has %+v, and its links file %v", j.ID, r, line)
		}
	}
}

// maxConcurrency is the most that a history's commands have.
const maxConcurrency = 16

// linksFiles checks those that are there: each is whole, and each link in it is on record, and is for its row.
func (o *soakOracle) linksFiles() {
	for _, f := range o.h.files {
		for _, path := range []string{f.links(), "other." + f.name} {
			cells, lines := linksOf(o.h.t, filepath.Join(o.h.folder, path))
			whole := slices.ContainsFunc(f.versions, func(content string) bool {
				records, _ := csv.NewReader(strings.NewReader(content)).ReadAll()
				return slices.EqualFunc(records, cells, slices.Equal)
			})
			if cells != nil && !whole {
				o.h.t.Errorf("%s is of no version of its file:\n%v", path, cells)
			}
			asked := map[string]soakInvoice{}
			for n, line := range lines {
				invoice := soakInvoiceOf(cells[0], cells[n+1])
				if first, twice := asked[invoice.id]; twice && first != invoice && invoice.id != "" && line["url"] != "" {
					o.h.t.Errorf("%s has two rows for %s, and a link", path, invoice.id)
				}
				asked[invoice.id] = invoice
				session, url := line["session_id"], line["url"]
				switch {
				case linked(job.State(line["status"])) != (url != "") && !(o.purged && url == "" && line["status"] == string(job.Duplicate) && !o.payable(o.sessions[session], time.Now())): // a purge takes what nobody can pay
					o.h.t.Errorf("%s: %v", path, line)
				case url != "" && (o.published[session] == nil || o.sessions[session].URL != url || !invoice.isFor(o.sessions[session])):
					o.h.t.Errorf("%s has this link:\n%v\nand Clink has %+v", path, line, o.sessions[session])
				}
			}
		}
	}
}

// links is the name of its links file.
func (f *soakFile) links() string { return strings.TrimSuffix(f.name, ".csv") + ".links.csv" }

// blocks says whether the session keeps its invoice from another link at that time: somebody has paid it, or can.
func (o *soakOracle) blocks(s simulator.Session, at time.Time) bool {
	switch {
	case o.known[s.ID]:
		return true
	case o.settled[s.ID]:
		return false
	case s.PaymentStatus != simulator.Unpaid:
		return true // its order says so even where the session is said to have expired
	}
	return o.payable(s, at)
}

// payable says whether a customer could pay the session at that time, as far as paylinks was told.
func (o *soakOracle) payable(s simulator.Session, at time.Time) bool {
	return s.PaymentStatus == simulator.Unpaid && s.Expires.After(at) && !o.saidExpired[s.ID]
}

// ended says whether the session can no longer be paid, and was not.
func (o *soakOracle) ended(s simulator.Session) bool {
	return s.PaymentStatus == simulator.Unpaid && !o.known[s.ID] && !s.Expires.After(time.Now())
}

// oneLinkAnInvoice looks for a link that was made while another one of its invoice could be paid, or was.
func (o *soakOracle) oneLinkAnInvoice() {
	links := map[string][]simulator.Session{}
	for id, link := range o.published {
		if !link.repeat {
			links[link.invoice] = append(links[link.invoice], o.sessions[id])
		}
	}
	for invoice, sessions := range links {
		slices.SortFunc(sessions, func(a, b simulator.Session) int { return a.Created.Compare(b.Created) })
		for i, s := range sessions {
			for _, later := range sessions[i+1:] {
				if o.blocks(s, later.Created) {
					o.h.t.Errorf("%s has two links, and the second was made while the first could be paid, or was (known to be paid: %t):\n%+v\n%+v",
						invoice, o.known[s.ID], s, later)
				}
			}
		}
	}
}

// lastRunCounts looks for a new link that was made as an earlier file has it, where the file that was run last has the invoice
// otherwise, and without a link. order is that of the runs.
func (o *soakOracle) lastRunCounts(before soakView, order map[int64]int) {
	for _, fresh := range o.fresh {
		last, state, asks := order[fresh.job.ID], job.Created, fresh.invoice
		certain := last > 0 && fresh.invoice.id != "" && !o.purged
		for _, j := range before {
			for _, r := range j.results {
				if invoice := soakInvoiceOf(j.Columns, r.Cells); invoice.key(r.Reference) == fresh.key {
					certain = certain && order[j.ID] > 0 && r.ErrorCode != job.CodeConflict
					if order[j.ID] > last {
						last, state, asks = order[j.ID], r.State, invoice
					}
				}
			}
		}
		if certain && !linked(state) && state != job.Invalid && asks != fresh.invoice {
			o.h.t.Errorf("job %d has sent %+v, and the file that was run last has it as %+v, %s", fresh.job.ID, fresh.invoice, asks, state)
		}
	}
}

// lastRunHasAll looks for rows that the job whose file was run last has lost to another.
func (o *soakOracle) lastRunHasAll(j *soakJob) {
	for _, r := range j.results {
		if r.State == job.Superseded {
			o.h.t.Errorf("the file of job %d was run last, and its row %d is superseded: %s", j.ID, r.Row, r.Error)
		}
	}
}

// heldRows looks for an invoice that was sent in the last step although it was in doubt, under hold all the time, and no person has
// said a word.
func (o *soakOracle) heldRows(before, now soakView) {
	attempts := func(view soakView) map[string]int {
		sum := map[string]int{}
		for _, j := range view {
			j.rows(func(key string, r job.Result) { sum[key] += r.Attempts })
		}
		return sum
	}
	sentBefore, sent := attempts(before), attempts(now)
	for n, j := range now {
		if o.worded || j.OnUnknown != job.Hold || n < len(before) && before[n].OnUnknown != job.Hold {
			continue
		}
		had := map[int]int{}
		if n < len(before) {
			for _, r := range before[n].results {
				had[r.Row] = r.Attempts
			}
			before[n].rows(func(key string, r job.Result) {
				if (r.State == job.Unknown || r.State == job.Sending) && sent[key] > sentBefore[key] {
					o.h.t.Errorf("job %d has %s in doubt, under hold, and it was sent", j.ID, key)
				}
			})
		}
		doubt := map[int]bool{}
		for _, a := range j.attempts {
			if doubt[a.Row] && a.Number > had[a.Row]+1 {
				o.h.t.Errorf("job %d has sent row %d again, in doubt and under hold", j.ID, a.Row)
			}
			doubt[a.Row] = a.Outcome == job.OutcomeUnknown
		}
	}
	o.worded = false
}

// rows calls f with each row that may not have a second link, and with its invoice.
func (j *soakJob) rows(f func(key string, r job.Result)) {
	for _, r := range j.results {
		if invoice := soakInvoiceOf(j.Columns, r.Cells); j.PurgedAt.IsZero() && (invoice.id != "" || !j.AllowRepeats) {
			f(invoice.key(r.Reference), r)
		}
	}
}

// hasLink says which invoices have a link.
func (view soakView) hasLink() map[string]bool {
	has := map[string]bool{}
	for _, j := range view {
		j.rows(func(key string, r job.Result) { has[key] = has[key] || linked(r.State) })
	}
	return has
}

// replacedLinks looks for duplicates that show a link for which the invoice has got a new one.
func (o *soakOracle) replacedLinks(view soakView) {
	by := map[string]int64{}
	for _, j := range view {
		replaced := map[int]bool{}
		for _, r := range j.results {
			replaced[r.Row] = linked(r.State)
		}
		for _, a := range j.attempts {
			if !a.Replaced.IsZero() && replaced[a.Row] {
				by[a.SessionID] = j.ID
			}
		}
	}
	for _, j := range view {
		j.rows(func(key string, r job.Result) {
			if r.State == job.Duplicate && by[r.SessionID] > 0 {
				o.h.t.Errorf("job %d, row %d still shows %s, which job %d has replaced", j.ID, r.Row, r.SessionID, by[r.SessionID])
			}
		})
	}
}

// extraSessions holds those that nobody has the URL of against what is counted.
func (o *soakOracle) extraSessions(view soakView) {
	extra, extraOf, doubtsOf, counted := 0, map[string]int{}, map[string]int{}, 0
	for id, s := range o.sessions {
		if o.published[id] == nil {
			extra++
			extraOf[s.Reference]++
		}
	}
	for _, j := range view {
		counted += j.tally.PossibleOrphans()
		for _, a := range j.attempts {
			if doubtful(a) {
				doubtsOf[a.Reference]++
			}
		}
	}
	if extra > counted {
		o.h.t.Errorf("%d extra sessions, and %d are counted", extra, counted)
	}
	for reference, n := range extraOf {
		if n > doubtsOf[reference] && !o.purged {
			o.h.t.Errorf("%s has %d extra sessions, and %d attempts in doubt", reference, n, doubtsOf[reference])
		}
	}
}

// moves are the commands that paylinks names for what is open in the job.
func (o *soakOracle) moves(j *soakJob) (commands [][]string) {
	number, ended := fmt.Sprint(j.ID), false
	if !j.PurgedAt.IsZero() {
		return nil
	}
	for _, r := range j.results {
		ended = ended || linked(r.State) && o.ended(o.sessions[r.SessionID])
	}
	failed := j.tally.Items[job.Failed]
	if failed > 0 {
		commands = append(commands, []string{"retry", number})
	}
	if j.tally.Open()+failed > 0 { // a failed row may be in doubt, too
		commands = append(commands, []string{"retry", number, "--unknown"})
	}
	if ended {
		commands = append(commands, []string{"refresh", number}, []string{"reissue", number})
	}
	return commands
}

// stuck are the jobs with rows that have not come to their end, with these rows alone.
func (o *soakOracle) stuck(view soakView) (stuck soakView) {
	hasLink := view.hasLink()
	for _, j := range view {
		if !j.PurgedAt.IsZero() {
			continue
		}
		left := &soakJob{Job: j.Job, tally: j.tally}
		rows := map[string][]soakInvoice{}
		for _, r := range j.results {
			invoice := soakInvoiceOf(j.Columns, r.Cells)
			rows[invoice.key("")] = append(rows[invoice.key("")], invoice)
		}
		for _, r := range j.results {
			invoice := soakInvoiceOf(j.Columns, r.Cells)
			_, readable := new(big.Rat).SetString(invoice.amount)
			bad := !readable || len(rows[invoice.key("")]) > 1
			switch {
			case linked(r.State), r.State == job.Invalid && bad:
			case r.State == job.Superseded && hasLink[invoice.key(r.Reference)]:
			case (r.State == job.Failed || r.State == job.Invalid) && o.refused(invoice, r):
			default:
				left.results = append(left.results, r)
			}
		}
		if len(left.results) > 0 {
			stuck = append(stuck, left)
		}
	}
	return stuck
}

// refused says whether there is a link that keeps the row from getting one: it can be paid, or is, and is not the row's.
func (o *soakOracle) refused(invoice soakInvoice, r job.Result) bool {
	key := invoice.key(r.Reference)
	for id, link := range o.published {
		same := link.invoice == key || r.Reference == "" && strings.HasSuffix(link.invoice, "-"+key)
		if s := o.sessions[id]; same && !o.ended(s) && (invoice.id == "" || !invoice.isFor(s)) {
			return true
		}
	}
	return false
}

// liveLinks looks for links in the file's links file that cannot be paid, where all commands that make new ones have run.
func (o *soakOracle) liveLinks(f *soakFile) {
	cells, lines := linksOf(o.h.t, filepath.Join(o.h.folder, f.links()))
	if !slices.EqualFunc(f.records, cells, slices.Equal) {
		o.h.t.Errorf("%s is not of the file that was run", f.links())
		return
	}
	for n, line := range lines {
		s := o.sessions[line["session_id"]]
		invoice := soakInvoiceOf(cells[0], cells[n+1])
		if line["url"] != "" && o.ended(s) && !o.refused(invoice, job.Result{Reference: s.Reference}) {
			o.h.t.Errorf("%s still hands out a link that has ended unpaid:\n%v\n%+v", f.links(), line, s)
		}
	}
}

// count adds what the history has come to.
func (o *soakOracle) count(sum crashSum) {
	sum["sessions"] += len(o.sessions)
	for id, s := range o.sessions {
		if o.published[id] == nil {
			sum["extra sessions"]++
		}
		if s.PaymentStatus == simulator.Paid {
			sum["sessions paid"]++
		}
	}
}
