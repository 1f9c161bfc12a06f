// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// ErrNotConnected says that there is no connection to the node of a process, which the detail
// node_id names.
var ErrNotConnected = fault.New(fault.Unavailable, "node not connected")

// Remote is a topology that reaches other nodes. Processes of this node are as in the
// topology it embeds. All methods may be called concurrently. Make one with New.
type Remote struct {
	*topology.Topology
	node  *relay.Node
	log   *slog.Logger
	trans *payload.Transcoder
	send  atomic.Pointer[func(*relay.Message) error] // written by Connect
	kill  func(relay.PID) error                      // ends a process of this node

	// mu also orders what is told to other nodes. It comes before the locks of the
	// topology; functions that the topology calls at the end of a process of this node
	// take it, which nothing does that ends one.
	mu    sync.Mutex
	nodes map[string]*other // guarded by mu; the nodes that are connected
}

// other is what is known of a connected node.
type other struct {
	epoch    uint64                 // of the connection; what belongs to another one is void
	standIns map[relay.PID]struct{} // its processes that are watched here
	watches  map[relay.PID]func()   // processes of this node that it watches; the value ends that
	// unlinks are those it has not answered, by number: a link it asks for meanwhile is older
	// for it, and will be gone there when it answers.
	unlinks  map[edge]uint64
	unlinked uint64 // the number of the last one
}

// edge is a link across nodes.
type edge struct{ own, foreign relay.PID }

// New returns a Remote around the topology of a node. trans converts the values that
// processes end with; kill terminates a process of this node because another one asks.
func New(topo *topology.Topology, node *relay.Node, trans *payload.Transcoder, kill func(relay.PID) error, log *slog.Logger) *Remote {
	return &Remote{Topology: topo, node: node, trans: trans, kill: kill, log: log, nodes: make(map[string]*other)}
}

// Connect says how messages reach other nodes: by a function that does not block. It is
// called once, and may be called after Up.
func (r *Remote) Connect(send func(*relay.Message) error) {
	r.send.Store(&send)
}

// foreign returns the node of p when that is another one.
func (r *Remote) foreign(p relay.PID) (node string, ok bool) {
	node = p.Node()
	return node, node != "" && node != r.node.Name()
}

// Monitor is that of topology.Topology, for processes of any node. Whether a process of
// another node exists is not known at once: when it does not, the monitor fires. The error
// is ErrNotConnected or one of the topology.
func (r *Remote) Monitor(caller, target relay.PID) error {
	node, ok := r.foreign(target)
	if !ok {
		return r.Topology.Monitor(caller, target)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.standIn(node, target); err != nil {
		return err
	}
	return r.Topology.Monitor(caller, target)
}

// Link is that of topology.Topology when b is of any node; a is of this one. The error is
// as with Monitor.
func (r *Remote) Link(a, b relay.PID) error {
	node, ok := r.foreign(b)
	if !ok {
		return r.Topology.Link(a, b)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.standIn(node, b); err != nil {
		return err
	}
	if err := r.Topology.Link(a, b); err != nil {
		return err
	}
	return r.tell(node, notice{Op: opLink, Process: b, Other: a})
}

// Unlink undoes Link.
func (r *Remote) Unlink(a, b relay.PID) {
	r.Topology.Unlink(a, b)
	if node, ok := r.foreign(b); ok {
		r.mu.Lock()
		defer r.mu.Unlock()
		if o := r.nodes[node]; o != nil {
			o.unlinked++
			if r.tell(node, notice{Op: opUnlink, Process: b, Other: a, Number: o.unlinked}) == nil { // logged
				o.unlinks[edge{a, b}] = o.unlinked
			}
		}
	}
}

// Terminate ends a process of any node without its help. Whether a process of another node
// exists is not known; the error then is ErrNotConnected.
func (r *Remote) Terminate(p relay.PID) error {
	node, ok := r.foreign(p)
	if !ok {
		return r.kill(p)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tell(node, notice{Op: opKill, Process: p})
}

// standIn makes sure that p, of another node, is registered and its end will be told. mu is
// held.
func (r *Remote) standIn(node string, p relay.PID) error {
	o := r.nodes[node]
	if o == nil {
		return ErrNotConnected.With("node_id", node)
	}
	if _, ok := o.standIns[p]; ok {
		return nil
	}
	if err := r.tell(node, notice{Op: opWatch, Process: p}); err != nil {
		return err
	}
	if err := r.Topology.Register(p); err != nil {
		return err
	}
	o.standIns[p] = struct{}{}
	return nil
}

// tell sends a notice of the present epoch. mu is held.
func (r *Remote) tell(node string, n notice, values ...payload.Payload) error {
	o, send := r.nodes[node], r.send.Load()
	if o == nil || send == nil {
		return ErrNotConnected.With("node_id", node)
	}
	n.Epoch = o.epoch
	m := n.message(r.node.Name(), node, values...)
	err := (*send)(m)
	if err != nil {
		m.Release()
		r.log.Error("cannot tell another node", "node", node, "notice", n.Op, "process", n.Process.String(), "error", err)
	}
	return err
}

// Send implements relay.Sender for the router: it passes messages on to other nodes.
// Events stay here, as the other node makes its own, but for cancellations.
func (r *Remote) Send(m *relay.Message) error {
	ev := topology.EventOf(m)
	if ev != nil && ev.Kind == topology.KindCancel {
		r.mu.Lock()
		defer r.mu.Unlock()
		err := r.tell(m.To.Node(), notice{Op: opCancel, Process: m.To, Other: ev.From, Text: ev.Reason})
		if err == nil {
			m.Release()
		}
		return err
	}
	send := r.send.Load()
	switch {
	case ev != nil:
		m.Release()
		return nil
	case send == nil:
		return relay.ErrNodeNotFound
	}
	return (*send)(m)
}

// Nodes lists the nodes that are connected, sorted.
func (r *Remote) Nodes() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.nodes))
}

