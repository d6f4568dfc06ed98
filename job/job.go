// Package job is what a payment-link job is: an invoice file's rows become [Item]s, and a [Runner] creates
// one Clink checkout session for each, at a safe pace, with every step on record in a [Ledger].
//
// # How a row becomes a link
//
// The runner's dispatcher decides alone when the next request may leave: pace, pauses, outages and retries
// are its state and nobody else's. It hands items to a fixed pool of workers. A worker records the intent
// ([Ledger.Begin]), sends, lets [Decide] judge the answer, and records the end ([Ledger.End]). An intent is
// durable before its request leaves, so a crash leaves at most one item in doubt per worker.
//
// # What decides
//
// The rules are pure functions, tested by tables: [Decide] (what an attempt's end means), [Meet] (the same
// invoice in two jobs) and [Backoff].
//
// # How fast it is
//
// Speed must not cost a promise: each intent and each answer is on disk, by fsync, before anything rests on it. What
// makes up for that:
//
//   - One writer commits whatever waits, in one transaction; it first lets run who is about to bring a record. There is
//     no timer, and a lone record waits for nobody. With 64 workers some 26 rows share an fsync.
//   - A worker does not wait until a created item's end is on record: the end goes before its next intent, so that both
//     share a transaction and there is still one item in doubt per worker at most.
//   - Four small statements a row, and no row that grows: an intent is a row of a table that is never large, a link a new row
//     at the end of another (store's package doc has the tables). A batch of 26 rows changes some ten pages. Counts are kept by
//     the transactions that move items; no statement looks at a row in vain (store's plan test has SQLite explain each of
//     them).
//   - A request is stored as the bytes that are sent, and only what its answer is held against is read from it.
//   - Files are read, judged and recorded by goroutines of their own, and so are links read and written. An import inserts
//     sixteen rows by one statement, and syncs some thousands at a time.
//   - The goroutine that wants an answer writes its request, waits and reads, over a connection that nobody else uses meanwhile
//     (clink): no hand-over between goroutines.
//
// Where the limit is now: on two cores, with a server that answers at once and has its share of them, a whole run of 40,000
// rows takes 101 µs of CPU a row, of 4.1 s in all (on a slow machine, where an fsync takes 0.7 ms): 0.16 s opening the ledger and
// checking, 0.45 s importing, 3.3 s sending, 0.15 s writing links. By samples of the whole process, kernel included, 45% are the
// ledger's (24% SQLite itself, 12% the kernel's writing and fsync, 9% Go around it), 20% carrying requests (14% the kernel, 3%
// net/http reading answers), 10% the scheduler and the garbage collector, 10% reading the file, which is done twice, 5% workers
// and dispatcher, 5% requests and answers, 1% the links file. With net/http's transport, which has two more goroutines for each
// connection, it was 120 µs and 4.5 s (medians of seven turns).
//
// While it sends, both cores are busy four fifths of the time. The rest is fsync, for which some of the workers wait, and threads
// that wait for a core beside one that idles. What could still be gained, by leaving things out (medians of nine turns on a
// machine twice as fast, with net/http's transport): a bare loop that keeps nothing took 1.25 s, a run 2.58 s; the same run
// without fsync, which would break the promise, 2.21 s; one that records nothing while it sends, 1.72 s. So what is left is the
// ledger's: at synchronous=FULL SQLite cannot have the fsync of one transaction overlap the statements of the next. At a real
// API's latency a row waits for one commit, more than half of which is fsync; store looks after its files by a call that does not
// lengthen it. make bench measures the whole, `go test -bench . ./store ./clink` the parts; a profile of the Go part is
// BenchmarkRun's, in cmd/paylinks.
package job

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"path/filepath"
	"time"

	"paylinks/job/invoice"
)

// Environment names which Clink a job talks to.
type Environment string

const (
	Simulator  Environment = "simulator"  // a stand-in, no real money: in-process or on loopback
	Sandbox    Environment = "sandbox"    // Clink's own test environment
	Production Environment = "production" // real money
)

// InProcess is the base URL on record for the in-process simulator: its port differs from run to run, but it
// counts as one address.
const InProcess = "in-process"

// Policy says what happens to an item that Clink may or may not have made a session for.
type Policy string

const (
	Retry Policy = "retry" // it is sent again after a pause
	Hold  Policy = "hold"  // it is never sent again without a person's word
)

// Identity is what makes two runs the same job: the same bytes, for the same address, read the same way.
type Identity struct {
	FileDigest  [sha256.Size]byte // of the file's raw bytes
	Environment Environment
	BaseURL     string
	Options     string // canonical JSON of the options that shape requests
}

// Key is the identity as one value, for look-ups.
func (id Identity) Key() [sha256.Size]byte {
	return digest("job", string(id.FileDigest[:]), string(id.Environment), id.BaseURL, id.Options)
}

// InvoiceKey tells an invoice apart from every other at this job's address: the same key in another file is
// the same invoice.
func (id Identity) InvoiceKey(inv invoice.Invoice) [16]byte {
	sum := digest("invoice", string(id.Environment), id.BaseURL, string(inv.Identity[:]))
	return [16]byte(sum[:16])
}

// GeneratedReference is the reference at Clink of a row without an invoice id. It holds the file's digest and
// the row, so that it is unique there.
func (id Identity) GeneratedReference(row int) string {
	return fmt.Sprintf("paylinks-%x-%d", id.FileDigest[:8], row)
}

// digest hashes the parts with their lengths, so that no two lists of parts run together.
func digest(parts ...string) [sha256.Size]byte {
	buf := make([]byte, 0, 256) // on the stack, where it is enough
	for _, part := range parts {
		buf = binary.AppendUvarint(buf, uint64(len(part)))
		buf = append(buf, part...)
	}
	return sha256.Sum256(buf)
}

// Job is one file's content, in one environment at one base URL, read with one set of options.
type Job struct {
	ID int64 // 1, 2, … in its ledger
	Identity
	File         string   // absolute path, as last given
	Columns      []string // the input's own columns, as they were
	Delimiter    rune     // of the input, and so of the links file
	OnUnknown    Policy
	AllowRepeats bool
	RawCells     bool   // write the user's cells without the formula guard
	BOM          bool   // begin the links file with a byte order mark
	Output       string // absolute path of the links file; "-" is standard output; "" where a later job writes that file now
	CreatedAt    time.Time
	LastRun      LastRun
	RefreshedAt  time.Time // when refresh last asked about its links; zero before the first time
	PurgedAt     time.Time // when the customers' data was taken out of it; zero: it was not
}

// FileName is the name of its file without the folder.
func (j Job) FileName() string { return filepath.Base(j.File) }
