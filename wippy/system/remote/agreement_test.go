// SPDX-License-Identifier: Apache-2.0

package remote_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/system/remote"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// world is two nodes between which everything goes wrong but the transport keeps its promises: notices are kept and
// stay in order, and epochs are those of both.
type world struct {
	t         *rapid.T
	nodes     [2]*node
	up        [2]bool
	epoch     [2]uint64 // of the last Up, or one more since Down
	told      [2]uint64 // when the connection that is being made began
	arrived   [2]bool   // the connection is made, seen from there
	alive     [2][]relay.PID
	all       [2][]relay.PID
	monitored map[[2]relay.PID]bool // who waits for whose end
}

func newWorld(t *rapid.T) *world {
	w := &world{t: t, monitored: map[[2]relay.PID]bool{}}
	for i, name := range []string{"a", "b"} {
		w.nodes[i] = newNode(t, name)
		w.spawn(i)
	}
	w.begin()
	w.arrive(0)
	w.arrive(1)
	return w
}

func (w *world) spawn(i int) {
	p := w.nodes[i].process(w.t, fmt.Sprint(len(w.all[i])))
	w.alive[i], w.all[i] = append(w.alive[i], p), append(w.all[i], p)
}

// begin starts to connect, and arrive ends that on one side.
func (w *world) begin() {
	w.arrived, w.told = [2]bool{}, w.epoch
}

func (w *world) arrive(i int) {
	epoch := max(w.told[0], w.told[1], 1)
	switch {
	case w.arrived[i]:
		return
	case w.epoch[i] != w.told[i]:
		w.begin() // the hello is not true any more
		return
	}
	if w.up[i] && w.epoch[i] != epoch {
		w.down(i)
	}
	w.arrived[i], w.epoch[i] = true, epoch
	if !w.up[i] {
		w.up[i] = true
		w.nodes[i].Up(w.nodes[1-i].name, epoch)
	}
}

func (w *world) down(i int) {
	w.up[i] = false
	w.epoch[i]++
	w.nodes[i].Down(w.nodes[1-i].name, errors.New("silence"))
	w.check(i)
}

// deliver brings the next message to node i, if both are connected and there is one.
func (w *world) deliver(i int) bool {
	from := w.nodes[1-i]
	if !w.arrived[0] || !w.arrived[1] || len(from.outbox) == 0 {
		return false
	}
	m := from.outbox[0]
	from.outbox = from.outbox[1:]
	w.nodes[i].Deliver(m)
	w.check(i)
	return true
}

func (w *world) end(i int, p relay.PID, r topology.Result) {
	w.alive[i] = slices.DeleteFunc(w.alive[i], func(q relay.PID) bool { return p == q })
	for k := range w.monitored {
		if k[0] == p {
			delete(w.monitored, k)
		}
	}
	w.nodes[i].Complete(p, r)
}

// check looks at what processes of node i were told.
func (w *world) check(i int) {
	n := w.nodes[i]
	for _, p := range n.killed {
		w.end(i, p, topology.Result{})
	}
	n.killed = nil
	for k, e := range n.events {
		if e.Kind != topology.KindExit {
			continue
		}
		key := [2]relay.PID{n.to[k], e.From}
		if !w.monitored[key] {
			w.t.Fatalf("%s was told of the end of %s, which it does not monitor", key[0], key[1])
		}
		delete(w.monitored, key)
	}
	n.events, n.to = nil, nil
}

func (w *world) step() {
	i := rapid.IntRange(0, 1).Draw(w.t, "side")
	n := w.nodes[i]
	foreign := rapid.SampledFrom(w.all[1-i]).Draw(w.t, "foreign")
	step := rapid.SampledFrom([]string{
		"arrive", "arrive", "deliver", "deliver", "deliver", "connect", "lose", "spawn",
		"monitor", "link", "link", "unlink", "unlink", "end", "terminate",
	}).Draw(w.t, "step")
	if len(w.alive[i]) == 0 {
		w.spawn(i)
	}
	own := rapid.SampledFrom(w.alive[i]).Draw(w.t, "own")
	var err error
	switch step {
	case "arrive":
		w.arrive(i)
	case "deliver":
		w.deliver(i)
	case "connect":
		w.begin()
	case "lose":
		w.arrived = [2]bool{}
		if w.up[i] {
			w.down(i)
		}
	case "spawn":
		w.spawn(i)
	case "monitor":
		if err = n.Monitor(own, foreign); err == nil {
			w.monitored[[2]relay.PID{own, foreign}] = true
		}
	case "link":
		err = n.Link(own, foreign)
	case "unlink":
		n.Unlink(own, foreign)
	case "end":
		w.end(i, own, topology.Result{Err: errors.New("bad day")})
	case "terminate":
		err = n.Terminate(foreign)
	}
	known := errors.Is(err, remote.ErrNotConnected) || errors.Is(err, topology.ErrAlreadyMonitoring)
	if err != nil && (!known || errors.Is(err, remote.ErrNotConnected) == w.up[i]) {
		w.t.Fatalf("%s: %v", step, err)
	}
	w.check(i)
}

// settle connects both and delivers everything.
func (w *world) settle() {
	for w.begin(); !w.arrived[0] || !w.arrived[1]; {
		w.arrive(0)
		w.arrive(1)
	}
	for w.deliver(0) || w.deliver(1) {
	}
}

// TestNodesAgreeProperty monitors, links and ends processes of two nodes that lose each other at any point. When all
// that was on the way has arrived, a link is one on both sides, a monitor of a process that is gone has fired, and no
// monitor fires that is none.
func TestNodesAgreeProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWorld(t)
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			w.step()
		}
		w.settle()
		for _, p := range w.alive[0] {
			atA, _ := w.nodes[0].topo.Info(p)
			for _, q := range w.alive[1] {
				atB, _ := w.nodes[1].topo.Info(q)
				if a, b := slices.Contains(atA.Links, q), slices.Contains(atB.Links, p); a != b {
					t.Fatalf("%s is linked to %s: %v on a, %v on b", p, q, a, b)
				}
			}
		}
		for i, n := range w.nodes {
			if got := n.topo.Len() - len(w.alive[i]); got > len(w.alive[1-i]) {
				t.Fatalf("%s has %d stand-ins for %d processes", n.name, got, len(w.alive[1-i]))
			}
		}
		for i := range w.nodes {
			for _, p := range slices.Clone(w.alive[i]) {
				w.end(i, p, topology.Result{})
			}
		}
		w.settle()
		for k := range w.monitored {
			t.Fatalf("%s was not told of the end of %s", k[0], k[1])
		}
	})
}
