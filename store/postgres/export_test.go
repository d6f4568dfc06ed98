package postgres

import (
	"context"
	"runtime"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"paylinks/job"
)

// Hold keeps a transaction of this sender open, as a process does that is stopped in the middle of one, until release is called. It
// returns when the transaction has begun. ended is closed when the writer goes on.
//
// What was asked for while the sender was paused is in that transaction.
func (l *Ledger) Hold() (release func(), ended <-chan struct{}) {
	begun, released, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	l.writer.records <- &change{
		do: func(*tx) error {
			select {
			case <-begun:
			default:
				close(begun)
			}
			<-released
			return nil
		},
		ended:  func(error) { close(done) },
		fenced: true,
	}
	l.Continue()
	<-begun
	return func() { close(released) }, done
}

// Pause stops this sender between two transactions, as a stopped process, until Continue.
func (l *Ledger) Pause() {
	paused := make(chan struct{})
	l.writer.records <- &pause{l, paused}
	<-paused
}

var released = map[*Ledger]chan struct{}{}

// Continue ends a Pause.
func (l *Ledger) Continue() {
	if c, ok := released[l]; ok {
		close(c)
		delete(released, l)
	}
}

// pause is a record of nothing, whose end keeps the writer.
type pause struct {
	l      *Ledger
	paused chan struct{}
}

func (p *pause) done(error) {
	c := make(chan struct{})
	released[p.l] = c
	close(p.paused)
	<-c
}

// WaitForRecord waits until a record waits for the paused sender.
func (l *Ledger) WaitForRecord() {
	for len(l.writer.records) == 0 {
		runtime.Gosched()
	}
}

// AddMigration adds a step to those that this program knows, until undo.
func AddMigration(script string) (undo func()) {
	known := migrations
	migrations = append(known[:len(known):len(known)], script)
	return func() { migrations = known }
}

// Versions is how many steps this program knows.
func Versions() int { return len(migrations) }

// Tables are the names of all that a ledger has.
func Tables() []string { return tables }

// BringUpToDate makes the schema, or brings it up to date.
func BringUpToDate(ctx context.Context, name string) error {
	r, err := connect(name)
	if err != nil {
		return err
	}
	defer r.Close()
	return r.bringUpToDate(ctx)
}

// Traced opens a ledger to read, and has the tracer see each statement.
func Traced(name string, tracer pgx.QueryTracer) (*Reader, error) {
	n, err := ParseName(name)
	if err != nil {
		return nil, err
	}
	cfg, err := n.config()
	if err != nil {
		return nil, err
	}
	cfg.ConnConfig.Tracer = tracer
	return newReader(n, cfg)
}

// Exec runs statements in which tables stand in braces, one by one.
func (r *Reader) Exec(ctx context.Context, statements ...string) error {
	for _, statement := range statements {
		if _, err := r.read.Exec(ctx, r.sql(statement)); err != nil {
			return err
		}
	}
	return nil
}

// Column is the first column of the rows that a query finds, as text.
func (r *Reader) Column(ctx context.Context, query string, args ...any) ([]string, error) {
	rows, err := r.read.Query(ctx, r.sql(query), args...)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// On has the reader be one on another host.
func (r *Reader) On(host string) { r.host = host }

// Plans are the server's plans for what records the intent and the end of an item.
func (l *Ledger) Plans(ctx context.Context, item *job.Item) (plans []string, err error) {
	b, e := &beginRecord{item: item}, &endRecord{item: item, number: 1}
	for _, statement := range []struct {
		text string
		args []any
	}{{begin, append(beginValues(l, b), false)}, {endAll, endValues(l, e)}, {lockInvoices, []any{[]int64{item.ID}}}} {
		lines, err := l.Column(ctx, `EXPLAIN (COSTS OFF) `+statement.text, statement.args...)
		if err != nil {
			return nil, err
		}
		plans = append(plans, strings.Join(lines, "\n"))
	}
	return plans, nil
}

// ClockIsAhead has the sender be on a host whose clock is ahead of the database's, and which has noticed that when it opened the ledger.
func (l *Ledger) ClockIsAhead(by time.Duration) { l.skew = -by }

// Skew is what a host's clock lacks to the database's.
func Skew(database, before, after time.Time) time.Duration { return skew(database, before, after) }
