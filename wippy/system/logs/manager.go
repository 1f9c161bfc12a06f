// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"context"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
)

// Config is what happens to records; it can be changed at run time.
type Config struct {
	// PropagateDownstream writes records to the output.
	PropagateDownstream bool `json:"propagate_downstream"`
	// StreamToEvents publishes records on the event bus.
	StreamToEvents bool `json:"stream_to_events"`
	// MinLevel is the lowest level that is written: -1 debug, 0 info, 1 warn, 2 error. Streaming is not
	// affected by it.
	MinLevel int `json:"min_level"`
}

// DefaultConfig writes everything and streams nothing.
func DefaultConfig() Config { return Config{PropagateDownstream: true, MinLevel: -1} }

// Publisher takes the records that are streamed. It must not block and may be called concurrently.
type Publisher interface {
	Publish(system, kind, path string, data any)
}

// Options are what a [Manager] is made with.
type Options struct {
	// Format is how records are written.
	Format Format
	// Level is the lowest level that exists at all, written or streamed. The zero value is slog.LevelInfo.
	Level slog.Level
	// Stacks adds stacks to errors.
	Stacks bool
	// Silent writes nothing, whatever the configuration.
	Silent bool
	// Sample thins out floods: of records with equal level and message, the first SampleFirst of every second
	// are written and streamed, then every SampleThereafter-th. Zero means all. Errors are never left out.
	SampleFirst, SampleThereafter int
	// Config is the configuration to begin with; nil means DefaultConfig.
	Config *Config
	// Publisher takes streamed records and answers; nil means nobody does.
	Publisher Publisher

	_ struct{}
}

// Manager owns the loggers of a program. All methods may be called concurrently. Make one with [New].
type Manager struct {
	level     *slog.LevelVar
	publisher Publisher
	silent    bool
	root      slog.Handler

	config  atomic.Pointer[Config] // in effect; written under mu
	emitted [len(levels)]atomic.Uint64

	mu    sync.Mutex
	base  Config  // guarded by mu
	stack []*push // guarded by mu: temporary configurations, the last one in effect
}

// push is one temporary configuration.
type push struct{ config Config }

// New returns a manager that writes to w.
func New(w io.Writer, o Options) *Manager {
	m := &Manager{level: new(slog.LevelVar), publisher: o.Publisher, silent: o.Silent, base: DefaultConfig()}
	m.level.Set(o.Level)
	if o.Config != nil {
		m.base = *o.Config
	}
	m.apply()
	down := NewHandler(w, o.Format, HandlerOptions{Level: slog.Level(-1 << 16), Stacks: o.Stacks})
	t := &tee{manager: m, down: down}
	if o.SampleFirst > 0 {
		t.sampler = newSampler(o.SampleFirst, o.SampleThereafter)
	}
	m.root = t
	return m
}

// levels are those that records are counted by: of several that a record reaches, the highest.
var levels = [...]slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError}

func (m *Manager) count(l slog.Level) {
	i := len(levels) - 1
	for i > 0 && l < levels[i] {
		i--
	}
	m.emitted[i].Add(1)
}

// Emitted returns how many records there have been of each level, written or not; those that were left out of a flood
// do not count.
func (m *Manager) Emitted() map[slog.Level]uint64 {
	out := make(map[slog.Level]uint64, len(levels))
	for i, l := range levels {
		out[l] = m.emitted[i].Load()
	}
	return out
}

// Logger returns the root logger.
func (m *Manager) Logger() *slog.Logger { return slog.New(m.root) }

// Handler returns the root handler.
func (m *Manager) Handler() slog.Handler { return m.root }

// Level returns the lowest level that exists at all; setting it takes effect at once.
func (m *Manager) Level() *slog.LevelVar { return m.level }

// Config returns the configuration in effect.
func (m *Manager) Config() Config { return *m.config.Load() }

// Set replaces the base configuration. It takes effect at once or, while a temporary one is in effect, after it.
func (m *Manager) Set(c Config) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.base = c
	m.apply()
}

// Push puts a temporary configuration in effect. restore, which may be called more than once, takes it
// back; the ones below it then count again.
func (m *Manager) Push(c Config) (restore func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := &push{c}
	m.stack = append(m.stack, p)
	m.apply()
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.stack = slices.DeleteFunc(m.stack, func(other *push) bool { return other == p })
		m.apply()
	}
}

// Hide keeps records off the output and streams them all, until restore is called: for a process that owns the
// terminal.
func (m *Manager) Hide() (restore func()) { return m.Push(Config{MinLevel: -1, StreamToEvents: true}) }

// apply puts the right configuration in effect. mu is held, or m is not shared yet.
func (m *Manager) apply() {
	c := m.base
	if n := len(m.stack); n > 0 {
		c = m.stack[n-1].config
	}
	m.config.Store(&c)
}

// slogLevel is the slog level of a configured one.
func slogLevel(level int) slog.Level { return slog.Level(level * 4) }

// tee writes records to the output, streams them, both or neither.
type tee struct {
	manager *Manager
	down    slog.Handler
	sampler *sampler

	name   string
	groups string      // open groups, each followed by a dot
	attrs  []slog.Attr // given to WithAttrs, keys with their groups
}

// Enabled implements slog.Handler.
func (t *tee) Enabled(_ context.Context, l slog.Level) bool {
	if l < t.manager.level.Level() {
		return false
	}
	c := t.manager.config.Load()
	return t.writes(c, l) || t.streams(c)
}

func (t *tee) writes(c *Config, l slog.Level) bool {
	return c.PropagateDownstream && !t.manager.silent && l >= slogLevel(c.MinLevel)
}

func (t *tee) streams(c *Config) bool { return c.StreamToEvents && t.manager.publisher != nil }

// Handle implements slog.Handler.
func (t *tee) Handle(ctx context.Context, r slog.Record) error {
	if t.sampler != nil && !t.sampler.allow(r) {
		return nil
	}
	c := t.manager.config.Load()
	t.manager.count(r.Level)
	if t.streams(c) {
		t.stream(r)
	}
	if t.writes(c, r.Level) {
		return t.down.Handle(ctx, r)
	}
	return nil
}

// WithAttrs implements slog.Handler.
func (t *tee) WithAttrs(attrs []slog.Attr) slog.Handler {
	c := *t
	c.down = t.down.WithAttrs(attrs)
	c.attrs = slices.Clip(t.attrs)
	for _, a := range attrs {
		if name, ok := nameOf(a); ok && t.groups == "" {
			c.name = name
			continue
		}
		a.Key = t.groups + a.Key
		c.attrs = append(c.attrs, a)
	}
	return &c
}

// WithGroup implements slog.Handler.
func (t *tee) WithGroup(name string) slog.Handler {
	if name == "" {
		return t
	}
	c := *t
	c.down = t.down.WithGroup(name)
	c.groups = t.groups + name + "."
	return &c
}
