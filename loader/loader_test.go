package loader_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/loader"
)

type contextKey string

// journal records what happens, in order.
type journal struct {
	mu    sync.Mutex
	lines []string
}

func (j *journal) add(line string) {
	j.mu.Lock()
	j.lines = append(j.lines, line)
	j.mu.Unlock()
}

func (j *journal) take() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	lines := j.lines
	j.lines = nil
	return lines
}

// recorded gives every component of a graph functions that write to j; the calls
// named in fail, such as "start b", return an error of that text.
func recorded(j *journal, graph string, fail ...string) []loader.Component {
	cs := parse(graph)
	for i := range cs {
		call := func(phase string) error {
			line := phase + " " + cs[i].Name
			j.add(line)
			if slices.Contains(fail, line) {
				return errors.New(line + " broke")
			}
			return nil
		}
		cs[i].Load = func(ctx context.Context) (context.Context, error) { return ctx, call("load") }
		cs[i].Start = func(context.Context) error { return call("start") }
		cs[i].Stop = func(context.Context) error { return call("stop") }
	}
	return cs
}

func mustNew(t testing.TB, cs ...loader.Component) *loader.Loader {
	t.Helper()
	l, err := loader.New(cs...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func mustLoad(t testing.TB, l *loader.Loader) context.Context {
	t.Helper()
	ctx, err := l.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return ctx
}

func mustStop(t testing.TB, l *loader.Loader) {
	t.Helper()
	if err := l.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func TestLifeGoesUpInOrderAndDownInReverse(t *testing.T) {
	var j journal
	l := mustNew(t, recorded(&j, "d: b c; c: a; b: a; a")...)
	ctx := mustLoad(t, l)
	lines := j.take()
	slices.Sort(lines[1:3]) // b and c load at the same time
	if want := []string{"load a", "load b", "load c", "load d"}; !slices.Equal(lines, want) {
		t.Errorf("got %v, want %v", lines, want)
	}
	if err := l.Start(ctx); err != nil {
		t.Fatal(err)
	}
	if got, want := j.take(), []string{"start a", "start b", "start c", "start d"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	mustStop(t, l)
	if got, want := j.take(), []string{"stop d", "stop c", "stop b", "stop a"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	mustStop(t, l) // the second time does nothing
	if got := j.take(); len(got) != 0 {
		t.Errorf("second Stop called %v", got)
	}
}

func TestFunctionsAreOptional(t *testing.T) {
	l := mustNew(t, parse("a; b: a")...)
	ctx := mustLoad(t, l)
	if ctx != t.Context() {
		t.Error("a run that attaches nothing changes the context")
	}
	if err := l.Start(ctx); err != nil {
		t.Fatal(err)
	}
	mustStop(t, l)
}

func TestLoadRunsTheComponentsOfALevelConcurrently(t *testing.T) {
	cs := parse("a; b; c; after: a b c")
	var inside sync.WaitGroup
	inside.Add(3)
	for i := range 3 {
		cs[i].Load = func(ctx context.Context) (context.Context, error) {
			inside.Done()
			inside.Wait() // passes only when all three are here
			return ctx, nil
		}
	}
	l := mustNew(t, cs...)
	mustLoad(t, l)
	mustStop(t, l)
}

func TestLoadFailureCancelsTheLevel(t *testing.T) {
	boom := errors.New("boom")
	cs := parse("a; b; c; after: a")
	waiting := make(chan struct{})
	cs[0].Load = func(context.Context) (context.Context, error) {
		<-waiting
		return nil, boom
	}
	var cause error
	cs[1].Load = func(ctx context.Context) (context.Context, error) {
		close(waiting)
		<-ctx.Done()
		cause = context.Cause(ctx)
		return nil, ctx.Err() // an echo, not a second failure
	}
	cleanup := errors.New("cleanup failed")
	cs[2].Load = func(ctx context.Context) (context.Context, error) {
		<-ctx.Done()
		return nil, cleanup // news
	}
	cs[3].Load = func(context.Context) (context.Context, error) {
		t.Error("a component above the failure was loaded")
		return nil, nil
	}
	l := mustNew(t, cs...)
	_, err := l.Load(t.Context())
	var ce *loader.ComponentError
	if !errors.As(err, &ce) || ce.Component != "a" || ce.Phase != loader.PhaseLoad || !errors.Is(ce, boom) {
		t.Fatalf("got %v", err)
	}
	if want := "failed to load component: a: boom\nfailed to load component: c: cleanup failed"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	if !errors.Is(cause, boom) {
		t.Errorf("the others are cancelled because of %v", cause)
	}
	var state *loader.StateError
	if err := l.Start(t.Context()); !errors.As(err, &state) || state.State != "failed" {
		t.Errorf("Start after a failed Load: %v", err)
	}
	mustStop(t, l)
}

func TestLoadTimeoutNamesTheComponent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		cs := parse("slow; fast")
		cs[0].Timeout = 3 * time.Second
		cs[0].Load = func(ctx context.Context) (context.Context, error) {
			<-release // does not watch its context
			return ctx, nil
		}
		l := mustNew(t, cs...)
		begun := time.Now()
		_, err := l.Load(t.Context())
		if took := time.Since(begun); took != 3*time.Second {
			t.Errorf("took %v", took)
		}
		if ce, ok := errors.AsType[*loader.ComponentError](err); !ok || !errors.Is(err, loader.ErrTimeout) || ce.Elapsed != 3*time.Second {
			t.Errorf("got %v", err)
		}
		if want := "failed to load component: slow: timed out (after 3s)"; err.Error() != want {
			t.Errorf("got %q, want %q", err, want)
		}
		close(release)
	})
}

func TestLoadLeavesAComponentBehindThatIgnoresCancellation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		cs := parse("bad; deaf")
		cs[0].Load = func(context.Context) (context.Context, error) { return nil, errors.New("boom") }
		cs[1].Load = func(context.Context) (context.Context, error) { <-release; return nil, nil }
		l := mustNew(t, cs...)
		_, err := l.Load(t.Context())
		if !errors.Is(err, loader.ErrAbandoned) || !strings.Contains(err.Error(), "component: deaf: did not return after its context ended") {
			t.Errorf("got %v", err)
		}
		close(release)
	})
}

