package mailbox_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"log"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"github.com/wippyrun/kit/mailbox"
)

// item is a message that knows its sender and its place.
type item struct {
	sender string
	n      int
}

// sink collects items.
type sink struct {
	mu    sync.Mutex
	items []item
}

func (s *sink) add(it item) {
	s.mu.Lock()
	s.items = append(s.items, it)
	s.mu.Unlock()
}

func (s *sink) numbers() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ns []int
	for _, it := range s.items {
		ns = append(ns, it.n)
	}
	return ns
}

func mustClose[T any](t testing.TB, m *mailbox.Mailbox[T]) {
	t.Helper()
	if err := m.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func mustSend[T any](t testing.TB, m *mailbox.Mailbox[T], sender string, msg T) {
	t.Helper()
	if err := m.Send(context.Background(), sender, msg); err != nil {
		t.Fatal(err)
	}
}

func upTo(n int) []int {
	ns := make([]int, n)
	for i := range ns {
		ns[i] = i
	}
	return ns
}

func TestMessagesOfOneSenderAreHandledInOrder(t *testing.T) {
	const senders, each = 16, 500
	for _, o := range []mailbox.Options{{}, {Workers: 1}, {Workers: 3, Capacity: 1}, {Workers: 2, Capacity: 7, Batch: 3}} {
		t.Run(fmt.Sprintf("workers=%d,capacity=%d", o.Workers, o.Capacity), func(t *testing.T) {
			var got sink
			m := mailbox.New(got.add, o)
			var wg sync.WaitGroup
			for s := range senders {
				wg.Go(func() {
					name := fmt.Sprintf("sender-%d", s)
					for n := range each {
						mustSend(t, m, name, item{name, n})
					}
				})
			}
			wg.Wait()
			mustClose(t, m)
			if len(got.items) != senders*each {
				t.Fatalf("handled %d, want %d", len(got.items), senders*each)
			}
			next := map[string]int{}
			for _, it := range got.items {
				if it.n != next[it.sender] {
					t.Fatalf("%s: got %d, want %d", it.sender, it.n, next[it.sender])
				}
				next[it.sender]++
			}
		})
	}
}

func TestMessagesOfOneSenderAreHandledOneAtATime(t *testing.T) {
	busy := map[string]*sync.Mutex{}
	for i := range 8 {
		busy[fmt.Sprint(i)] = new(sync.Mutex)
	}
	m := mailbox.New(func(it item) {
		if !busy[it.sender].TryLock() {
			t.Errorf("two messages of %s are handled at once", it.sender)
			return
		}
		runtime.Gosched()
		busy[it.sender].Unlock()
	}, mailbox.Options{Workers: 4})
	for n := range 2000 {
		sender := fmt.Sprint(n % 8)
		mustSend(t, m, sender, item{sender, n})
	}
	mustClose(t, m)
}

func TestSendersOfDifferentShardsRunInParallel(t *testing.T) {
	a, b := "a", "b"
	for mailbox.Hash(a)%2 == mailbox.Hash(b)%2 {
		b += "b"
	}
	var both sync.WaitGroup
	both.Add(2)
	m := mailbox.New(func(item) {
		both.Done()
		both.Wait() // passes only when both are being handled
	}, mailbox.Options{Workers: 2})
	mustSend(t, m, a, item{})
	mustSend(t, m, b, item{})
	mustClose(t, m)
}

func FuzzHashIsFNV1a(f *testing.F) {
	for _, s := range []string{"", "a", "foobar", "0x00001", "ünï", strings.Repeat("x", 300)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		h := fnv.New32a()
		_, _ = h.Write([]byte(s))
		if got, want := mailbox.Hash(s), h.Sum32(); got != want {
			t.Errorf("%q: got %#x, want %#x", s, got, want)
		}
	})
}

// gated returns a mailbox with one shard whose handler notes each message and waits
// at the gate. The channel tells that the handler is at the gate.
func gated(got *sink, capacity int) (m *mailbox.Mailbox[item], entered chan struct{}, gate chan struct{}) {
	entered, gate = make(chan struct{}, 1000), make(chan struct{})
	m = mailbox.New(func(it item) {
		got.add(it)
		entered <- struct{}{}
		<-gate
	}, mailbox.Options{Workers: 1, Capacity: capacity})
	return m, entered, gate
}

func TestSendWaitsForRoomInTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got sink
		m, _, gate := gated(&got, 2)
		const n = 6
		var order []int
		for i := range n {
			go func() {
				mustSend(t, m, "s", item{"s", i})
				order = append(order, i) // in a bubble with Wait between: one at a time
			}()
			synctest.Wait()
		}
		if want := []int{0, 1}; !slices.Equal(order, want) {
			t.Errorf("sends that returned: %v, want %v", order, want)
		}
		st := m.Stats()
		if st.Depth != 2 || st.HighWater != 2 || st.Waiting != 4 || st.Waits != 4 {
			t.Errorf("stats %+v", st.ShardStats)
		}
		if err := m.TrySend("s", item{}); !errors.Is(err, mailbox.ErrFull) {
			t.Errorf("TrySend to a full mailbox: %v", err)
		}
		for i := range n {
			gate <- struct{}{}
			synctest.Wait()
			if want := upTo(min(i+3, n)); !slices.Equal(order, want) {
				t.Errorf("after %d messages the sends that returned are %v, want %v", i+1, order, want)
			}
		}
		mustClose(t, m)
		if ns := got.numbers(); !slices.Equal(ns, upTo(n)) {
			t.Errorf("handled %v", ns)
		}
		if st := m.Stats(); st.Handled != n || st.Depth != 0 || st.Refused != 1 || len(st.Shards) != 1 {
			t.Errorf("stats %+v", st)
		}
	})
}

func TestSendGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got sink
		m, _, gate := gated(&got, 1)
		mustSend(t, m, "s", item{"s", 0})
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		errs := make(chan error, 3)
		for i := range 3 {
			ctx := ctx
			if i == 1 {
				ctx = t.Context()
			}
			go func() { errs <- m.Send(ctx, "s", item{"s", i + 1}) }()
			synctest.Wait()
		}
		cancel(cause) // the first and the last of three that wait
		for range 2 {
			if err := <-errs; !errors.Is(err, cause) {
				t.Errorf("got %v", err)
			}
		}
		if err := m.Send(ctx, "s", item{}); !errors.Is(err, cause) {
			t.Errorf("full, with an ended context: got %v", err)
		}
		close(gate)
		if err := <-errs; err != nil {
			t.Errorf("the one in the middle: %v", err)
		}
		synctest.Wait()
		if err := m.Send(ctx, "s", item{"s", 9}); err != nil {
			t.Errorf("room, with an ended context: got %v", err)
		}
		mustClose(t, m)
		if ns := got.numbers(); !slices.Equal(ns, []int{0, 2, 9}) {
			t.Errorf("handled %v", ns)
		}
	})
}

func TestTrySendDoesNotOvertakeWaitingSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got sink
		m, _, gate := gated(&got, 1)
		mustSend(t, m, "s", item{"s", 0})
		go func() { mustSend(t, m, "s", item{"s", 1}) }()
		synctest.Wait()
		if err := m.TrySend("s", item{"s", 2}); !errors.Is(err, mailbox.ErrFull) {
			t.Errorf("got %v", err)
		}
		close(gate)
		synctest.Wait()
		if err := m.TrySend("s", item{"s", 3}); err != nil {
			t.Errorf("with room: %v", err)
		}
		mustClose(t, m)
		if ns := got.numbers(); !slices.Equal(ns, []int{0, 1, 3}) {
			t.Errorf("handled %v", ns)
		}
	})
}

func TestCloseDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got sink
		m, _, gate := gated(&got, 8)
		for n := range 8 {
			mustSend(t, m, "s", item{"s", n})
		}
		waiting := make(chan error)
		go func() { waiting <- m.Send(t.Context(), "s", item{"s", 99}) }()
		synctest.Wait()
		closed := make(chan error, 2)
		for range 2 {
			go func() { closed <- m.Close(t.Context()) }()
		}
		if err := <-waiting; !errors.Is(err, mailbox.ErrClosed) {
			t.Errorf("the send that waited for room: %v", err)
		}
		synctest.Wait()
		if err := m.Send(t.Context(), "s", item{}); !errors.Is(err, mailbox.ErrClosed) {
			t.Errorf("Send: %v", err)
		}
		if err := m.TrySend("s", item{}); !errors.Is(err, mailbox.ErrClosed) {
			t.Errorf("TrySend: %v", err)
		}
		select {
		case <-closed:
			t.Error("closed before the messages were handled")
		default:
		}
		close(gate)
		for range 2 {
			if err := <-closed; err != nil {
				t.Error(err)
			}
		}
		if ns := got.numbers(); !slices.Equal(ns, upTo(8)) {
			t.Errorf("handled %v", ns)
		}
	})
}

func TestCloseGivesUpWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got, discarded sink
		gate := make(chan struct{})
		m := mailbox.New(func(it item) { got.add(it); <-gate }, mailbox.Options{
			Workers:   1,
			OnDiscard: func(msg any) { discarded.add(msg.(item)) },
		})
		for n := range 300 { // several batches
			mustSend(t, m, "s", item{"s", n})
		}
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := m.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		close(gate)
		mustClose(t, m)
		if ns := got.numbers(); !slices.Equal(ns, []int{0}) {
			t.Errorf("handled %v", ns)
		}
		if ns := discarded.numbers(); !slices.Equal(ns, upTo(300)[1:]) {
			t.Errorf("discarded %d messages: %v", len(ns), ns)
		}
		if st := m.Stats(); st.Handled != 1 || st.Discarded != 299 || st.Depth != 0 {
			t.Errorf("stats %+v", st.ShardStats)
		}
	})
}

func TestPanicDoesNotEndTheShard(t *testing.T) {
	var got sink
	var reports []mailbox.PanicReport
	m := mailbox.New(func(it item) {
		if it.n%3 == 1 {
			panic(fmt.Sprint("boom ", it.n))
		}
		got.add(it)
	}, mailbox.Options{Workers: 1, OnPanic: func(r mailbox.PanicReport) { reports = append(reports, r) }})
	for n := range 6 {
		mustSend(t, m, "s", item{"s", n})
	}
	mustClose(t, m)
	if ns := got.numbers(); !slices.Equal(ns, []int{0, 2, 3, 5}) {
		t.Errorf("handled %v", ns)
	}
	if len(reports) != 2 {
		t.Fatalf("%d reports", len(reports))
	}
	for i, n := range []int{1, 4} {
		r := reports[i]
		if r.Message != (item{"s", n}) || r.Value != fmt.Sprint("boom ", n) || !strings.Contains(string(r.Stack), "TestPanicDoesNotEndTheShard") {
			t.Errorf("report %+v", r)
		}
	}
	if st := m.Stats(); st.Panics != 2 || st.Handled != 6 {
		t.Errorf("stats %+v", st.ShardStats)
	}
}

func TestPanicOfOnPanicDoesNotEndTheShard(t *testing.T) {
	var logged bytes.Buffer
	log.SetOutput(&logged) // where log/slog writes by default
	defer log.SetOutput(os.Stderr)
	var got sink
	m := mailbox.New(func(it item) {
		if it.n == 1 {
			panic("first")
		}
		got.add(it)
	}, mailbox.Options{Workers: 1, OnPanic: func(mailbox.PanicReport) { panic("second") }})
	for n := range 3 {
		mustSend(t, m, "s", item{"s", n})
	}
	mustClose(t, m)
	if ns := got.numbers(); !slices.Equal(ns, []int{0, 2}) {
		t.Errorf("handled %v", ns)
	}
	for _, want := range []string{"panic=first", "panic=second", "shard=0", "TestPanicOfOnPanicDoesNotEndTheShard"} {
		if !strings.Contains(logged.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, &logged)
		}
	}
}

