// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

// Transport connects this node with its peers. Make one with Listen. It is what
// relay.Router.SetInternode wants. All methods may be called concurrently.
type Transport struct {
	config   Config
	session  session
	listener net.Listener // nil when nobody dials this node
	peers    map[string]*peer
	ctx      context.Context
	cancel   context.CancelCauseFunc
	running  sync.WaitGroup
	greeting chan struct{} // as many as may shake hands at once on the accepting side
}

// maxGreetings is how many that have proved nothing may be connected at once.
const maxGreetings = 128

// Listen begins to listen and to dial, in goroutines that end with Stop. The error wraps
// ErrConfig or is that of the network. That a peer cannot be reached is none.
func Listen(config Config) (*Transport, error) {
	c, err := config.complete()
	if err != nil {
		return nil, err
	}
	t := &Transport{config: c, peers: make(map[string]*peer, len(c.Peers)), greeting: make(chan struct{}, maxGreetings)}
	_, _ = rand.Read(t.session[:]) // never fails
	if c.Listen != "" {
		if t.listener, err = net.Listen("tcp", c.Listen); err != nil {
			return nil, err
		}
	}
	t.ctx, t.cancel = context.WithCancelCause(context.Background())
	for name := range c.Peers {
		p := newPeer(name, &t.config)
		t.peers[name] = p
	}
	for name, p := range t.peers {
		if c.Node < name {
			t.running.Go(func() { t.dialAlways(p) })
		}
	}
	if t.listener != nil {
		t.running.Go(t.accept)
	}
	return t, nil
}

// Addr returns where the transport listens, nil when it does not.
func (t *Transport) Addr() net.Addr {
	if t.listener == nil {
		return nil
	}
	return t.listener.Addr()
}

// Stop ends all connections and returns when nothing of the transport runs any more. What
// has not been sent is lost. Neither Up nor Down is called by it or after it. A second call
// does nothing.
func (t *Transport) Stop() {
	t.cancel(ErrStopped)
	if t.listener != nil {
		_ = t.listener.Close()
	}
	t.running.Wait()
	for _, p := range t.peers {
		p.stop()
	}
}

// Send queues m for the node it is for and releases it. It does not wait, and says nothing
// of arrival. After an error the message is still the caller's. The error is
// relay.ErrNilMessage, relay.ErrNodeNotFound for a node that is no peer, ErrStopped,
// ErrQueueFull, ErrPayload or ErrFrameSize, or that of the transcoder.
func (t *Transport) Send(m *relay.Message) error {
	if m == nil {
		return relay.ErrNilMessage
	}
	p := t.peers[m.To.Node()]
	switch {
	case p == nil:
		return relay.ErrNodeNotFound
	case t.ctx.Err() != nil:
		return ErrStopped
	}
	err := t.post(p, m)
	if err != nil {
		p.refused.Add(1)
		return err
	}
	p.sent.Add(1)
	m.Release()
	return nil
}

// post queues m, of which the caller stays the owner.
func (t *Transport) post(p *peer, m *relay.Message) error {
	for i := range m.Payloads {
		if !encoded(m.Payloads[i]) {
			return t.postConverted(p, m)
		}
	}
	return p.mail.send(m)
}

func (t *Transport) postConverted(p *peer, m *relay.Message) error {
	c := relay.NewMessage(m.From, m.To, m.Topic, m.Payloads...)
	defer c.Release()
	for i, pl := range c.Payloads {
		if encoded(pl) || t.config.Transcoder == nil {
			continue // mail says so
		}
		out, err := t.config.Transcoder.Transcode(pl, payload.Msgpack)
		if err != nil {
			return err
		}
		c.Payloads[i] = out
	}
	return p.mail.send(c)
}

// encoded reports whether p can travel as it is. Strings and bytes that Lua calls its own
// are converted all the same: nobody else knows the format.
func encoded(p payload.Payload) bool {
	switch p.Data.(type) {
	case string, []byte:
		return p.Format != payload.Lua && p.Format != payload.Go
	}
	return false
}

// Stats are the counters of one peer.
type Stats struct {
	// Up says whether the node counts as reachable.
	Up bool
	// Connects is how many connections there have been.
	Connects uint64
	// Sent are messages Send took, Refused those it returned an error for, Lost those
	// that were on the way when a run of the other node ended, Delivered those that arrived.
	Sent, Refused, Lost, Delivered uint64
	// Waiting is how many messages have been taken but are not known to have arrived.
	Waiting int
}

// Stats returns the counters of all peers by name.
func (t *Transport) Stats() map[string]Stats {
	all := make(map[string]Stats, len(t.peers))
	for name, p := range t.peers {
		p.state.Lock()
		s := Stats{Up: p.up}
		p.state.Unlock()
		p.mail.mu.Lock()
		s.Waiting = p.mail.out.len()
		p.mail.mu.Unlock()
		s.Connects, s.Sent, s.Refused = p.connects.Load(), p.sent.Load(), p.refused.Load()
		s.Lost, s.Delivered = p.lost.Load(), p.delivered.Load()
		all[name] = s
	}
	return all
}

