package job

import (
	"context"
	"errors"
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
	LinkPaid       LinkStatus = "paid"       // final, but for a refund
	LinkRefunded   LinkStatus = "refunded"   // was paid, and the money went back, all or a part: final
	LinkExpired    LinkStatus = "expired"    // can no longer be paid, and was not, as far as Clink says
)

// LinkStatuses are all of them, in the order in which they are shown.
var LinkStatuses = []LinkStatus{LinkPaid, LinkRefunded, LinkProcessing, LinkOpen, LinkExpired}

// Settled says whether its invoice was paid: whatever comes later, it is never sent again.
func (s LinkStatus) Settled() bool { return s == LinkPaid || s == LinkRefunded }

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

// askAbout asks Clink one question about the link of the item with these facts: how far its session is, and where that has expired
// unpaid, when the task comes back (more), about the orders, since a session can expire after it was paid. Orders are found by the
// item's reference (see referenceOf). Where Clink says nothing that counts, the status is "", with what it said instead; an error is of
// an answer that tells nothing, or of none.
func (r *Runner) askAbout(ctx context.Context, t *task, of Facts) (status LinkStatus, instead string, more bool, err error) {
	ctx = context.WithoutCancel(ctx)
	if t.saidExpired == of.SessionID {
		orders, err := r.Clink.Orders(ctx, t.ordersOf)
		var failure *clink.Error
		switch {
		case errors.As(err, &failure) && failure.NotFound(): // an installation without orders
			err = nil
		case errors.Is(err, clink.ErrManyOrders):
			return "", clink.ErrManyOrders.Error(), false, nil
		}
		return paidBy(orders, of.SessionID, t.ordersOf), "", false, err
	}
	said, err := r.Clink.GetSession(ctx, of.SessionID)
	if err != nil {
		return "", "", false, err
	}
	if other := aboutAnother(said, of); other != "" {
		return "", other, false, nil
	}
	if status = linkStatus(said); status == "" {
		return "", fmt.Sprintf("answered %q, %q", said.Status, said.PaymentStatus), false, nil
	}
	if status == LinkExpired {
		reference := referenceOf(of, t.item.Reference, said.MerchantReferenceID)
		switch {
		case reference != "":
			t.saidExpired, t.ordersOf = of.SessionID, reference
			return "", "", true, nil
		case of.Reference == "":
			return "", "answered that it is expired, and under no reference by which its orders can be found", false, nil
		}
	}
	return status, "", false, nil
}

// referenceOf is the reference by which the orders of the item with these facts are found, or "": its own. Of a purged item it is the
// task's or the one that Clink names with the session, where it has the same digest. Where it is not known, it is the one that Clink names.
func referenceOf(of Facts, tasks, named string) string {
	switch {
	case of.Reference == "":
		return named
	case !of.Purged:
		return of.Reference
	}
	for _, reference := range []string{tasks, named} {
		if of.is(SealReference, of.Reference, reference) {
			return reference
		}
	}
	return ""
}

// paidBy is how far the link of a session that has expired is, by its orders.
func paidBy(orders []clink.Order, sessionID, reference string) LinkStatus {
	status := LinkExpired
	for _, order := range orders {
		switch {
		case !order.IsFor(sessionID, reference):
		case order.Refunded():
			return LinkRefunded
		case order.Paid():
			status = LinkPaid
		case order.Status == "pending" && status == LinkExpired:
			status = LinkProcessing
		}
	}
	return status
}

// aboutAnother says what of the answer does not fit the session asked about, of an item with these facts, or "". What the answer
// leaves out is no difference.
func aboutAnother(said *clink.SessionStatus, of Facts) string {
	switch {
	case said.MerchantReferenceID != "" && of.Reference != "" && !of.is(SealReference, of.Reference, said.MerchantReferenceID):
		if of.Purged {
			return fmt.Sprintf("answered about another reference, %.60q", said.MerchantReferenceID)
		}
		return fmt.Sprintf("answered about the reference %.60q instead of %q", said.MerchantReferenceID, of.Reference)
	case said.Currency != "" && !strings.EqualFold(said.Currency, of.Currency):
		return fmt.Sprintf("answered about the currency %.60q instead of %s", said.Currency, of.Currency)
	}
	return ""
}

// LinkQuery selects links that Clink is asked about. Those that Clink has spoken of since At are left out.
type LinkQuery struct {
	JobID int64
	At    time.Time // when the asking began
	Which LinkChoice
}

// LinkChoice says which links of a job Clink is asked about.
type LinkChoice int

const (
	NotFinal       LinkChoice = iota // of created and duplicate items, whose status is not final
	Ended                            // of created items, which have ended and are not known to be paid: to replace them
	EndedElsewhere                   // the same of other jobs' items, where the job's duplicates have these links
)

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
	return r.send(ctx, Job{ID: q.JobID}, nil, behind, before)
}

func (r *Runner) links(q LinkQuery) source {
	return func(ctx context.Context, after int64) ([]Item, error) {
		return r.Ledger.Links(ctx, q, after, page)
	}
}

// final says whether an answer that tells of trouble is Clink's own word for this link alone, over and over, and no outage: asking on
// would tell no more.
func (r *Runner) final(out *result, g *gate) bool {
	return out.told && out.misses+1 >= r.MaxAttempts && !g.outage.Load()
}

// unsettled leaves to a person what became of the item's own link, which has ended.
func (r *Runner) unsettled(out *result) error {
	out.decision.Reason = "Clink has not said whether this link, which has ended, was paid: " + out.decision.Reason
	out.decision.unsettled()
	return r.Ledger.Note(out.item, out.decision.Code, out.decision.Reason)
}

// checkOwnLink asks Clink about the item's own link.
func (r *Runner) checkOwnLink(ctx context.Context, out *result, g *gate) error {
	item := out.item
	out.kind = resultChecked
	own := Facts{SessionID: item.SessionID, Reference: item.Reference, Currency: item.Currency}
	var more bool
	var err error
	out.link, out.decision.Reason, more, err = r.askAbout(ctx, out.task, own)
	now := time.Now()
	out.took = now.Sub(out.startedAt)
	if err != nil {
		out.link, out.decision = "", decideError(item.State, err)
	}
	out.noteResponse(err, g)
	out.decision.State = item.State
	switch {
	case more:
		out.kind = resultAsking
		return nil
	case err == nil && out.link == "", out.decision.Outcome == OutcomeRejected:
		out.kind, out.decision.Code = resultWaits, CodeUnclear
		if !item.Replace {
			return nil
		}
		return r.unsettled(out)
	case err != nil:
		if item.Replace && r.final(out, g) {
			return r.unsettled(out)
		}
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
