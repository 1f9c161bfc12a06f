// SPDX-License-Identifier: Apache-2.0

package soak

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	readyTime   = time.Minute
	sampleEvery = 2 * time.Second
	stopTime    = 40 * time.Second // what the program takes at most to stop is 30 s
	// mostProblems bounds what is remembered of a life that went wrong.
	mostProblems = 20
)

// life is one run of the program. Its fields belong to the goroutine of live once all others
// have ended.
type life struct {
	number   int
	end      string
	lasted   time.Duration
	loaded   time.Duration // of which it was ready and under load
	samples  []sample
	answered int
	refused  int

	mu         sync.Mutex // guards all below while the program runs
	problems   []string
	done       int
	first      int // the generation the life began with
	generation int
	address    string        // of the HTTP server
	ready      chan struct{} // closed when the application is ready and its server listens
	isReady    bool          // the application has said so
}

func (l *life) problem(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := fmt.Sprintf(format, args...)
	if len(l.problems) < mostProblems && !slices.Contains(l.problems, text) {
		l.problems = append(l.problems, text)
	}
}

func (l *life) word() string {
	if len(l.problems) == 0 {
		return "ok"
	}
	return fmt.Sprintf("%d problems", len(l.problems))
}

func (l *life) line() string {
	text := fmt.Sprintf("life %d: %s, %s, %d things done, %d reloads, %d requests; heap %s MiB, goroutines %s, files %s: %s", l.number,
		l.lasted.Round(time.Second), l.end, l.done, l.generation-l.first, l.answered, l.trend(heap), l.trend(goroutines), l.trend(files), l.word())
	for _, p := range l.problems {
		text += "\n  " + p
	}
	return text
}

// live runs the program once. Odd lives end by SIGKILL, even ones are asked to end.
func (c *campaign) live(ctx context.Context, number int, last time.Duration) *life {
	l := &life{number: number, ready: make(chan struct{})}
	began := time.Now()
	defer func() { l.lasted = time.Since(began) }()
	cmd := exec.Command(c.program, "run", "-C", c.project)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+c.sockets)
	logs, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		l.problem("start: %v", err)
		return l
	}
	exited := make(chan error, 1)
	var reading sync.WaitGroup
	reading.Go(func() { l.read(logs) })
	go func() {
		reading.Wait()
		exited <- cmd.Wait()
	}()

	select {
	case <-l.ready:
	case err := <-exited:
		l.end = "itself"
		l.problem("ended before it was ready: %v", err)
		return l
	case <-time.After(readyTime):
		l.problem("not ready within %s", readyTime)
	}
	// However long the start took, what was started is used for a while.
	running, stop := context.WithTimeout(ctx, max(last-time.Since(began), time.Second))
	loaded := time.Now()
	var around sync.WaitGroup
	around.Go(func() { l.load(running, c.Seed+uint64(number)) })
	around.Go(func() { l.watch(running, c.sockets, cmd.Process.Pid) })
	select {
	case <-running.Done():
	case err := <-exited:
		l.end = "itself"
		l.problem("ended by itself: %v", err)
	}
	l.loaded = time.Since(loaded)
	stop()
	around.Wait()
	if l.end == "" {
		c.finish(l, cmd, exited)
	}
	l.judge()
	return l
}

// finish ends the program from outside.
func (c *campaign) finish(l *life, cmd *exec.Cmd, exited chan error) {
	if l.number%2 == 1 {
		l.end = "SIGKILL"
		_ = cmd.Process.Kill() // fails when it has just ended, which the wait tells
		<-exited
		return
	}
	l.end = "SIGTERM"
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-exited:
		if err != nil {
			l.problem("asked to end: %v", err)
		}
	case <-time.After(stopTime):
		l.problem("did not end within %s", stopTime)
		_ = cmd.Process.Kill()
		<-exited
	}
}

var listening = regexp.MustCompile(`^127\.0\.0\.1:\d+$`)

// read follows the log of the program until it ends.
func (l *life) read(logs io.Reader) {
	lines := bufio.NewScanner(logs)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var record struct {
			Msg, Level, Logger, Detail, Address, Error string
			Done, Generation                           int
		}
		if json.Unmarshal(lines.Bytes(), &record) != nil {
			if strings.Contains(lines.Text(), "panic") || strings.Contains(lines.Text(), "fatal error") {
				l.problem("%s", lines.Text())
			}
			continue
		}
		switch {
		case strings.HasPrefix(record.Msg, "VIOLATION"), strings.Contains(record.Msg, "panic"):
			l.problem("%s %s %s", record.Msg, record.Detail, record.Error)
		case record.Msg == "listening" && listening.MatchString(record.Address):
			l.mu.Lock()
			first := l.address == ""
			l.address = record.Address
			if first && l.isReady {
				close(l.ready)
			}
			l.mu.Unlock()
		case strings.HasPrefix(record.Msg, "soak "):
			l.mu.Lock()
			l.done, l.generation = max(l.done, record.Done), max(l.generation, record.Generation)
			if !l.isReady {
				l.isReady = true
				l.first = record.Generation
				if l.address != "" { // services start in any order
					close(l.ready)
				}
			}
			l.mu.Unlock()
		}
	}
}
