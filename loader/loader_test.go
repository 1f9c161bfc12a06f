package loader_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"runtime"
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

// with returns a Load that sets keys to values.
func with(values map[contextKey]any) func(context.Context) (context.Context, error) {
	return func(ctx context.Context) (context.Context, error) {
		for _, k := range slices.Sorted(maps.Keys(values)) {
			ctx = context.WithValue(ctx, k, values[k])
		}
		return ctx, nil
	}
}

func TestLoadMergesContextsByName(t *testing.T) {
	type values = map[contextKey]any
	list, table, function := []int{1}, map[string]int{"x": 1}, func() {}
	type pair struct {
		list []int
		any  any
	}
	cs := parse("base; a: base; b: base; c: base; top: a b c")
	set := map[string]values{
		"base": {"base": 1, "list": list, "map": table, "func": function, "pair": pair{list, table}, "shadowed": "base"},
		"a":    {"own": "a", "equal": "a", "list": []int{2}, "map": map[string]int{"x": 2}, "func": nil, "pair": pair{list, list}, "shadowed": "a"},
		"b":    {"equal": "b"},
		"c":    {"other": "c"}, // knows nothing of the rest: must not hide it
	}
	var seen values
	read := func(ctx context.Context) values {
		got := values{}
		for _, k := range []contextKey{"outer", "base", "own", "equal", "other", "shadowed", "none"} {
			got[k] = ctx.Value(k)
		}
		l, _ := ctx.Value(contextKey("list")).([]int)
		m, _ := ctx.Value(contextKey("map")).(map[string]int)
		p, _ := ctx.Value(contextKey("pair")).(pair)
		_, isList := p.any.([]int)
		got["list"], got["map"], got["func"], got["pair"] = l[0], m["x"], ctx.Value(contextKey("func")) == nil, isList
		return got
	}
	for i := range cs {
		cs[i].Load = with(set[cs[i].Name])
	}
	cs[len(cs)-1].Load = func(ctx context.Context) (context.Context, error) {
		seen = read(ctx)
		return ctx, nil
	}
	want := values{
		"outer": "yes", "base": 1, "own": "a", "equal": "b", "other": "c", "shadowed": "a", "none": nil,
		"list": 2, "map": 2, "func": true, "pair": true,
	}
	l := mustNew(t, cs...)
	ctx, err := l.Load(context.WithValue(t.Context(), contextKey("outer"), "yes"))
	if err != nil {
		t.Fatal(err)
	}
	defer mustStop(t, l)
	if !reflect.DeepEqual(seen, want) {
		t.Errorf("the component above sees %v, want %v", seen, want)
	}
	if got := read(ctx); !reflect.DeepEqual(got, want) {
		t.Errorf("the result holds %v, want %v", got, want)
	}
	if got := read(ctx); !reflect.DeepEqual(got, want) {
		t.Errorf("asked again, the result holds %v, want %v", got, want)
	}
}

// TestMergedLookupDoesNotMultiply would not end in a lifetime if each level asked
// the level below once per component.
func TestMergedLookupDoesNotMultiply(t *testing.T) {
	var cs []loader.Component
	for level := range 15 {
		for i := range 10 {
			c := loader.Component{Name: fmt.Sprintf("c%02d.%d", level, i)}
			if level > 0 {
				c.DependsOn = []string{fmt.Sprintf("c%02d.%d", level-1, i)}
			}
			c.Load = with(map[contextKey]any{contextKey(c.Name): c.Name})
			cs = append(cs, c)
		}
	}
	l := mustNew(t, cs...)
	ctx := mustLoad(t, l)
	defer mustStop(t, l)
	for _, c := range cs {
		if got := ctx.Value(contextKey(c.Name)); got != c.Name {
			t.Fatalf("%s: got %v", c.Name, got)
		}
	}
	for i := range 1100 { // more keys than are remembered
		if got := ctx.Value(i); got != nil {
			t.Fatalf("key %d: got %v", i, got)
		}
	}
}

