package mailbox_test

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/mailbox"
)

// TestMailboxAgreesWithItsModel carries out random sends, refusals, cancellations,
// returns, panics and exits of handlers, and closes, one at a time. After each it
// compares what every call returned, what was handled and discarded in which order,
// and all counters with those of the model.
func TestMailboxAgreesWithItsModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(noDeadline{t}, func(t *rapid.T) {
			w := newWorld(t)
			defer w.release()
			t.Repeat(map[string]func(*rapid.T){
				"send":       w.send,
				"send again": w.send, // more likely than the others
				"send many":  w.sendMany,
				"try":        w.try,
				"give up":    w.giveUp,
				"step":       w.step,
				"step again": w.step,
				"close":      w.close,
				"":           w.compare,
			})
			w.finish(t)
		})
	})
}

// noDeadline hides the deadline of a test, which is in real time and of no meaning
// here.
type noDeadline struct{ testing.TB }

// world is a mailbox whose handlers wait until they are told how to end, and its
// model.
type world struct {
	box     *mailbox.Mailbox[item]
	shards  []*shardModel
	senders []sender
	callers []*caller
	steps   []chan string // by shard; how its handler is to end
	free    func()        // makes handlers return at once

	calls   int            // numbers calls and messages
	want    map[int]string // what calls return by now, as the model has it
	closing map[int]*caller

	mu   sync.Mutex
	got  map[int]string
	logs [][]string // what happened to messages, by shard
}

type sender struct {
	name  string
	shard int
}

// caller is a context that may be ended.
type caller struct {
	ctx   context.Context
	end   func()
	cause error
	ended bool
}

func newWorld(t *rapid.T) *world {
	o := mailbox.Options{
		Workers:  rapid.IntRange(1, 3).Draw(t, "workers"),
		Capacity: rapid.SampledFrom([]int{1, 2, 5, 8, 13}).Draw(t, "capacity"),
		Batch:    rapid.IntRange(0, 4).Draw(t, "batch"),
	}
	w := &world{want: map[int]string{}, closing: map[int]*caller{}, got: map[int]string{}, logs: make([][]string, o.Workers)}
	freed := make(chan struct{})
	w.free = sync.OnceFunc(func() { close(freed) })
	batch := o.Batch
	if batch == 0 {
		batch = mailbox.DefaultBatch
	}
	for i := range o.Workers {
		w.steps = append(w.steps, make(chan string))
		w.shards = append(w.shards, &shardModel{
			capacity: o.Capacity,
			limit:    max(1, min(batch, o.Capacity/4)),
			decide:   func(call int, result string) { w.want[call] = result },
		})
		for j := 0; len(w.senders) < 2*(i+1); j++ { // two for each shard
			if name := fmt.Sprint(i, ".", j); shardOf(name, o) == i {
				w.senders = append(w.senders, sender{name, i})
			}
		}
	}
	for i := range 4 {
		ctx, cancel := context.WithCancelCause(context.Background())
		c := &caller{ctx: ctx, cause: fmt.Errorf("caller %d gave up", i)}
		c.end = func() { cancel(c.cause) }
		w.callers = append(w.callers, c)
	}
	o.OnPanic = func(r mailbox.PanicReport) { w.note(r.Shard, "panic", r.Message) }
	o.OnDiscard = func(msg any) { w.note(shardOf(msg.(item).sender, o), "discard", msg) }
	w.box = mailbox.New(func(it item) {
		shard := shardOf(it.sender, o)
		w.note(shard, "handle", it)
		select {
		case how := <-w.steps[shard]:
			switch how {
			case "panic":
				panic("boom")
			case "exit":
				runtime.Goexit()
			}
		case <-freed:
		}
	}, o)
	return w
}

func shardOf(name string, o mailbox.Options) int {
	return int(mailbox.Hash(name) % uint32(o.Workers))
}

func (w *world) note(shard int, what string, msg any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.logs[shard] = append(w.logs[shard], fmt.Sprint(what, " ", msg.(item).n))
}

// call makes a call that may block, and keeps its result under the number returned.
func (w *world) call(f func(n int) error) int {
	n := w.calls
	w.calls++
	go func() {
		result := fmt.Sprint(f(n))
		w.mu.Lock()
		defer w.mu.Unlock()
		w.got[n] = result
	}()
	synctest.Wait()
	return n
}

