package loader_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wippyrun/kit/loader"
	"pgregory.net/rapid"
)

// parse reads a graph such as "a; b: a; c: a b".
func parse(text string) []loader.Component {
	var cs []loader.Component
	for part := range strings.SplitSeq(text, ";") {
		name, deps, _ := strings.Cut(part, ":")
		cs = append(cs, loader.Component{Name: strings.TrimSpace(name), DependsOn: strings.Fields(deps)})
	}
	return cs
}

var planTable = []struct {
	name, graph string
	want        [][]string
}{
	{"one component", "a", [][]string{{"a"}}},
	{"independent components share a level, sorted", "c; a; b", [][]string{{"a", "b", "c"}}},
	{"a chain", "c: b; b: a; a", [][]string{{"a"}, {"b"}, {"c"}}},
	{"a diamond", "d: b c; b: a; c: a; a", [][]string{{"a"}, {"b", "c"}, {"d"}}},
	{"the longest way decides", "d: a c; c: b; b: a; a", [][]string{{"a"}, {"b"}, {"c"}, {"d"}}},
	{"a dependency named twice", "b: a a; a", [][]string{{"a"}, {"b"}}},
	{
		"the standard components",
		"Functions: Factory; Factory: Lifecycle; Lifecycle: Topology; Topology: Supervisor;" +
			"Supervisor: Registry; Finder: Registry; Registry: Dispatcher; Dispatcher: PIDGen; PIDGen",
		[][]string{{"PIDGen"}, {"Dispatcher"}, {"Registry"}, {"Finder", "Supervisor"}, {"Topology"}, {"Lifecycle"}, {"Factory"}, {"Functions"}},
	},
}

