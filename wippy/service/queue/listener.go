// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// Kind is a kind of entry that makes a driver. New reads the entry, problems go to r; it
// must not begin anything: the driver is started as a service.
type Kind struct {
	Kind string
	New  func(e registry.Entry, r *fields.Reader) Driver
}

// Deps is what the listener works with.
type Deps struct {
	Queues     *Queues
	Functions  *functions.Registry
	Supervisor host.Supervisor
	Log        *slog.Logger
	Warn       func(registry.Entry, []fields.Warning)
	Drivers    []Kind
}

// Listener keeps drivers, queues and consumers as the entries say. It takes part in the
// transactions of the registry: a queue that an operation deletes goes only when the
// transaction is certain.
type Listener struct {
	deps Deps

	mu      sync.Mutex // guards all below
	drivers map[string]Driver
	// What the transaction under way has changed: queues it has deleted and created, and
	// the drivers that were there before it replaced them.
	leaving map[place]*declared
	fresh   map[place]bool
	earlier map[string]Driver
}

// place is where a queue is kept.
type place struct{ driver, queue string }

func (d *declared) place() place { return place{d.spec.Driver, d.spec.ID} }

// NewListener returns a listener without entries.
func NewListener(deps Deps) *Listener {
	return &Listener{deps: deps, drivers: map[string]Driver{}, leaving: map[place]*declared{}, fresh: map[place]bool{}, earlier: map[string]Driver{}}
}

// Kinds lists the kinds the listener handles.
func (l *Listener) Kinds() []string {
	kinds := []string{KindQueue, KindConsumer}
	for _, k := range l.deps.Drivers {
		kinds = append(kinds, k.Kind)
	}
	return kinds
}

// Begin opens a transaction.
func (l *Listener) Begin(context.Context) error { return nil }

// Commit votes for it.
func (l *Listener) Commit(context.Context) error { return nil }

// Discard forgets it. The operations were undone one by one; but the services that ran
// before go on, so their drivers are again those of the queues.
func (l *Listener) Discard(ctx context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for id, driver := range l.earlier {
		l.drivers[id] = driver
		for _, v := range l.deps.Queues.queues.Range {
			if d := v.(*declared); d.spec.Driver == id {
				d.driver.Store(&driver)
			}
		}
	}
	for at, d := range l.leaving {
		if l.fresh[at] {
			l.remove(ctx, d)
		}
	}
	l.settled()
	return nil
}

// Committed removes the queues that were deleted.
func (l *Listener) Committed(ctx context.Context) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, d := range l.leaving {
		l.remove(ctx, d)
	}
	l.settled()
}

// settled forgets the transaction; mu is held.
func (l *Listener) settled() {
	clear(l.leaving)
	clear(l.fresh)
	clear(l.earlier)
}

// remove has the driver forget a queue; mu is held.
func (l *Listener) remove(ctx context.Context, d *declared) {
	if err := (*d.driver.Load()).Remove(ctx, d.spec.ID); err != nil {
		l.deps.Log.Warn("a queue was not removed", "queue", d.spec.ID, "error", err)
	}
}

// replacing notes the driver that was there before the transaction; mu is held.
func (l *Listener) replacing(id string) {
	if _, noted := l.earlier[id]; !noted && l.drivers[id] != nil {
		l.earlier[id] = l.drivers[id]
	}
}

// Create adds an entry.
func (l *Listener) Create(ctx context.Context, e registry.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch e.Kind {
	case KindQueue:
		return l.addQueue(ctx, e)
	case KindConsumer:
		return l.addConsumer(e)
	}
	return l.addDriver(ctx, e)
}

// Update replaces an entry. A queue keeps its messages unless it gets another driver; a
// driver, and a consumer, is stopped and another one started in its place.
func (l *Listener) Update(ctx context.Context, old, next registry.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch next.Kind {
	case KindQueue:
		before := decodeQueue(old).spec
		if after := decodeQueue(next).spec; before.Driver != after.Driver || before.Name != after.Name {
			l.forgetQueue(old.ID.String())
		}
		return l.addQueue(ctx, next)
	case KindConsumer:
		if _, _, err := l.consumer(next); err != nil {
			return err
		}
		if err := l.deps.Supervisor.Remove(next.ID.String()); err != nil {
			return err
		}
		return l.addConsumer(next)
	}
	l.replacing(next.ID.String())
	if err := l.deps.Supervisor.Remove(next.ID.String()); err != nil {
		return err
	}
	return l.addDriver(ctx, next)
}

// Delete removes an entry.
func (l *Listener) Delete(_ context.Context, e registry.Entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := e.ID.String()
	switch e.Kind {
	case KindQueue:
		l.forgetQueue(id)
		return nil
	case KindConsumer:
		return l.deps.Supervisor.Remove(id)
	}
	for q := range l.deps.Queues.queues.Range {
		if d, _, err := l.deps.Queues.find(q.(string)); err == nil && d.spec.Driver == id {
			return fault.New(fault.Conflict, fmt.Sprintf("queue %s uses the driver", q)).With("queue", q)
		}
	}
	l.replacing(id)
	delete(l.drivers, id)
	return l.deps.Supervisor.Remove(id)
}

