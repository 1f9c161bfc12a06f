// SPDX-License-Identifier: Apache-2.0

package remote_test

import (
	"errors"
	"log/slog"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/remote"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// node is one of two nodes of a test that are connected by queues.
type node struct {
	*remote.Remote
	name   string
	topo   *topology.Topology
	outbox []*relay.Message
	events []*topology.Event
	to     []relay.PID // whom they are for
	killed []relay.PID
}

func newNode(t rapid.TB, name string) *node {
	n := &node{name: name}
	rn := relay.NewNode(name)
	router := relay.NewRouter(rn)
	n.topo = topology.New(router.Send)
	n.Remote = remote.New(n.topo, rn, payload.NewDefault(), func(p relay.PID) error {
		n.killed = append(n.killed, p)
		n.topo.Complete(p, topology.Result{Err: errors.New("process terminated")})
		return nil
	}, slog.New(slog.DiscardHandler))
	router.SetInternode(n.Remote)
	n.Connect(func(m *relay.Message) error { n.outbox = append(n.outbox, m); return nil })
	if err := rn.Register("h", relay.HostFunc(func(m *relay.Message) error {
		n.events, n.to = append(n.events, topology.EventOf(m)), append(n.to, m.To)
		m.Release()
		return nil
	})); err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *node) process(t rapid.TB, id string) relay.PID {
	p := relay.NewPID(n.name, "h", id)
	if err := n.Register(p); err != nil {
		t.Fatal(err)
	}
	return p
}

// take returns the events so far, as text.
func (n *node) take() string {
	var all []string
	for _, e := range n.events {
		s := e.Kind + " " + e.From.String()
		if e.Result != nil && e.Result.Err != nil {
			s += " " + e.Result.Err.Error()
		}
		all = append(all, s)
	}
	n.events = nil
	return strings.Join(all, "; ")
}

// exchange delivers until nothing is on the way.
func exchange(a, b *node) {
	for len(a.outbox)+len(b.outbox) > 0 {
		for _, pair := range [][2]*node{{a, b}, {b, a}} {
			list := pair[0].outbox
			pair[0].outbox = nil
			for _, m := range list {
				pair[1].Deliver(m)
			}
		}
	}
}

func couple(t *testing.T) (a, b *node) {
	a, b = newNode(t, "a"), newNode(t, "b")
	a.Up("b", 1)
	b.Up("a", 1)
	return a, b
}

func want(t *testing.T, n *node, text string) {
	t.Helper()
	if got := n.take(); got != text {
		t.Errorf("node %s got %q, want %q", n.name, got, text)
	}
}

func TestMonitorFiresOnce(t *testing.T) {
	a, b := couple(t)
	p, q := a.process(t, "p"), b.process(t, "q")
	gone := relay.NewPID("b", "h", "gone")
	if err := errors.Join(a.Monitor(p, q), a.Monitor(p, gone)); err != nil {
		t.Fatal(err)
	}
	if err := a.Monitor(p, q); !errors.Is(err, topology.ErrAlreadyMonitoring) {
		t.Error(err)
	}
	exchange(a, b)
	want(t, a, "pid.exit {b@h|gone} pid not registered")
	b.Complete(q, topology.Result{Value: payload.New(map[string]any{"x": 1})})
	exchange(a, b)
	if v := a.events[0].Result.Value; v.Format != payload.Msgpack {
		t.Errorf("value %v", v)
	}
	want(t, a, "pid.exit {b@h|q}")
	b.process(t, "q") // the next of that id
	if err := a.Monitor(p, q); err != nil {
		t.Fatal(err)
	}
	exchange(a, b)
	a.Down("b", errors.New("silence"))
	want(t, a, "pid.exit {b@h|q} node lost: b: silence")
	b.Complete(q, topology.Result{})
	exchange(a, b)
	want(t, a, "")
	if err := a.Monitor(p, q); !errors.Is(err, remote.ErrNotConnected) {
		t.Error(err)
	}
	if a.Len() != 1 || b.Len() != 0 {
		t.Errorf("%d and %d processes left", a.Len(), b.Len())
	}
}

func TestLinkWorksBothWays(t *testing.T) {
	for _, way := range []string{"a ends", "b ends", "unlinked", "cancelled", "a is lost", "target is gone"} {
		a, b := couple(t)
		p, q := a.process(t, "p"), b.process(t, "q")
		if way == "target is gone" {
			b.Complete(q, topology.Result{})
		}
		if err := a.Link(p, q); err != nil {
			t.Fatal(err)
		}
		exchange(a, b)
		failed := topology.Result{Err: errors.New("bad day")}
		atA, atB := "", ""
		switch way {
		case "a ends":
			a.Complete(p, failed)
			atB = "pid.link.down {a@h|p} bad day"
		case "b ends":
			b.Complete(q, failed)
			atA = "pid.link.down {b@h|q} bad day"
		case "unlinked":
			a.Unlink(p, q)
			exchange(a, b)
			b.Complete(q, failed)
		case "cancelled":
			if err := a.Send(topology.NewCancel(p, q, "why")); err != nil {
				t.Fatal(err)
			}
			atB = "pid.cancel {a@h|p}"
		case "a is lost":
			b.Down("a", errors.New("silence"))
			atB = "pid.link.down {a@h|p} node lost: a: silence"
		case "target is gone":
			atA = "pid.link.down {b@h|q} pid not registered"
		}
		exchange(a, b)
		t.Log(way)
		want(t, a, atA)
		want(t, b, atB)
	}
}

func TestTerminateReachesTheOtherNode(t *testing.T) {
	a, b := couple(t)
	p, q := a.process(t, "p"), b.process(t, "q")
	if err := errors.Join(a.Monitor(p, q), a.Terminate(q)); err != nil {
		t.Fatal(err)
	}
	exchange(a, b)
	want(t, a, "pid.exit {b@h|q} process terminated")
	if len(a.killed) != 0 || len(b.killed) != 1 || b.killed[0] != q {
		t.Errorf("a ended %v, b %v", a.killed, b.killed)
	}
	if err := a.Terminate(p); err != nil || len(a.killed) != 1 {
		t.Errorf("one of its own: %v, %v", err, a.killed)
	}
	a.Down("b", errors.New("silence"))
	if err := a.Terminate(q); !errors.Is(err, remote.ErrNotConnected) {
		t.Error(err)
	}
}
