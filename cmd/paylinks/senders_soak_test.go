//go:build linux

package main

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"paylinks/store/postgres/pgtest"
)

const (
	sendersShort  = 2 // histories in make test
	sendersAtOnce = 4 // they mostly wait
	shortTurmoil  = 4 * time.Second
	longTurmoil   = 15 * time.Second
)

// TestSenders plays random histories of several hosts on one ledger: processes of the built program import the same files at once, send
// jobs with the same invoices at once and take over from each other, while they are killed, stopped and continued past their lease, cut
// off from the database and not from Clink, and the database restarts. Clink's own record is the judge: of each request it has the moment
// at which the first byte arrived, and who sent it. Of one seed the plan is always the same, and the moments are the machine's.
func TestSenders(t *testing.T) {
	t.Parallel()
	server := &sendersServer{Server: pgtest.New(t)}
	program := builtProgram(t)
	sum, began := crashSum{}, time.Now()
	var lock sync.Mutex
	next := *soakSeed
	seed := func() (uint64, bool) {
		lock.Lock()
		defer lock.Unlock()
		next++
		return next - 1, *soakTime == 0 && next <= *soakSeed+sendersShort || time.Since(began) < *soakTime
	}
	length := longTurmoil
	if *soakTime == 0 { // make test has little time
		length = shortTurmoil
	}
	var players sync.WaitGroup
	for range sendersAtOnce {
		players.Go(func() {
			for {
				n, more := seed()
				if !more {
					return
				}
				t.Run(fmt.Sprint("seed ", n), func(t *testing.T) {
					h := newSendersHistory(t, program, server, n, length)
					defer func() {
						lock.Lock()
						defer lock.Unlock()
						for what, n := range h.sum {
							sum[what] += n
						}
						if t.Failed() {
							sum["findings"]++
							t.Logf("after:\n%s", &h.script)
						}
					}()
					h.play()
				})
			}
		})
	}
	players.Wait()
	t.Log(sum)
}
