package functions_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/functions"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func answer(v any) functions.CallFunc {
	return func(_ context.Context, _ functions.Task, done functions.Done) func() {
		done(payload.Payload{Format: payload.Go, Data: v}, nil)
		return func() {}
	}
}

func TestCallReachesTheRegisteredFunctionWithMergedOptions(t *testing.T) {
	r := functions.New()
	var seen map[string]any
	r.Register("app:f", func(_ context.Context, task functions.Task, done functions.Done) func() {
		seen = task.Options
		done(payload.Payload{Data: 1}, nil)
		return func() {}
	}, map[string]any{"a": 1, "b": 1})
	out, err := r.Call(t.Context(), functions.Task{ID: "app:f", Options: map[string]any{"b": 2}})
	if err != nil || out.Data != 1 {
		t.Fatalf("Call = %v, %v", out, err)
	}
	if seen["a"] != 1 || seen["b"] != 2 {
		t.Errorf("options %v", seen)
	}
}

func TestUnknownFunctionIsNotFoundWithItsName(t *testing.T) {
	_, err := functions.New().Call(t.Context(), functions.Task{ID: "app:none"})
	if fault.KindOf(err) != fault.NotFound || !strings.Contains(err.Error(), "no handler registered for target") {
		t.Errorf("err = %v", err)
	}
	if fault.DetailsOf(err)["target"] != "app:none" {
		t.Errorf("details = %v", fault.DetailsOf(err))
	}
}

func TestLaterRegistrationReplacesAndUnregisterForgets(t *testing.T) {
	r := functions.New()
	r.Register("app:f", answer(1), nil)
	r.Register("app:f", answer(2), nil)
	if out, _ := r.Call(t.Context(), functions.Task{ID: "app:f"}); out.Data != 2 {
		t.Errorf("got %v", out.Data)
	}
	r.Unregister("app:f")
	if r.Has("app:f") {
		t.Error("still there")
	}
}

func TestInterceptorsRunInOrderAndNamesAreUnique(t *testing.T) {
	r := functions.New()
	r.Register("app:f", answer("x"), nil)
	var order []string
	add := func(name string, position int) error {
		return r.Intercept(functions.Interceptor{Name: name, Order: position, Wrap: func(next functions.CallFunc) functions.CallFunc {
			return func(ctx context.Context, task functions.Task, done functions.Done) func() {
				order = append(order, name)
				return next(ctx, task, done)
			}
		}})
	}
	if err := errors.Join(add("second", 20), add("first", 10)); err != nil {
		t.Fatal(err)
	}
	if err := add("first", 1); fault.KindOf(err) != fault.AlreadyExists {
		t.Errorf("second registration: %v", err)
	}
	if _, err := r.Call(t.Context(), functions.Task{ID: "app:f"}); err != nil {
		t.Fatal(err)
	}
	if strings.Join(order, ",") != "first,second" {
		t.Errorf("order %v", order)
	}
	if err := r.RemoveInterceptor("second"); err != nil {
		t.Error(err)
	}
	if err := r.RemoveInterceptor("second"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("removing twice: %v", err)
	}
}