// TestLoadReportsEachFailureOnce has components that pass the cause of their
// cancellation on: they say nothing new, unlike one that panics because of it.
func TestLoadReportsEachFailureOnce(t *testing.T) {
	cs := parse("a; b; c")
	boom := errors.New("boom")
	var others sync.WaitGroup
	others.Add(2)
	cs[0].Load = func(context.Context) (context.Context, error) { others.Wait(); return nil, boom }
	cs[1].Load = func(ctx context.Context) (context.Context, error) {
		others.Done()
		<-ctx.Done()
		return nil, fmt.Errorf("given up: %w", context.Cause(ctx))
	}
	cs[2].Load = func(ctx context.Context) (context.Context, error) {
		others.Done()
		<-ctx.Done()
		panic(ctx.Err())
	}
	_, err := mustNew(t, cs...).Load(t.Context())
	want := "failed to load component: a: boom\nfailed to load component: c: panic: context canceled"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
}

// TestLoadFailureStopsWhatIsUp has components that take something in Load and give
// it back in Stop: they have no Start, so they are up as soon as they are loaded.
func TestLoadFailureStopsWhatIsUp(t *testing.T) {
	var j journal
	cs := recorded(&j, "a; b: a; c: b; d: b; e: d", "load d", "stop a")
	for _, i := range []int{0, 2, 3} {
		cs[i].Start = nil
	}
	var stopErr error
	stop := cs[2].Stop
	cs[2].Stop = func(ctx context.Context) error { stopErr = ctx.Err(); return stop(ctx) }
	ctx, cancel := context.WithCancel(t.Context())
	fail := cs[3].Load
	cs[3].Load = func(ctx context.Context) (context.Context, error) { cancel(); return fail(ctx) }
	l := mustNew(t, cs...)
	_, err := l.Load(ctx)
	want := "failed to load component: d: load d broke\ncontext canceled\nfailed to stop component: a: stop a broke"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
	lines := j.take()
	slices.Sort(lines[2:4]) // c and d load at the same time
	if want := []string{"load a", "load b", "load c", "load d", "stop c", "stop a"}; !slices.Equal(lines, want) {
		t.Errorf("got %v, want %v", lines, want)
	}
	if stopErr != nil {
		t.Errorf("c is stopped with a context that has ended: %v", stopErr)
	}
	mustStop(t, l)
	if got := j.take(); len(got) != 0 {
		t.Errorf("Stop after the failure called %v", got)
	}
}

