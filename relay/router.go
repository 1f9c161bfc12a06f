// SPDX-License-Identifier: Apache-2.0

package relay

import (
	"slices"
	"sync/atomic"

	"github.com/puzpuzpuz/xsync/v3"
)

// Router sends a message to the node its addressee lives on, in three tiers:
// this node, a peer, the internode transport. All methods may be called
// concurrently. The zero Router is not usable, see NewRouter.
type Router struct {
	local     *Node
	peers     *xsync.MapOf[string, Sender]
	internode atomic.Pointer[Sender]
}

// NewRouter makes a router around the local node, without peers. It panics when
// local is nil.
func NewRouter(local *Node) *Router {
	if local == nil {
		panic("relay: NewRouter needs a node")
	}
	return &Router{local: local, peers: xsync.NewMapOf[string, Sender]()}
}

// Local returns the local node.
func (r *Router) Local() *Node { return r.local }

// Send routes m. The tiers, in order: no node or the local node's name goes to
// the local Node; the name of a peer goes to that peer; anything else goes to the
// internode transport if there is one. The error is ErrNilMessage,
// ErrHostNotFound, ErrNodeNotFound or the error of whoever took the message.
func (r *Router) Send(m *Message) error {
	if m == nil {
		return ErrNilMessage
	}
	if m.To.at == 0 {
		return r.local.deliver(m)
	}
	node := m.To.Node()
	if node == r.local.name {
		return r.local.deliver(m)
	}
	if peer, ok := r.peers.Load(node); ok {
		return peer.Send(m)
	}
	if s := r.internode.Load(); s != nil {
		return (*s).Send(m)
	}
	return ErrNodeNotFound.with("node_id", node)
}

// AddPeer makes messages for nodeID go to s. The error is ErrEmptyPeer,
// ErrPeerIsLocal, ErrNilPeer or ErrPeerExists.
func (r *Router) AddPeer(nodeID string, s Sender) error {
	switch {
	case nodeID == "":
		return ErrEmptyPeer
	case nodeID == r.local.name || nodeID == LocalNode:
		return ErrPeerIsLocal.with("node_id", nodeID)
	case s == nil:
		return ErrNilPeer.with("node_id", nodeID)
	}
	if _, taken := r.peers.LoadOrStore(nodeID, s); taken {
		return ErrPeerExists.with("node_id", nodeID)
	}
	return nil
}

// RemovePeer removes a peer and reports whether there was one. A Send that is
// under way may still reach it.
func (r *Router) RemovePeer(nodeID string) bool {
	_, had := r.peers.LoadAndDelete(nodeID)
	return had
}

// Peers returns the names of all peers, sorted.
func (r *Router) Peers() []string {
	ids := make([]string, 0, r.peers.Size())
	r.peers.Range(func(id string, _ Sender) bool {
		ids = append(ids, id)
		return true
	})
	slices.Sort(ids)
	return ids
}

// SetInternode sets the transport for nodes that are not peers; nil removes it.
func (r *Router) SetInternode(s Sender) {
	if s == nil {
		r.internode.Store(nil)
		return
	}
	r.internode.Store(&s)
}
