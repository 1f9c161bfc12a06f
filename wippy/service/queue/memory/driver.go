// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/queue"
)

// KindDriver is the kind of a driver.
const KindDriver = "queue.driver.memory"

// defaultLength is how many messages a queue holds unless its entry says otherwise.
const defaultLength = 1000

// Kind makes the drivers of entries. Relative paths begin in dir; the transcoder turns
// messages into the form in which they are kept on disk.
func Kind(dir string, t *payload.Transcoder) queue.Kind {
	return queue.Kind{Kind: KindDriver, New: func(e registry.Entry, r *fields.Reader) queue.Driver {
		o := Options{Path: r.String("path", ""), Synchronous: strings.ToUpper(r.String("synchronous", "")), Transcoder: t}
		if o.Path != "" && !filepath.IsAbs(o.Path) {
			o.Path = filepath.Join(dir, o.Path)
		}
		if !slices.Contains([]string{"", "FULL", "NORMAL"}, o.Synchronous) {
			r.Reject("synchronous", "synchronous must be full or normal")
		}
		if o.Path == "" && o.Synchronous != "" {
			r.Reject("synchronous", "synchronous needs a path")
		}
		return New(o)
	}}
}

// Options are where a driver keeps its messages.
type Options struct {
	// Path is the file, "" to keep them in memory only.
	Path string
	// Synchronous is "FULL", the default: what is kept survives a power cut; or "NORMAL":
	// it survives the end of the program, and publishing need not wait for the disk.
	Synchronous string
	// Transcoder is required with a path.
	Transcoder *payload.Transcoder
}

// Driver keeps queues. It implements queue.Immediate.
type Driver struct {
	options Options

	mu      sync.RWMutex // guards all below
	specs   map[string]queue.Spec
	lines   map[string]*line // nil while it is down
	journal *journal
}

var _ queue.Immediate = (*Driver)(nil)

// New returns a driver that does not run.
func New(o Options) *Driver {
	o.Synchronous = cmp.Or(o.Synchronous, "FULL")
	return &Driver{options: o, specs: map[string]queue.Spec{}}
}

// Name is the key of driver_options.
func (d *Driver) Name() string { return "memory" }

// QueueOptions reads max_length.
func (d *Driver) QueueOptions(r *fields.Reader) any {
	n := r.Int("max_length", 0)
	if n < 0 {
		r.Reject("max_length", "max_length must be non-negative")
	}
	return cmp.Or(n, defaultLength)
}

// ConsumerOptions has nothing to read.
func (d *Driver) ConsumerOptions(*fields.Reader) any { return nil }

// Start opens the file, if there is one, and all queues.
func (d *Driver) Start(ctx context.Context) (<-chan any, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	detail := "in memory"
	if d.options.Path != "" {
		var err error
		if d.journal, err = openJournal(ctx, d.options.Path, d.options.Synchronous, d.options.Transcoder); err != nil {
			return nil, err
		}
		detail = "kept in " + d.options.Path
	}
	d.lines = map[string]*line{}
	for _, s := range d.specs {
		if err := d.open(ctx, s); err != nil {
			return nil, errors.Join(err, d.down())
		}
	}
	status := make(chan any, 1)
	status <- detail
	return status, nil
}

// open makes the line of a queue, with what is kept of it; mu is held.
func (d *Driver) open(ctx context.Context, s queue.Spec) error {
	l := newLine(s.ID, s.Options.(int), d.journal)
	if d.journal != nil {
		items, err := d.journal.load(ctx, s.ID)
		if err != nil {
			return err
		}
		now := time.Now()
		for _, it := range items {
			if it.due.After(now) {
				l.hold(it, it.due.Sub(now))
			} else {
				l.force(it)
			}
		}
	}
	d.lines[s.ID] = l
	return nil
}

// Stop ends everything that waits. Messages in memory only are lost.
func (d *Driver) Stop(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.down()
}

func (d *Driver) down() error {
	for _, l := range d.lines {
		l.close(queue.ErrDown)
	}
	d.lines = nil
	j := d.journal
	d.journal = nil
	if j == nil {
		return nil
	}
	return j.close()
}

// Declare makes a queue exist. The length it had first remains.
func (d *Driver) Declare(ctx context.Context, s queue.Spec) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if old, known := d.specs[s.ID]; known {
		s.Options = old.Options
	}
	d.specs[s.ID] = s
	if d.lines == nil || d.lines[s.ID] != nil {
		return nil
	}
	return d.open(ctx, s)
}

