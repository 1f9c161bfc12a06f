// SPDX-License-Identifier: Apache-2.0

package amqp

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/wippyrun/kit/wippy/service/queue"
)

// subscription is a consumer at its queue, over all connections.
type subscription struct {
	driver  *Driver
	spec    queue.Spec
	options queue.ConsumeOptions
	tag     string
	out     chan *queue.Delivery
	ctx     context.Context // ends with the subscription
	cancel  context.CancelFunc
	ended   chan struct{} // closed when its goroutine has ended
	err     error         // why; set before
	retries sync.WaitGroup
}

// Consume begins to take messages. It fails when the broker does not allow it.
func (d *Driver) Consume(_ context.Context, id string, o queue.ConsumeOptions) (queue.Subscription, error) {
	spec, err := d.spec(id)
	if err != nil {
		return nil, err
	}
	l, err := d.current()
	if err != nil {
		return nil, err
	}
	own, _ := o.Options.(consumerOptions)
	s := &subscription{
		driver: d, spec: spec, options: o, tag: cmp.Or(own.tag, "consumer") + "-" + queue.NewID()[:8],
		out: make(chan *queue.Delivery), ended: make(chan struct{}),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	ch, deliveries, err := s.open(l)
	if err != nil {
		s.cancel()
		return nil, err
	}
	go s.run(l, ch, deliveries)
	return s, nil
}

// open takes messages over a connection, on a channel of its own.
func (s *subscription) open(l *link) (*amqp.Channel, <-chan amqp.Delivery, error) {
	ch, err := l.conn.Channel()
	if err != nil {
		return nil, nil, errors.Join(ErrBusy, err)
	}
	own, _ := s.options.Options.(consumerOptions)
	prefetch := cmp.Or(s.options.Prefetch, s.driver.options.Prefetch, max(defaultPrefetch, s.options.Workers))
	if err = ch.Qos(prefetch, 0, false); err == nil {
		var deliveries <-chan amqp.Delivery
		deliveries, err = ch.Consume(s.spec.Name, s.tag, s.options.AutoAck, own.exclusive, own.noLocal, own.noWait, nil)
		if err == nil {
			return ch, deliveries, nil
		}
	}
	return nil, nil, errors.Join(err, ignoreClosed(ch.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, amqp.ErrClosed) {
		return nil
	}
	return err
}

// run hands deliveries over, and takes up again where the connection was lost.
func (s *subscription) run(l *link, ch *amqp.Channel, deliveries <-chan amqp.Delivery) {
	defer close(s.ended)
	for {
		s.pump(l, ch, deliveries)
		if s.ctx.Err() != nil {
			s.err = s.ctx.Err()
			s.retries.Wait()
			_ = ch.Close() // the broker hands out again what was not settled
			return
		}
		_ = ch.Close()
		for {
			old := l
			if !isLost(l) {
				old = nil // only the channel has ended: the broker has cancelled the consumer
			}
			next, err := s.driver.await(s.ctx, old)
			if err == nil {
				l = next
				if ch, deliveries, err = s.open(l); err == nil {
					break
				}
				if isLost(l) {
					continue
				}
			}
			s.err = err
			return
		}
	}
}

// isLost tells whether a connection has ended, also where lost does not say so yet: the library closes a connection, then
// its channels, and whoever closes lost hears of that on a goroutine of its own. A subscription that took the end of its
// channel for one of the channel alone would try the same connection again, and give up.
func isLost(l *link) bool {
	select {
	case <-l.lost:
		return true
	default:
		return l.conn.IsClosed()
	}
}

// pump hands over what arrives until the channel ends or the subscription is closed.
func (s *subscription) pump(l *link, ch *amqp.Channel, deliveries <-chan amqp.Delivery) {
	done := s.ctx.Done()
	for {
		select {
		case got, open := <-deliveries:
			if !open {
				return
			}
			m, attempt := message(&got, s.spec.Codec)
			got.MessageId = m.ID // also of one that came without
			d := queue.NewDelivery(m, attempt, &ticket{s, l, got, attempt})
			select {
			case s.out <- d:
			case <-done:
				return
			case <-l.lost:
				return // it comes again
			}
		case <-done:
			return
		}
	}
}

// Receive waits for the next message.
func (s *subscription) Receive(ctx context.Context) (*queue.Delivery, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	select {
	case d := <-s.out:
		return d, nil
	case <-s.ended:
		return nil, s.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Close ends the subscription. Messages that wait for their next attempt are sent first.
func (s *subscription) Close() error {
	s.cancel()
	<-s.ended
	return nil
}

// ticket settles one delivery. It is only good for the connection it came with.
type ticket struct {
	s       *subscription
	link    *link
	got     amqp.Delivery
	attempt int
}

// Ack tells the broker that the message is done.
func (t *ticket) Ack(context.Context) error {
	if t.s.options.AutoAck {
		return nil
	}
	return t.got.Ack(false)
}

// Return gives the message back to the broker.
func (t *ticket) Return(context.Context) error {
	if t.s.options.AutoAck {
		return nil
	}
	return t.got.Nack(false, true)
}

// Retry keeps the message for the delay, then sends it again as the next attempt. It does
// not wait for that.
func (t *ticket) Retry(_ context.Context, delay time.Duration) error {
	if t.s.options.AutoAck {
		return nil
	}
	if isLost(t.link) {
		return amqp.ErrClosed
	}
	t.s.retries.Go(func() {
		wait := time.NewTimer(delay)
		defer wait.Stop()
		select {
		case <-wait.C:
		case <-t.s.ctx.Done(): // at once
		case <-t.link.lost:
			return // it comes again
		}
		t.resend()
	})
	return nil
}

func (t *ticket) resend() {
	ctx, cancel := context.WithTimeout(context.Background(), resendTime)
	defer cancel()
	err := t.link.send(ctx, t.s.spec.Name, again(&t.got, t.attempt+1), false)
	if err == nil {
		err = t.got.Ack(false)
	} else if !isLost(t.link) {
		err = errors.Join(err, t.got.Nack(false, true))
	}
	if err != nil {
		t.s.driver.options.Log.Warn("message not sent again, the broker will", "queue", t.s.spec.ID, "message", t.got.MessageId, "error", err)
	}
}

// resendTime is how long the broker may take for a message it is given back.
const resendTime = 30 * time.Second
