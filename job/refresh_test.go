package job_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"paylinks/clink/simulator"
	"paylinks/job"
)

// refresh asks about the job's links a moment later, and checks how that ended and that nothing was sent.
func (r *rehearsal) refresh(want job.Stop) job.Report {
	r.Helper()
	<-time.After(ms)
	posts, before := len(r.posts()), r.counts()
	report := r.runner.Refresh(r.ctx, job.LinkQuery{JobID: r.job.ID, At: time.Now()})
	if report.Stop != want {
		r.Errorf("the refresh ended with %q (%s), want %q", report.Stop, report.Reason, want)
	}
	if len(r.posts()) != posts {
		r.Errorf("the refresh sent %d requests for a session", len(r.posts())-posts)
	}
	r.check(before)
	return report
}

// reissue replaces the job's expired links, and checks what holds however it ends.
func (r *rehearsal) reissue(want job.Stop) {
	r.Helper()
	<-time.After(ms)
	report := r.runner.Run(r.ctx, r.job, job.LinkQuery{JobID: r.job.ID, At: time.Now(), Which: job.Ended})
	if report.Stop != want {
		r.Errorf("the reissue ended with %q (%s), want %q", report.Stop, report.Reason, want)
	}
	for _, result := range r.results() {
		if (result.State == job.Created) != (result.URL != "") {
			r.Errorf("row %d is %s with the link %q", result.Row, result.State, result.URL)
		}
	}
}

func (r *rehearsal) linkStatuses() []job.LinkStatus {
	r.Helper()
	var all []job.LinkStatus
	for _, result := range r.results() {
		if result.CheckedAt.IsZero() != (result.Link == "") {
			r.Errorf("row %d is %q, checked at %s", result.Row, result.Link, result.CheckedAt)
		}
		all = append(all, result.Link)
	}
	return all
}

func TestRefreshRecordsWhatClinkSaysAtTheRate(t *testing.T) {
	s := scene{rows: 40, simulator: simulator.Config{Lifetime: time.Hour, Latency: 300 * ms}, settings: job.Settings{Rate: 10, Concurrency: 4}}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.Finished)
		r.mark(reference(1), "paid")
		r.mark(reference(2), "processing")
		r.mark(reference(3), "expired")
		r.events = nil
		r.refresh(job.Finished)
		want := append([]job.LinkStatus{job.LinkPaid, job.LinkProcessing, job.LinkExpired}, slices.Repeat([]job.LinkStatus{job.LinkOpen}, 37)...)
		if got := r.linkStatuses(); !slices.Equal(got, want) {
			t.Errorf("the links are %v", got)
		}
		gets := r.gets()
		for i, g := range gets[1:] {
			if apart := g.at - gets[i].at; apart < 100*ms-time.Microsecond {
				t.Fatalf("question %d came %s after the one before", i+2, apart)
			}
		}
		if len(gets) != 40 || countEvents[job.Moved](r) != 40 || r.mostFlying > 4 {
			t.Errorf("%d questions, %d events, %d at a time", len(gets), countEvents[job.Moved](r), r.mostFlying)
		}
		r.refresh(job.Finished)
		if n := len(r.gets()) - 40; n != 38 {
			t.Errorf("the second refresh asked about %d links, want the 38 that are not final", n)
		}
	})
}

// A refresh that is broken off is gone on with behind the link that was asked about last, and comes round to all.
func TestARefreshGoesOnBehindTheLastLinkAskedAbout(t *testing.T) {
	const rows, first = 1100, 1030 // more than a page behind the place, and before it
	var r *rehearsal
	s := scene{rows: rows, simulator: anHour}
	s.instead = func(q request) http.HandlerFunc {
		if q.method == http.MethodGet && q.number == first {
			r.cancel()
		}
		return nil
	}
	rehearse(t, s, func(it *rehearsal) {
		r = it
		r.run(job.Finished)
		r.refresh(job.Interrupted)
		if n := len(r.gets()); n != first {
			r.Fatalf("%d links were asked about before the interruption, want %d", n, first)
		}
		r.ctx = r.Context()
		r.refresh(job.Finished)
		results, asked := r.results(), r.gets()[first:]
		if len(asked) != rows {
			r.Fatalf("the second refresh asked %d times about %d links", len(asked), rows)
		}
		for i, q := range asked {
			if want := results[(first+i)%rows]; q.session != want.SessionID {
				r.Fatalf("question %d is about %s, want row %d", i+1, q.session, want.Row)
			}
		}
	})
}