func TestCallGivesUpWithItsContextAndCancelsTheCallee(t *testing.T) {
	r := functions.New()
	cancelled := make(chan struct{})
	r.Register("app:f", func(context.Context, functions.Task, functions.Done) func() {
		return func() { close(cancelled) }
	}, nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Call(ctx, functions.Task{ID: "app:f"}); fault.KindOf(err) != fault.Canceled {
		t.Errorf("err = %v", err)
	}
	<-cancelled
}

// worker answers when told to.
type worker struct {
	mu      sync.Mutex
	done    functions.Done
	started chan *worker
	closed  bool
}

func (w *worker) Run(_ context.Context, task functions.Task, free func(), done functions.Done) func() {
	w.mu.Lock()
	w.done = func(result payload.Payload, err error) { free(); done(result, err) }
	w.mu.Unlock()
	w.started <- w
	return func() { w.finish(fault.New(fault.Canceled, "context canceled")) }
}

func (w *worker) finish(err error) {
	w.mu.Lock()
	done := w.done
	w.done = nil
	w.mu.Unlock()
	if done != nil {
		done(payload.Payload{}, err)
	}
}

func (w *worker) Close() { w.closed = true }

func newPool(t *testing.T, value any) (*functions.Pool, chan *worker, *int) {
	t.Helper()
	cfg, err := functions.ParsePool(value)
	if err != nil {
		t.Fatal(err)
	}
	started := make(chan *worker, 100)
	created := new(int)
	p, err := functions.NewPool(cfg, func() (functions.Worker, error) {
		*created++
		return &worker{started: started}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return p, started, created
}

func TestInlinePoolRunsCallsOneAfterTheOther(t *testing.T) {
	p, started, created := newPool(t, map[string]any{"type": "inline"})
	var finished int
	for range 3 {
		p.Call(t.Context(), functions.Task{}, func(payload.Payload, error) { finished++ })
	}
	for i := range 3 {
		if len(started) != 1 {
			t.Fatalf("call %d: %d run at once", i, len(started))
		}
		(<-started).finish(nil)
	}
	if finished != 3 || *created != 1 {
		t.Errorf("finished %d on %d workers", finished, *created)
	}
	<-p.Close()
}

func TestLazyPoolGrowsOnDemandAndForgetsIdleWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, started, created := newPool(t, map[string]any{"type": "lazy", "max_size": 2.0})
		if *created != 0 {
			t.Errorf("%d workers before the first call", *created)
		}
		ignore := func(payload.Payload, error) {}
		p.Call(t.Context(), functions.Task{}, ignore)
		p.Call(t.Context(), functions.Task{}, ignore)
		p.Call(t.Context(), functions.Task{}, ignore)
		if *created != 2 || len(started) != 2 {
			t.Fatalf("%d workers, %d running", *created, len(started))
		}
		a, b := <-started, <-started
		a.finish(nil)
		(<-started).finish(nil)
		b.finish(nil)
		p.Call(t.Context(), functions.Task{}, ignore)
		if last := <-started; last != b {
			t.Error("the worker idle last is not used first")
		} else {
			last.finish(nil)
		}
		<-time.After(46 * time.Second)
		synctest.Wait()
		if !a.closed || !b.closed {
			t.Error("idle workers live on")
		}
		<-p.Close()
	})
}

func TestCancelledCallLeavesTheQueueOrStopsTheWorker(t *testing.T) {
	p, started, _ := newPool(t, map[string]any{"type": "inline"})
	var outcomes []string
	record := func(name string) functions.Done {
		return func(_ payload.Payload, err error) {
			outcomes = append(outcomes, name+"="+string(fault.KindOf(err)))
		}
	}
	running := p.Call(t.Context(), functions.Task{}, record("running"))
	waiting := p.Call(t.Context(), functions.Task{}, record("waiting"))
	p.Call(t.Context(), functions.Task{}, record("last"))
	waiting()
	waiting()
	<-started
	running()
	(<-started).finish(nil)
	if got := strings.Join(outcomes, " "); got != "waiting=Canceled running=Canceled last=" {
		t.Errorf("outcomes %s", got)
	}
	<-p.Close()
}

func TestClosedPoolFinishesWhatItHasAndRefusesMore(t *testing.T) {
	p, started, _ := newPool(t, map[string]any{"type": "static", "workers": 1.0})
	var finished int
	count := func(payload.Payload, error) { finished++ }
	p.Call(t.Context(), functions.Task{}, count)
	p.Call(t.Context(), functions.Task{}, count)
	drained := p.Close()
	var refused error
	p.Call(t.Context(), functions.Task{}, func(_ payload.Payload, err error) { refused = err })
	if fault.KindOf(refused) != fault.Unavailable || refused.Error() != "pool is closed" {
		t.Errorf("after close: %v", refused)
	}
	(<-started).finish(nil)
	w := <-started
	w.finish(nil)
	<-drained
	if finished != 2 || !w.closed {
		t.Errorf("finished %d, worker closed %v", finished, w.closed)
	}
}

