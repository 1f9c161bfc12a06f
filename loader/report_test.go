package loader_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/loader"
)

// takes returns a Load that takes d.
func takes(d time.Duration) func(context.Context) (context.Context, error) {
	return func(ctx context.Context) (context.Context, error) {
		<-time.After(d)
		return ctx, nil
	}
}

func TestReportFindsTheCriticalPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cs := parse("a; b; c: a; d: b; e: c d; f: e")
		cs[5].Stop = func(context.Context) error { <-time.After(3 * time.Second); return nil }
		for i, d := range []time.Duration{1, 10, 5, 1, 2} {
			cs[i].Load = takes(d * time.Second)
			cs[i].Start = func(context.Context) error { <-time.After(time.Second); return nil }
		}
		l := mustNew(t, cs...)
		if r := l.Report(); r.CriticalPath != nil || r.LongestChain != nil || r.CriticalTime != 0 {
			t.Errorf("before Load: %+v", r)
		}
		if err := l.Start(mustLoad(t, l)); err != nil {
			t.Fatal(err)
		}
		mustStop(t, l)
		r := l.Report()
		if want := []string{"b", "c", "e"}; !slices.Equal(r.CriticalPath, want) || r.CriticalTime != 17*time.Second {
			t.Errorf("critical path %v of %v, want %v of 17s", r.CriticalPath, r.CriticalTime, want)
		}
		if want := []string{"b", "d", "e"}; !slices.Equal(r.LongestChain, want) || r.ChainTime != 13*time.Second {
			t.Errorf("longest chain %v of %v, want %v of 13s", r.LongestChain, r.ChainTime, want)
		}
		if want := []time.Duration{10 * time.Second, 5 * time.Second, 2 * time.Second, 0}; !slices.Equal(r.Levels, want) {
			t.Errorf("levels %v, want %v", r.Levels, want)
		}
		if r.Load != 17*time.Second || r.Start != 5*time.Second || r.Stop != 3*time.Second || r.Components[2].Load != 5*time.Second {
			t.Errorf("load %v, start %v, stop %v, load of c %v", r.Load, r.Start, r.Stop, r.Components[2].Load)
		}
		for _, want := range []string{
			"critical path: b → c → e (17s)",
			"longest chain: b → d → e (13s)",
			"    1  c                  5s          1s           -",
		} {
			if !strings.Contains(r.String(), want) {
				t.Errorf("the report lacks %q:\n%s", want, r)
			}
		}
	})
}

func TestReportOfOneChainPrintsItOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cs := parse("a; b: a")
		cs[0].Load, cs[1].Load = takes(time.Second), takes(2*time.Millisecond)
		l := mustNew(t, cs...)
		mustLoad(t, l)
		mustStop(t, l)
		if text := l.Report().String(); !strings.Contains(text, "critical path: a → b (1.002s)") || strings.Contains(text, "longest chain") {
			t.Errorf("got\n%s", text)
		}
	})
}

// TestReportShowsWhereItHangs looks at a Load and a Start without time-outs that do
// not come to an end.
func TestReportShowsWhereItHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		cs := parse("quick; stuck; wedged: stuck")
		cs[0].Load = takes(time.Second)
		cs[1].Load = func(ctx context.Context) (context.Context, error) { <-release; return ctx, nil }
		cs[2].Start = func(context.Context) error { <-release; return nil }
		l := mustNew(t, cs...)
		started := make(chan error)
		go func() {
			ctx, err := l.Load(t.Context())
			if err == nil {
				err = l.Start(ctx)
			}
			started <- err
		}()
		look := func(phase loader.Phase, want string, elapsed time.Duration, line string) {
			t.Helper()
			<-time.After(time.Minute)
			r := l.Report()
			for _, c := range r.Components {
				switch {
				case c.Name != want && c.Running != "":
					t.Errorf("%s of %s is said to run", c.Running, c.Name)
				case c.Name == want && (c.Running != phase || max(c.Load, c.Start) != elapsed):
					t.Errorf("%s of %s is not said to run for %v: %+v", phase, want, elapsed, c)
				}
			}
			if !strings.Contains(r.String(), line) {
				t.Errorf("the report lacks %q:\n%s", line, r)
			}
		}
		look(loader.PhaseLoad, "stuck", time.Minute, "    0  stuck           1m0s+           -           -")
		release <- struct{}{}
		look(loader.PhaseStart, "wedged", time.Minute, "    1  wedged              -       1m0s+           -")
		release <- struct{}{}
		if err := <-started; err != nil {
			t.Error(err)
		}
		mustStop(t, l)
	})
}
