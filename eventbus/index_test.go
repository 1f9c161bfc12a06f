package eventbus_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wippyrun/kit/eventbus"
	"pgregory.net/rapid"
)

// scanned is an index beside the plain way to do the same: to ask every pattern.
type scanned struct {
	index eventbus.Index
	subs  []*eventbus.Subscription
}

func (x *scanned) add(p eventbus.Pattern) { x.subs = append(x.subs, x.index.Add(p)) }

func (x *scanned) remove(i int) {
	x.index.Remove(x.subs[i])
	x.index.Remove(x.subs[i]) // twice does nothing
	x.subs = slices.Delete(x.subs, i, i+1)
}

// compare finds a topic both ways.
func (x *scanned) compare(t interface{ Fatalf(string, ...any) }, system, kind string) {
	want := make(map[*eventbus.Subscription]bool)
	for _, s := range x.subs {
		p := s.Pattern()
		if (p.System == "" || oracle(p.System, system)) && (p.Kind == "" || oracle(p.Kind, kind)) {
			want[s] = true
		}
	}
	got := x.index.Find(nil, system, kind)
	for _, s := range got {
		if !want[s] {
			t.Fatalf("topic %q %q: found %v, which does not match or was found twice", system, kind, s.Pattern())
		}
		delete(want, s)
	}
	for s := range want {
		t.Fatalf("topic %q %q: did not find %v", system, kind, s.Pattern())
	}
}

// TestIndexAgreesWithScanningUnderChurn adds and removes patterns in any order and
// compares what the index and its cache find with what every pattern says by definition.
func TestIndexAgreesWithScanningUnderChurn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var x scanned
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				p := eventbus.Pattern{System: patternGen.Draw(t, "system"), Kind: patternGen.Draw(t, "kind")}
				for range rapid.IntRange(1, 2).Draw(t, "times") {
					x.add(p)
				}
			},
			"remove": func(t *rapid.T) {
				if len(x.subs) > 0 {
					x.remove(rapid.IntRange(0, len(x.subs)-1).Draw(t, "sub"))
				}
			},
			"find": func(t *rapid.T) {
				system, kind := subjectGen.Draw(t, "system"), subjectGen.Draw(t, "kind")
				x.compare(t, system, kind)
				x.compare(t, kind, system)
				x.compare(t, system, kind)
			},
		})
		for len(x.subs) > 0 {
			x.remove(len(x.subs) / 2)
		}
		if !x.index.Empty() {
			t.Fatalf("something is left of patterns that were removed")
		}
	})
}

// FuzzIndex reads a script: a line "+system kind" adds a pattern, "-" removes the oldest
// one, anything else is a topic to look for.
func FuzzIndex(f *testing.F) {
	f.Add("+a *\na b\n+a b\na b\n-\na b")
	f.Add("+** **\n+(a|b).** *.c\nb x.c\n-\na.a.a x.c\nb c")
	f.Add("+(a|b) x\n+(b|c) x\nb x\n-\nb x\nc x\n-\nc x")
	f.Add("+**.a.**.b.** \na.b c\nx.a.y.b.z \n+ \n\n-\n")
	f.Fuzz(func(t *testing.T, script string) {
		if len(script) > 200 {
			return
		}
		var x scanned
		for line := range strings.SplitSeq(script, "\n") {
			system, kind, _ := strings.Cut(strings.TrimPrefix(line, "+"), " ")
			switch {
			case len(system) > 24 || len(kind) > 24:
				return // the definition takes exponential time
			case strings.HasPrefix(line, "+"):
				x.add(eventbus.Pattern{System: system, Kind: kind})
			case line == "-" && len(x.subs) > 0:
				x.remove(0)
			default:
				x.compare(t, system, kind)
			}
		}
	})
}

// TestIndexCopesWithManyPatternsAndTopics compares both ways where maps grow, results
// get lost and the table of the cache grows to its bound.
func TestIndexCopesWithManyPatternsAndTopics(t *testing.T) {
	var x scanned
	for i := range 40 {
		x.add(eventbus.Pattern{System: fmt.Sprintf("(s%d|s%d)", i%7, i%5), Kind: fmt.Sprintf("k%d.*", i)})
		x.add(eventbus.Pattern{System: "*", Kind: fmt.Sprintf("**.%d", i)})
	}
	for i := range 2 * eventbus.MaxResults {
		x.compare(t, fmt.Sprintf("s%d", i%7), fmt.Sprintf("k%d.%d", i%50, i))
		if i%500 == 499 {
			x.remove(i % len(x.subs))
		}
	}
	if room, _ := x.index.Remembered(); room < eventbus.MaxResults/4 {
		t.Errorf("room for %d results only; the test does not reach what it is for", room)
	}
}

// TestNewPatternsReachRememberedTopics adds a pattern that concerns one of many topics
// that are remembered, with and without a wildcard, and so many others besides that the
// cache can just or just not tell which topics are concerned.
func TestNewPatternsReachRememberedTopics(t *testing.T) {
	const topics = 12
	for _, kind := range []string{"k.%d", "*.%d"} {
		for _, more := range []int{0, 1, eventbus.LatestChanges - 1, eventbus.LatestChanges, eventbus.LatestChanges + 1} {
			var x scanned
			find := func() {
				for i := range topics {
					x.compare(t, "s", fmt.Sprintf("k.%d", i))
				}
			}
			x.add(eventbus.Pattern{System: "s"})
			for range 4 {
				find()
			}
			for i := range topics {
				x.add(eventbus.Pattern{System: "s", Kind: fmt.Sprintf(kind, i)})
				for j := range more {
					x.add(eventbus.Pattern{System: "other", Kind: fmt.Sprintf("*.%d.%d", i, j)})
				}
				find()
			}
		}
	}
}