func TestClinksWordsAboutALink(t *testing.T) {
	tests := []struct {
		status, payment string
		want            job.LinkStatus // empty: they say nothing that we know
	}{
		{"open", "unpaid", job.LinkOpen},
		{"open", "", job.LinkOpen},
		{"open", "processing", job.LinkProcessing},
		{"open", "paid", job.LinkPaid},
		{"completed", "paid", job.LinkPaid},
		{"complete", "paid", job.LinkPaid},
		{"completed", "processing", job.LinkProcessing},
		{"completed", "unpaid", job.LinkProcessing},
		{"completed", "", job.LinkProcessing},
		{"expired", "unpaid", job.LinkExpired},
		{"expired", "paid", job.LinkPaid},
		{"expired", "processing", job.LinkProcessing},
		{"expired", "", ""},
		{"archived", "unpaid", ""},
	}
	for _, tt := range tests {
		t.Run(tt.status+" "+tt.payment, func(t *testing.T) {
			answer := envelope(200, 200, "success", map[string]string{"status": tt.status, "paymentStatus": tt.payment})
			rehearse(t, scene{rows: 1, instead: toQuestions(answer)}, func(r *rehearsal) {
				r.run(job.Finished)
				r.refresh(job.Finished)
				if got := r.linkStatuses()[0]; got != tt.want || len(r.gets()) != 1 {
					t.Errorf("the link is %q after %d questions, want %q after 1", got, len(r.gets()), tt.want)
				}
			})
		})
	}
}

// toQuestions gives this answer to each GET.
func toQuestions(answer http.HandlerFunc) func(request) http.HandlerFunc {
	return func(q request) http.HandlerFunc {
		if q.method == http.MethodGet {
			return answer
		}
		return nil
	}
}

// Whatever keeps Clink from answering changes no link, neither for refresh nor for reissue. Where it did answer, and would again, only a
// person can say what becomes of a link that has ended.
func TestLinksThatClinkDoesNotSpeakOf(t *testing.T) {
	tests := []struct {
		name   string
		answer http.HandlerFunc
		want   job.Stop
		gets   int
		left   int // links that a reissue asks about again; the others are a person's
	}{
		{"401", envelope(401, 401, "no", nil), job.KeyRefused, 4, 3}, // one for each link, and the control,
		{"redirect", redirect(302), job.WrongAddress, 4, 3},
		{"somebody else's 404", text(404, "<html>"), job.WrongAddress, 4, 3},
		{"a long pause", throttled("3600"), job.GaveUp, 1, 3},
		{"not known there", envelope(404, 404, "session not found", nil), job.Finished, 3, 0},
		{"another reference", envelope(200, 200, "success", map[string]string{"status": "expired", "paymentStatus": "unpaid", "merchantReferenceId": "X"}), job.Finished, 3, 0},
		{"another currency", envelope(200, 200, "success", map[string]string{"status": "expired", "paymentStatus": "unpaid", "originalCurrency": "EUR"}), job.Finished, 3, 0},
		{"no answer", text(503, ""), job.Finished, 6, 3},
		{"trouble that Clink tells of, again and again", envelope(200, 500, "no such session", nil), job.Finished, 6, 0},
	}
	for _, tt := range tests {
		s := scene{
			rows: 3, simulator: anHour, instead: toQuestions(tt.answer),
			settings: job.Settings{MaxAttempts: 2, GiveUpAfter: 10 * time.Minute},
		}
		for name, ask := range map[string]func(*rehearsal, job.Stop){
			"refresh": func(r *rehearsal, want job.Stop) { r.refresh(want) },
			"reissue": (*rehearsal).reissue,
		} {
			t.Run(name+" "+tt.name, func(t *testing.T) {
				rehearse(t, s, func(r *rehearsal) {
					r.run(job.Finished)
					<-time.After(90 * time.Minute)
					ask(r, tt.want)
					r.check(map[job.State]int{job.Created: 3})
					if got := r.linkStatuses(); !slices.Equal(got, []job.LinkStatus{"", "", ""}) {
						t.Errorf("the links are %q", got)
					}
					if len(r.gets()) != tt.gets || len(r.posts()) != 3 {
						t.Errorf("%d questions and %d requests, want %d and 3", len(r.gets()), len(r.posts()), tt.gets)
					}
					left, err := r.store.CountLinks(context.Background(), job.LinkQuery{JobID: r.job.ID, At: time.Now(), Which: map[string]job.LinkChoice{"reissue": job.Ended}[name]})
					want, code := 3, ""
					if name == "reissue" && tt.left == 0 {
						want, code = 0, job.CodeUnsettled
					}
					if got := r.results()[0]; err != nil || left != want || got.ErrorCode != code {
						t.Errorf("%d links are left to ask about (%v), want %d; the first row is %+v", left, err, want, got)
					}
				})
			})
		}
	}
}