func TestPanicOfOnDiscardIsReported(t *testing.T) {
	var reports []any
	entered, gate := make(chan struct{}, 1), make(chan struct{})
	m := mailbox.New(func(item) { entered <- struct{}{}; <-gate }, mailbox.Options{
		Workers:   1,
		OnPanic:   func(r mailbox.PanicReport) { reports = append(reports, r.Value) },
		OnDiscard: func(msg any) { panic(fmt.Sprint("discarded ", msg.(item).n)) },
	})
	for n := range 3 {
		mustSend(t, m, "s", item{"s", n})
	}
	<-entered
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Close(ended); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(gate)
	mustClose(t, m)
	if want := []any{"discarded 1", "discarded 2"}; !slices.Equal(reports, want) {
		t.Errorf("reports %v, want %v", reports, want)
	}
	if st := m.Stats(); st.Handled != 1 || st.Discarded != 2 || st.Panics != 2 {
		t.Errorf("stats %+v", st.ShardStats)
	}
}

func TestGoexitDoesNotEndTheShard(t *testing.T) {
	var got sink
	m := mailbox.New(func(it item) {
		if it.n == 1 {
			runtime.Goexit()
		}
		got.add(it)
	}, mailbox.Options{Workers: 1})
	for n := range 4 {
		mustSend(t, m, "s", item{"s", n})
	}
	mustClose(t, m)
	if ns := got.numbers(); !slices.Equal(ns, []int{0, 2, 3}) {
		t.Errorf("handled %v", ns)
	}
}

func TestHandlerMaySendToItsOwnMailbox(t *testing.T) {
	done := make(chan struct{})
	var m *mailbox.Mailbox[int]
	ready := make(chan struct{})
	m = mailbox.New(func(n int) {
		<-ready
		if n == 0 {
			close(done)
		} else if err := m.TrySend("s", n-1); err != nil {
			t.Error(err)
		}
	}, mailbox.Options{Workers: 1})
	close(ready)
	mustSend(t, m, "s", 1000)
	<-done
	mustClose(t, m)
}

func TestNewWithoutHandlerPanics(t *testing.T) {
	defer func() {
		if r := recover(); r != "mailbox: New with a nil handler" {
			t.Errorf("panic %v", r)
		}
	}()
	mailbox.New[int](nil, mailbox.Options{})
}

func TestErrorsHaveKinds(t *testing.T) {
	for err, want := range map[error]struct {
		kind      string
		retryable bool
	}{mailbox.ErrClosed: {"Unavailable", false}, mailbox.ErrFull: {"RateLimited", true}} {
		e := err.(interface {
			Kind() string
			Retryable() (bool, bool)
		})
		if r, known := e.Retryable(); e.Kind() != want.kind || r != want.retryable || !known {
			t.Errorf("%v: kind %s, retryable %v, %v", err, e.Kind(), r, known)
		}
	}
}

// TestHandledMessagesAreNotKeptAlive handles messages in batches, one of which panics,
// one that had to wait for room and one that gave up waiting, and looks for what is
// left.
func TestHandledMessagesAreNotKeptAlive(t *testing.T) {
	type payload struct {
		panics bool
		_      [64]byte
	}
	gate := make(chan struct{})
	m := mailbox.New(func(p *payload) {
		<-gate
		if p.panics {
			panic("boom")
		}
	}, mailbox.Options{Workers: 1, Capacity: 8, OnPanic: func(mailbox.PanicReport) {}})
	defer mustClose(t, m)

	var left []weak.Pointer[payload]
	fresh := func(panics bool) *payload {
		p := &payload{panics: panics}
		left = append(left, weak.Make(p))
		return p
	}
	until := func(done func(mailbox.Stats) bool) {
		for !done(m.Stats()) {
			runtime.Gosched()
		}
	}
	for n := range 8 {
		mustSend(t, m, "s", fresh(n == 4))
	}
	var waiting sync.WaitGroup
	waits, stays := fresh(true), fresh(false)
	waiting.Go(func() { mustSend(t, m, "s", waits) })
	until(func(st mailbox.Stats) bool { return st.Waiting == 1 })
	ctx, cancel := context.WithCancel(t.Context())
	waiting.Go(func() { _ = m.Send(ctx, "s", stays) })
	until(func(st mailbox.Stats) bool { return st.Waiting == 2 })
	waits, stays = nil, nil
	cancel()
	until(func(st mailbox.Stats) bool { return st.Waiting == 1 })
	close(gate)
	waiting.Wait()
	until(func(st mailbox.Stats) bool { return st.Handled == 9 })
	for i, p := range left {
		for range 100 { // what a goroutine has just let go of may still be in a register of it
			if runtime.GC(); p.Value() == nil {
				break
			}
			runtime.Gosched()
		}
		if p.Value() != nil {
			t.Errorf("message %d is still alive", i)
		}
	}
}

