// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"context"
	"log/slog"
	"runtime/debug"
	"slices"

	"github.com/puzpuzpuz/xsync/v3"
)

// Host receives the messages for the processes it holds.
type Host interface {
	// Receive takes over m and delivers it to the process named by m.To.Uniq().
	// When it returns an error, the caller keeps m.
	//
	// It is called concurrently, on the goroutine of the sender, which waits: it
	// must hand the message over and return. Order is the order of the calls.
	Receive(m *Message) error
}

// HostFunc is a function as a Host.
type HostFunc func(m *Message) error

// Receive calls f.
func (f HostFunc) Receive(m *Message) error { return f(m) }

// Sender sends messages on: a Node, a Router, a peer, an internode transport.
type Sender interface {
	// Send routes m to where m.To lives and passes it on. When it returns an
	// error, the caller keeps m. It is called concurrently.
	Send(m *Message) error
}

// Node is the hosts of one node, by id. All methods may be called concurrently.
// The zero Node is not usable, see NewNode.
type Node struct {
	name    string
	hosts   *xsync.MapOf[string, Host]
	onPanic PanicFunc
}

// NewNode makes a node without hosts. The empty name means LocalNode.
func NewNode(name string, opts ...NodeOption) *Node {
	if name == "" {
		name = LocalNode
	}
	n := &Node{name: name, hosts: xsync.NewMapOf[string, Host](), onPanic: logPanic}
	for _, o := range opts {
		o.apply(n)
	}
	return n
}

// Name returns the name of the node.
func (n *Node) Name() string { return n.name }

// Register adds a host. The error is ErrNilHost or ErrHostExists.
func (n *Node) Register(hostID string, h Host) error {
	if h == nil {
		return ErrNilHost.with("host_id", hostID, "node_id", n.name)
	}
	if _, taken := n.hosts.LoadOrStore(hostID, h); taken {
		return ErrHostExists.with("host_id", hostID, "node_id", n.name)
	}
	return nil
}

// Unregister removes a host and reports whether there was one. A Send that is
// under way may still reach it.
func (n *Node) Unregister(hostID string) bool {
	_, had := n.hosts.LoadAndDelete(hostID)
	return had
}

// Host returns the host of that id.
func (n *Node) Host(hostID string) (Host, bool) { return n.hosts.Load(hostID) }

// Hosts returns the ids of all hosts, sorted.
func (n *Node) Hosts() []string {
	ids := make([]string, 0, n.hosts.Size())
	n.hosts.Range(func(id string, _ Host) bool {
		ids = append(ids, id)
		return true
	})
	slices.Sort(ids)
	return ids
}

// Send delivers m to its host on this node. The error is ErrNilMessage,
// ErrForeignNode, ErrHostNotFound or the host's own.
//
// A host that panics is reported to the node's PanicFunc and the message counts
// as delivered: nobody can tell how far the host got with it, so it is neither
// handed back nor recycled.
func (n *Node) Send(m *Message) error {
	if m == nil {
		return ErrNilMessage
	}
	if m.To.at != 0 && m.To.Node() != n.name {
		return ErrForeignNode.with("node_id", m.To.Node())
	}
	return n.deliver(m)
}

// deliver hands m, which is known to be for this node, to its host.
func (n *Node) deliver(m *Message) error {
	h, ok := n.hosts.Load(m.To.Host())
	if !ok {
		return ErrHostNotFound.with("host_id", m.To.Host(), "node_id", n.name)
	}
	defer n.contain(h)
	return h.Receive(m)
}

// contain is deferred around calls of hosts. Sending happens on the goroutine of
// whoever sends, and a broken receiver must not take the sender down.
func (n *Node) contain(h Host) {
	if v := recover(); v != nil {
		n.onPanic(h, v, debug.Stack())
	}
}

// PanicFunc is told about a panic in a host, with the value and the stack. It
// is called on the goroutine that panicked.
type PanicFunc func(h Host, value any, stack []byte)

func logPanic(h Host, value any, stack []byte) {
	slog.LogAttrs(context.Background(), slog.LevelError, "relay: host panicked",
		slog.Any("panic", value), slog.String("stack", string(stack)))
}

// NodeOption changes how NewNode sets a node up.
type NodeOption interface{ apply(*Node) }

type panicOption PanicFunc

func (o panicOption) apply(n *Node) {
	if o != nil {
		n.onPanic = PanicFunc(o)
	}
}

// WithPanicFunc replaces the report of panics in hosts, which by default goes to
// the default slog logger at error level.
func WithPanicFunc(f PanicFunc) NodeOption { return panicOption(f) }
