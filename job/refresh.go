package job

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"paylinks/clink"
)

// LinkStatus is how far a published link is, in the words of the links file. The ledger's constraints know the same.
type LinkStatus string

const (
	LinkOpen       LinkStatus = "open"       // can be paid
	LinkProcessing LinkStatus = "processing" // is being paid
	LinkPaid       LinkStatus = "paid"       // final
	LinkExpired    LinkStatus = "expired"    // can no longer be paid, and was not: final
)

// LinkStatuses are all of them, in the order in which they are shown.
var LinkStatuses = []LinkStatus{LinkPaid, LinkProcessing, LinkOpen, LinkExpired}

// linkStatus says what Clink's words come to, or "" where they say nothing that we know. A session that is completed
// counts as paid only where Clink says so: until then the money is on its way.
func linkStatus(said *clink.SessionStatus) LinkStatus {
	switch {
	case said.PaymentStatus == "paid":
		return LinkPaid
	case said.PaymentStatus == "processing", said.Status == "completed":
		return LinkProcessing
	case said.Status == "open":
		return LinkOpen
	case said.Status == "expired" && said.PaymentStatus == "unpaid":
		return LinkExpired
	}
	return ""
}

// linkStatusFrom is how far the link is by this answer, or "", with what the answer was instead.
func linkStatusFrom(said *clink.SessionStatus, reference, currency string) (LinkStatus, string) {
	if other := aboutAnother(said, reference, currency); other != "" {
		return "", other
	}
	status := linkStatus(said)
	if status == "" {
		return "", fmt.Sprintf("answered %q, %q", said.Status, said.PaymentStatus)
	}
	return status, ""
}

// aboutAnother says what of the answer does not fit the session asked about, of an item with this reference and currency,
// or "". What the answer leaves out is no difference, nor is a reference that we do not have any more.
func aboutAnother(said *clink.SessionStatus, reference, currency string) string {
	switch {
	case reference != "" && said.MerchantReferenceID != "" && said.MerchantReferenceID != reference:
		return fmt.Sprintf("answered about the reference %.60q instead of %q", said.MerchantReferenceID, reference)
	case said.Currency != "" && !strings.EqualFold(said.Currency, currency):
		return fmt.Sprintf("answered about the currency %.60q instead of %s", said.Currency, currency)
	}
	return ""
}

// LinkQuery selects the links of a job that Clink is asked about: those whose status is not final, or, to replace them,
// those of created items that have expired by the clock or by Clink's word and are not known to be paid. Links that
// Clink has spoken of since At are left out.
type LinkQuery struct {
	JobID   int64
	At      time.Time // when the asking began
	Replace bool
}

// Refresh asks Clink about the job's links and records what it says; nothing is sent. It stops and waits as [Runner.Run]
// does. Finished means that no link is left that asking on could settle. It begins behind the link that was asked about last,
// and asks about those before it afterwards: one that is broken off every night comes round to all of them.
func (r *Runner) Refresh(ctx context.Context, q LinkQuery) Report {
	ask := r.links(q)
	var last int64
	behind := func(ctx context.Context, after int64) (items []Item, err error) {
		if after == 0 {
			if last, err = r.Ledger.LastChecked(ctx, q.JobID); err != nil {
				return nil, err
			}
		}
		return ask(ctx, max(after, last))
	}
	before := func(ctx context.Context, after int64) ([]Item, error) {
		if after >= last {
			return nil, nil
		}
		items, err := ask(ctx, after)
		return slices.DeleteFunc(items, func(i Item) bool { return i.ID > last }), err
	}
	return r.send(ctx, Job{ID: q.JobID}, behind, before)
}

// Reissue sends what is open in the job, as [Runner.Run] does, and then asks Clink about the links that have expired:
// the items of those unpaid go back to pending and are sent, too.
func (r *Runner) Reissue(ctx context.Context, j Job, at time.Time) Report {
	return r.send(ctx, j, r.open(j), r.links(LinkQuery{JobID: j.ID, At: at, Replace: true}))
}

func (r *Runner) links(q LinkQuery) source {
	return func(ctx context.Context, after int64) ([]Item, error) {
		return r.Ledger.Links(ctx, q, after, page)
	}
}

// checkOwnLink asks Clink about the item's own link.
func (r *Runner) checkOwnLink(ctx context.Context, out *result, g *gate) error {
	item := out.item
	out.kind = resultChecked
	said, err := r.Clink.GetSession(context.WithoutCancel(ctx), item.SessionID)
	now := time.Now()
	out.took = now.Sub(out.startedAt)
	if err != nil {
		out.decision = decideError(item.State, err)
	}
	out.noteResponse(err, g)
	out.decision.State = item.State
	if err == nil {
		reference := item.Reference
		if item.State == Duplicate {
			reference = "" // the session has that of the item that made it
		}
		out.link, out.decision.Reason = linkStatusFrom(said, reference, item.Currency)
	}
	switch {
	case err == nil && out.link == "", out.decision.Outcome == OutcomeRejected:
		out.kind, out.decision.Code = resultWaits, CodeUnclear
		return nil
	case err != nil:
		return nil
	case item.Replace && out.link == LinkExpired:
		if err := r.Ledger.Replace(item, now); err != nil {
			return err
		}
		item.State, item.SessionID, item.UnknownEnds, out.decision.State = Pending, "", 0, Pending
		return nil
	}
	out.kind = resultSettled
	return r.Ledger.Checked(item.ID, out.link, now)
}