// Links that Clink refuses to speak of, however many, keep no other link from being asked about: nothing is sent or failed, and each
// control says that neither the key nor the address is refused.
func TestManyLinksThatClinkRefusesToSpeakOf(t *testing.T) {
	var refused map[string]bool
	no := func(q request) http.HandlerFunc {
		if q.method == http.MethodGet && refused[q.session] {
			return envelope(403, 403, "not yours", nil)
		}
		return nil
	}
	rehearse(t, scene{rows: 40, settings: job.Settings{Concurrency: 4}, instead: no}, func(r *rehearsal) {
		r.run(job.Finished)
		refused = map[string]bool{}
		for _, result := range r.results()[:15] {
			refused[result.SessionID] = true
		}
		r.refresh(job.Finished)
		for i, link := range r.linkStatuses() {
			if (link == job.LinkOpen) != (i >= 15) {
				t.Errorf("the link of row %d is %q", i+2, link)
			}
		}
	})
}

// An outage stops the questions but for one probe at a time, and the first answer wakes them.
func TestAnOutageHoldsARefreshUp(t *testing.T) {
	var r *rehearsal
	var down time.Duration
	s := scene{rows: 60, settings: job.Settings{Rate: 10, Concurrency: 4, MaxAttempts: 50}}
	s.instead = func(q request) http.HandlerFunc {
		if q.method == http.MethodGet && q.at < down+5*time.Minute {
			return text(503, "")
		}
		return nil
	}
	rehearse(t, s, func(it *rehearsal) {
		r = it
		r.run(job.Finished)
		down = r.elapsed()
		r.refresh(job.Finished)
		if got := r.linkStatuses(); slices.Contains(got, "") {
			t.Errorf("the links are %q", got)
		}
		if n := len(r.gets()); n > 60+30 {
			t.Errorf("%d questions for 60 links: the outage was not waited out", n)
		}
	})
}

