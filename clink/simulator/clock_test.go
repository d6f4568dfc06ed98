package simulator_test

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"paylinks/clink/simulator"
)

// pipes is a listener whose connections are in memory, so that a bubble's clock can run past them.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	conn, open := <-p
	if !open {
		return nil, net.ErrClosed
	}
	return conn, nil
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// serveInBubble is serve with the clock of a synctest bubble; client.Timeout is a minute.
func serveInBubble(t *testing.T, server *simulator.Server) caller {
	listener := make(pipes)
	go (&http.Server{Handler: server}).Serve(listener)
	transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		listener <- theirs
		return ours, nil
	}}
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		close(listener)
	})
	return caller{&http.Client{Transport: transport, Timeout: time.Minute}, "http://simulator"}
}

func inBubble(t *testing.T, name string, config simulator.Config, test func(*testing.T, *simulator.Server, caller)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			server := simulator.New(config)
			test(t, server, serveInBubble(t, server))
		})
	})
}

func status(t *testing.T, client caller, id string) string {
	t.Helper()
	_, _, data := client.get(id).envelope(t)
	return data["status"].(string) + " " + data["paymentStatus"].(string)
}

func setStatus(client caller, id, status string) reply {
	return client.do(http.MethodPost, "/_simulator/sessions/"+id, `{"status": "`+status+`"}`, nil)
}

func TestLifetime(t *testing.T) {
	hour := simulator.Config{Lifetime: time.Hour}
	for _, test := range []struct{ name, by, before, after string }{
		{"unpaid", "", "open unpaid", "expired unpaid"},
		{"paid", "paid", "completed paid", "completed paid"},
		{"processing", "processing", "open processing", "open processing"},
		{"expired by hand", "expired", "expired unpaid", "expired unpaid"},
	} {
		inBubble(t, test.name, hour, func(t *testing.T, server *simulator.Server, client caller) {
			id := client.session(t, hosted)
			if test.by != "" {
				setStatus(client, id, test.by)
			}
			<-time.After(time.Hour - time.Millisecond)
			if got := status(t, client, id); got != test.before {
				t.Errorf("before its end: %s", got)
			}
			<-time.After(time.Millisecond)
			if got := status(t, client, id); got != test.after {
				t.Errorf("at its end: %s", got)
			}
			if expired := server.Summary().Expired == 1; expired != strings.HasPrefix(test.after, "expired") {
				t.Errorf("summary: %+v", server.Summary())
			}
		})
	}
	// The in-process simulator starts afresh with each run, and yet last week's links have to end some time.
	inBubble(t, "restarted", hour, func(t *testing.T, _ *simulator.Server, client caller) {
		id := client.session(t, hosted)
		restarted := serveInBubble(t, simulator.New(hour))
		restarted.session(t, hosted)
		<-time.After(time.Hour - time.Millisecond)
		if answer := restarted.get(id); answer.status != 404 {
			t.Errorf("before its end: %d %s", answer.status, answer.body)
		}
		<-time.After(time.Millisecond)
		if got := status(t, restarted, id); got != "expired unpaid" {
			t.Errorf("at its end: %s", got)
		}
	})
}

func TestLatency(t *testing.T) {
	config := simulator.Config{Latency: 10 * time.Second, Jitter: 0.5, AllowNoKey: true}
	inBubble(t, "of each answer", config, func(t *testing.T, _ *simulator.Server, client caller) {
		for range 5 {
			start := time.Now()
			client.post(hosted, nil)
			if took := time.Since(start); took < 10*time.Second || took > 15*time.Second {
				t.Errorf("took %v", took)
			}
		}
	})
	var rests []time.Duration
	exact := simulator.Config{Latency: 10 * time.Second, Rest: func(d time.Duration) { rests = append(rests, d); <-time.After(d) }}
	inBubble(t, "to its end", exact, func(t *testing.T, _ *simulator.Server, client caller) {
		start := time.Now()
		client.post(hosted, nil)
		if took := time.Since(start); took != 10*time.Second || len(rests) != 1 || rests[0] != time.Millisecond {
			t.Errorf("took %v, and of that %v without a timer", took, rests)
		}
	})
	inBubble(t, "holds no lock", simulator.Config{Latency: 10 * time.Second}, func(t *testing.T, _ *simulator.Server, client caller) {
		start := time.Now()
		done := make(chan bool)
		for range 3 {
			go func() { client.post(hosted, nil); done <- true }()
		}
		for range 3 {
			<-done
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("3 at a time took %v", took)
		}
	})
	// What makes orphans: the work is done, and nobody waits for the answer.
	inBubble(t, "longer than the client waits", simulator.Config{Latency: 61 * time.Second}, func(t *testing.T, server *simulator.Server, client caller) {
		if answer := client.post(hosted, nil); answer.err == nil {
			t.Errorf("got %+v", answer)
		}
		synctest.Wait()
		if sessions := server.Sessions(); len(sessions) != 1 || sessions[0].Delivered {
			t.Errorf("got %+v", sessions)
		}
		if summary := server.Summary(); summary.Undelivered != 1 || summary.Answers["closed"] != 1 {
			t.Errorf("got %+v", summary)
		}
	})
}

