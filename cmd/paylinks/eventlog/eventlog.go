// Package eventlog logs what happens in a run, with every email address masked.
package eventlog

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"sync"
	"time"
	"unicode/utf8"

	"paylinks/job"
	"paylinks/job/engine"
)

// New makes a log in UTC, from a level on, as text or as JSON.
func New(to io.Writer, level slog.Level, asJSON bool) *slog.Logger {
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: forLog}
	if asJSON {
		return slog.New(slog.NewJSONHandler(to, options))
	}
	return slog.New(slog.NewTextHandler(to, options))
}

// forLog is what the log shows of an attribute: the message, an id or Clink's words may name a customer.
func forLog(_ []string, attr slog.Attr) slog.Attr {
	switch attr.Value.Kind() {
	case slog.KindTime:
		attr.Value = slog.TimeValue(attr.Value.Time().UTC())
	case slog.KindString:
		attr.Value = slog.StringValue(masked(attr.Value.String()))
	case slog.KindAny:
		if attr.Key != slog.LevelKey {
			attr.Value = slog.StringValue(masked(fmt.Sprint(attr.Value.Any())))
		}
	}
	return attr
}

// email is anything like an email address, also inside a URL.
var email = regexp.MustCompile(`("[^"]*"|[^\s@<>()\[\]",;:=/?&\\]+)((?:@|%40)[^\s@<>()\[\]"',;:=/?&%\\]+)`)

// masked leaves of each email address its first letter and what stands behind the at: a***@example.com.
func masked(text string) string {
	return email.ReplaceAllStringFunc(text, func(address string) string {
		_, size := utf8.DecodeRuneInString(address)
		return address[:size] + "***" + email.FindStringSubmatch(address)[2]
	})
}

// logFirst is how many rows a record names of those that ended alike, and logWait how long it waits for more of them.
const (
	logFirst = 5
	logWait  = time.Second
)

// Events logs what happens to a job: each attempt at debug; at warn what needs a person, one record for all rows that ended alike
// within logWait, and the beginning of an outage.
type Events struct {
	log         *slog.Logger
	job         job.Job
	maxAttempts int

	mu     sync.Mutex
	groups map[eventKey]*eventGroup
	order  []eventKey
	timer  *time.Timer // nil while there is no group
}

// eventKey is what rows that ended alike have in common.
type eventKey struct {
	messages [2]string // of one row, of several
	reason   string
	outcome  job.Outcome
	state    job.State
	status   int
}

type eventGroup struct {
	rows  int
	first []int
	facts []any // of the first row
}

// For logs the events of a job whose rows may have so many unknown ends.
func For(log *slog.Logger, j job.Job, maxAttempts int) *Events {
	return &Events{log: log, job: j, maxAttempts: maxAttempts, groups: map[eventKey]*eventGroup{}}
}

// Observe logs an event.
func (l *Events) Observe(event job.Event) {
	switch event := event.(type) {
	case job.Moved:
		facts := []any{
			"job", l.job.ID, "row", event.Item.Row, "invoice_id", event.Item.InvoiceID, "attempt", event.Attempt,
			"outcome", string(event.Decision.Outcome), "state", string(event.Decision.State), "status", event.Status,
			"ms", event.Took.Milliseconds(), "reason", event.Decision.Reason,
		}
		if event.Attempt > 0 {
			l.log.Debug("attempt", facts...)
		}
		if event.Item.SessionID != "" && event.Link == "" && !event.Retried {
			l.add([2]string{"Clink has not said how far this link is", "Clink has not said how far these links are"}, event, facts)
		}
		if engine.NeedsPerson(l.job, event, l.maxAttempts) {
			l.add([2]string{"this row needs a person", "these rows need a person"}, event, facts)
		}
	case job.Paused:
		l.log.Info("throttled", "job", l.job.ID, "until", event.Until, "rate", event.PerSecond)
	case job.Unanswered:
		level := slog.LevelInfo
		if event.Begun { // else who waits would see the cause, such as a wrong proxy, only when the run gives up
			level = slog.LevelWarn
		}
		l.log.Log(context.Background(), level, "Clink is not answering", "job", l.job.ID, "next_probe", event.Next, "reason", event.Reason)
	case job.Flowing:
		l.log.Info("requests flow again", "job", l.job.ID)
	default:
		panic(fmt.Sprintf("unknown event %T", event))
	}
}

func (l *Events) add(messages [2]string, event job.Moved, facts []any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := eventKey{messages, event.Decision.Reason, event.Decision.Outcome, event.Decision.State, event.Status}
	group := l.groups[key]
	if group == nil {
		group = &eventGroup{facts: facts}
		l.groups[key] = group
		l.order = append(l.order, key)
	}
	group.rows++
	group.first = append(group.first, event.Item.Row)
	slices.Sort(group.first) // they end in any order
	group.first = group.first[:min(len(group.first), logFirst)]
	if l.timer == nil {
		l.timer = time.AfterFunc(logWait, l.flush)
	}
}

// flush writes a record for each group: of a single row as it is, of several with their count and the first of them.
func (l *Events) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, key := range l.order {
		group := l.groups[key]
		if group.rows == 1 {
			l.log.Warn(key.messages[0], group.facts...)
			continue
		}
		l.log.Warn(key.messages[1], "job", l.job.ID, "rows", group.rows, "first_rows", fmt.Sprint(group.first),
			"outcome", string(key.outcome), "state", string(key.state), "status", key.status, "reason", key.reason)
	}
	clear(l.groups)
	l.order, l.timer = nil, nil
}

// Close writes what is left.
func (l *Events) Close() {
	l.mu.Lock()
	if l.timer != nil {
		l.timer.Stop()
	}
	l.mu.Unlock()
	l.flush()
}
