// SPDX-License-Identifier: Apache-2.0

package amqp

import (
	"context"
	"errors"
	"net/url"
	"sync"
	"time"

	amqp "github.com/rabbitmq/amqp091-go"

	"github.com/wippyrun/kit/wippy/service/queue"
)

// Driver keeps queues at a broker. It implements queue.Driver.
type Driver struct {
	options Options

	mu      sync.Mutex // guards all below
	specs   map[string]queue.Spec
	link    *link         // nil while there is no connection
	changed chan struct{} // closed when link changes, and when the driver stops
	running bool
	stop    chan struct{} // closed to stop the run under way
	ended   chan struct{} // closed when it has ended
}

var _ queue.Driver = (*Driver)(nil)

// New returns a driver that does not run.
func New(o Options) *Driver {
	return &Driver{options: o, specs: map[string]queue.Spec{}, changed: make(chan struct{})}
}

// Name is the key of driver_options.
func (d *Driver) Name() string { return "amqp" }

// Start connects and declares the queues. A broker that cannot be reached fails it.
func (d *Driver) Start(context.Context) (<-chan any, error) {
	l, err := connect(&d.options)
	if err != nil {
		return nil, err
	}
	if err := d.declareAll(l); err != nil {
		return nil, errors.Join(err, l.conn.Close())
	}
	d.mu.Lock()
	d.running, d.stop, d.ended = true, make(chan struct{}), make(chan struct{})
	stop, ended := d.stop, d.ended
	d.mu.Unlock()
	d.set(l)
	status := make(chan any, 1)
	status <- "connected to " + address(d.options.URL)
	go d.keep(l, stop, ended)
	return status, nil
}

// address is a URL without what is secret.
func address(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "broker"
	}
	return u.Redacted()
}

// set makes l the connection, nil for none, and tells everybody.
func (d *Driver) set(l *link) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.link = l
	close(d.changed)
	d.changed = make(chan struct{})
}

// keep connects again whenever the connection is lost.
func (d *Driver) keep(l *link, stop, ended chan struct{}) {
	defer close(ended)
	for {
		select {
		case <-l.lost:
		case <-stop:
			if err := l.conn.Close(); err != nil && !errors.Is(err, amqp.ErrClosed) {
				d.options.Log.Warn("the connection did not close", "error", err)
			}
			<-l.lost
			return
		}
		d.set(nil)
		d.options.Log.Warn("connection lost", "broker", address(d.options.URL))
		if l = d.reconnect(stop); l == nil {
			return
		}
		d.options.Log.Info("connected again", "broker", address(d.options.URL)) // before anybody can tell by what works again
		d.set(l)
	}
}

// reconnect tries until it succeeds, nil when the driver stops.
func (d *Driver) reconnect(stop <-chan struct{}) *link {
	delay := d.options.ReconnectDelay
	for {
		wait := time.NewTimer(delay)
		select {
		case <-wait.C:
		case <-stop:
			wait.Stop()
			return nil
		}
		delay = min(2*delay, d.options.ReconnectMax)
		l, err := connect(&d.options)
		if err == nil {
			if err = d.declareAll(l); err == nil {
				return l
			}
			err = errors.Join(err, l.conn.Close())
		}
		d.options.Log.Warn("not connected", "error", err, "next", delay)
	}
}

// Stop closes the connection. The broker hands out again what was not settled.
func (d *Driver) Stop(ctx context.Context) error {
	d.mu.Lock()
	if !d.running {
		d.mu.Unlock()
		return nil
	}
	d.running = false
	close(d.stop)
	ended := d.ended
	d.mu.Unlock()
	d.set(nil)
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// current returns the connection, or why there is none.
func (d *Driver) current() (*link, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case !d.running:
		return nil, queue.ErrDown
	case d.link == nil:
		return nil, ErrBusy
	}
	return d.link, nil
}

// await waits for a connection other than old.
func (d *Driver) await(ctx context.Context, old *link) (*link, error) {
	for {
		d.mu.Lock()
		l, changed, running := d.link, d.changed, d.running
		d.mu.Unlock()
		switch {
		case !running:
			return nil, queue.ErrDown
		case l != nil && l != old:
			return l, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (d *Driver) spec(id string) (queue.Spec, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s, ok := d.specs[id]
	if !ok {
		return s, queue.ErrQueueNotFound.With("queue", id)
	}
	return s, nil
}

// Declare makes a queue exist at the broker, now or when the driver starts.
func (d *Driver) Declare(_ context.Context, s queue.Spec) error {
	if _, known := codecs[s.Codec]; !known {
		return queue.ErrCodec.With("codec", string(s.Codec))
	}
	d.mu.Lock()
	d.specs[s.ID] = s
	l := d.link
	d.mu.Unlock()
	if l == nil {
		return nil
	}
	return d.declare(l, s)
}

// declareAll declares what there is. A dead-letter queue need not exist before those it
// belongs to.
func (d *Driver) declareAll(l *link) error {
	d.mu.Lock()
	specs := make([]queue.Spec, 0, len(d.specs))
	for _, s := range d.specs {
		specs = append(specs, s)
	}
	d.mu.Unlock()
	for _, s := range specs {
		if err := d.declare(l, s); err != nil {
			return err
		}
	}
	return nil
}

func (d *Driver) declare(l *link, s queue.Spec) error {
	o := s.Options.(queueOptions)
	err := l.use(func(ch *amqp.Channel) error {
		_, err := ch.QueueDeclare(s.Name, o.durable, o.autoDelete, false, false, o.arguments(s.DeadLetter.Name))
		return err
	})
	var refused *amqp.Error
	if !errors.As(err, &refused) || refused.Code != amqp.PreconditionFailed {
		return err
	}
	// It exists with other arguments, perhaps of another program: it is used as it is.
	d.options.Log.Warn("the queue has other arguments at the broker", "queue", s.ID, "name", s.Name, "reason", refused.Reason)
	return nil
}

// Remove deletes a queue at the broker, unless it holds messages.
func (d *Driver) Remove(_ context.Context, id string) error {
	s, err := d.spec(id)
	if err != nil {
		return err
	}
	d.mu.Lock()
	delete(d.specs, id)
	l := d.link
	d.mu.Unlock()
	if l == nil {
		return nil
	}
	return l.use(func(ch *amqp.Channel) error {
		_, err := ch.QueueDelete(s.Name, false, true, false)
		return err
	})
}

// Publish sends a message and waits until the broker has confirmed it.
func (d *Driver) Publish(ctx context.Context, id string, m *queue.Message) error {
	s, err := d.spec(id)
	if err != nil {
		return err
	}
	l, err := d.current()
	if err != nil {
		return err
	}
	p, mandatory, err := d.publishing(m, s.Codec)
	if err != nil {
		return err
	}
	return l.send(ctx, s.Name, p, mandatory)
}

// Info asks the broker. It does not say what is taken and not settled.
func (d *Driver) Info(_ context.Context, id string) (i queue.Info, err error) {
	s, err := d.spec(id)
	if err != nil {
		return i, err
	}
	l, err := d.current()
	if err != nil {
		return i, err
	}
	err = l.use(func(ch *amqp.Channel) error {
		q, err := ch.QueueDeclarePassive(s.Name, true, false, false, false, nil)
		i = queue.Info{Messages: q.Messages, Ready: q.Messages, Consumers: q.Consumers, InFlight: -1}
		return err
	})
	return i, err
}
