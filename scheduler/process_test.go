// SPDX-License-Identifier: Apache-2.0

package scheduler_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/scheduler/schedulertest"
)

const echoID dispatch.CommandID = 300

// registry holds one held command.
func registry(id dispatch.CommandID, h dispatch.Handler) *dispatch.Registry {
	reg := dispatch.NewRegistry()
	reg.Register("test", id, h)
	reg.Freeze()
	return reg
}

func newSim(t *testing.T, cfg scheduler.Config) *schedulertest.Sim {
	t.Helper()
	return schedulertest.New(t, schedulertest.Seeded(1), cfg)
}

type initProbe struct {
	schedulertest.Recorder
	method string
	input  any
	ctx    context.Context
	err    error
}

func (p *initProbe) Init(ctx context.Context, method string, input any) error {
	p.ctx, p.method, p.input = ctx, method, input
	return p.err
}

func TestSubmitInitialisesOnTheCallersGoroutine(t *testing.T) {
	sim := newSim(t, scheduler.Config{})
	p := &initProbe{}
	ref := sim.Submit(p, scheduler.SubmitOptions{Method: "main", Input: 42, Value: "v"})
	if p.method != "main" || p.input != 42 {
		t.Errorf("Init got %q, %v", p.method, p.input)
	}
	if ref.Value() != "v" || ref.Process() != scheduler.Process(p) || ref.Scheduler() != sim.Scheduler() {
		t.Error("the Ref does not say what was submitted")
	}
	if scheduler.RefFrom(p.ctx) != ref || ref.Context() != p.ctx {
		t.Error("the context does not lead to the Ref")
	}
	if scheduler.RefFrom(context.Background()) != nil {
		t.Error("a foreign context leads to a Ref")
	}
}

func TestSubmitReturnsInitErrorAndDoesNotClose(t *testing.T) {
	sim := newSim(t, scheduler.Config{})
	want := errors.New("no")
	p := &initProbe{err: want}
	if _, err := sim.Scheduler().Submit(t.Context(), p, scheduler.SubmitOptions{}); !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
	if p.Closed() != 0 || p.ctx.Err() == nil || sim.Scheduler().Stats().Processes != 0 {
		t.Error("the rejected process is not gone")
	}
}

func TestSubmitRefusesMoreThanMaxProcesses(t *testing.T) {
	sim := newSim(t, scheduler.Config{MaxProcesses: 1})
	ref := sim.Submit(&schedulertest.Recorder{}, scheduler.SubmitOptions{})
	_, err := sim.Scheduler().Submit(t.Context(), &schedulertest.Recorder{}, scheduler.SubmitOptions{})
	if !errors.Is(err, scheduler.ErrMaxProcesses) || kind(err) != "LimitExceeded" {
		t.Errorf("got %v", err)
	}
	ref.Cancel()
	sim.Run(10)
	sim.Submit(&schedulertest.Recorder{}, scheduler.SubmitOptions{})
}

func kind(err error) string {
	var k interface{ Kind() string }
	if errors.As(err, &k) {
		return k.Kind()
	}
	return ""
}

func TestConfigRejectsNegativeSizes(t *testing.T) {
	for _, tc := range []struct {
		cfg  scheduler.Config
		want error
		text string
	}{
		{scheduler.Config{Workers: -1}, scheduler.ErrWorkers, "workers must be greater than 0"},
		{scheduler.Config{QueueSize: -1}, scheduler.ErrQueueSize, "queue size must be greater than 0"},
		{scheduler.Config{LocalQueueSize: -1}, scheduler.ErrLocalQueueSize, "local queue size must be greater than 0"},
	} {
		_, err := scheduler.New(tc.cfg)
		if !errors.Is(err, tc.want) || err.Error() != tc.text || kind(err) != "Invalid" {
			t.Errorf("%+v: got %v", tc.cfg, err)
		}
	}
}

