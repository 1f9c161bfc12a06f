package loader_test

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/loader"
)

const (
	never = time.Duration(math.MaxInt64 / 4)
	grace = 5 * time.Second // what a call gets after the end of its context
)

// act is what one function of a component does.
type act struct {
	present bool
	takes   time.Duration // never for a hang
	watches bool          // it returns early when its context ends
	result  string        // ok, error, panic or exit
}

// part is one component of a scenario.
type part struct {
	name    string
	deps    []string
	level   int
	acts    map[loader.Phase]act
	timeout time.Duration // 0 for none
}

// scenario is a graph, what its components do, and when the caller gives up: the
// time from the call of each phase to the end of its context.
type scenario struct {
	parts    []part // in the order of the plan
	deadline map[loader.Phase]time.Duration
}

var phases = []loader.Phase{loader.PhaseLoad, loader.PhaseStart, loader.PhaseStop}

// spans are what durations, time-outs and deadlines are drawn around, some shorter
// and some longer than the grace period.
var spans = []time.Duration{0, time.Millisecond, 400 * time.Millisecond, 2 * time.Second, 4 * time.Second, 6 * time.Second, 15 * time.Second}

// drawScenario draws all times so that no two events coincide: what happens is then
// one sequence. Durations are whole microseconds, no two alike modulo 1 ms,
// time-outs are two nanoseconds off them and deadlines one.
func drawScenario(t *rapid.T) scenario {
	s := scenario{deadline: map[loader.Phase]time.Duration{}}
	serial := time.Duration(0)
	span := func(label string) time.Duration {
		serial += time.Microsecond
		return rapid.SampledFrom(spans).Draw(t, label) + serial
	}
	seldom := func(label string) bool { return rapid.IntRange(0, 7).Draw(t, label) == 7 }
	for _, phase := range phases {
		s.deadline[phase] = never
		if rapid.IntRange(0, 2).Draw(t, "deadline") == 2 {
			s.deadline[phase] = span("deadline") + time.Nanosecond
		}
	}
	for i := range rapid.IntRange(0, 9).Draw(t, "components") {
		p := part{name: fmt.Sprint("c", i), acts: map[loader.Phase]act{}}
		for _, lower := range s.parts {
			if rapid.IntRange(0, 2).Draw(t, "dependency") == 0 {
				p.deps = append(p.deps, lower.name)
				p.level = max(p.level, lower.level+1)
			}
		}
		if rapid.Bool().Draw(t, "has time-out") {
			p.timeout = span("time-out") + 2*time.Nanosecond
		}
		for _, phase := range phases {
			a := act{
				present: !seldom("absent"),
				takes:   span("takes"),
				watches: rapid.Bool().Draw(t, "watches"),
				result:  "ok",
			}
			if seldom("fails") {
				a.result = rapid.SampledFrom([]string{"error", "panic", "exit"}).Draw(t, "result")
			}
			// Something has to end a hang: components are also stopped after a failure,
			// and then only their time-outs do.
			bounded := p.timeout > 0 || phase != loader.PhaseStop && s.deadline[phase] != never
			if bounded && seldom("hangs") {
				a.takes = never
			}
			p.acts[phase] = a
		}
		s.parts = append(s.parts, p)
	}
	slices.SortFunc(s.parts, func(a, b part) int {
		return cmp.Or(a.level-b.level, strings.Compare(a.name, b.name))
	})
	return s
}

// history is what is observed, and what the model expects to be.
type history struct {
	calls   []string                // "12.000001s load c3", sorted by time
	errors  map[loader.Phase]string // the lines of each error, sorted
	timings []loader.Timing
	wall    map[loader.Phase]time.Duration
	path    time.Duration // the critical path, if Load succeeded
}

// stage carries a scenario out.
type stage struct {
	scenario
	begun   time.Time
	release chan struct{} // closed in the end, to end the hangs

	mu    sync.Mutex
	calls []string
	given map[string][]context.Context // by component
}

func (s *stage) note(format string, args ...any) {
	at := time.Since(s.begun)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, fmt.Sprintf("%020d %s", at, fmt.Sprintf(format, args...)))
}

// perform does what the scenario says about one function.
func (s *stage) perform(p part, phase loader.Phase, ctx context.Context) error {
	s.note("%s %s", phase, p.name)
	s.mu.Lock()
	s.given[p.name] = append(s.given[p.name], ctx)
	s.mu.Unlock()
	a := p.acts[phase]
	done := time.NewTimer(a.takes)
	defer done.Stop()
	var ended <-chan struct{}
	if a.watches {
		ended = ctx.Done()
	}
	select {
	case <-done.C:
	case <-ended:
		return ctx.Err()
	case <-s.release:
	}
	switch a.result {
	case "error":
		return fmt.Errorf("%s broke", p.name)
	case "panic":
		panic(p.name + " blew up")
	case "exit":
		runtime.Goexit()
	}
	return nil
}