func TestReissueReplacesWhatHasExpiredUnpaid(t *testing.T) {
	s := scene{rows: 5, simulator: anHour, settings: job.Settings{Rate: 10, Concurrency: 4}}
	rehearse(t, s, func(r *rehearsal) {
		r.run(job.Finished)
		r.reissue(job.Finished)
		if len(r.gets()) != 0 {
			t.Errorf("%d questions about live links", len(r.gets()))
		}
		first := r.results()
		r.mark(reference(1), "paid")
		r.mark(reference(2), "processing")
		r.mark(reference(3), "expired")
		r.refresh(job.Finished)
		r.reissue(job.Finished) // by what is on record: row 3 of reference(3) alone
		if got := r.results(); got[2].SessionID == first[2].SessionID || got[2].Link != "" || got[3].SessionID != first[3].SessionID {
			t.Errorf("rows 4 and 5 are %+v and %+v", got[2], got[3])
		}
		<-time.After(90 * time.Minute)
		r.reissue(job.Finished) // by the clock, but for what is known to be paid
		r.check(map[job.State]int{job.Created: 5})
		second := r.results()
		for i, replaced := range []bool{false, false, true, true, true} {
			if (second[i].SessionID != first[i].SessionID) != replaced || second[i].ExpiresAt.After(time.Now()) != replaced {
				t.Errorf("row %d is %+v, and was %+v", second[i].Row, second[i], first[i])
			}
		}
		if len(r.gets()) != 5+1+4 || len(r.posts()) != 5+1+3 {
			t.Errorf("%d questions and %d requests", len(r.gets()), len(r.posts()))
		}
		given := map[string]time.Time{}
		for a := range r.attempts(r.job.ID) {
			given[a.SessionID] = a.Replaced
		}
		for i, replaced := range []bool{false, false, true, true, true} {
			if given[first[i].SessionID].IsZero() == replaced || !given[second[i].SessionID].IsZero() {
				t.Errorf("row %d: the record does not tell which link was given up: %v", second[i].Row, given)
			}
		}
	})
}

// Promise 1: between giving a link up and having the new one an item has none, and whatever happens there, the next
// run makes one.
func TestAReissueThatEndsHalfWay(t *testing.T) {
	rehearse(t, scene{rows: 3, simulator: anHour}, func(r *rehearsal) {
		r.run(job.Finished)
		<-time.After(90 * time.Minute)
		r.runner.Ledger = replacing{r.store, r.cancel}
		r.reissue(job.Interrupted)
		r.check(map[job.State]int{job.Created: 2, job.Pending: 1})
		if got := r.results()[0]; got.URL != "" || got.SessionID != "" || !got.ExpiresAt.IsZero() || len(r.posts()) != 3 {
			t.Errorf("the row is %+v after %d requests", got, len(r.posts()))
		}
		r.ctx, r.runner.Ledger = r.Context(), r.store
		r.reissue(job.Finished)
		r.check(map[job.State]int{job.Created: 3})
		if len(r.posts()) != 6 || len(r.gets()) != 3 {
			t.Errorf("%d requests and %d questions, want 6 and 3", len(r.posts()), len(r.gets()))
		}
	})
}

// replacing is the real ledger, with something happening after each link that is given up.
type replacing struct {
	job.Ledger
	then func()
}

func (l replacing) Replace(item *job.Item, at time.Time) error {
	err := l.Ledger.Replace(item, at)
	l.then()
	return err
}

func TestAReissueUsesTheLiveLinkOfAnotherJob(t *testing.T) {
	rehearse(t, scene{rows: 1, simulator: anHour}, func(r *rehearsal) {
		older := r.job
		r.anotherJob(func() {}, amount)
		r.run(job.Finished)
		newer := r.results()[0]
		r.job = older
		<-time.After(ms)
		if report := r.runner.Run(r.ctx, r.job, job.LinkQuery{JobID: r.job.ID, At: time.Now(), Which: job.Ended}); report.Stop != job.Finished {
			t.Errorf("got %+v", report)
		}
		r.check(map[job.State]int{job.Duplicate: 1})
		if got := r.results()[0]; got.URL != newer.URL || len(r.posts()) != 2 {
			t.Errorf("the row is %+v after %d requests", got, len(r.posts()))
		}
	})
}

// A cache in between must not bring a link back that was given up.
func TestAGivenUpSessionIsNotPublishedAgain(t *testing.T) {
	var r *rehearsal
	s := scene{rows: 1, simulator: anHour}
	s.instead = func(q request) http.HandlerFunc {
		if q.method == http.MethodPost && q.number == 2 {
			old := r.Simulator.Sessions()[0]
			return envelope(200, 200, "success", map[string]string{"sessionId": old.ID, "url": "https://pay.test/" + old.ID})
		}
		return nil
	}
	rehearse(t, s, func(it *rehearsal) {
		r = it
		r.run(job.Finished)
		<-time.After(90 * time.Minute)
		r.reissue(job.Finished)
		r.check(map[job.State]int{job.Failed: 1})
	})
}
