// SPDX-License-Identifier: Apache-2.0

package topology_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// set is a set of process ids. In a set of watchers the value says whether the watcher was alive when it began to
// watch: an outsider's monitor does not end with a process that later takes its id.
type set map[relay.PID]bool

func (s set) has(p relay.PID) bool {
	_, ok := s[p]
	return ok
}

// model is a topology as plain maps.
type model struct {
	alive    set
	watchers map[relay.PID]set
	links    map[relay.PID]set
	names    map[string]relay.PID
}

func (m *model) complete(p relay.PID, failed bool) []sent {
	if !m.alive[p] {
		return nil
	}
	delete(m.alive, p)
	var err error
	if failed {
		err = errGone
	}
	var want []sent
	for w := range m.watchers[p] {
		want = append(want, sent{From: p, To: w, Kind: topology.KindExit, About: p, Err: err})
	}
	for l := range m.links[p] {
		if failed {
			want = append(want, sent{From: topology.Sender, To: l, Kind: topology.KindLinkDown, About: p, Err: err})
		}
		delete(m.links[l], p)
	}
	delete(m.watchers, p)
	delete(m.links, p)
	for _, s := range m.watchers {
		if s[p] {
			delete(s, p)
		}
	}
	maps.DeleteFunc(m.names, func(_ string, holder relay.PID) bool { return holder == p })
	return want
}

func add(m map[relay.PID]set, k, v relay.PID, alive bool) {
	if m[k] == nil {
		m[k] = set{}
	}
	if !m[k].has(v) {
		m[k][v] = alive
	}
}

func sorted(s set) []relay.PID {
	return slices.SortedFunc(maps.Keys(s), func(a, b relay.PID) int { return cmpText(a, b) })
}

func cmpText(a, b relay.PID) int {
	switch {
	case a.String() < b.String():
		return -1
	case a.String() > b.String():
		return 1
	}
	return 0
}

// TestModel runs operations on a topology and on plain maps and compares answers, events and edges.
func TestModel(t *testing.T) {
	// More processes than a small set has room for, so both representations are met.
	var pids []relay.PID
	for i := range 14 {
		pids = append(pids, pid(fmt.Sprintf("%d", i)))
	}
	names := []string{"a", "b", "c"}
	rapid.Check(t, func(t *rapid.T) {
		rec := &recorder{}
		topo := topology.New(rec.send)
		m := &model{alive: set{}, watchers: map[relay.PID]set{}, links: map[relay.PID]set{}, names: map[string]relay.PID{}}
		some := func(t *rapid.T, label string) relay.PID { return rapid.SampledFrom(pids).Draw(t, label) }
		name := func(t *rapid.T) string { return rapid.SampledFrom(names).Draw(t, "name") }
		same := func(got error, want bool) {
			if (got == nil) != want {
				t.Fatalf("error %v, want success %v", got, want)
			}
		}
		register := func(t *rapid.T) {
			p := some(t, "pid")
			same(topo.Register(p), !m.alive[p])
			m.alive[p] = true
		}
		monitor := func(t *rapid.T) {
			caller, target := some(t, "caller"), some(t, "target")
			same(topo.Monitor(caller, target), m.alive[target] && !m.watchers[target].has(caller))
			if m.alive[target] {
				add(m.watchers, target, caller, m.alive[caller])
			}
		}
		link := func(t *rapid.T) {
			a, b := some(t, "a"), some(t, "b")
			same(topo.Link(a, b), m.alive[a] && m.alive[b])
			if m.alive[a] && m.alive[b] && a != b {
				add(m.links, a, b, true)
				add(m.links, b, a, true)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"register": register, "register again": register, "register more": register,
			"monitor": monitor, "monitor again": monitor, "link": link, "link again": link,
			"unmonitor": func(t *rapid.T) {
				caller, target := some(t, "caller"), some(t, "target")
				topo.Unmonitor(caller, target)
				delete(m.watchers[target], caller)
			},
			"unlink": func(t *rapid.T) {
				a, b := some(t, "a"), some(t, "b")
				topo.Unlink(a, b)
				delete(m.links[a], b)
				delete(m.links[b], a)
			},
			"name": func(t *rapid.T) {
				n, p := name(t), some(t, "pid")
				holder, taken := m.names[n]
				ok := taken && holder == p || !taken && m.alive[p]
				same(topo.RegisterName(n, p), ok)
				if ok {
					m.names[n] = p
				}
			},
			"unname": func(t *rapid.T) {
				n := name(t)
				_, had := m.names[n]
				if topo.UnregisterName(n) != had {
					t.Fatalf("UnregisterName(%s), want %v", n, had)
				}
				delete(m.names, n)
			},
			"complete": func(t *rapid.T) {
				p, failed := some(t, "pid"), rapid.Bool().Draw(t, "failed")
				was := m.alive[p]
				want := m.complete(p, failed)
				var r topology.Result
				if failed {
					r.Err = errGone
				}
				rec.got = nil
				if topo.Complete(p, r) != was {
					t.Fatalf("Complete(%s), want %v", p, was)
				}
				got := rec.got
				if !slices.IsSortedFunc(got, func(a, b sent) int { return len(a.Kind) - len(b.Kind) }) {
					t.Fatalf("a link-down event before an exit event: %v", got)
				}
				order := func(a, b sent) int {
					if d := len(a.Kind) - len(b.Kind); d != 0 {
						return d
					}
					return cmpText(a.To, b.To)
				}
				slices.SortFunc(got, order)
				slices.SortFunc(want, order)
				if !slices.Equal(got, want) {
					t.Fatalf("events %v, want %v", got, want)
				}
			},
			"": func(t *rapid.T) {
				if topo.Len() != len(m.alive) {
					t.Fatalf("Len %d, want %d", topo.Len(), len(m.alive))
				}
				for _, n := range names {
					want, had := m.names[n]
					if got, ok := topo.LookupName(n); ok != had || got != want {
						t.Fatalf("name %s is %s, %v; want %s, %v", n, got, ok, want, had)
					}
				}
				for _, p := range pids {
					info, ok := topo.Info(p)
					if ok != m.alive[p] {
						t.Fatalf("Info(%s) %v", p, ok)
					}
					if !ok {
						continue
					}
					slices.SortFunc(info.Links, cmpText)
					slices.SortFunc(info.Watchers, cmpText)
					if !slices.Equal(info.Links, sorted(m.links[p])) || !slices.Equal(info.Watchers, sorted(m.watchers[p])) {
						t.Fatalf("%s has %+v, want links %v, watchers %v", p, info, m.links[p], m.watchers[p])
					}
					for _, target := range info.Watching {
						if !m.watchers[target].has(p) {
							t.Fatalf("%s believes it watches %s", p, target)
						}
					}
				}
			},
		})
	})
}