// Remove forgets a queue with its messages, also on disk when the driver runs.
func (d *Driver) Remove(ctx context.Context, id string) error {
	d.mu.Lock()
	delete(d.specs, id)
	l, j := d.lines[id], d.journal
	delete(d.lines, id)
	d.mu.Unlock()
	if l == nil {
		return nil
	}
	l.close(queue.ErrQueueNotFound.With("queue", id))
	if j == nil {
		return nil
	}
	return j.forget(ctx, id)
}

// line returns an open queue.
func (d *Driver) line(id string) (*line, error) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.lines == nil {
		return nil, queue.ErrDown
	}
	l := d.lines[id]
	if l == nil {
		return nil, queue.ErrQueueNotFound.With("queue", id)
	}
	return l, nil
}

// Publish accepts a message. With a file it is on disk when Publish returns.
func (d *Driver) Publish(ctx context.Context, id string, m *queue.Message) error {
	l, err := d.line(id)
	if err != nil {
		return err
	}
	if l.journal == nil {
		if err := l.enter(ctx); err != nil {
			return err
		}
		l.put(&item{m: m, key: m.Partition()})
		return nil
	}
	if m, err = l.journal.encode(m); err != nil {
		return err
	}
	it := &item{m: m, key: m.Partition()}
	insert, err := l.journal.insertion(id, it)
	if err != nil {
		return err
	}
	if err := l.enter(ctx); err != nil {
		return err
	}
	return l.journal.write(ctx, func(row int64) { it.row = row }, insert, func(err error) {
		if err != nil {
			l.exit()
		} else {
			l.put(it)
		}
	})
}

// TryPublish accepts a message if there is room and nothing to be written.
func (d *Driver) TryPublish(id string, m *queue.Message) (bool, error) {
	l, err := d.line(id)
	if err != nil {
		return false, err
	}
	if l.journal != nil {
		return false, nil
	}
	ok, err := l.tryEnter()
	if ok {
		l.put(&item{m: m, key: m.Partition()})
	}
	return ok, err
}

// Info says how a queue is doing.
func (d *Driver) Info(_ context.Context, id string) (queue.Info, error) { return d.InfoNow(id) }

// InfoNow is Info.
func (d *Driver) InfoNow(id string) (queue.Info, error) {
	l, err := d.line(id)
	if err != nil {
		return queue.Info{}, err
	}
	return l.info(), nil
}

// Consume begins to take messages. They are taken when they are asked for: a consumer
// holds none that another could have.
func (d *Driver) Consume(_ context.Context, id string, _ queue.ConsumeOptions) (queue.Subscription, error) {
	l, err := d.line(id)
	if err != nil {
		return nil, err
	}
	l.attend(1)
	return &subscription{driver: d, line: l}, nil
}

// subscription is a consumer at its queue.
type subscription struct {
	driver *Driver
	line   *line
	once   sync.Once
}

// Receive waits for the next message.
func (s *subscription) Receive(ctx context.Context) (*queue.Delivery, error) {
	it, err := s.line.receive(ctx)
	if err != nil {
		return nil, err
	}
	if s.line.journal != nil {
		return queue.NewDelivery(it.m, it.failed+1, kept{s.driver, s.line, it}), nil
	}
	return queue.NewDelivery(it.m, it.failed+1, ticket{s.driver, s.line, it}), nil
}

// Close ends the subscription.
func (s *subscription) Close() error {
	s.once.Do(func() { s.line.attend(-1) })
	return nil
}

// ticket settles an item of a queue in memory only.
type ticket struct {
	driver *Driver
	line   *line
	item   *item
}

var (
	_ queue.Instant = ticket{}
	_ queue.Mover   = ticket{}
)

// Instant says that nothing here waits.
func (t ticket) Instant() {}

// Ack ends the item.
func (t ticket) Ack(context.Context) error {
	t.line.done(t.item)
	return nil
}

// Retry takes it back.
func (t ticket) Retry(_ context.Context, delay time.Duration) error {
	t.line.again(t.item, delay)
	return nil
}

// Return takes it back to its place.
func (t ticket) Return(context.Context) error {
	t.line.back(t.item)
	return nil
}

// Move puts m into another queue.
func (t ticket) Move(_ context.Context, to string, m *queue.Message) (bool, error) {
	target, err := t.driver.line(to)
	if err != nil {
		return false, err
	}
	target.force(&item{m: m, key: m.Partition()})
	t.line.done(t.item)
	return true, nil
}