// TestConcurrentCancellationLosesNoMessage ends the contexts of waiting senders just
// before room is made for one of them: a send either returns nil and its message is
// handled, or it returns the cause and the message is not.
func TestConcurrentCancellationLosesNoMessage(t *testing.T) {
	const senders, each = 4, 2000
	var handled [senders * each]atomic.Bool
	var waiting [senders]atomic.Pointer[context.CancelFunc]
	m := mailbox.New(func(n int) {
		handled[n].Store(true)
		for s := range waiting {
			if cancel := waiting[s].Load(); cancel != nil {
				(*cancel)()
			}
		}
		if n%2 == 0 { // some senders get to leave, others are too late
			runtime.Gosched()
		}
	}, mailbox.Options{Workers: 1, Capacity: 1})
	var accepted [senders * each]bool
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			for n := s * each; n < (s+1)*each; n++ {
				ctx, cancel := context.WithCancel(context.Background())
				waiting[s].Store(&cancel)
				err := m.Send(ctx, "s", n)
				if accepted[n] = err == nil; err != nil && !errors.Is(err, context.Canceled) {
					t.Error(err)
				}
				cancel()
			}
		})
	}
	wg.Wait()
	mustClose(t, m)
	given := 0
	for n := range accepted {
		if accepted[n] != handled[n].Load() {
			t.Fatalf("message %d: accepted %v, handled %v", n, accepted[n], handled[n].Load())
		}
		if accepted[n] {
			given++
		}
	}
	if st := m.Stats(); st.Waits == 0 || given == senders*each {
		t.Errorf("%d sends waited, %d of %d were accepted: nothing was tried", st.Waits, given, senders*each)
	}
}

// TestConcurrentSendersNeverWaitForASleepingWorker lets workers fall asleep between
// messages as often as it can: each sender waits until its message is handled. A
// wake-up that is lost ends the test with a deadlock.
func TestConcurrentSendersNeverWaitForASleepingWorker(t *testing.T) {
	for _, o := range []mailbox.Options{{Workers: 1}, {Workers: 2}, {Workers: 2, Capacity: 1}} {
		m := mailbox.New(func(handled chan struct{}) { handled <- struct{}{} }, o)
		var wg sync.WaitGroup
		for s := range 4 {
			wg.Go(func() {
				name, handled := fmt.Sprint("sender-", s), make(chan struct{}, 1)
				for range 2000 {
					mustSend(t, m, name, handled)
					<-handled
				}
			})
		}
		wg.Wait()
		mustClose(t, m)
	}
}

func TestSendDoesNotAllocate(t *testing.T) {
	handled := make(chan struct{}, 1)
	m := mailbox.New(func(item) { handled <- struct{}{} }, mailbox.Options{Workers: 2})
	defer mustClose(t, m)
	ctx := t.Context()
	n := testing.AllocsPerRun(1000, func() {
		if err := m.Send(ctx, "sender", item{n: 1}); err != nil {
			t.Error(err)
		}
		<-handled
	})
	if n != 0 {
		t.Errorf("%v allocations per message", n)
	}
}

func TestZeroOptionsMeanTheDefaults(t *testing.T) {
	release := make(chan struct{})
	m := mailbox.New(func(int) { <-release }, mailbox.Options{})
	if n := len(m.Stats().Shards); n != mailbox.DefaultWorkers {
		t.Errorf("%d shards, want %d", n, mailbox.DefaultWorkers)
	}
	for n := range mailbox.DefaultCapacity {
		if err := m.TrySend("alice", n); err != nil {
			t.Fatalf("message %d: %v", n, err)
		}
	}
	if err := m.TrySend("alice", 0); !errors.Is(err, mailbox.ErrFull) {
		t.Errorf("message beyond the capacity: %v", err)
	}
	close(release)
	if err := m.Close(t.Context()); err != nil {
		t.Error(err)
	}
}
