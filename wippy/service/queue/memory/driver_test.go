// SPDX-License-Identifier: Apache-2.0

package memory_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/queue"
	"github.com/wippyrun/kit/wippy/service/queue/memory"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// tester is what the helpers need of a test, also of one by properties.
type tester interface {
	Helper()
	Error(args ...any)
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func message(text string) *queue.Message {
	return queue.NewMessage(payload.Payload{Format: payload.String, Data: text}, nil)
}

func keyed(key, text string) *queue.Message {
	return queue.NewMessage(payload.Payload{Format: payload.String, Data: text}, map[string]any{queue.HeaderPartition: key})
}

// start runs a driver with the queues q and dead.
func start(tb tester, path string, limit int) *memory.Driver {
	tb.Helper()
	d := memory.New(memory.Options{Path: path, Synchronous: "NORMAL", Transcoder: payload.NewDefault()})
	for _, id := range []string{"q", "dead"} {
		if err := d.Declare(context.Background(), queue.Spec{ID: id, Options: limit}); err != nil {
			tb.Fatal(err)
		}
	}
	if _, err := d.Start(context.Background()); err != nil {
		tb.Fatal(err)
	}
	return d
}

func stop(tb tester, d *memory.Driver) {
	tb.Helper()
	if err := d.Stop(context.Background()); err != nil {
		tb.Error(err)
	}
}

func publish(tb tester, d *memory.Driver, messages ...*queue.Message) {
	tb.Helper()
	for _, m := range messages {
		if err := d.Publish(context.Background(), "q", m); err != nil {
			tb.Fatal(err)
		}
	}
}

func consume(tb tester, d *memory.Driver, id string) queue.Subscription {
	tb.Helper()
	s, err := d.Consume(context.Background(), id, queue.ConsumeOptions{})
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// next receives what is there without waiting, nil for nothing.
func next(tb tester, s queue.Subscription) *queue.Delivery {
	tb.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	got := make(chan *queue.Delivery, 1)
	go func() {
		d, err := s.Receive(ctx)
		if err != nil && !errors.Is(err, context.Canceled) {
			tb.Error(err)
		}
		got <- d
	}()
	synctest.Wait()
	cancel()
	return <-got
}

func text(d *queue.Delivery) string {
	if d == nil {
		return ""
	}
	return fmt.Sprint(d.Message.Body.Data)
}

// expect receives messages and acknowledges them.
func expect(tb tester, s queue.Subscription, want ...string) {
	tb.Helper()
	for _, w := range want {
		d := next(tb, s)
		if text(d) != w {
			tb.Fatalf("received %q, want %q", text(d), w)
		}
		if d != nil {
			settled(tb, d.Settler().Ack(context.Background()))
		}
	}
}

func settled(tb tester, err error) {
	tb.Helper()
	if err != nil {
		tb.Error(err)
	}
}

// both runs a test with queues in memory and on disk, in a bubble.
func both(t *testing.T, test func(t *testing.T, path string)) {
	for name, path := range map[string]string{"memory": "", "disk": filepath.Join(t.TempDir(), "sub", "queues.db")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, path) })
		})
	}
}

func TestOrder(t *testing.T) {
	both(t, func(t *testing.T, path string) {
		d := start(t, path, 100)
		defer stop(t, d)
		for i := range 30 {
			publish(t, d, message(fmt.Sprint(i)))
		}
		s := consume(t, d, "q")
		for i := range 30 {
			expect(t, s, fmt.Sprint(i))
		}
		expect(t, s, "")
	})
}

func TestRetryGoesToTheEnd(t *testing.T) {
	both(t, func(t *testing.T, path string) {
		d := start(t, path, 100)
		defer stop(t, d)
		publish(t, d, message("a"), message("b"), message("c"))
		s := consume(t, d, "q")
		a, b := next(t, s), next(t, s)
		settled(t, a.Settler().Retry(t.Context(), 0))
		settled(t, b.Settler().Retry(t.Context(), time.Second))
		expect(t, s, "c")
		publish(t, d, message("d"))
		again := next(t, s)
		if text(again) != "a" || again.Attempt != 2 {
			t.Fatalf("%q, attempt %d", text(again), again.Attempt)
		}
		settled(t, again.Settler().Ack(t.Context()))
		expect(t, s, "d", "")
		<-time.After(time.Second)
		expect(t, s, "b", "")
	})
}

