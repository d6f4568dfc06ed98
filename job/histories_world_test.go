package job_test

import (
	"fmt"
	"slices"

	"paylinks/job"
)

const (
	mostFiles    = 3
	mostJobs     = 2 * mostFiles // each file's own, and the one that adopts its links file after the ledger was lost
	mostInvoices = 2
	mostSessions = 7
	mostMade     = 4 // sessions that are left by the events of a history; the rest is room to finish it
	maxAttempts  = 2
)

// world is everything that can differ between two moments. A session whose answer was lost is not in it: nobody has its URL, so
// nobody can pay it or ask about it.
type world struct {
	jobs     [mostJobs]jobRecord
	items    [mostJobs][mostInvoices]item
	sessions [mostSessions]checkout // in the order in which they were made
}

type jobRecord struct {
	ran          uint8 // the place among all by when its file was last run; 0: there is no such job
	hold, purged bool
}

type item struct {
	state    state
	session  uint8 // 1, 2, …; 0 is none
	link     link
	code     code
	unknown  uint8 // unknown ends
	replaced uint8 // a bit for each session that was given up for a new one
	late     bool  // Clink said what link is after the session's time had passed
	givenUp  bool
	doubt    bool // it may have a session that is not on record, and no person has said to go on
}

// checkout is a session at Clink.
type checkout struct {
	status  status
	invoice uint8
	file    uint8 // what it was made for
	past    bool  // the time that it was given has passed
	known   bool  // the ledger has heard that it was paid
	excused bool  // a person has said to go on without it, or Clink has lied about it: another one may be made
	repeat  bool  // made for a row that is meant as a repeat
}

type (
	state  uint8
	link   uint8
	code   uint8
	status uint8 // of a session at Clink
)

const (
	pending state = iota + 1
	sending
	unknown
	created
	duplicate
	failed
	invalid
	superseded
)

var states = [...]job.State{"", job.Pending, job.Sending, job.Unknown, job.Created, job.Duplicate, job.Failed, job.Invalid, job.Superseded}

const (
	saidOpen link = iota + 1
	saidProcessing
	saidPaid
	saidRefunded
	saidExpired
)

var links = [...]job.LinkStatus{"", job.LinkOpen, job.LinkProcessing, job.LinkPaid, job.LinkRefunded, job.LinkExpired}

const (
	conflict code = iota + 1
	unsettled
)

const (
	open status = iota + 1
	processing
	paid
	paidByOrder // the session says that it has expired, its order that it was paid
	refunded    // the session says that it has expired, its order that the money went back
	over        // expired unpaid
)

// said is what an honest Clink says of a session, and of its orders, where it says that the session has expired.
func (s status) said() link {
	return [...]link{open: saidOpen, processing: saidProcessing, paid: saidPaid, paidByOrder: saidPaid, refunded: saidRefunded, over: saidExpired}[s]
}

func (s status) wasPaid() bool { return s == paid || s == paidByOrder || s == refunded }

func (l link) settled() bool { return l == saidPaid || l == saidRefunded }

// setting is what the files hold, and how far their histories are explored.
type setting struct {
	name     string
	files    [][]terms // by file and row; the same place in two files is the same invoice
	noID     bool      // the rows have no invoice id
	repeats  int       // the file that is run with --allow-repeats; 0 is none
	inFlight bool      // an answer may stay out while other jobs are worked on
	depth    int       // events

	decisions map[question]decision
}

type terms struct {
	amount   int64
	customer job.Customer
}

var (
	anna     = job.Customer{Email: "anna@example.com"}
	bert     = job.Customer{Email: "bert@example.com"}
	forTen   = terms{100000, anna}
	forTwo   = terms{20000, anna}
	forBert  = terms{100000, bert}
	salt     = "salt"
	sealedBy = map[job.Customer]job.Customer{
		anna: {Email: job.Seal(salt, job.SealCustomerEmail, anna.Email)},
		bert: {Email: job.Seal(salt, job.SealCustomerEmail, bert.Email)},
	}
)

func (s *setting) terms(j, v int) terms { return s.files[j%mostFiles][v] }

func (s *setting) repeat(j int) bool { return s.repeats > 0 && j%mostFiles == s.repeats }

// event is one step of a history: a command, or what happens to a session.
type event struct {
	what   string
	number int // of the job, or of the session
	policy job.Policy
}

func (s *setting) events() (all []event) {
	for n := range 2 * len(s.files) {
		j := n % len(s.files)
		if n >= len(s.files) {
			j += mostFiles
		}
		for _, policy := range []job.Policy{"", job.Retry, job.Hold} {
			if j < mostFiles {
				all = append(all, event{"run", j, policy})
			}
			all = append(all, event{"resume", j, policy})
		}
		for _, what := range []string{"retry", "retry --unknown", "reissue", "refresh", "purge", "the answer comes for"} {
			all = append(all, event{what, j, ""})
		}
	}
	for n := range mostSessions {
		for _, what := range []string{"is paid", "is being paid", "fails to be paid", "is refunded", "passes its time", "passes its time, open", "ends early"} {
			all = append(all, event{what, n, ""})
		}
	}
	return append(all, event{"the ledger is lost, and the links files are adopted", 0, ""})
}

// step is a world while an event changes it. What is not up to us is chosen: the first choice is that all goes well.
type step struct {
	world
	*setting
	choices []uint8 // the first ones; those that follow are 0
	widths  []uint8 // how many there were to choose from
	words   []string
	tell    bool // keep the words
	stopped bool // the run has ended
	full    bool // there is no room for another session: the history is not followed
	asked   [mostSessions + 1]bool
	broken  string // which promise
}

func (s *step) choose(choices ...string) int {
	n := len(s.widths)
	s.widths = append(s.widths, uint8(len(choices)))
	if n == len(s.choices) {
		s.choices = append(s.choices, 0)
	}
	if s.tell && choices[s.choices[n]] != "" {
		s.words = append(s.words, choices[s.choices[n]])
	}
	return int(s.choices[n])
}

func (s *step) breaks(promise int, format string, args ...any) {
	if s.broken == "" {
		s.broken = fmt.Sprintf("promise %d: ", promise) + fmt.Sprintf(format, args...)
	}
}

// faultless says whether all went well.
func (s *step) faultless() bool {
	return !slices.ContainsFunc(s.choices, func(c uint8) bool { return c > 0 })
}