func TestPlan(t *testing.T) {
	for _, tc := range planTable {
		t.Run(tc.name, func(t *testing.T) {
			l, err := loader.New(parse(tc.graph)...)
			if err != nil {
				t.Fatal(err)
			}
			if got := l.Plan(); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
	l, err := loader.New()
	if err != nil || len(l.Plan()) != 0 {
		t.Errorf("no components: plan %v, error %v", l.Plan(), err)
	}
}

func TestPlanIgnoresTheOrderOfArguments(t *testing.T) {
	for _, tc := range planTable {
		cs := parse(tc.graph)
		for range 20 {
			rand.Shuffle(len(cs), func(i, j int) { cs[i], cs[j] = cs[j], cs[i] })
			l, err := loader.New(cs...)
			if err != nil {
				t.Fatal(err)
			}
			if got := l.Plan(); !reflect.DeepEqual(got, tc.want) {
				t.Fatalf("%s: order %v gives %v, want %v", tc.name, cs, got, tc.want)
			}
		}
	}
}

func TestNewReportsProblems(t *testing.T) {
	for _, tc := range []struct{ name, graph, kind, want string }{
		{"no name", "a; : a", "Invalid", "dependency resolution failed: component without a name"},
		{"a duplicate", "a; b; a", "AlreadyExists", "dependency resolution failed: component already registered: a"},
		{"a triple is one problem", "a; a; a", "AlreadyExists", "dependency resolution failed: component already registered: a"},
		{"a missing dependency", "a: x", "Invalid", "dependency resolution failed: component a depends on x, which is not registered"},
		{"itself", "a: a", "Invalid", "dependency resolution failed: dependency cycle: a → a"},
		{"a cycle of three", "c: a; b: c; a: b", "Invalid", "dependency resolution failed: dependency cycle: a → b → c → a"},
		{"one cycle tells two components", "a: b; b: c a; c: b", "Invalid",
			"dependency resolution failed: 2 problems\n  dependency cycle: a → b → a\n  dependency cycle: b → c → b"},
		{"the shortest cycles of a knot", "a: b; b: c a; c: a", "Invalid",
			"dependency resolution failed: 2 problems\n  dependency cycle: a → b → a\n  dependency cycle: a → b → c → a"},
		{"what leads to a cycle is not in it", "z: a; a: b; b: a y; y", "Invalid", "dependency resolution failed: dependency cycle: a → b → a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_, err := loader.New(parse(tc.graph)...)
			var g *loader.GraphError
			if !errors.As(err, &g) {
				t.Fatalf("got %v, want a GraphError", err)
			}
			if err.Error() != tc.want || g.Kind() != tc.kind {
				t.Errorf("got %s %q, want %s %q", g.Kind(), err, tc.kind, tc.want)
			}
		})
	}
}

func TestNewReportsAllProblemsAtOnce(t *testing.T) {
	_, err := loader.New(parse("a: b; b: c; c: a; dup; dup; lost: nowhere gone; p: q; q: p; self: self; fine")...)
	want := strings.Join([]string{
		"dependency resolution failed: 6 problems",
		"  component already registered: dup",
		"  component lost depends on gone, which is not registered",
		"  component lost depends on nowhere, which is not registered",
		"  dependency cycle: a → b → c → a",
		"  dependency cycle: p → q → p",
		"  dependency cycle: self → self",
	}, "\n")
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	g, ok := errors.AsType[*loader.GraphError](err)
	if !ok || g.Kind() != "Invalid" {
		t.Fatalf("kind %s, want Invalid", g.Kind())
	}
	for i, want := range []loader.Problem{
		{Kind: loader.Duplicate, Component: "dup"},
		{Kind: loader.Missing, Component: "lost", Dependency: "gone"},
		{Kind: loader.Missing, Component: "lost", Dependency: "nowhere"},
		{Kind: loader.Cycle, Component: "a", Path: []string{"a", "b", "c", "a"}},
	} {
		if got := g.Problems[i]; got.Kind != want.Kind || got.Component != want.Component || got.Dependency != want.Dependency || !slices.Equal(got.Path, want.Path) {
			t.Errorf("problem %d is %+v, want %+v", i, got, want)
		}
	}
	if _, err := loader.New(loader.Component{}); !errors.As(err, &g) || g.Problems[0].Kind != loader.Unnamed {
		t.Errorf("a component without a name: %v", err)
	}
}

func TestNewAcceptsALongChain(t *testing.T) {
	cs := make([]loader.Component, 20_000)
	for i := range cs {
		cs[i].Name = fmt.Sprintf("c%06d", i)
		if i > 0 {
			cs[i].DependsOn = []string{cs[i-1].Name}
		}
	}
	l, err := loader.New(cs...)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(l.Plan()); n != len(cs) {
		t.Errorf("%d levels, want %d", n, len(cs))
	}
	cs[0].DependsOn = []string{cs[len(cs)-1].Name}
	_, err = loader.New(cs...)
	var g *loader.GraphError
	if !errors.As(err, &g) || len(g.Problems) != 1 || len(g.Problems[0].Path) != len(cs)+1 {
		t.Errorf("the cycle through all components is not reported whole")
	}
}

func TestNewCopiesItsArguments(t *testing.T) {
	cs := parse("a; b: a")
	l, err := loader.New(cs...)
	if err != nil {
		t.Fatal(err)
	}
	cs[0].Name, cs[1].DependsOn[0] = "x", "y"
	if got, want := l.Plan(), [][]string{{"a"}, {"b"}}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// drawGraph draws components whose dependencies are any names of the graph, or,
// when acyclic, only names drawn before.
func drawGraph(t *rapid.T, acyclic bool) []loader.Component {
	n := rapid.IntRange(0, 25).Draw(t, "n")
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf("c%02d", i)
	}
	names = rapid.Permutation(names).Draw(t, "names")
	cs := make([]loader.Component, n)
	for i := range cs {
		cs[i].Name = names[i]
		from := names
		if acyclic {
			from = names[:i]
		}
		if len(from) > 0 {
			cs[i].DependsOn = rapid.SliceOfN(rapid.SampledFrom(from), 0, 4).Draw(t, "deps")
		}
	}
	return rapid.Permutation(cs).Draw(t, "order")
}

// TestPlanPutsEveryComponentAboveItsDependencies checks the levels of random
// acyclic graphs: each component stands exactly one above its highest dependency.
func TestPlanPutsEveryComponentAboveItsDependencies(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cs := drawGraph(t, true)
		l, err := loader.New(cs...)
		if err != nil {
			t.Fatal(err)
		}
		level := map[string]int{}
		for i, names := range l.Plan() {
			if !slices.IsSorted(names) {
				t.Fatalf("level %d is not sorted: %v", i, names)
			}
			for _, name := range names {
				level[name] = i
			}
		}
		if len(level) != len(cs) {
			t.Fatalf("%d of %d components are planned", len(level), len(cs))
		}
		for _, c := range cs {
			want := 0
			for _, d := range c.DependsOn {
				want = max(want, level[d]+1)
			}
			if level[c.Name] != want {
				t.Fatalf("%s is on level %d, want %d", c.Name, level[c.Name], want)
			}
		}
	})
}

