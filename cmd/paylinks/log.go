package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"unicode/utf8"

	"paylinks/job"
)

// newLog makes the log, in UTC and with every email address masked.
func newLog(to io.Writer, o *sendOptions) *slog.Logger {
	options := &slog.HandlerOptions{Level: slog.LevelWarn, ReplaceAttr: forLog}
	switch {
	case o.quiet:
		options.Level = slog.LevelError
	case o.verbose:
		options.Level = slog.LevelDebug
	}
	if o.logFormat == "json" {
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

// logEvent writes one record per attempt at debug, and one at warn for each row that needs a person now and for the begin of
// an outage.
func (e *engine) logEvent(j job.Job, event job.Event) {
	switch event := event.(type) {
	case job.Moved:
		facts := []any{
			"job", j.ID, "row", event.Item.Row, "invoice_id", event.Item.InvoiceID, "attempt", event.Attempt,
			"outcome", string(event.Verdict.Outcome), "state", string(event.Verdict.State), "status", event.Status,
			"ms", event.Took.Milliseconds(), "reason", event.Verdict.Reason,
		}
		if event.Attempt > 0 {
			e.log.Debug("attempt", facts...)
		}
		if event.Item.SessionID != "" && event.Link == "" && !event.Again {
			e.log.Warn("Clink has not said how far this link is", facts...)
		}
		if e.needsPerson(j, event) {
			e.log.Warn("this row needs a person", facts...)
		}
	case job.Paused:
		e.log.Info("throttled", "job", j.ID, "until", event.Until, "rate", event.PerSecond)
	case job.Unanswered:
		level := slog.LevelInfo
		if event.Begun { // else who waits would see the cause, such as a wrong proxy, only when the run gives up
			level = slog.LevelWarn
		}
		e.log.Log(context.Background(), level, "Clink is not answering", "job", j.ID, "next_probe", event.Next, "reason", event.Reason)
	case job.Flowing:
		e.log.Info("requests flow again", "job", j.ID)
	default:
		panic(fmt.Sprintf("unknown event %T", event))
	}
}

// needsPerson says whether neither this run nor the next moves the row.
func (e *engine) needsPerson(j job.Job, event job.Moved) bool {
	switch event.Verdict.State {
	case job.Failed:
		return true
	case job.Unknown:
		return j.OnUnknown == job.Hold || event.Item.UnknownEnds >= e.options.maxAttempts
	case job.Pending:
		return event.Verdict.Code == job.CodeHeld || event.Verdict.Code == job.CodeUnsettled
	}
	return false
}