func TestStepOutcomes(t *testing.T) {
	failure := errors.New("failed")
	for name, tc := range map[string]struct {
		step   stepFunc
		result any
		err    error
		steps  uint64
	}{
		"done": {func(_ []scheduler.Event, out *scheduler.Output) error {
			out.Done("x")
			return nil
		}, "x", nil, 1},
		"error": {func([]scheduler.Event, *scheduler.Output) error { return failure }, nil, failure, 1},
		"error after done": {func(_ []scheduler.Event, out *scheduler.Output) error {
			out.Done("x")
			return failure
		}, nil, failure, 1},
	} {
		t.Run(name, func(t *testing.T) {
			sim := newSim(t, scheduler.Config{})
			var hook []any
			ref := sim.Submit(tc.step, scheduler.SubmitOptions{OnExit: func(result any, err error) { hook = []any{result, err} }})
			if _, ok, _ := ref.Outcome(); ok {
				t.Error("an outcome before the end")
			}
			sim.Run(10)
			result, err := wait(t, ref)
			if result != tc.result || !errors.Is(err, tc.err) {
				t.Errorf("got %v, %v", result, err)
			}
			if len(hook) != 2 || hook[0] != tc.result {
				t.Errorf("OnExit got %v", hook)
			}
			if info := ref.Info(); info.State != scheduler.Complete || info.Steps != tc.steps {
				t.Errorf("got %+v", info)
			}
			if _, ok, _ := ref.Outcome(); !ok {
				t.Error("no outcome after the end")
			}
		})
	}
}

func TestContinueRunsAgainWithoutEvents(t *testing.T) {
	sim := newSim(t, scheduler.Config{})
	n := 0
	ref := sim.Submit(stepFunc(func(events []scheduler.Event, out *scheduler.Output) error {
		if n++; n == 3 {
			out.Done(n)
		} else {
			out.Continue()
		}
		return nil
	}), scheduler.SubmitOptions{})
	sim.Run(10)
	if result, _ := wait(t, ref); result != 3 {
		t.Errorf("got %v", result)
	}
}

func TestMessagesArriveInOrderAcrossManyBatches(t *testing.T) {
	sim := newSim(t, scheduler.Config{})
	rec := &schedulertest.Recorder{}
	ref := sim.Submit(rec, scheduler.SubmitOptions{})
	const n = 10_000
	for i := range n {
		if err := ref.Send(i); err != nil {
			t.Fatal(err)
		}
		if i == n/2 {
			sim.Step()
		}
	}
	if got := ref.Info().QueueLen; got < n/2 {
		t.Errorf("QueueLen is %d", got)
	}
	sim.Run(n)
	for i, ev := range rec.Events() {
		if ev.Kind != scheduler.MessageEvent || ev.Data != i {
			t.Fatalf("event %d is %+v", i, ev)
		}
	}
	if got := len(rec.Events()); got != n {
		t.Errorf("%d events", got)
	}
	if info := ref.Info(); info.QueueLen != 0 || info.State != scheduler.Idle {
		t.Errorf("got %+v", info)
	}
}