func TestFailedWorkerIsReportedAndItsPlaceIsFree(t *testing.T) {
	fail := true
	p, err := functions.NewPool(functions.PoolConfig{Type: functions.Lazy, Max: 1}, func() (functions.Worker, error) {
		if fail {
			return nil, errors.New("no state")
		}
		return &worker{started: make(chan *worker, 1)}, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var got error
	p.Call(t.Context(), functions.Task{}, func(_ payload.Payload, err error) { got = err })
	if got == nil {
		t.Fatal("failure lost")
	}
	fail = false
	cancel := p.Call(t.Context(), functions.Task{}, func(_ payload.Payload, err error) { got = err })
	cancel()
	if fault.KindOf(got) != fault.Canceled {
		t.Errorf("second call: %v", got)
	}
	<-p.Close()
}

func TestPoolSelection(t *testing.T) {
	m := func(kv ...any) map[string]any {
		out := map[string]any{}
		for i := 0; i < len(kv); i += 2 {
			out[kv[i].(string)] = kv[i+1]
		}
		return out
	}
	for name, tc := range map[string]struct {
		in   any
		want functions.PoolConfig
		err  string
	}{
		"none":             {in: nil, want: functions.PoolConfig{Type: functions.Lazy, Max: 100}},
		"workers":          {in: m("workers", 3.0), want: functions.PoolConfig{Type: functions.Static, Max: 3, Min: 3}},
		"size alone":       {in: m("size", 3.0), want: functions.PoolConfig{Type: functions.Inline, Max: 1, Min: 1}},
		"size and max":     {in: m("size", 3.0, "max_size", 5.0), want: functions.PoolConfig{Type: functions.Lazy, Max: 5}},
		"lazy":             {in: m("type", "lazy"), want: functions.PoolConfig{Type: functions.Lazy, Max: 16}},
		"static":           {in: m("type", "static", "buffer", 512.0), want: functions.PoolConfig{Type: functions.Static, Max: 8, Min: 8}},
		"static size":      {in: m("type", "static", "size", 2.0), want: functions.PoolConfig{Type: functions.Static, Max: 2, Min: 2}},
		"adaptive":         {in: m("type", "adaptive"), want: functions.PoolConfig{Type: functions.Adaptive, Max: 16, Min: 1}},
		"unknown":          {in: m("type", "lzay"), err: `unknown pool type: lzay (did you mean "lazy"?)`},
		"of a variable":    {in: m("workers", "3"), want: functions.PoolConfig{Type: functions.Static, Max: 3, Min: 3}},
		"empty Lua table":  {in: []any{}, want: functions.PoolConfig{Type: functions.Lazy, Max: 100}},
		"fraction":         {in: m("workers", 1.5), err: "pool.workers: must be a whole number"},
		"negative":         {in: m("size", -1.0), err: "pool.size: must not be negative"},
		"text":             {in: "lazy", err: "pool must be a map"},
		"type is a number": {in: m("type", 1.0), err: "pool.type must be a string"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := functions.ParsePool(tc.in)
			if tc.err != "" {
				if err == nil || !strings.Contains(err.Error(), tc.err) {
					t.Errorf("err = %v, want %q", err, tc.err)
				}
				return
			}
			if err != nil || got != tc.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tc.want)
			}
		})
	}
}

func BenchmarkCallThroughRegistryAndPool(b *testing.B) {
	b.ReportAllocs()
	r := functions.New()
	p, err := functions.NewPool(functions.PoolConfig{Type: functions.Inline, Max: 1, Min: 1}, func() (functions.Worker, error) { return immediate{}, nil })
	if err != nil {
		b.Fatal(err)
	}
	r.Register("app:f", p.Call, nil)
	ctx := b.Context()
	for b.Loop() {
		r.CallAsync(ctx, functions.Task{ID: "app:f"}, func(payload.Payload, error) {})
	}
}

type immediate struct{}

func (immediate) Run(_ context.Context, _ functions.Task, free func(), done functions.Done) func() {
	free()
	done(payload.Payload{}, nil)
	return func() {}
}
func (immediate) Close() {}