// TestReportedCyclesAreReal checks random graphs: New refuses exactly those in
// which some component reaches itself, each path it prints is a way along
// dependencies without detours, and each component that reaches itself is on one.
func TestReportedCyclesAreReal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cs := drawGraph(t, false)
		deps := map[string][]string{}
		for _, c := range cs {
			deps[c.Name] = c.DependsOn
		}
		_, err := loader.New(cs...)
		var g *loader.GraphError
		errors.As(err, &g)
		want := reachThemselves(deps)
		if (len(want) > 0) != (err != nil) {
			t.Fatalf("%v reach themselves, error %v", want, err)
		}
		if g == nil {
			return
		}
		told := map[string]bool{}
		var paths []string
		for _, p := range g.Problems {
			n := len(p.Path) - 1
			if p.Kind != loader.Cycle || n < 1 || p.Path[0] != p.Path[n] || p.Path[0] != p.Component {
				t.Fatalf("not a cycle: %+v", p)
			}
			if p.Component != slices.Min(p.Path) {
				t.Fatalf("%v does not begin with its smallest name", p.Path)
			}
			once := map[string]bool{}
			for i := range n {
				if !slices.Contains(deps[p.Path[i]], p.Path[i+1]) {
					t.Fatalf("%v: %s does not depend on %s", p.Path, p.Path[i], p.Path[i+1])
				}
				told[p.Path[i]], once[p.Path[i]] = true, true
			}
			if len(once) != n {
				t.Fatalf("%v meets a component twice", p.Path)
			}
			paths = append(paths, strings.Join(p.Path, " "))
		}
		if got := slices.Sorted(maps.Keys(told)); !slices.Equal(got, want) {
			t.Fatalf("the paths name %v, but %v reach themselves", got, want)
		}
		if !slices.IsSorted(paths) || len(slices.Compact(paths)) != len(g.Problems) {
			t.Fatalf("unsorted or repeated: %v", paths)
		}
	})
}

// reachThemselves returns the names that are part of a cycle, sorted.
func reachThemselves(deps map[string][]string) []string {
	var names []string
	for _, start := range slices.Sorted(maps.Keys(deps)) {
		seen := map[string]bool{}
		todo := slices.Clone(deps[start])
		for len(todo) > 0 && !seen[start] {
			name := todo[len(todo)-1]
			todo = todo[:len(todo)-1]
			if !seen[name] {
				seen[name] = true
				todo = append(todo, deps[name]...)
			}
		}
		if seen[start] {
			names = append(names, start)
		}
	}
	return names
}

// TestNewTellsAStarOfCycles has one cycle per leaf: the search must not slow down
// with the number of cycles already told.
func TestNewTellsAStarOfCycles(t *testing.T) {
	const leaves = 2000
	cs := []loader.Component{{Name: "hub"}}
	for i := range leaves {
		name := fmt.Sprintf("leaf%06d", i)
		cs = append(cs, loader.Component{Name: name, DependsOn: []string{"hub"}})
		cs[0].DependsOn = append(cs[0].DependsOn, name)
	}
	_, err := loader.New(cs...)
	var g *loader.GraphError
	if !errors.As(err, &g) || len(g.Problems) != leaves {
		t.Fatalf("%d leaves: not one cycle for each", leaves)
	}
	if got, want := g.Problems[leaves-1].String(), "dependency cycle: hub → leaf001999 → hub"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
