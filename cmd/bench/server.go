package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// server is a simulator in a process of its own.
type server struct {
	url string // that clients are to use
	own string // the simulator's; another than url when a front stands before it
	cmd *exec.Cmd
	bye *bytes.Buffer
}

// serve starts a simulator on a free port; stop ends it.
func (b *bench) serve(ctx context.Context, flags ...string) (*server, error) {
	c := command{program: b.paylinks, args: append([]string{"simulator", "--addr", "127.0.0.1:0"}, flags...)}
	b.note(c)
	s := &server{cmd: b.process(ctx, c.program, c.args), bye: new(bytes.Buffer)}
	s.cmd.Stderr = s.bye
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", b.shown(c), err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, found := strings.CutPrefix(strings.TrimSpace(line), "simulator at ")
	if err != nil || !found {
		s.stop()
		return nil, fmt.Errorf("%s: it does not say its address: %s", b.shown(c), lastWords(line+s.bye.String()))
	}
	s.url, s.own = url, url
	return s, nil
}

// stop ends the simulator and waits for its end.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait() // it has nothing to say that is of use any more
}

// sessions is how many the simulator has made.
func (s *server) sessions(ctx context.Context) (int, error) {
	answer, err := s.ask(ctx, "summary")
	if err != nil {
		return 0, err
	}
	defer answer.Close()
	var summary struct {
		Sessions int `json:"sessions"`
	}
	if err := json.NewDecoder(answer).Decode(&summary); err != nil {
		return 0, fmt.Errorf("the simulator's summary: %w", err)
	}
	return summary.Sessions, nil
}

// lastMade is when the simulator made each of its latest sessions, to the millisecond; it must keep its record.
func (s *server) lastMade(ctx context.Context, sessions int) ([]time.Time, error) {
	answer, err := s.ask(ctx, "sessions")
	if err != nil {
		return nil, err
	}
	defer answer.Close()
	var made []time.Time
	for lines := json.NewDecoder(answer); ; {
		var session struct {
			Created time.Time `json:"created"`
		}
		if err := lines.Decode(&session); err == io.EOF {
			break
		} else if err != nil {
			return nil, fmt.Errorf("the simulator's sessions: %w", err)
		}
		made = append(made, session.Created)
	}
	if len(made) < sessions {
		return nil, fmt.Errorf("the simulator knows %d sessions, expected %d or more", len(made), sessions)
	}
	return made[len(made)-sessions:], nil
}

// ask reads what the simulator knows.
func (s *server) ask(ctx context.Context, what string) (io.ReadCloser, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.own+"/_simulator/"+what, nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	return answer.Body, nil
}