// TestEveryMonitorFiresOnceConcurrentSafe ends processes while others monitor, link and name them. A monitor that was
// accepted is answered by exactly one event; afterwards nothing is left.
func TestEveryMonitorFiresOnceConcurrentSafe(t *testing.T) {
	const targets, watchers = 60, 4
	var exits [watchers]atomic.Int64
	watcher := func(i int) relay.PID { return pid(fmt.Sprintf("w%d", i)) }
	index := map[relay.PID]int{}
	topo := topology.New(func(m *relay.Message) error {
		if topology.EventOf(m).Kind == topology.KindExit {
			exits[index[m.To]].Add(1)
		}
		m.Release()
		return nil
	})
	for i := range watchers {
		index[watcher(i)] = i
		if err := topo.Register(watcher(i)); err != nil {
			t.Fatal(err)
		}
	}
	target := func(i int) relay.PID { return pid(fmt.Sprintf("t%d", i)) }
	for i := range targets {
		if err := topo.Register(target(i)); err != nil {
			t.Fatal(err)
		}
	}
	var accepted [watchers]int64
	var calls, watches atomic.Int64
	var wg sync.WaitGroup
	for w := range watchers {
		wg.Go(func() {
			for i := range targets {
				p := target((i + w) % targets)
				if topo.Monitor(watcher(w), p) == nil {
					accepted[w]++
				}
				_ = topo.Link(watcher(w), p)
				_ = topo.RegisterName(fmt.Sprintf("n%d", i), p)
				if _, err := topo.Watch(p, func(topology.Result) { calls.Add(1) }); err == nil {
					watches.Add(1)
				}
			}
		})
	}
	var completed atomic.Int64
	for c := range 2 {
		wg.Go(func() {
			for i := range targets {
				if topo.Complete(target((i+c*7)%targets), topology.Result{Err: errGone}) {
					completed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if completed.Load() != targets || calls.Load() != watches.Load() {
		t.Errorf("%d completed; %d calls for %d watches", completed.Load(), calls.Load(), watches.Load())
	}
	for w := range watchers {
		if exits[w].Load() != accepted[w] {
			t.Errorf("watcher %d: %d exits for %d monitors", w, exits[w].Load(), accepted[w])
		}
		if info, _ := topo.Info(watcher(w)); len(info.Watching)+len(info.Links) != 0 {
			t.Errorf("watcher %d keeps %+v", w, info)
		}
	}
	for i := range targets {
		if p, ok := topo.LookupName(fmt.Sprintf("n%d", i)); ok {
			t.Errorf("name n%d still means %s", i, p)
		}
	}
}

func TestLookupAllocatesNothing(t *testing.T) {
	topo := newTopology(t, &recorder{}, pid("1"))
	_ = topo.RegisterName("accounts", pid("1"))
	if n := testing.AllocsPerRun(1000, func() {
		_, _ = topo.LookupName("accounts")
		_, _ = topo.Resolve("accounts")
		_, _ = topo.Resolve("{app:h|1}")
		topo.Registered(pid1)
	}); n > 0 && !raceEnabled {
		t.Errorf("looking up allocates %v times", n)
	}
}

var pid1 = pid("1")
