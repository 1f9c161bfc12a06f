// SPDX-License-Identifier: Apache-2.0

package memory_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/queue"
	"github.com/wippyrun/kit/wippy/service/queue/memory"
)

var crashRounds = flag.Int("crash.rounds", 12, "how often the program with the queue is killed")

const (
	crashEnv  = "QUEUE_CRASH_DB"
	crashNext = "QUEUE_CRASH_NEXT" // the next number of each publisher
	crashSync = "QUEUE_CRASH_SYNC"
)

// crashKeys are the publishers: three whose messages have their key, and one without.
var crashKeys = []string{"x", "y", "z", ""}

// crashBody is what a message of a key holds.
func crashBody(key string, n int) string {
	return key + " " + strconv.Itoa(n) + " " + strings.Repeat("f", n%5*700)
}

// The program takes note of what it knows to have happened, one word and the message per
// line: P it was accepted, H it is being handled, with the number of the attempt; then A it
// was acknowledged, L it will be, R it was given back, D it was moved to the dead.
func crashProgram(path string) error {
	d, err := openCrash(path, os.Getenv(crashSync))
	if err != nil {
		return err
	}
	var mu sync.Mutex
	say := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Printf(format+"\n", args...)
	}
	var starts [4]int
	if _, err := fmt.Sscan(os.Getenv(crashNext), &starts[0], &starts[1], &starts[2], &starts[3]); err != nil {
		return err
	}
	failed := make(chan error)
	for i, key := range crashKeys {
		go func() { failed <- crashPublisher(d, key, starts[i], say) }()
	}
	for range 3 {
		go func() { failed <- crashWorker(d, say) }()
	}
	return <-failed
}

func openCrash(path, synchronous string) (*memory.Driver, error) {
	d := memory.New(memory.Options{Path: path, Synchronous: synchronous, Transcoder: payload.NewDefault()})
	for _, id := range []string{"q", "dead"} {
		if err := d.Declare(context.Background(), queue.Spec{ID: id, Options: 25}); err != nil {
			return nil, err
		}
	}
	_, err := d.Start(context.Background())
	return d, err
}

func crashPublisher(d *memory.Driver, key string, n int, say func(string, ...any)) error {
	for ; ; n++ {
		m := queue.NewMessage(payload.Payload{Format: payload.String, Data: crashBody(key, n)}, map[string]any{queue.HeaderPartition: key})
		if err := d.Publish(context.Background(), "q", m); err != nil {
			return err
		}
		say("P %q %d 0", key, n)
	}
}

func crashWorker(d *memory.Driver, say func(string, ...any)) error {
	ctx := context.Background()
	source, err := d.Consume(ctx, "q", queue.ConsumeOptions{})
	if err != nil {
		return err
	}
	for {
		got, err := source.Receive(ctx)
		if err != nil {
			return err
		}
		key, n, err := crashMessage(got.Message)
		if err != nil {
			return err
		}
		say("H %q %d %d", key, n, got.Attempt)
		word := "A"
		switch {
		case n%7 == 3 && got.Attempt < 3:
			word, err = "R", got.Settler().Retry(ctx, 0)
		case n%11 == 5:
			word = "D"
			_, err = got.Settler().(queue.Mover).Move(ctx, "dead", got.Message)
		case n%2 == 0:
			err = got.Settler().Ack(ctx)
		default:
			word = "L"
			got.Settler().(queue.Lazy).AckLater(func(err error) {
				if err != nil {
					panic(err)
				}
			})
		}
		if err != nil {
			return err
		}
		say("%s %q %d %d", word, key, n, got.Attempt)
	}
}

// crashMessage returns whose message it is, and which.
func crashMessage(m *queue.Message) (key string, n int, err error) {
	body, _ := m.Body.Data.(string)
	key = m.Partition()
	if _, err := fmt.Sscan(strings.TrimPrefix(body, key+" "), &n); err != nil || body != crashBody(key, n) {
		return key, n, fmt.Errorf("a message of %q is %.30q", key, body)
	}
	return key, n, nil
}

// crashed is what is known of the messages over all rounds.
type crashed struct {
	t        *testing.T
	known    map[string]map[int]*crashedMessage
	order    map[string]int // of each key: the number handled last in this round, 0 at first
	highest  map[string]int // the highest handled ever
	handled  int
	repeated int // handled again although a function had succeeded, as is allowed
}

type crashedMessage struct {
	accepted  bool
	handled   bool
	succeeded bool // L
	ended     bool // A or D: must never come again
	dead      bool // D
	attempt   int  // of the last time
	retried   int  // attempts known to be counted
}

func (c *crashed) message(key string, n int) *crashedMessage {
	if c.known[key] == nil {
		c.known[key] = map[int]*crashedMessage{}
	}
	if c.known[key][n] == nil {
		c.known[key][n] = &crashedMessage{}
	}
	return c.known[key][n]
}

// line takes in one line of the program.
func (c *crashed) line(text string) {
	c.t.Helper()
	var word, key string
	var n, attempt int
	if _, err := fmt.Sscanf(text, "%s %q %d %d", &word, &key, &n, &attempt); err != nil {
		c.t.Fatalf("the program said %q", text)
	}
	m := c.message(key, n)
	switch word {
	case "P":
		m.accepted = true
	case "H":
		c.handle(key, n, attempt, m)
	case "A":
		m.ended = true
	case "D":
		m.ended, m.dead = true, true
	case "L":
		m.succeeded = true
	case "R":
		m.retried = attempt
	}
}