// TestPatternsThatGoAndComeBackAreFound removes what is in a remembered result.
func TestPatternsThatGoAndComeBackAreFound(t *testing.T) {
	var x scanned
	for _, p := range []eventbus.Pattern{{System: "s"}, {System: "s", Kind: "k"}, {System: "s", Kind: "k.**"}, {Kind: "k"}} {
		x.add(p)
	}
	for range 3 {
		for i := range 4 {
			x.compare(t, "s", "k")
			x.compare(t, "s", "x")
			p := x.subs[i].Pattern()
			x.remove(i)
			x.compare(t, "s", "k")
			x.add(p)
		}
	}
}

// TestCacheIsBounded looks for more topics than are remembered, some of which are too
// long or match too many patterns.
func TestCacheIsBounded(t *testing.T) {
	var x eventbus.Index
	x.Add(eventbus.Pattern{})
	for i := range eventbus.MaxNodes {
		x.Add(eventbus.Pattern{System: "many", Kind: strings.Repeat("*.", i) + "**"})
	}
	long := strings.Repeat("x", eventbus.MaxTopic)
	deep := strings.Repeat("x.", eventbus.MaxNodes)
	var found []*eventbus.Subscription
	for i := range 20 * eventbus.MaxResults {
		kind := fmt.Sprint(i)
		if found = x.Find(found[:0], "few", kind); len(found) != 1 {
			t.Fatalf("found %d, want 1", len(found))
		}
		if i%1000 == 0 {
			if found = x.Find(found[:0], long, kind); len(found) != 1 {
				t.Fatalf("long topic: found %d, want 1", len(found))
			}
			if found = x.Find(found[:0], "many", deep+kind); len(found) != 1+eventbus.MaxNodes {
				t.Fatalf("deep topic: found %d, want %d", len(found), 1+eventbus.MaxNodes)
			}
		}
	}
	room, valid := x.Remembered()
	if room != eventbus.MaxResults || valid > room || valid < room/2 {
		t.Errorf("%d of %d results in use, want most of %d", valid, room, eventbus.MaxResults)
	}
}

// TestLongAndBusyTopicsAreNotRemembered is about what would make the bound in numbers none
// in bytes.
func TestLongAndBusyTopicsAreNotRemembered(t *testing.T) {
	var x eventbus.Index
	x.Add(eventbus.Pattern{})
	for i := range eventbus.MaxNodes {
		x.Add(eventbus.Pattern{System: fmt.Sprintf("(many|%d)", i), Kind: "**"})
	}
	x.Find(nil, "few", "1")
	x.Find(nil, "few", "2")
	_, before := x.Remembered()
	if before == 0 {
		t.Fatal("a short topic that matches one pattern is not remembered")
	}
	long := strings.Repeat("x", eventbus.MaxTopic)
	for i := range 100 {
		x.Find(nil, "few", fmt.Sprint(long, i))
		if n := len(x.Find(nil, "many", fmt.Sprint(i))); n != eventbus.MaxNodes+1 {
			t.Fatalf("%d patterns match, want one more than %d", n, eventbus.MaxNodes)
		}
	}
	if _, valid := x.Remembered(); valid != before {
		t.Errorf("%d results more are remembered", valid-before)
	}
}

// TestRepeatedTopicsStayRemembered looks for the same topics again and again: the table
// grows until they fit.
func TestRepeatedTopicsStayRemembered(t *testing.T) {
	var x eventbus.Index
	x.Add(eventbus.Pattern{Kind: "*"})
	const topics = 200
	find := func() {
		for i := range topics {
			x.Find(nil, "system", fmt.Sprint(i))
		}
	}
	most := 0 // the table forgets everything when it grows, which may be in any round
	for range 200 {
		find()
		_, valid := x.Remembered()
		most = max(most, valid)
	}
	if most < topics*9/10 {
		room, _ := x.Remembered()
		t.Errorf("at most %d of %d topics were remembered, with room for %d", most, topics, room)
	}
}

// TestFindingNewTopicsDoesNotAllocate is about topics of which there is no end.
func TestFindingNewTopicsDoesNotAllocate(t *testing.T) {
	var x eventbus.Index
	x.Add(eventbus.Pattern{System: "process", Kind: "process.*"})
	x.Add(eventbus.Pattern{})
	topics := make([]string, 8*eventbus.MaxResults)
	for i := range topics {
		topics[i] = fmt.Sprintf("process.%06d", i)
	}
	found := make([]*eventbus.Subscription, 0, 4)
	next := 0
	find := func() {
		found = x.Find(found[:0], "process", topics[next%len(topics)])
		next++
	}
	for range topics {
		find() // the table grows to its bound
	}
	if n := testing.AllocsPerRun(len(topics), find); n != 0 {
		t.Errorf("%v allocations per topic", n)
	}
}