// Check implements fields.Checker. Which driver a queue has is not known then: all parts of
// driver_options are read.
func (l *Listener) Check(e registry.Entry) ([]fields.Warning, error) {
	var options []Driver
	for _, k := range l.deps.Drivers {
		r := fields.New(nil)
		if k.Kind == e.Kind {
			r = fields.New(e.Data)
			host.Lifecycle(r)
		}
		d := k.New(e, r)
		if k.Kind == e.Kind {
			return r.Unknown(), r.Err()
		}
		options = append(options, d)
	}
	if e.Kind == KindConsumer {
		_, unknown, err := decodeConsumer(e, options...)
		return unknown, err
	}
	c := decodeQueue(e)
	for _, d := range options {
		d.QueueOptions(c.options.Sub(d.Name()))
	}
	return c.reader.Unknown(), c.reader.Err()
}

// addDriver makes the driver of an entry, with all the queues that name it.
func (l *Listener) addDriver(ctx context.Context, e registry.Entry) error {
	id := e.ID.String()
	r := fields.New(e.Data)
	lifecycle := host.Lifecycle(r)
	var driver Driver
	for _, k := range l.deps.Drivers {
		if k.Kind == e.Kind {
			driver = k.New(e, r)
		}
	}
	if err := r.Err(); err != nil {
		return err
	}
	if driver == nil {
		return fault.New(fault.Invalid, "not a queue kind: "+e.Kind)
	}
	l.deps.Warn(e, r.Unknown())
	if err := l.deps.Supervisor.Register(id, driver, lifecycle, nil); err != nil {
		return err
	}
	l.drivers[id] = driver
	var errs []error
	for _, v := range l.deps.Queues.queues.Range {
		if d := v.(*declared); d.spec.Driver == id {
			errs = append(errs, driver.Declare(ctx, d.spec))
			d.driver.Store(&driver)
		}
	}
	return errors.Join(errs...)
}

// addQueue declares the queue of an entry.
func (l *Listener) addQueue(ctx context.Context, e registry.Entry) error {
	c := decodeQueue(e)
	driver := l.drivers[c.spec.Driver]
	if driver == nil && c.spec.Driver != "" {
		return fields.At("driver", ErrDriverNotFound.With("driver", c.spec.Driver))
	}
	if driver != nil {
		c.spec.Options = driver.QueueOptions(c.options.Sub(driver.Name()))
	}
	if err := c.reader.Err(); err != nil {
		return err
	}
	if dead := c.spec.DeadLetter.Queue; dead != "" {
		target, _, err := l.deps.Queues.find(dead)
		if err != nil {
			return fields.At("dead_letter.queue", fault.New(fault.NotFound, "dead-letter queue not found: "+dead).Final())
		}
		if target.spec.Driver == c.spec.Driver {
			c.spec.DeadLetter.Name = target.spec.Name
		}
	}
	if err := driver.Declare(ctx, c.spec); err != nil {
		return fields.At("codec", err)
	}
	l.deps.Warn(e, c.reader.Unknown())
	d := &declared{spec: c.spec}
	d.driver.Store(&driver)
	at := d.place()
	if _, known := l.deps.Queues.queues.Swap(c.spec.ID, d); !known && l.leaving[at] == nil {
		l.fresh[at] = true
	}
	delete(l.leaving, at)
	return nil
}

// forgetQueue makes a queue unknown; its messages go when the transaction is certain.
func (l *Listener) forgetQueue(id string) {
	if v, ok := l.deps.Queues.queues.LoadAndDelete(id); ok {
		l.leaving[v.(*declared).place()] = v.(*declared)
	}
}

func (l *Listener) consumer(e registry.Entry) (consumerConfig, []fields.Warning, error) {
	queue, _ := fields.New(e.Data).Any("queue").(string)
	_, driver, unknown := l.deps.Queues.find(resolve(e, queue))
	var drivers []Driver
	if driver != nil {
		drivers = append(drivers, driver)
	}
	c, warnings, err := decodeConsumer(e, drivers...)
	if queue != "" {
		err = errors.Join(err, fields.At("queue", unknown))
	}
	return c, warnings, err
}

// addConsumer registers the service of an entry.
func (l *Listener) addConsumer(e registry.Entry) error {
	c, unknown, err := l.consumer(e)
	if err != nil {
		return err
	}
	l.deps.Warn(e, unknown)
	id := e.ID.String()
	d, _, err := l.deps.Queues.find(c.queue)
	if err != nil {
		return err
	}
	service := &consumer{id: id, config: c, queues: l.deps.Queues, call: l.deps.Functions.CallAsync, log: l.deps.Log}
	return l.deps.Supervisor.Register(id, service, c.lifecycle, []string{d.spec.Driver})
}

var _ supervisor.Service = (*consumer)(nil)