func TestStopAfterLoadGivesBackWhatLoadTook(t *testing.T) {
	var j journal
	cs := recorded(&j, "a; b: a; c: b")
	cs[0].Start, cs[2].Start = nil, nil
	l := mustNew(t, cs...)
	mustLoad(t, l)
	j.take()
	mustStop(t, l)
	if got, want := j.take(), []string{"stop c", "stop a"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestContextsLiveAsLongAsTheirComponent looks at the contexts that each component
// was given in Load and Start when each of them is stopped.
func TestContextsLiveAsLongAsTheirComponent(t *testing.T) {
	cs := parse("a; b: a; c: b")
	given := map[string][]context.Context{}
	var live []string
	for i := range cs {
		name := cs[i].Name
		keep := func(ctx context.Context) { given[name] = append(given[name], ctx) }
		cs[i].Load = func(ctx context.Context) (context.Context, error) { keep(ctx); return ctx, nil }
		cs[i].Start = func(ctx context.Context) error { keep(ctx); return nil }
		cs[i].Stop = func(context.Context) error {
			line := "stop " + name + ":"
			for _, other := range []string{"a", "b", "c"} {
				for _, ctx := range given[other] {
					if ctx.Err() == nil {
						line += " " + other
					}
				}
			}
			live = append(live, line)
			return nil
		}
	}
	cs[1].Timeout = time.Hour // makes no difference
	l := mustNew(t, cs...)
	if err := l.Start(mustLoad(t, l)); err != nil {
		t.Fatal(err)
	}
	mustStop(t, l)
	if want := []string{"stop c: a a b b c c", "stop b: a a b b", "stop a: a a"}; !slices.Equal(live, want) {
		t.Errorf("contexts alive: %q, want %q", live, want)
	}
	if given["a"][0].Err() == nil || given["a"][1].Err() == nil {
		t.Error("the contexts of the last component go on after its Stop")
	}
}

func TestCallerCancellationEndsLoad(t *testing.T) {
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("interrupted")
	cs := parse("a; b: a")
	cs[0].Load = func(ctx context.Context) (context.Context, error) {
		cancel(stop)
		return ctx, nil
	}
	cs[1].Load = func(context.Context) (context.Context, error) {
		t.Error("loaded after the caller's context ended")
		return nil, nil
	}
	l := mustNew(t, cs...)
	if _, err := l.Load(ctx); !errors.Is(err, stop) {
		t.Errorf("got %v", err)
	}
}

func TestStartFailureStopsWhatHadStarted(t *testing.T) {
	var j journal
	l := mustNew(t, recorded(&j, "a; b: a; c: b; d: c", "start c", "stop a")...)
	ctx := mustLoad(t, l)
	j.take()
	err := l.Start(ctx)
	if want := "failed to start component: c: start c broke\nfailed to stop component: a: stop a broke"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %q", err, want)
	}
	if got, want := j.take(), []string{"start a", "start b", "start c", "stop b", "stop a"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	mustStop(t, l)
	if got := j.take(); len(got) != 0 {
		t.Errorf("Stop after the rollback called %v", got)
	}
}

// TestStartFailureStopsComponentsWithoutStart has one above the component that
// fails, which is up since it was loaded.
func TestStartFailureStopsComponentsWithoutStart(t *testing.T) {
	var j journal
	cs := recorded(&j, "a; b: a; c: b; d: b", "start b")
	cs[0].Start, cs[2].Start = nil, nil
	l := mustNew(t, cs...)
	ctx := mustLoad(t, l)
	j.take()
	if err := l.Start(ctx); err == nil || err.Error() != "failed to start component: b: start b broke" {
		t.Errorf("got %v", err)
	}
	if got, want := j.take(), []string{"start b", "stop c", "stop a"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestStartWithAnEndedContextStartsNothing(t *testing.T) {
	var j journal
	l := mustNew(t, recorded(&j, "a; b: a")...)
	mustLoad(t, l)
	j.take()
	ctx, cancel := context.WithCancelCause(t.Context())
	interrupted := errors.New("interrupted")
	cancel(interrupted)
	if err := l.Start(ctx); !errors.Is(err, interrupted) {
		t.Errorf("got %v", err)
	}
	if got := j.take(); len(got) != 0 {
		t.Errorf("called %v", got)
	}
}

// TestCallerCauseIsInTheError has components that return what ctx.Err says, which
// is not why the caller gave up.
func TestCallerCauseIsInTheError(t *testing.T) {
	interrupted := errors.New("interrupted")
	for _, phase := range []loader.Phase{loader.PhaseLoad, loader.PhaseStart} {
		ctx, cancel := context.WithCancelCause(t.Context())
		wait := func(ctx context.Context) error { cancel(interrupted); <-ctx.Done(); return ctx.Err() }
		c := loader.Component{Name: "c", Start: wait}
		if phase == loader.PhaseLoad {
			c.Load = func(ctx context.Context) (context.Context, error) { return nil, wait(ctx) }
		}
		l := mustNew(t, c)
		_, err := l.Load(ctx)
		if phase == loader.PhaseStart {
			err = l.Start(ctx)
		}
		want := "failed to " + string(phase) + " component: c: context canceled\ninterrupted"
		if err == nil || err.Error() != want || !errors.Is(err, interrupted) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestStartIsRolledBackWhenTheCallerGivesUp(t *testing.T) {
	var j journal
	cs := recorded(&j, "a; b: a")
	ctx, cancel := context.WithCancel(t.Context())
	cs[0].Start = func(context.Context) error { cancel(); return nil }
	var stopErr error
	cs[0].Stop = func(ctx context.Context) error { stopErr = ctx.Err(); j.add("stop a"); return nil }
	l := mustNew(t, cs...)
	mustLoad(t, l)
	j.take()
	if err := l.Start(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if got := j.take(); !slices.Equal(got, []string{"stop a"}) || stopErr != nil {
		t.Errorf("got %v, context error in Stop %v", got, stopErr)
	}
}

func TestStartTimeoutEndsTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cs := parse("a; b: a")
		cs[0].Timeout = 100 * time.Millisecond
		var kept context.Context
		cs[0].Start = func(ctx context.Context) error { kept = ctx; return nil }
		ended := make(chan error, 1)
		cs[1].Timeout = time.Second
		cs[1].Start = func(ctx context.Context) error {
			<-time.After(500 * time.Millisecond)
			if kept.Err() != nil {
				t.Error("the context of a started component ended with its time-out")
			}
			<-ctx.Done()
			ended <- context.Cause(ctx)
			return ctx.Err()
		}
		l := mustNew(t, cs...)
		ctx := mustLoad(t, l)
		if err := l.Start(ctx); !errors.Is(err, loader.ErrTimeout) || !strings.Contains(err.Error(), "start component: b") {
			t.Errorf("got %v", err)
		}
		if cause := <-ended; !errors.Is(cause, loader.ErrTimeout) {
			t.Errorf("cause %v", cause)
		}
		if kept.Err() == nil {
			t.Error("the context of a stopped component goes on")
		}
	})
}

func TestStopGoesOnAfterErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var j journal
		cs := recorded(&j, "a; b: a; c: b; d: c", "stop a", "stop d")
		release := make(chan struct{})
		cs[2].Timeout = time.Second
		cs[2].Stop = func(context.Context) error { j.add("stop c"); <-release; return nil }
		l := mustNew(t, cs...)
		if err := l.Start(mustLoad(t, l)); err != nil {
			t.Fatal(err)
		}
		j.take()
		err := l.Stop(t.Context())
		want := "failed to stop component: d: stop d broke\n" +
			"failed to stop component: c: timed out (after 1s)\n" +
			"failed to stop component: a: stop a broke"
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %q", err, want)
		}
		if got, want := j.take(), []string{"stop d", "stop c", "stop b", "stop a"}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		close(release)
	})
}

