// SPDX-License-Identifier: Apache-2.0

package internode

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// peer is another node: its mail, and whether it can be reached. It outlives connections.
type peer struct {
	name, address string
	mail          *mail

	slot chan struct{} // buffered 1; full while a connection carries the mail

	mu     sync.Mutex
	meets  uint64                  // guarded by mu; how many connections there have been
	cancel context.CancelCauseFunc // guarded by mu; ends the connection there is

	// Written by who holds slot, or by the timer of a grace while nobody does; guarded by
	// state, which is held while Up or Down run, so that they take turns, and comes before
	// the lock of mail.
	state sync.Mutex
	up    bool
	run   session     // that Up was called for last
	epoch uint64      // of the last Up, or one more since Down: the least the next can have
	grace *time.Timer // running between a connection that broke and Down

	delivered, lost, connects atomic.Uint64
	sent, refused             atomic.Uint64
}

func newPeer(name string, c *Config) *peer {
	return &peer{
		name: name, address: c.Peers[name], slot: make(chan struct{}, 1),
		mail: newMail(c.Node, c.MaxMessage, c.QueueMessages, c.QueueBytes),
	}
}

// supersede ends the connection there is, unless there has been one since the given number
// of meets, and holds the slot until release.
func (p *peer) supersede(meets uint64, cancel context.CancelCauseFunc) (release func(), err error) {
	p.mu.Lock()
	if p.meets != meets {
		p.mu.Unlock()
		return nil, ErrSuperseded // what the hello said of the mail is of the past
	}
	p.meets++
	if p.cancel != nil {
		p.cancel(ErrSuperseded)
	}
	p.cancel = cancel
	p.mu.Unlock()
	p.slot <- struct{}{} // the one that was cancelled leaves when its delivery is done
	return func() { <-p.slot }, nil
}

func (p *peer) met() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.meets
}

// connected says that a connection that began with these hellos is about to carry mail. It
// returns how many messages were lost with the run of the node before this one. After an error
// nothing has changed; it is ErrSuperseded when the node was taken for lost since the hello.
func (p *peer) connected(c *Config, own, other hello) (lost int, err error) {
	p.state.Lock()
	defer p.state.Unlock()
	if p.epoch != own.epoch {
		return 0, ErrSuperseded // the other side believes what the hello said
	}
	if lost, err = p.mail.meet(own, other); err != nil {
		return 0, err
	}
	epoch := max(own.epoch, other.epoch)
	if renewed(own, other) {
		epoch++ // one of the two may remember epochs, and mail may be left of the last
	}
	if p.grace != nil {
		p.grace.Stop()
		p.grace = nil
	}
	if p.up && p.epoch != epoch {
		reason := ErrTakenForLost
		if p.run != other.session {
			reason = ErrNewRun
		}
		p.up = false
		c.Down(p.name, reason)
	}
	p.run, p.epoch = other.session, epoch
	if !p.up {
		p.up = true
		c.Up(p.name, epoch)
	}
	return lost, nil
}

// introduce fills in what a hello says of what was so far.
func (p *peer) introduce(h hello) hello {
	p.state.Lock()
	h.epoch = p.epoch
	p.state.Unlock()
	return p.mail.introduce(h)
}

// broke says that a connection is over: the node is lost at once when it has been silent
// long enough for that, otherwise when it does not connect again in time.
func (p *peer) broke(c *Config, reason error) {
	p.state.Lock()
	defer p.state.Unlock()
	switch {
	case errors.Is(reason, ErrStopped), errors.Is(reason, ErrSuperseded):
	case errors.Is(reason, ErrSilent):
		p.lose(c, reason)
	default:
		var t *time.Timer
		t = time.AfterFunc(c.Patience, func() {
			p.state.Lock()
			defer p.state.Unlock()
			if p.grace != t {
				return // it has connected again, or the transport was stopped
			}
			p.grace = nil
			p.lose(c, reason)
		})
		p.grace = t
	}
}

// lose takes the node for lost; state is held.
func (p *peer) lose(c *Config, reason error) {
	p.up = false
	p.epoch++
	c.Down(p.name, reason)
}

// stop ends a grace that is running; when it returns no Down is, and none will be.
func (p *peer) stop() {
	p.state.Lock()
	defer p.state.Unlock()
	if p.grace != nil {
		p.grace.Stop()
		p.grace = nil
	}
}