func (s *stage) components() []loader.Component {
	var cs []loader.Component
	for _, p := range s.parts {
		c := loader.Component{Name: p.name, DependsOn: p.deps, Timeout: p.timeout}
		if p.acts[loader.PhaseLoad].present {
			c.Load = func(ctx context.Context) (context.Context, error) {
				for _, other := range s.parts {
					attached := other.level < p.level && other.acts[loader.PhaseLoad].present
					if got := ctx.Value(contextKey(other.name)) == other.name; got != attached {
						s.note("%s sees what %s attached: %v", p.name, other.name, got)
					}
				}
				err := s.perform(p, loader.PhaseLoad, ctx)
				return context.WithValue(ctx, contextKey(p.name), p.name), err
			}
		}
		if p.acts[loader.PhaseStart].present {
			c.Start = func(ctx context.Context) error { return s.perform(p, loader.PhaseStart, ctx) }
		}
		if p.acts[loader.PhaseStop].present {
			c.Stop = func(ctx context.Context) error {
				s.checkContexts(p)
				return s.perform(p, loader.PhaseStop, ctx)
			}
		}
		cs = append(cs, c)
	}
	return cs
}

// checkContexts is called when p is about to stop: the contexts of components
// further up the plan have ended.
func (s *stage) checkContexts(p part) {
	s.mu.Lock()
	var live []string
	for _, other := range s.parts {
		above := cmp.Or(other.level-p.level, strings.Compare(other.name, p.name)) > 0
		for _, ctx := range s.given[other.name] {
			if above && ctx.Err() == nil {
				live = append(live, other.name)
			}
		}
	}
	s.mu.Unlock()
	if live != nil {
		s.note("%s is stopped while contexts of %v live", p.name, live)
	}
}

// called returns what was noted. The lock is for calls that were left behind.
func (s *stage) called() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	calls := s.calls
	for _, p := range s.parts {
		for _, ctx := range s.given[p.name] {
			if ctx.Err() == nil {
				calls = append(calls, fmt.Sprintf("a context of %s lives on", p.name))
			}
		}
	}
	slices.Sort(calls)
	return calls
}

// carryOut takes a loader through the scenario.
func carryOut(t *rapid.T, sc scenario) history {
	s := &stage{scenario: sc, begun: time.Now(), release: make(chan struct{}), given: map[string][]context.Context{}}
	defer func() {
		close(s.release)
		synctest.Wait()
	}()
	h := history{errors: map[loader.Phase]string{}, wall: map[loader.Phase]time.Duration{}}
	l, err := loader.New(s.components()...)
	if err != nil {
		t.Fatal(err)
	}
	values := context.Background()
	inPhase := func(phase loader.Phase, call func(context.Context) error) bool {
		ctx, cancel := context.WithTimeout(values, s.deadline[phase])
		defer cancel()
		begun := time.Now()
		err := call(ctx)
		h.wall[phase] = time.Since(begun)
		if err != nil {
			lines := strings.Split(err.Error(), "\n")
			slices.Sort(lines)
			h.errors[phase] = strings.Join(lines, "\n")
		}
		return err == nil
	}
	up := inPhase(loader.PhaseLoad, func(ctx context.Context) error {
		_, err := l.Load(ctx)
		return err
	})
	r := l.Report()
	if up {
		h.path = r.CriticalTime
		inPhase(loader.PhaseStart, l.Start)
	}
	inPhase(loader.PhaseStop, l.Stop)
	h.calls = s.called()
	h.timings = l.Report().Components
	if r.ChainTime > r.CriticalTime {
		t.Fatalf("the longest chain takes %v, the critical path %v", r.ChainTime, r.CriticalTime)
	}
	return h
}

// TestRandomGraphsAgreeWithAModel draws graphs whose components take their time,
// fail, panic, hang and watch their contexts or do not, and compares what is called
// when, all errors and all times with what a plain calculation says. Time is
// virtual, so equal means equal to the nanosecond.
func TestRandomGraphsAgreeWithAModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rapid.Check(noDeadline{t}, func(t *rapid.T) {
			s := drawScenario(t)
			got, want := carryOut(t, s), predict(s)
			if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
				t.Fatalf("got\n%s\nwant\n%s", explain(got), explain(want))
			}
		})
	})
}

// noDeadline hides the deadline of a test, which is in real time and of no meaning
// here.
type noDeadline struct{ testing.TB }

func explain(h history) string {
	var b strings.Builder
	for _, c := range h.calls {
		fmt.Fprintln(&b, c)
	}
	for _, phase := range phases {
		fmt.Fprintf(&b, "%s takes %v: %q\n", phase, h.wall[phase], h.errors[phase])
	}
	for _, timing := range h.timings {
		fmt.Fprintf(&b, "%+v\n", timing)
	}
	fmt.Fprintf(&b, "critical path %v\n", h.path)
	return b.String()
}
