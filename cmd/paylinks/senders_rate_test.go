//go:build linux

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"paylinks/clink/simulator"
	"paylinks/store/postgres/pgtest"
)

// Promise: several hosts that send at once keep the rate of the account together: within 1% over a minute, and never more than 5 requests
// above it in any second. Clink's record, by the kernel's clock, says so.
func TestRateOfThreeHosts(t *testing.T) {
	if *soakTime == 0 {
		t.Skip("it takes more than a minute: make soak runs it")
	}
	const (
		rate  = 50
		warm  = 3 * time.Second // until all hosts send
		over  = time.Minute
		above = 5
	)
	server := &sendersServer{Server: pgtest.New(t)}
	h := newSendersHistory(t, builtProgram(t), server, 1, 0)
	h.rate, h.timeout = fmt.Sprint(rate), 10*time.Second
	h.clink = newSendersClink(t, simulator.Config{Latency: 50 * time.Millisecond, Jitter: 1})
	var processes []*sendersProcess
	for host, folder := range h.folders {
		var text bytes.Buffer
		fmt.Fprintln(&text, "invoice_id,customer_email,amount,currency")
		for n := range rate * 90 / sendersHosts { // more than can be sent
			fmt.Fprintf(&text, "H%d-%d,a@example.com,3.00,USD\n", host, n)
		}
		if err := os.WriteFile(filepath.Join(folder, "rate.csv"), text.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		p, err := h.begin(host, 16, []string{"run", "rate.csv"})
		if err != nil {
			t.Fatal(err)
		}
		processes = append(processes, p)
	}
	if !within(30*time.Second, func() bool { return len(h.clink.seen()) > 0 }) {
		t.Fatal("nothing was sent")
	}
	if processes[0].endsIn(warm + over + time.Second) {
		t.Fatalf("ended before its time: %d\n%s", processes[0].status(), &processes[0].said)
	}
	var times []time.Time
	by := map[string]int{}
	for _, r := range h.clink.seen() {
		times = append(times, r.first)
		by[r.key]++
	}
	slices.SortFunc(times, time.Time.Compare)
	from := times[0].Add(warm)
	sent, most := 0, 0
	for i, at := range times {
		if !at.Before(from) && at.Before(from.Add(over)) {
			sent++
		}
		last, _ := slices.BinarySearchFunc(times, at.Add(time.Second), time.Time.Compare)
		most = max(most, last-i)
	}
	want := rate * int(over/time.Second)
	t.Logf("%d requests in %s, at most %d in a second; by process: %v", sent, over, most, by)
	if diff := sent - want; diff > want/100 || diff < -want/100 {
		t.Errorf("%d requests in %s, and the rate allows for %d", sent, over, want)
	}
	if most > rate+above {
		t.Errorf("%d requests in a second", most)
	}
	if len(by) != sendersHosts {
		t.Errorf("sent by %v", by)
	}
}