func TestReturnGoesToTheFront(t *testing.T) {
	both(t, func(t *testing.T, path string) {
		d := start(t, path, 100)
		defer stop(t, d)
		publish(t, d, message("a"), message("b"), message("c"))
		s := consume(t, d, "q")
		a, b := next(t, s), next(t, s)
		settled(t, b.Settler().Return(t.Context()))
		settled(t, a.Settler().Return(t.Context()))
		if again := next(t, s); text(again) != "a" || again.Attempt != 1 {
			t.Errorf("%q, attempt %d", text(again), again.Attempt)
		}
		expect(t, s, "b", "c", "")
	})
}

func TestPartitionsComeOneAtATime(t *testing.T) {
	both(t, func(t *testing.T, path string) {
		d := start(t, path, 100)
		defer stop(t, d)
		publish(t, d, keyed("x", "x1"), keyed("x", "x2"), keyed("y", "y1"), message("m"), keyed("x", "x3"), keyed("y", "y2"))
		s := consume(t, d, "q")
		x1, y1 := next(t, s), next(t, s)
		if text(x1) != "x1" || text(y1) != "y1" {
			t.Fatalf("%q, %q", text(x1), text(y1))
		}
		expect(t, s, "m", "") // all others wait for theirs
		settled(t, x1.Settler().Retry(t.Context(), time.Second))
		expect(t, s, "")
		settled(t, y1.Settler().Ack(t.Context()))
		expect(t, s, "y2", "")
		<-time.After(time.Second)
		x1 = next(t, s)
		if text(x1) != "x1" || x1.Attempt != 2 {
			t.Fatalf("%q, attempt %d", text(x1), x1.Attempt)
		}
		settled(t, x1.Settler().Return(t.Context()))
		expect(t, s, "x1", "x2", "x3", "")
		publish(t, d, keyed("x", "x4"))
		expect(t, s, "x4", "")
	})
}