func (c *crashed) handle(key string, n, attempt int, m *crashedMessage) {
	c.t.Helper()
	if m.ended {
		c.t.Fatalf("%q %d was handled after it had ended", key, n)
	}
	// An attempt may be counted although the program was killed before it could say so.
	if attempt <= m.retried || attempt > m.attempt+1 {
		c.t.Fatalf("%q %d: attempt %d after %+v", key, n, attempt, m)
	}
	if key != "" {
		if last := c.order[key]; last != 0 && n != last && n != last+1 || n > c.highest[key]+1 {
			c.t.Fatalf("%q %d was handled after %d, and %d in earlier rounds", key, n, last, c.highest[key])
		}
		c.order[key] = n
		c.highest[key] = max(c.highest[key], n)
	}
	if m.succeeded {
		c.repeated++
	}
	m.handled, m.attempt = true, attempt
	c.handled++
}

// verify opens what is left and compares it with what is known. It returns the next
// number of each publisher.
func (c *crashed) verify(path string) (next string) {
	c.t.Helper()
	d, err := openCrash(path, "NORMAL")
	if err != nil {
		c.t.Fatal(err)
	}
	defer stop(c.t, d)
	there := map[string]map[string]map[int]bool{}
	for _, id := range []string{"q", "dead"} {
		there[id] = map[string]map[int]bool{}
		for _, key := range crashKeys {
			there[id][key] = map[int]bool{}
		}
		info, err := d.Info(c.t.Context(), id)
		if err != nil {
			c.t.Fatal(err)
		}
		source := consume(c.t, d, id)
		for range info.Messages {
			got, err := source.Receive(c.t.Context())
			if err != nil {
				c.t.Fatal(err)
			}
			key, n, err := crashMessage(got.Message)
			if err != nil {
				c.t.Fatal(err)
			}
			if there[id][key][n] {
				c.t.Fatalf("%q %d is in %s twice", key, n, id)
			}
			there[id][key][n] = true
			c.message(key, n) // it was accepted even if nobody could say so
			// Those that follow it are handed out when it has ended. It stays on disk.
			ticket := got.Settler()
			defer func() { settled(c.t, ticket.Return(context.Background())) }()
			if key != "" {
				memory.Skip(ticket)
			}
		}
	}
	for _, key := range crashKeys {
		highest := 0
		for n, m := range c.known[key] {
			highest = max(highest, n)
			inQ, inDead := there["q"][key][n], there["dead"][key][n]
			switch {
			case inQ && inDead:
				c.t.Fatalf("%q %d is there twice", key, n)
			case inQ && m.ended:
				c.t.Fatalf("%q %d is there although it has ended", key, n)
			case m.dead && !inDead:
				c.t.Fatalf("%q %d is not with the dead", key, n)
			case m.accepted && !m.handled && !inQ:
				c.t.Fatalf("%q %d was accepted and is lost", key, n)
			case m.retried == m.attempt && m.retried > 0 && !inQ:
				c.t.Fatalf("%q %d was given back and is lost", key, n)
			}
			if inDead {
				m.ended, m.dead = true, true // it may have been killed before it could say so
			}
		}
		next += strconv.Itoa(highest+1) + " "
	}
	return next
}

func TestKilledQueueLosesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	c := &crashed{t: t}
	var path, next string
	handled := 0
	for round := range *crashRounds {
		if round%25 == 0 { // the dead become many, and are read in every round
			path, next = filepath.Join(t.TempDir(), "q.db"), "1 1 1 1"
			handled += c.handled
			c = &crashed{t: t, known: map[string]map[int]*crashedMessage{}, highest: map[string]int{}, repeated: c.repeated}
		}
		c.order = map[string]int{}
		least := c.handled + 4
		killedProgram(t, path, next, []string{"FULL", "NORMAL"}[round%2], rng, c.line, func() bool { return c.handled >= least })
		next = c.verify(path)
	}
	handled += c.handled
	if handled < *crashRounds*2 {
		t.Errorf("only %d messages were handled", handled)
	}
	t.Logf("%d rounds, %d messages handled, %d of them again after a success that was not on disk", *crashRounds, handled, c.repeated)
}

// killedProgram runs the program and kills it at a random instant, some of the times while it starts, else when enough
// has happened.
func killedProgram(t *testing.T, path, next, synchronous string, rng *rand.Rand, line func(string), enough func() bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), crashEnv+"="+path, crashNext+"="+next, crashSync+"="+synchronous)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// Some are killed while they start, the others after some messages and a part of one.
	lines := rng.IntN(120)
	delay := time.Duration(rng.IntN(3000)) * time.Microsecond
	if lines < 10 {
		lines, delay = 0, delay*20
	}
	in := bufio.NewScanner(out)
	read := func() bool {
		if !in.Scan() {
			return false
		}
		line(in.Text())
		return true
	}
	for i := 0; i < lines || lines > 0 && !enough(); i++ {
		if !read() {
			break
		}
	}
	timer := time.AfterFunc(delay, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	for read() {
	}
	if _, err := io.Copy(io.Discard, out); err != nil && !errors.Is(err, os.ErrClosed) {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || stderr.Len() > 0 {
		t.Fatalf("the program ended by itself: %v %s", err, stderr.String())
	}
}