func (w *world) send(t *rapid.T) {
	s := rapid.SampledFrom(w.senders).Draw(t, "sender")
	c := w.callers[rapid.IntRange(0, len(w.callers)-1).Draw(t, "caller")]
	n := w.call(func(n int) error { return w.box.Send(c.ctx, s.name, item{s.name, n}) })
	w.shards[s.shard].send(n, c)
}

// sendMany fills a shard, and lets some wait.
func (w *world) sendMany(t *rapid.T) {
	s := rapid.SampledFrom(w.senders).Draw(t, "sender")
	for range rapid.IntRange(1, 18).Draw(t, "messages") {
		n := w.call(func(n int) error { return w.box.Send(context.Background(), s.name, item{s.name, n}) })
		w.shards[s.shard].send(n, w.callers[0])
	}
}

func (w *world) try(t *rapid.T) {
	s := rapid.SampledFrom(w.senders).Draw(t, "sender")
	n := w.call(func(n int) error { return w.box.TrySend(s.name, item{s.name, n}) })
	w.shards[s.shard].try(n)
}

// giveUp ends the context of a caller, but never that of caller 0.
func (w *world) giveUp(t *rapid.T) {
	c := w.callers[rapid.IntRange(1, len(w.callers)-1).Draw(t, "caller")]
	c.end()
	c.ended = true
	for _, s := range w.shards {
		s.giveUp(c)
	}
	w.decideCloses()
}

func (w *world) step(t *rapid.T) {
	i := rapid.IntRange(0, len(w.shards)-1).Draw(t, "shard")
	if !w.shards[i].handling {
		return
	}
	how := rapid.SampledFrom([]string{"return", "return", "return", "panic", "exit"}).Draw(t, "how")
	w.steps[i] <- how
	w.shards[i].step(how)
	w.decideCloses()
}

// close is seldom carried out: afterwards there is not much left to do.
func (w *world) close(t *rapid.T) {
	if rapid.IntRange(0, 9).Draw(t, "dice") != 9 {
		return
	}
	c := w.callers[rapid.IntRange(0, len(w.callers)-1).Draw(t, "caller")]
	n := w.call(func(int) error { return w.box.Close(c.ctx) })
	for _, s := range w.shards {
		s.close()
	}
	if c.ended && w.done() {
		w.want[n] = w.got[n] // both are right: the workers end while Close looks
		return
	}
	w.closing[n] = c
	w.decideCloses()
}

// done reports whether everything was handled.
func (w *world) done() bool {
	return !slices.ContainsFunc(w.shards, func(s *shardModel) bool { return !s.closed || len(s.queue) > 0 })
}

// decideCloses ends the calls of Close that have come to an end.
func (w *world) decideCloses() {
	done := w.done()
	for n, c := range w.closing {
		switch {
		case done:
			w.want[n] = "<nil>"
		case c.ended:
			w.want[n] = c.cause.Error()
			for _, s := range w.shards {
				s.aborted = true
			}
		default:
			continue
		}
		delete(w.closing, n)
	}
}

func (w *world) compare(t *rapid.T) {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	if !maps.Equal(w.got, w.want) {
		t.Fatalf("calls returned %v, want %v", w.got, w.want)
	}
	stats := w.box.Stats()
	for i, s := range w.shards {
		if !slices.Equal(w.logs[i], s.log) {
			t.Fatalf("shard %d: got %v, want %v", i, w.logs[i], s.log)
		}
		if got, want := fmt.Sprintf("%+v", stats.Shards[i]), fmt.Sprintf("%+v", s.stats()); got != want {
			t.Fatalf("shard %d: stats %v, want %v", i, got, want)
		}
	}
}

// finish lets the handlers of the mailbox and of the model return until nothing is
// left, and compares for the last time.
func (w *world) finish(t *rapid.T) {
	n := w.call(func(int) error { return w.box.Close(context.Background()) })
	w.closing[n] = w.callers[0]
	w.free()
	for _, s := range w.shards {
		s.close()
		for s.handling {
			s.step("return")
		}
	}
	w.decideCloses()
	w.compare(t)
}

// release ends what a failed run left behind.
func (w *world) release() {
	w.free()
	for _, c := range w.callers {
		c.end()
	}
	_ = w.box.Close(context.Background())
	synctest.Wait()
}