func TestFullQueueMakesPublishersWait(t *testing.T) {
	both(t, func(t *testing.T, path string) {
		d := start(t, path, 2)
		defer stop(t, d)
		publish(t, d, message("a"), message("b"))
		let := make(chan string, 10)
		wait := func(ctx context.Context, name string) {
			go func() {
				if err := d.Publish(ctx, "q", message(name)); err != nil {
					name = err.Error()
				}
				let <- name
			}()
			synctest.Wait()
		}
		if ok, err := d.TryPublish("q", message("no")); ok || err != nil {
			t.Fatalf("%v, %v", ok, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		wait(t.Context(), "c")
		wait(ctx, "never")
		wait(t.Context(), "d")
		if len(let) > 0 {
			t.Fatalf("%s was let in", <-let)
		}
		cancel()
		if got := <-let; got != context.Canceled.Error() {
			t.Errorf("cancelled: %s", got)
		}
		s := consume(t, d, "q")
		a := next(t, s)
		synctest.Wait()
		if got := <-let; got != "c" || len(let) > 0 {
			t.Errorf("%s came first", got)
		}
		// What comes back is always taken, and so are dead letters.
		settled(t, a.Settler().Retry(t.Context(), 0))
		for i := range 3 {
			dead := next(t, s)
			if ok, err := dead.Settler().(queue.Mover).Move(t.Context(), "dead", message(fmt.Sprint("dead", i))); !ok || err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
		}
		if got := <-let; got != "d" {
			t.Errorf("%s came next", got)
		}
		expect(t, s, "d", "")
		expect(t, consume(t, d, "dead"), "dead0", "dead1", "dead2", "")
	})
}

func TestInfo(t *testing.T) {
	both(t, func(t *testing.T, path string) {
		d := start(t, path, 10)
		defer stop(t, d)
		publish(t, d, keyed("k", "a"), keyed("k", "b"), message("c"))
		s := consume(t, d, "q")
		a := next(t, s)
		info, err := d.Info(t.Context(), "q")
		if want := (queue.Info{Messages: 2, Ready: 2, Consumers: 1, InFlight: 1}); info != want || err != nil {
			t.Errorf("%+v, %v", info, err)
		}
		settled(t, a.Settler().Retry(t.Context(), time.Hour))
		settled(t, s.Close())
		settled(t, s.Close())
		info, err = d.Info(t.Context(), "q")
		if want := (queue.Info{Messages: 3, Ready: 3}); info != want || err != nil {
			t.Errorf("%+v, %v", info, err)
		}
	})
}

func TestStopEndsEverythingThatWaits(t *testing.T) {
	both(t, func(t *testing.T, path string) {
		d := start(t, path, 1)
		publish(t, d, message("a"))
		s := consume(t, d, "q")
		held := next(t, s)
		publish(t, d, message("b"))
		ends := make(chan error, 10)
		go func() { ends <- d.Publish(context.Background(), "q", message("c")) }()
		dead := consume(t, d, "dead")
		go func() {
			_, err := dead.Receive(context.Background())
			ends <- err
		}()
		synctest.Wait()
		stop(t, d)
		for range 2 {
			if err := <-ends; !errors.Is(err, queue.ErrDown) {
				t.Errorf("a wait ended with %v", err)
			}
		}
		if err := d.Publish(t.Context(), "q", message("x")); !errors.Is(err, queue.ErrDown) {
			t.Errorf("publish: %v", err)
		}
		if _, err := s.Receive(t.Context()); !errors.Is(err, queue.ErrDown) {
			t.Errorf("receive: %v", err)
		}
		if err := held.Settler().Ack(t.Context()); path != "" && !errors.Is(err, queue.ErrDown) || path == "" && err != nil {
			t.Errorf("ack: %v", err)
		}
		stop(t, d) // again
		if _, err := d.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer stop(t, d)
		if path == "" {
			expect(t, consume(t, d, "q"), "")
		} else {
			expect(t, consume(t, d, "q"), "a", "b", "")
		}
	})
}

func TestRemovedQueueIsGone(t *testing.T) {
	both(t, func(t *testing.T, path string) {
		d := start(t, path, 10)
		defer stop(t, d)
		publish(t, d, message("a"))
		s := consume(t, d, "q")
		if err := d.Remove(t.Context(), "q"); err != nil {
			t.Fatal(err)
		}
		_, receive := s.Receive(t.Context())
		_, info := d.Info(t.Context(), "q")
		_, take := d.Consume(t.Context(), "q", queue.ConsumeOptions{})
		for name, err := range map[string]error{"receive": receive, "info": info, "consume": take, "publish": d.Publish(t.Context(), "q", message("b"))} {
			if fault.KindOf(err) != fault.NotFound {
				t.Errorf("%s: %v", name, err)
			}
		}
		if err := d.Declare(t.Context(), queue.Spec{ID: "q", Options: 10}); err != nil {
			t.Fatal(err)
		}
		expect(t, consume(t, d, "q"), "")
	})
}

func TestDeclaringAgainKeepsMessagesAndLength(t *testing.T) {
	both(t, func(t *testing.T, path string) {
		d := start(t, path, 1)
		defer stop(t, d)
		publish(t, d, message("a"))
		if err := d.Declare(t.Context(), queue.Spec{ID: "q", Options: 100}); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := d.Publish(ctx, "q", message("b")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the length has changed: %v", err)
		}
		expect(t, consume(t, d, "q"), "a", "")
	})
}

func TestMessagesOnDiskKeepEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "q.db")
	synctest.Test(t, func(t *testing.T) {
		d := start(t, path, 10)
		headers := map[string]any{"s": "x\xff", "i": int64(1 << 40), "f": 1.5, "b": true, "n": nil, "timestamp": int64(7)}
		bodies := []payload.Payload{
			{Format: payload.String, Data: "text"}, {Format: payload.JSON, Data: []byte(`{"a":1}`)},
			{Format: payload.Go, Data: map[string]any{"list": []any{1.0, "two", map[string]any{}}, "bytes": "\x00\xff"}},
		}
		var ids []string
		for _, b := range bodies {
			m := queue.NewMessage(b, headers)
			ids = append(ids, m.ID)
			publish(t, d, m)
		}
		s := consume(t, d, "q")
		settled(t, next(t, s).Settler().Retry(t.Context(), time.Hour))
		stop(t, d)
		d = start(t, path, 10)
		defer stop(t, d)
		s = consume(t, d, "q")
		for _, i := range []int{1, 2, 0} { // the one that failed went to the end, and waits
			if i == 0 {
				expect(t, s, "")
				<-time.After(time.Hour)
			}
			got := next(t, s)
			if got == nil || got.Message.ID != ids[i] || i == 0 && got.Attempt != 2 || i > 0 && got.Attempt != 1 {
				t.Fatalf("message %d: %+v", i, got)
			}
			if fmt.Sprint(got.Message.Headers["s"], got.Message.Headers["i"], got.Message.Headers["f"], got.Message.Headers["b"], got.Message.Headers["n"]) !=
				fmt.Sprint("x\xff", 1<<40, 1.5, true, nil) {
				t.Errorf("headers %v", got.Message.Headers)
			}
			want, _ := payload.NewDefault().Transcode(bodies[i], payload.Go)
			body, err := payload.NewDefault().Transcode(got.Message.Body, payload.Go)
			if err != nil || fmt.Sprint(body.Data) != fmt.Sprint(want.Data) {
				t.Errorf("body %v, %v, want %v", body.Data, err, want.Data)
			}
		}
	})
}

func TestFilesThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	used := filepath.Join(dir, "used.db")
	d := start(t, used, 1)
	defer stop(t, d)
	foreign := filepath.Join(dir, "foreign.db")
	makeDatabase(t, foreign, "CREATE TABLE notes (x)")
	newer := filepath.Join(dir, "newer.db")
	makeDatabase(t, newer, "CREATE TABLE messages (x)", "PRAGMA application_id = 0x77717565", "PRAGMA user_version = 9")
	garbage := filepath.Join(dir, "garbage.db")
	writeFile(t, garbage, slices.Repeat([]byte("no database "), 1000))
	for path, want := range map[string]string{
		used:    "queue file " + used + ": the file is in use by another program or driver",
		foreign: "queue file " + foreign + ": the file is the database of another program",
		newer:   "queue file " + newer + ": the file has version 9, this program knows 2",
		garbage: "queue file " + garbage + ": file is not a database (26)",
	} {
		other := memory.New(memory.Options{Path: path, Transcoder: payload.NewDefault()})
		if _, err := other.Start(t.Context()); err == nil || err.Error() != want || fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%v, want %s", err, want)
		}
		if err := other.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestOneBadChangeFailsAlone(t *testing.T) {
	d := start(t, filepath.Join(t.TempDir(), "q.db"), 10)
	defer stop(t, d)
	failure := errors.New("no good")
	if got := d.Submit(failure); got[0] != nil || !errors.Is(got[1], failure) || got[2] != nil {
		t.Errorf("%v", got)
	}
}

func TestFullDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "q.db")
	synctest.Test(t, func(t *testing.T) {
		d := start(t, path, 3)
		publish(t, d, message("a"))
		if err := d.Limit(1); err != nil {
			t.Fatal(err)
		}
		big := strings.Repeat("x", 100_000)
		for range 5 { // each gives its place back
			if err := d.Publish(t.Context(), "q", message(big)); err == nil || !strings.Contains(err.Error(), "full") {
				t.Fatalf("%v", err)
			}
		}
		if err := d.Limit(0); err != nil {
			t.Fatal(err)
		}
		publish(t, d, message("b"), message("c"))
		expect(t, consume(t, d, "q"), "a", "b", "c", "")
		publish(t, d, message("d"))
		stop(t, d)
		d = start(t, path, 3)
		defer stop(t, d)
		expect(t, consume(t, d, "q"), "d", "")
	})
}
