// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// PublishFunc publishes a message to the queue with an id.
type PublishFunc func(ctx context.Context, id string, m *Message) error

// Interceptor wraps the publishing of all messages. It may publish another message in
// their place or none.
type Interceptor struct {
	Name  string
	Order int // ascending: the lowest sees the message first
	Wrap  func(next PublishFunc) PublishFunc
}

// declared is one queue with the driver that keeps it.
type declared struct {
	spec   Spec
	driver atomic.Pointer[Driver] // replaced with the entry of the driver
}

// Queues knows the queues of the application. All methods may be called concurrently; a
// look-up takes no lock.
type Queues struct {
	queues sync.Map // id → *declared

	mu           sync.Mutex // guards interceptors
	interceptors []Interceptor
	chain        atomic.Pointer[PublishFunc] // nil without interceptors
}

// New returns an empty set.
func New() *Queues { return &Queues{} }

// Intercept adds an interceptor for what is published from now on.
func (q *Queues) Intercept(i Interceptor) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, have := range q.interceptors {
		if have.Name == i.Name {
			return fault.New(fault.AlreadyExists, `interceptor "`+i.Name+`" already registered`)
		}
	}
	q.interceptors = append(q.interceptors, i)
	slices.SortStableFunc(q.interceptors, func(a, b Interceptor) int {
		if a.Order != b.Order {
			return a.Order - b.Order
		}
		return strings.Compare(a.Name, b.Name)
	})
	chain := PublishFunc(q.publish)
	for _, i := range slices.Backward(q.interceptors) {
		chain = i.Wrap(chain)
	}
	q.chain.Store(&chain)
	return nil
}

func (q *Queues) find(id string) (*declared, Driver, error) {
	v, ok := q.queues.Load(id)
	if !ok {
		return nil, nil, ErrQueueNotFound.With("queue", id)
	}
	d := v.(*declared)
	return d, *d.driver.Load(), nil
}

// Publish hands a message to the driver of a queue. It waits while there is no room, until
// ctx ends.
func (q *Queues) Publish(ctx context.Context, id string, m *Message) error {
	if chain := q.chain.Load(); chain != nil {
		return (*chain)(ctx, id, m)
	}
	return q.publish(ctx, id, m)
}

func (q *Queues) publish(ctx context.Context, id string, m *Message) error {
	_, driver, err := q.find(id)
	if err != nil {
		return err
	}
	return driver.Publish(ctx, id, m)
}

// TryPublish publishes a message if that can be done without waiting; done is false when
// it cannot, and nothing has happened.
func (q *Queues) TryPublish(id string, m *Message) (done bool, err error) {
	_, driver, err := q.find(id)
	if err != nil {
		return true, err
	}
	now, ok := driver.(Immediate)
	if !ok || q.chain.Load() != nil {
		return false, nil
	}
	accepted, err := now.TryPublish(id, m)
	return accepted || err != nil, err
}

// Info says how a queue is doing.
func (q *Queues) Info(ctx context.Context, id string) (Info, error) {
	_, driver, err := q.find(id)
	if err != nil {
		return Info{}, err
	}
	return driver.Info(ctx, id)
}

// TryInfo is Info if that can be had without waiting.
func (q *Queues) TryInfo(id string) (i Info, done bool, err error) {
	_, driver, err := q.find(id)
	if err != nil {
		return i, true, err
	}
	now, ok := driver.(Immediate)
	if !ok {
		return i, false, nil
	}
	i, err = now.InfoNow(id)
	return i, true, err
}

// Consume takes messages from a queue past all consumers: whoever does it settles each
// with its Settler, and closes the subscription.
func (q *Queues) Consume(ctx context.Context, id string) (Subscription, error) {
	_, driver, err := q.find(id)
	if err != nil {
		return nil, err
	}
	return driver.Consume(ctx, id, ConsumeOptions{Workers: 1})
}

// bury puts the message of a delivery into a dead-letter queue and settles it.
func (q *Queues) bury(ctx context.Context, from, to string, d *Delivery, reason string) error {
	m := &Message{ID: d.Message.ID, Body: d.Message.Body, Headers: withHeaders(d.Message.Headers, map[string]any{
		HeaderOriginalQueue: from, HeaderDeadLetterReason: reason, HeaderDeadLetterTime: time.Now().Unix(),
		HeaderAttempts: int64(d.Attempt),
	})}
	source, driver, err := q.find(from)
	if err != nil {
		return err
	}
	target, other, err := q.find(to)
	if err != nil {
		return err
	}
	if mover, ok := d.settler.(Mover); ok && driver == other && source.spec.Driver == target.spec.Driver {
		if ok, err := mover.Move(ctx, to, m); ok || err != nil {
			return err
		}
	}
	if err := other.Publish(ctx, to, m); err != nil {
		return err
	}
	return d.settler.Ack(ctx)
}