// dialAlways keeps a connection to p.
func (t *Transport) dialAlways(p *peer) {
	pause := firstPause
	for t.ctx.Err() == nil {
		connects := p.connects.Load()
		err := t.dial(p)
		if p.connects.Load() > connects {
			pause = firstPause
		}
		t.config.Log.Debug("no connection to node", "node", p.name, "error", err)
		// Half of it at random: nodes that lost the same one do not all come at once.
		timer := time.NewTimer(pause/2 + mathrand.N(pause/2+1))
		select {
		case <-timer.C:
		case <-t.ctx.Done():
			timer.Stop()
		}
		pause = min(2*pause, lastPause)
	}
}

func (t *Transport) dial(p *peer) error {
	dialer := net.Dialer{Timeout: t.config.Patience}
	conn, err := dialer.DialContext(t.ctx, "tcp", p.address)
	if err != nil {
		return err
	}
	if t.config.TLS != nil {
		c := t.config.TLS.Clone()
		if c.ServerName == "" {
			c.ServerName, _, _ = net.SplitHostPort(p.address) // it was dialled
		}
		conn = tls.Client(conn, c)
	}
	return t.converse(conn, p)
}

func (t *Transport) accept() {
	for {
		conn, err := t.listener.Accept()
		switch {
		case t.ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			return
		case err != nil: // too many open files, for example
			t.config.Log.Error("cannot accept connections from nodes", "error", err)
			select {
			case <-time.After(firstPause):
			case <-t.ctx.Done():
			}
			continue
		}
		select {
		case t.greeting <- struct{}{}:
		default:
			_ = conn.Close()
			continue
		}
		if t.config.TLS != nil {
			conn = tls.Server(conn, t.config.TLS)
		}
		t.running.Go(func() {
			if err := t.converse(conn, nil); err != nil && t.ctx.Err() == nil {
				t.config.Log.Debug("connection of a node ended", "address", conn.RemoteAddr(), "error", err)
			}
		})
	}
}

// converse shakes hands over conn and carries mail until it ends, and closes it. p is nil
// on the accepting side, where the hello says who it is.
func (t *Transport) converse(conn net.Conn, p *peer) error {
	defer conn.Close()
	stop := context.AfterFunc(t.ctx, func() { _ = conn.Close() })
	defer stop()
	dialled := p != nil
	// All of the handshake within one patience: an attacker cannot drip.
	_ = conn.SetDeadline(time.Now().Add(t.config.Patience)) // fails when the handshake does
	c := newConnection(conn, nil, nil, t.config.Beat, t.config.Patience)
	var met uint64
	h := handshake{secret: t.config.Secret, own: hello{node: t.config.Node, session: t.session}}
	_, _ = rand.Read(h.own.nonce[:]) // never fails
	h.admit = func(h *handshake, other hello) error {
		if dialled {
			if other.node != p.name {
				return fmt.Errorf("%w: %q answers for %q", ErrUnknownPeer, other.node, p.name)
			}
			return nil
		}
		if p = t.peers[other.node]; p == nil || t.config.Node < other.node {
			return fmt.Errorf("%w: %q", ErrUnknownPeer, other.node)
		}
		met = p.met()
		h.own = p.introduce(h.own)
		return nil
	}
	other, err := t.greet(conn, c, &h, p, &met)
	if !dialled {
		<-t.greeting
	}
	if err != nil {
		return err
	}
	_ = conn.SetDeadline(time.Time{}) // as above
	ctx, cancel := context.WithCancelCause(t.ctx)
	defer cancel(nil)
	release, err := p.supersede(met, cancel)
	if err != nil {
		return err
	}
	defer release()
	lost, err := p.connected(&t.config, h.own, other)
	if err != nil {
		return err
	}
	p.lost.Add(uint64(lost))
	p.connects.Add(1)
	t.config.Log.Info("connected to node", "node", p.name, "address", conn.RemoteAddr(), "lost", lost)
	c.mail, c.deliver = p.mail, func(m *relay.Message) {
		p.delivered.Add(1)
		t.config.Deliver(m)
	}
	err = c.run(ctx)
	t.config.Log.Info("connection to node ended", "node", p.name, "error", err)
	p.broke(&t.config, err)
	return err
}

// greet is the handshake of either side, over TLS if there is TLS.
func (t *Transport) greet(conn net.Conn, c *connection, h *handshake, p *peer, met *uint64) (hello, error) {
	if s, ok := conn.(*tls.Conn); ok {
		if err := s.HandshakeContext(t.ctx); err != nil {
			return hello{}, err
		}
		state := s.ConnectionState()
		binding, err := state.ExportKeyingMaterial("EXPORTER-wippy-internode", nil, 32)
		if err != nil {
			return hello{}, err
		}
		h.binding = binding
	}
	if p == nil {
		return h.accept(conn, c.frames)
	}
	*met = p.met()
	h.own = p.introduce(h.own)
	return h.dial(conn, c.frames)
}

var _ relay.Sender = (*Transport)(nil)