func TestStopWithAnEndedContextStillCallsEverything(t *testing.T) {
	var j journal
	l := mustNew(t, recorded(&j, "a; b: a")...)
	if err := l.Start(mustLoad(t, l)); err != nil {
		t.Fatal(err)
	}
	j.take()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Stop(ctx); err != nil {
		t.Error(err)
	}
	if got, want := j.take(), []string{"stop b", "stop a"}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestStopGivesEveryCallItsGrace stops components that do not watch their context,
// which has ended: each gets five seconds, from its own beginning.
func TestStopGivesEveryCallItsGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cs := parse("a; b: a; c: b; d: c")
		release := make(chan struct{})
		begun := time.Now()
		var j journal // locked: calls that were left behind order nothing
		for i := range cs {
			cs[i].Stop = func(context.Context) error {
				j.add(fmt.Sprint(cs[i].Name, " ", time.Since(begun)))
				if cs[i].Name == "c" {
					<-time.After(2 * time.Second)
					return nil
				}
				<-release
				return nil
			}
		}
		l := mustNew(t, cs...)
		mustLoad(t, l)
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := l.Stop(ctx)
		want := []string{"d 0s", "c 5s", "b 7s", "a 12s"}
		calls := j.take()
		if took := time.Since(begun); !slices.Equal(calls, want) || took != 17*time.Second {
			t.Errorf("calls at %v, %v in all; want %v, 17s", calls, took, want)
		}
		for _, name := range []string{"d", "b", "a"} {
			want := "failed to stop component: " + name + ": did not return after its context ended (after 5s)"
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%v lacks %q", err, want)
			}
		}
		close(release)
	})
}

// TestStartThatIsDoneSucceeds has a context that ends while the last component
// starts, which does not mind.
func TestStartThatIsDoneSucceeds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cs := parse("a; b: a")
	cs[1].Start = func(context.Context) error { cancel(); return nil }
	l := mustNew(t, cs...)
	mustLoad(t, l)
	if err := l.Start(ctx); err != nil {
		t.Error(err)
	}
	mustStop(t, l)
}

func TestConcurrentCallsWaitForEachOther(t *testing.T) {
	var loads atomic.Int32
	cs := parse("a; b: a")
	cs[0].Load = func(ctx context.Context) (context.Context, error) { loads.Add(1); return ctx, nil }
	l := mustNew(t, cs...)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			ctx, err := l.Load(t.Context())
			if err == nil {
				err = l.Start(ctx)
			}
			_ = l.Report().String()
			var se *loader.StateError
			if err != nil && !errors.As(err, &se) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := loads.Load(); n != 1 {
		t.Errorf("loaded %d times", n)
	}
	mustStop(t, l)
}