func TestSendFailsWhenQueueIsFull(t *testing.T) {
	sim := newSim(t, scheduler.Config{MaxQueue: 2})
	ref := sim.Submit(&schedulertest.Recorder{}, scheduler.SubmitOptions{})
	for range 2 {
		if err := ref.Send(nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := ref.Send(nil); !errors.Is(err, scheduler.ErrQueueFull) {
		t.Errorf("got %v", err)
	}
	sim.Run(10)
	if err := ref.Send(nil); err != nil {
		t.Errorf("after the queue was emptied: %v", err)
	}
}

func TestYieldsCompleteInAnyOrder(t *testing.T) {
	held := &schedulertest.Held{}
	sim := newSim(t, scheduler.Config{Dispatch: registry(echoID, held)})
	var got []scheduler.Event
	started := false
	ref := sim.Submit(stepFunc(func(events []scheduler.Event, out *scheduler.Output) error {
		if !started {
			started = true
			for tag := range 3 {
				out.Yield(schedulertest.Command(echoID), dispatch.Tag(tag))
			}
		}
		got = append(got, slices.Clone(events)...)
		return nil
	}), scheduler.SubmitOptions{})
	sim.Run(10)
	if held.Len() != 3 || ref.Info().State != scheduler.Blocked {
		t.Fatalf("%d open yields, %v", held.Len(), ref.Info().State)
	}
	failure := errors.New("failed")
	for i, y := range []schedulertest.HeldYield{held.Take(2), held.Take(0), held.Take(0)} {
		if scheduler.RefFrom(y.Context) != ref {
			t.Error("the handler's context does not lead to the process")
		}
		if ref.Info().State != scheduler.Blocked {
			t.Errorf("state is %v", ref.Info().State)
		}
		y.Complete(i, failure)
		sim.Run(10)
	}
	want := []dispatch.Tag{2, 0, 1}
	for i, ev := range got {
		if ev.Kind != scheduler.YieldComplete || ev.Tag != want[i] || ev.Data != i || !errors.Is(ev.Err, failure) {
			t.Errorf("event %d is %+v", i, ev)
		}
	}
	if ref.Info().State != scheduler.Idle {
		t.Errorf("state is %v", ref.Info().State)
	}
}

func TestHandlerMayCompleteBeforeItReturns(t *testing.T) {
	sim := newSim(t, scheduler.Config{Dispatch: registry(echoID, dispatch.HandlerFunc(
		func(_ context.Context, _ dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			r.CompleteYield(tag, "now", nil)
			return nil
		}))})
	ref := sim.Submit(yieldOnce(echoID), scheduler.SubmitOptions{})
	sim.Run(10)
	if result, err := wait(t, ref); result != "now" || err != nil {
		t.Errorf("got %v, %v", result, err)
	}
}

// yieldOnce yields a command and ends with its outcome.
func yieldOnce(id dispatch.CommandID) stepFunc {
	return func(events []scheduler.Event, out *scheduler.Output) error {
		if len(events) == 0 {
			out.Yield(schedulertest.Command(id), 7)
			return nil
		}
		out.Done(events[0].Data)
		return events[0].Err
	}
}

func TestHandlerErrorCompletesTheYield(t *testing.T) {
	failure := errors.New("failed")
	sim := newSim(t, scheduler.Config{Dispatch: registry(echoID, dispatch.HandlerFunc(
		func(context.Context, dispatch.Command, dispatch.Tag, dispatch.Receiver) error { return failure }))})
	ref := sim.Submit(yieldOnce(echoID), scheduler.SubmitOptions{})
	sim.Run(10)
	if _, err := wait(t, ref); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
}

func TestUnknownCommandCompletesWithNotFound(t *testing.T) {
	for name, cfg := range map[string]scheduler.Config{
		"no registry": {},
		"registry":    {Dispatch: registry(echoID, &schedulertest.Held{})},
	} {
		t.Run(name, func(t *testing.T) {
			sim := newSim(t, cfg)
			ref := sim.Submit(yieldOnce(9), scheduler.SubmitOptions{})
			sim.Run(10)
			_, err := wait(t, ref)
			var details interface{ Details() map[string]any }
			if err == nil || err.Error() != "unknown command" || kind(err) != "NotFound" ||
				!errors.As(err, &details) || details.Details()["command_id"] != 9 {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCompletionAfterTheEndIsDroppedAndCounted(t *testing.T) {
	held := &schedulertest.Held{}
	var drops []scheduler.Event
	sim := newSim(t, scheduler.Config{
		Dispatch: registry(echoID, held),
		OnDrop:   func(_ *scheduler.Ref, ev scheduler.Event) { drops = append(drops, ev) },
	})
	ref := sim.Submit(yieldOnce(echoID), scheduler.SubmitOptions{})
	sim.Run(10)
	y := held.Take(0)
	ref.Cancel()
	sim.Run(10)
	if y.Context.Err() == nil {
		t.Error("the handler's context goes on after the end")
	}
	y.Complete("late", nil)
	if got := sim.Scheduler().Stats().Late; got != 1 {
		t.Errorf("%d late completions", got)
	}
	if len(drops) != 1 || drops[0].Data != "late" || drops[0].Tag != 7 {
		t.Errorf("dropped %+v", drops)
	}
}

func TestMessagesLeftAtTheEndAreLostAndCounted(t *testing.T) {
	var drops []any
	sim := newSim(t, scheduler.Config{OnDrop: func(_ *scheduler.Ref, ev scheduler.Event) { drops = append(drops, ev.Data) }})
	ref := sim.Submit(stepFunc(func(_ []scheduler.Event, out *scheduler.Output) error {
		for i := range 3 {
			_ = out.Send(out.Ref(), i)
		}
		out.Done(nil)
		return nil
	}), scheduler.SubmitOptions{})
	sim.Run(10)
	if got := sim.Scheduler().Stats().Lost; got != 3 || !slices.Equal(drops, []any{0, 1, 2}) {
		t.Errorf("%d lost messages: %v", got, drops)
	}
	if err := ref.Send(nil); !errors.Is(err, scheduler.ErrProcessClosed) || err.Error() != "process closed" || kind(err) != "InvalidState" {
		t.Errorf("got %v", err)
	}
}

func TestTerminateEndsAProcessInEveryState(t *testing.T) {
	held := &schedulertest.Held{}
	cfg := scheduler.Config{Dispatch: registry(echoID, held)}
	for name, prepare := range map[string]func(*schedulertest.Sim) *scheduler.Ref{
		"ready": func(sim *schedulertest.Sim) *scheduler.Ref {
			return sim.Submit(&schedulertest.Recorder{}, scheduler.SubmitOptions{})
		},
		"idle": func(sim *schedulertest.Sim) *scheduler.Ref {
			ref := sim.Submit(&schedulertest.Recorder{}, scheduler.SubmitOptions{})
			sim.Run(10)
			return ref
		},
		"blocked": func(sim *schedulertest.Sim) *scheduler.Ref {
			ref := sim.Submit(yieldOnce(echoID), scheduler.SubmitOptions{})
			sim.Run(10)
			return ref
		},
		"running": func(sim *schedulertest.Sim) *scheduler.Ref {
			return sim.Submit(stepFunc(func(_ []scheduler.Event, out *scheduler.Output) error {
				if err := out.Ref().Terminate(); err != nil {
					t.Error(err)
				}
				if out.Ref().Context().Err() == nil {
					t.Error("the context goes on")
				}
				return nil
			}), scheduler.SubmitOptions{})
		},
		"running, failing": func(sim *schedulertest.Sim) *scheduler.Ref {
			return sim.Submit(stepFunc(func(_ []scheduler.Event, out *scheduler.Output) error {
				_ = out.Ref().Terminate()
				return out.Ref().Context().Err()
			}), scheduler.SubmitOptions{})
		},
	} {
		t.Run(name, func(t *testing.T) {
			sim := newSim(t, cfg)
			ref := prepare(sim)
			if name[0] != 'r' || name == "ready" {
				if err := ref.Terminate(); err != nil {
					t.Fatal(err)
				}
			}
			sim.Run(10)
			_, err := wait(t, ref)
			if !errors.Is(err, scheduler.ErrTerminated) || err.Error() != "process terminated" || kind(err) != "Internal" {
				t.Errorf("got %v", err)
			}
			if err := ref.Terminate(); !errors.Is(err, scheduler.ErrProcessClosed) {
				t.Errorf("terminating again: %v", err)
			}
			ref.Cancel()
			if _, err := wait(t, ref); !errors.Is(err, scheduler.ErrTerminated) {
				t.Errorf("the outcome changed to %v", err)
			}
		})
	}
}

func TestCancelEndsAProcessWithCanceled(t *testing.T) {
	sim := newSim(t, scheduler.Config{})
	rec := &schedulertest.Recorder{}
	ref := sim.Submit(rec, scheduler.SubmitOptions{})
	sim.Run(10)
	ref.Cancel()
	sim.Run(10)
	if _, err := wait(t, ref); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if rec.Closed() != 1 {
		t.Errorf("closed %d times", rec.Closed())
	}
}

func TestDoneWinsOverTerminateInTheSameStep(t *testing.T) {
	sim := newSim(t, scheduler.Config{})
	ref := sim.Submit(stepFunc(func(_ []scheduler.Event, out *scheduler.Output) error {
		_ = out.Ref().Terminate()
		out.Done("finished")
		return nil
	}), scheduler.SubmitOptions{})
	sim.Run(10)
	if result, err := wait(t, ref); result != "finished" || err != nil {
		t.Errorf("got %v, %v", result, err)
	}
}

func TestUpgradeReplacesTheProcessAndDropsOldCompletions(t *testing.T) {
	held := &schedulertest.Held{}
	sim := newSim(t, scheduler.Config{Dispatch: registry(echoID, held)})
	rec := &schedulertest.Recorder{}
	next := &initProbe{}
	old := &closeCounter{Func: func(events []scheduler.Event, out *scheduler.Output) error {
		switch {
		case len(events) == 0:
			out.Yield(schedulertest.Command(echoID), 1)
		default:
			out.Upgrade(func(context.Context) (scheduler.Process, error) { return next, nil }, "v2", "in")
		}
		return nil
	}}
	ref := sim.Submit(old, scheduler.SubmitOptions{})
	sim.Run(10)
	_ = ref.Send("upgrade")
	sim.Step()
	_ = ref.Send("kept")
	sim.Run(10)
	if old.closed != 1 || next.method != "v2" || next.input != "in" || ref.Process() != scheduler.Process(next) {
		t.Fatalf("not replaced: %+v %+v", old, next)
	}
	held.Take(0).Complete("late", nil)
	sim.Run(10)
	if ev := next.Events(); len(ev) != 1 || ev[0].Data != "kept" {
		t.Errorf("got %v", ev)
	}
	if sim.Scheduler().Stats().Late != 1 {
		t.Error("the completion was not counted")
	}
	_ = rec
}

type closeCounter struct {
	schedulertest.Func
	closed int
}

func (c *closeCounter) Close() { c.closed++ }

func TestUpgradedProcessGetsItsOwnCompletions(t *testing.T) {
	held := &schedulertest.Held{}
	sim := newSim(t, scheduler.Config{Dispatch: registry(echoID, held)})
	ref := sim.Submit(stepFunc(func(_ []scheduler.Event, out *scheduler.Output) error {
		out.Yield(schedulertest.Command(echoID), 7)
		out.Upgrade(func(context.Context) (scheduler.Process, error) { return yieldOnce(echoID), nil }, "", nil)
		return nil
	}), scheduler.SubmitOptions{})
	sim.Run(10)
	held.Take(0).Complete("old", nil)
	sim.Run(10)
	held.Take(0).Complete("new", nil)
	sim.Run(10)
	if result, err := wait(t, ref); result != "new" || err != nil {
		t.Errorf("got %v, %v", result, err)
	}
}

func TestFailedUpgradeEndsTheProcess(t *testing.T) {
	failure := errors.New("no such program")
	for name, create := range map[string]func(context.Context) (scheduler.Process, error){
		"create": func(context.Context) (scheduler.Process, error) { return nil, failure },
		"init":   func(context.Context) (scheduler.Process, error) { return &initProbe{err: failure}, nil },
	} {
		t.Run(name, func(t *testing.T) {
			sim := newSim(t, scheduler.Config{})
			old := &closeCounter{Func: func(_ []scheduler.Event, out *scheduler.Output) error {
				out.Upgrade(create, "", nil)
				return nil
			}}
			ref := sim.Submit(old, scheduler.SubmitOptions{})
			sim.Run(10)
			_, err := wait(t, ref)
			if !errors.Is(err, failure) || !strings.HasPrefix(err.Error(), "upgrade: ") {
				t.Errorf("got %v", err)
			}
			if old.closed != 1 {
				t.Errorf("closed %d times", old.closed)
			}
		})
	}
}

type lifecycle struct {
	onStart func(ctx context.Context, ref *scheduler.Ref) error
	onExit  func(ref *scheduler.Ref, result any, err error)
}

func (l *lifecycle) OnStart(ctx context.Context, ref *scheduler.Ref) error {
	return l.onStart(ctx, ref)
}
func (l *lifecycle) OnExit(ref *scheduler.Ref, result any, err error) { l.onExit(ref, result, err) }

func TestLifecycleSeesStartAndExit(t *testing.T) {
	var log []string
	sim := newSim(t, scheduler.Config{Lifecycle: &lifecycle{
		onStart: func(_ context.Context, ref *scheduler.Ref) error {
			log = append(log, "start")
			return ref.Send("first")
		},
		onExit: func(_ *scheduler.Ref, result any, err error) { log = append(log, "exit") },
	}})
	ref := sim.Submit(stepFunc(func(events []scheduler.Event, out *scheduler.Output) error {
		log = append(log, events[0].Data.(string))
		out.Done(nil)
		return nil
	}), scheduler.SubmitOptions{OnExit: func(any, error) { log = append(log, "own") }})
	sim.Run(10)
	if _, err := wait(t, ref); err != nil {
		t.Error(err)
	}
	if want := []string{"start", "first", "exit", "own"}; !slices.Equal(log, want) {
		t.Errorf("got %v", log)
	}
}

func TestRejectedByLifecycleIsClosed(t *testing.T) {
	failure := errors.New("name taken")
	var early *scheduler.Ref
	sim := newSim(t, scheduler.Config{Lifecycle: &lifecycle{
		onStart: func(_ context.Context, ref *scheduler.Ref) error {
			early = ref
			_ = ref.Send("lost")
			return failure
		},
		onExit: func(*scheduler.Ref, any, error) { t.Error("OnExit called") },
	}})
	rec := &schedulertest.Recorder{}
	if _, err := sim.Scheduler().Submit(t.Context(), rec, scheduler.SubmitOptions{}); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	if rec.Closed() != 1 || sim.Scheduler().Stats().Processes != 0 || sim.Step() {
		t.Error("the rejected process is not gone")
	}
	if err := early.Send(nil); !errors.Is(err, scheduler.ErrProcessClosed) {
		t.Errorf("got %v", err)
	}
	if _, err := wait(t, early); !errors.Is(err, failure) {
		t.Errorf("its outcome is %v", err)
	}
}

func TestEachVisitsLiveProcesses(t *testing.T) {
	sim := newSim(t, scheduler.Config{})
	var refs []*scheduler.Ref
	for range 100 {
		refs = append(refs, sim.Submit(&schedulertest.Recorder{}, scheduler.SubmitOptions{}))
	}
	for _, r := range refs[:50] {
		r.Cancel()
	}
	sim.Run(1000)
	seen := map[*scheduler.Ref]int{}
	sim.Scheduler().Each(func(r *scheduler.Ref) bool {
		seen[r]++
		return true
	})
	for i, r := range refs {
		if want := i / 50; seen[r] != want {
			t.Errorf("process %d seen %d times", i, seen[r])
		}
	}
	n := 0
	sim.Scheduler().Each(func(*scheduler.Ref) bool { n++; return false })
	if n != 1 {
		t.Errorf("visited %d after false", n)
	}
}

func TestOutputWorksWithoutAScheduler(t *testing.T) {
	var out scheduler.Output
	out.Yield(schedulertest.Command(1), 2)
	out.Done("x")
	*out.Scratch() = "kept"
	if y := out.Yields(); len(y) != 1 || y[0].Tag != 2 || out.Status() != scheduler.StatusDone || out.Result() != "x" || out.Ref() != nil {
		t.Errorf("got %+v", out)
	}
	out.Reset()
	if len(out.Yields()) != 0 || out.Status() != scheduler.StatusWait || out.Result() != nil || *out.Scratch() != "kept" {
		t.Error("not empty after Reset")
	}
	sim := newSim(t, scheduler.Config{})
	rec := &schedulertest.Recorder{}
	ref := sim.Submit(rec, scheduler.SubmitOptions{})
	if err := out.Send(ref, "a"); err != nil {
		t.Error(err)
	}
	if err := ref.SendFrom(nil, "b"); err != nil {
		t.Error(err)
	}
	sim.Run(10)
	if ev := rec.Events(); len(ev) != 2 || ev[0].Data != "a" || ev[1].Data != "b" {
		t.Errorf("got %v", ev)
	}
}

func TestEventKindsHaveNames(t *testing.T) {
	for k, want := range map[scheduler.EventKind]string{
		scheduler.YieldComplete: "yield-complete", scheduler.MessageEvent: "message", 0: "invalid",
	} {
		if k.String() != want {
			t.Errorf("kind %d is %q, want %q", uint8(k), k, want)
		}
	}
}

// buffered counts in the scratch of its worker how many Steps have used it.
type buffered struct{ schedulertest.Recorder }

func (*buffered) Step(_ []scheduler.Event, out *scheduler.Output) error {
	n, _ := (*out.Scratch()).(int)
	*out.Scratch() = n + 1
	out.Done(n)
	return nil
}

func TestScratchIsPassedFromStepToStep(t *testing.T) {
	s, err := scheduler.New(scheduler.Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer s.Stop(context.Background())
	for want := range 3 {
		ref, err := s.Submit(t.Context(), &buffered{}, scheduler.SubmitOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := ref.Wait(t.Context()); err != nil || n != want {
			t.Errorf("process %d found %v, %v", want, n, err)
		}
	}
}