func TestSlow(t *testing.T) {
	always := map[simulator.Fault]float64{simulator.Slow: 1}
	inBubble(t, "the client waits", simulator.Config{Faults: always}, func(t *testing.T, server *simulator.Server, client caller) {
		start := time.Now()
		if answer := client.post(hosted, nil); answer.status != 200 || time.Since(start) != 40*time.Second {
			t.Errorf("got %+v after %v", answer, time.Since(start))
		}
		if !server.Sessions()[0].Delivered {
			t.Error("not delivered")
		}
	})
	inBubble(t, "the client leaves", simulator.Config{Faults: always, SlowBy: time.Hour}, func(t *testing.T, server *simulator.Server, client caller) {
		start := time.Now()
		if answer := client.post(hosted, nil); answer.err == nil {
			t.Errorf("got %+v", answer)
		}
		synctest.Wait()
		if sessions := server.Sessions(); sessions[0].Delivered || time.Since(start) != time.Minute {
			t.Errorf("got %+v after %v", sessions, time.Since(start))
		}
	})
}

func TestRateLimit(t *testing.T) {
	config := simulator.Config{RatePerSecond: 4, RetryAfter: 1500 * time.Millisecond}
	inBubble(t, "over the rate", config, func(t *testing.T, server *simulator.Server, client caller) {
		for range 4 {
			client.session(t, hosted)
		}
		answer := client.post(hosted, nil)
		expectRefusal(t, answer, 429, "too many requests")
		if answer.header.Get("Retry-After") != "2" {
			t.Errorf("Retry-After %q", answer.header.Get("Retry-After"))
		}
		<-time.After(250 * time.Millisecond)
		client.session(t, hosted)
		if summary := server.Summary(); summary.RateLimited != 1 || summary.Sessions != 5 || summary.Answers["throttled"] != 1 {
			t.Errorf("got %+v", summary)
		}
	})
	inBubble(t, "by default says 1", simulator.Config{RatePerSecond: 0.5}, func(t *testing.T, _ *simulator.Server, client caller) {
		client.session(t, hosted)
		if answer := client.post(hosted, nil); answer.header.Get("Retry-After") != "1" {
			t.Errorf("got %+v", answer)
		}
	})
}

func TestLifetimeIsChanged(t *testing.T) {
	inBubble(t, "for those made from then on", simulator.Config{Lifetime: time.Minute}, func(t *testing.T, _ *simulator.Server, client caller) {
		set := func(body string, want int) {
			t.Helper()
			if answer := client.do(http.MethodPost, "/_simulator/lifetime", body, nil); answer.status != want {
				t.Errorf("%s: got %d %s", body, answer.status, answer.body)
			}
		}
		before := client.session(t, hosted)
		set(`{"lifetime": "soon"}`, 400)
		set(`{"lifetime": "1h"}`, 200)
		after := client.session(t, hosted)
		for _, at := range []struct {
			wait                time.Duration
			before, after, text string
		}{{2 * time.Minute, "expired unpaid", "open unpaid", "after two minutes"}, {time.Hour, "expired unpaid", "expired unpaid", "after an hour"}} {
			time.Sleep(at.wait)
			if b, a := status(t, client, before), status(t, client, after); b != at.before || a != at.after {
				t.Errorf("%s: %s, and %s", at.text, b, a)
			}
		}
	})
}