func TestMergedContextDerivesWithoutGoroutines(t *testing.T) {
	cs := parse("a; b; c: a b")
	for i := range cs {
		cs[i].Load = func(ctx context.Context) (context.Context, error) {
			ctx, cancel := context.WithCancel(context.WithValue(ctx, contextKey(cs[i].Name), true))
			cancel() // the cancellation of a returned context is ignored
			return ctx, nil
		}
	}
	outer, cancelOuter := context.WithCancel(t.Context())
	defer cancelOuter()
	l := mustNew(t, cs...)
	ctx, err := l.Load(outer)
	if err != nil || ctx.Err() != nil {
		t.Fatalf("error %v, context error %v", err, ctx.Err())
	}
	defer mustStop(t, l)
	before := runtime.NumGoroutine()
	var derived []context.Context
	for range 100 {
		d, cancel := context.WithCancel(context.WithValue(ctx, contextKey("x"), 1))
		defer cancel()
		derived = append(derived, d)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("deriving 100 contexts started %d goroutines", after-before)
	}
	cancelOuter()
	for _, d := range derived {
		<-d.Done()
	}
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
		if !errors.Is(err, loader.ErrTimeout) {
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

func TestPanicBecomesAnError(t *testing.T) {
	boom := errors.New("boom")
	blowUp := func() { panic(boom) }
	for name, c := range map[string]loader.Component{
		"load":  {Name: "c", Load: func(context.Context) (context.Context, error) { blowUp(); return nil, nil }},
		"start": {Name: "c", Start: func(context.Context) error { blowUp(); return nil }},
		"stop":  {Name: "c", Stop: func(context.Context) error { blowUp(); return nil }},
	} {
		t.Run(name, func(t *testing.T) {
			l := mustNew(t, c)
			ctx, err := l.Load(t.Context())
			if err == nil {
				err = l.Start(ctx)
			}
			err = errors.Join(err, l.Stop(context.Background()))
			var ce *loader.ComponentError
			var pe *loader.PanicError
			if !errors.As(err, &ce) || string(ce.Phase) != name || !errors.As(err, &pe) || !errors.Is(err, boom) {
				t.Fatalf("got %v", err)
			}
			if !strings.Contains(string(pe.Stack), "TestPanicBecomesAnError") {
				t.Errorf("the stack does not lead to the panic:\n%s", pe.Stack)
			}
		})
	}
}

func TestCausesHaveKinds(t *testing.T) {
	for err, want := range map[error]string{
		loader.ErrTimeout:                 "Timeout",
		loader.ErrAbandoned:               "Timeout",
		loader.ErrExited:                  "Internal",
		&loader.PanicError{Value: "boom"}: "Internal",
	} {
		// A consumer finds the kind behind the error that names the component.
		wrapped := error(&loader.ComponentError{Phase: loader.PhaseLoad, Component: "c", Err: err})
		var k interface{ Kind() string }
		if !errors.As(wrapped, &k) || k.Kind() != want {
			t.Errorf("%v: kind is not %s", wrapped, want)
		}
	}
	if got := (&loader.PanicError{Value: "boom"}).Error(); got != "panic: boom" {
		t.Errorf("text %q", got)
	}
}

func TestGoexitBecomesAnError(t *testing.T) {
	l := mustNew(t, loader.Component{Name: "c", Load: func(context.Context) (context.Context, error) {
		runtime.Goexit()
		return nil, nil
	}})
	if _, err := l.Load(t.Context()); !errors.Is(err, loader.ErrExited) {
		t.Errorf("got %v", err)
	}
}

func TestCallsInTheWrongOrderAreRefused(t *testing.T) {
	refused := func(what string, err error, want string) {
		t.Helper()
		var se *loader.StateError
		if !errors.As(err, &se) || err.Error() != want || se.Kind() != "InvalidState" {
			t.Errorf("%s: got %v, want %q", what, err, want)
		}
	}
	l := mustNew(t, parse("a")...)
	refused("Start of a new loader", l.Start(t.Context()), "loader: cannot start when new")
	ctx := mustLoad(t, l)
	_, err := l.Load(t.Context())
	refused("second Load", err, "loader: cannot load when loaded")
	if err := l.Start(ctx); err != nil {
		t.Fatal(err)
	}
	refused("second Start", l.Start(ctx), "loader: cannot start when started")
	mustStop(t, l)
	refused("Start after Stop", l.Start(ctx), "loader: cannot start when stopped")
}

func TestReportFindsTheCriticalPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cs := parse("a; b; c: a; d: b; e: c d")
		for i, d := range []time.Duration{1, 10, 5, 1, 2} {
			cs[i].Load = func(ctx context.Context) (context.Context, error) {
				<-time.After(d * time.Second)
				return ctx, nil
			}
			cs[i].Start = func(context.Context) error { <-time.After(time.Second); return nil }
		}
		l := mustNew(t, cs...)
		if err := l.Start(mustLoad(t, l)); err != nil {
			t.Fatal(err)
		}
		mustStop(t, l)
		r := l.Report()
		if want := []string{"b", "d", "e"}; !slices.Equal(r.CriticalPath, want) || r.CriticalTime != 13*time.Second {
			t.Errorf("critical path %v of %v, want %v of 13s", r.CriticalPath, r.CriticalTime, want)
		}
		if want := []time.Duration{10 * time.Second, 5 * time.Second, 2 * time.Second}; !slices.Equal(r.Levels, want) {
			t.Errorf("levels %v, want %v", r.Levels, want)
		}
		if r.Load != 17*time.Second || r.Start != 5*time.Second || r.Components[2].Load != 5*time.Second {
			t.Errorf("load %v, start %v, load of c %v", r.Load, r.Start, r.Components[2].Load)
		}
		for _, want := range []string{"critical path: b → d → e (13s)", "    1  c                  5s          1s           -"} {
			if !strings.Contains(r.String(), want) {
				t.Errorf("the report lacks %q:\n%s", want, r)
			}
		}
	})
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