// Up says that a node is connected. Both nodes give that the same number, which no time
// before had.
func (r *Remote) Up(node string, epoch uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.nodes[node] = &other{
		epoch:    epoch,
		standIns: map[relay.PID]struct{}{}, watches: map[relay.PID]func(){}, unlinks: map[edge]uint64{},
	}
}

// Down says that a node is lost.
func (r *Remote) Down(node string, reason error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if o := r.nodes[node]; o != nil {
		delete(r.nodes, node)
		r.forget(node, o, reason)
	}
}

// forget ends the stand-ins of a node and its watches here. mu is held.
func (r *Remote) forget(node string, o *other, reason error) {
	for _, cancel := range o.watches {
		cancel()
	}
	lost := fault.Wrap(fault.Unavailable, "node lost: "+node, reason).With("node_id", node)
	for p := range o.standIns {
		r.Topology.Complete(p, topology.Result{Err: lost})
	}
}

// Deliver takes over a message from another node.
func (r *Remote) Deliver(m *relay.Message) {
	if m.To.Host() != hostID {
		if err := r.node.Send(m); err != nil {
			r.log.Debug("message from another node has no addressee", "from", m.From.String(), "to", m.To.String(), "error", err)
			m.Release()
		}
		return
	}
	defer m.Release()
	var n notice
	text, _ := m.Payload().Data.(string)
	if err := json.Unmarshal([]byte(text), &n); err != nil {
		r.log.Error("notice of another node is malformed", "from", m.From.String(), "error", err)
		return
	}
	if kill := r.obey(m.From.Node(), n, m.Payloads[1:]); kill {
		_ = r.kill(n.Process) // fails when it has ended already
	}
}

// obey does what a notice says, but for ending a process, which takes the lock.
func (r *Remote) obey(from string, n notice, values []payload.Payload) (kill bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o := r.nodes[from]
	if o == nil || n.Epoch != o.epoch {
		return false // it waited while both were forgetting what it is about
	}
	_, foreign := r.foreign(n.Process)
	switch n.Op {
	case opKill:
		return !foreign
	case opWatch:
		r.watch(from, o, n.Process)
	case opEnded:
		if _, ok := o.standIns[n.Process]; ok {
			delete(o.standIns, n.Process)
			r.Topology.Complete(n.Process, n.result(values))
		}
	case opLink:
		if foreign || n.Other.Node() != from || o.unlinks[edge{n.Process, n.Other}] != 0 {
			return false
		}
		// An unknown Process has been told with the watch before this.
		if r.Topology.Registered(n.Process) && r.standIn(from, n.Other) == nil {
			_ = r.Topology.Link(n.Process, n.Other) // fails when Process has just ended, which is told
		}
	case opUnlink:
		r.Topology.Unlink(n.Process, n.Other)
		_ = r.tell(from, notice{Op: opUnlinked, Process: n.Other, Other: n.Process, Number: n.Number}) // logged
	case opUnlinked:
		if e := (edge{n.Process, n.Other}); o.unlinks[e] == n.Number {
			delete(o.unlinks, e)
		}
	case opCancel:
		m := topology.NewCancel(n.Other, n.Process, n.Text)
		if err := r.node.Send(m); err != nil {
			m.Release()
		}
	}
	return false
}

// watch tells the node from when p, of this node, ends. mu is held.
func (r *Remote) watch(from string, o *other, p relay.PID) {
	if _, ok := o.watches[p]; ok {
		return
	}
	if _, ok := r.foreign(p); ok {
		return
	}
	cancel, err := r.Topology.Watch(p, func(result topology.Result) { r.over(from, o, p, result) })
	if err != nil {
		_ = r.tell(from, ended(p, topology.Result{Err: err})) // logged
		return
	}
	o.watches[p] = cancel
}

// over tells the node from that p has ended.
func (r *Remote) over(from string, o *other, p relay.PID, result topology.Result) {
	var values []payload.Payload
	if result.Value.Format != "" && result.Err == nil {
		if v, err := r.trans.Transcode(result.Value, payload.Msgpack); err == nil {
			values = append(values, v) // what cannot travel is left out
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(o.watches, p)
	_ = r.tell(from, ended(p, result), values...) // logged
}

var _ relay.Sender = (*Remote)(nil)
