// SPDX-License-Identifier: Apache-2.0

package amqp

import (
	"context"
	"errors"
	"sync"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Errors of publishing while the broker cannot be reached.
var (
	// ErrBusy says that the connection is lost and will be there again.
	ErrBusy = fault.New(fault.Unavailable, "amqp driver busy (reconnecting)").Transient()
	// ErrUnconfirmed says that the connection was lost before the broker said whether it
	// has the message.
	ErrUnconfirmed = fault.New(fault.Unavailable, "amqp connection lost before the message was confirmed").Transient()
	// ErrRefused says that the broker does not take a message.
	ErrRefused = fault.New(fault.Unavailable, "the broker refused the message").Transient()
	// ErrReturned says that a message with amqp.mandatory has reached no queue.
	ErrReturned = fault.New(fault.NotFound, "the message was returned: it reached no queue").Final()
)

// link is one connection to the broker.
type link struct {
	conn    *amqp.Connection
	publish *amqp.Channel // with confirms; safe for concurrent use
	lost    chan struct{} // closed when the connection or the channel has ended

	returns chan amqp.Return   // what mandatory messages come back as
	flush   chan chan struct{} // answered when all of returns is noted
	mu      sync.Mutex         // guards returned
	failed  map[string]bool    // ids of messages that came back
}

// connect dials the broker.
func connect(o *Options) (*link, error) {
	c := o.Config
	c.Dial = amqp.DefaultDial(o.ConnectTimeout)
	conn, err := amqp.DialConfig(o.URL, c)
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "connect to broker", err).Transient()
	}
	l := &link{conn: conn, lost: make(chan struct{}), returns: make(chan amqp.Return), flush: make(chan chan struct{}), failed: map[string]bool{}}
	if l.publish, err = conn.Channel(); err == nil {
		err = l.publish.Confirm(false)
	}
	if err != nil {
		return nil, fault.Wrap(fault.Unavailable, "open channel", errors.Join(err, conn.Close())).Transient()
	}
	l.publish.NotifyReturn(l.returns)
	// Both are closed by the library when their end has come.
	connection, channel := conn.NotifyClose(make(chan *amqp.Error, 1)), l.publish.NotifyClose(make(chan *amqp.Error, 1))
	go func() {
		defer close(l.lost)
		select {
		case <-connection:
		case <-channel:
			_ = conn.Close() // it does nothing without this channel
		}
	}()
	go l.note()
	return l, nil
}

// note remembers what came back. The library hands returns over one by one, before the
// confirm of the same message.
func (l *link) note() {
	for {
		select {
		case r, open := <-l.returns:
			if !open {
				return
			}
			l.mu.Lock()
			l.failed[r.MessageId] = true
			l.mu.Unlock()
		case done := <-l.flush:
			close(done)
		}
	}
}

// cameBack tells whether a message that was confirmed had come back before.
func (l *link) cameBack(id string) bool {
	done := make(chan struct{})
	select {
	case l.flush <- done:
		<-done
	case <-l.lost:
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	came := l.failed[id]
	delete(l.failed, id)
	return came
}

// send publishes to a queue and waits until the broker has confirmed it.
func (l *link) send(ctx context.Context, name string, p amqp.Publishing, mandatory bool) error {
	confirm, err := l.publish.PublishWithDeferredConfirm("", name, mandatory, false, p)
	if err != nil {
		return errors.Join(ErrBusy, err)
	}
	select {
	case <-confirm.Done():
	case <-l.lost:
		// The library ends all confirms with the channel; those that were acknowledged
		// before say so.
		<-confirm.Done()
	case <-ctx.Done():
		return ctx.Err()
	}
	switch {
	case confirm.Acked() && mandatory && l.cameBack(p.MessageId):
		return ErrReturned
	case confirm.Acked():
		return nil
	}
	select {
	case <-l.lost:
		return ErrUnconfirmed
	default:
		return ErrRefused
	}
}

// use runs f on a channel of its own: what the broker does not like ends the channel.
func (l *link) use(f func(ch *amqp.Channel) error) error {
	ch, err := l.conn.Channel()
	if err != nil {
		return errors.Join(ErrBusy, err)
	}
	err = f(ch)
	if closing := ch.Close(); err == nil && closing != nil && !errors.Is(closing, amqp.ErrClosed) {
		err = closing
	}
	return err
}
