// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/wippyrun/kit/registry/internal/wildcard"
)

// Publisher is where a registry announces what happens; an event bus fits. Publish is
// called while a change is in progress and must not block.
type Publisher interface {
	Publish(system, kind, path string, data any)
}

// DefaultInternalKinds returns the kinds that are stored without a listener.
func DefaultInternalKinds() []string {
	return []string{"registry.entry", "ns.dependency", "ns.requirement", "ns.definition"}
}

type config struct {
	history    History
	publisher  Publisher
	internal   []string
	timeout    time.Duration
	logger     *slog.Logger
	extractor  *Extractor
	allowCycle bool
	queryCache int
	regexCache int
	now        func() time.Time
}

// Option configures New.
type Option interface {
	fmt.Stringer
	apply(config) config
}

type option struct {
	name string
	f    func(config) config
}

func (o option) apply(c config) config { return o.f(c) }
func (o option) String() string        { return o.name }

// WithHistory sets where versions are stored. Default: NewMemoryHistory(). The
// registry closes it.
func WithHistory(h History) Option {
	return option{fmt.Sprintf("WithHistory(%T)", h), func(c config) config { c.history = h; return c }}
}

// WithPublisher announces changes: system "registry", kinds "registry.begin",
// "registry.commit" and "registry.discard" with the path of the transaction, and, once
// a change is durable and visible, "entry.create", "entry.update", "entry.delete" and
// "entry.accept" with the ID of the entry. A rejected operation is announced as
// "entry.reject" with the error as data. Default: nobody is told.
func WithPublisher(p Publisher) Option {
	return option{"WithPublisher", func(c config) config { c.publisher = p; return c }}
}

// WithInternalKinds replaces the set of kinds (patterns are allowed) that are stored
// without asking a listener. Default: DefaultInternalKinds().
func WithInternalKinds(kinds ...string) Option {
	return option{fmt.Sprintf("WithInternalKinds(%q)", kinds), func(c config) config { c.internal = slices.Clone(kinds); return c }}
}

// WithTimeout bounds each call of a listener. Default 30 s. A listener that does not
// return is left behind in its goroutine and its operation counts as rejected.
func WithTimeout(d time.Duration) Option {
	return option{fmt.Sprintf("WithTimeout(%v)", d), func(c config) config { c.timeout = d; return c }}
}

// WithLogger sets the logger for warnings. Default: slog.Default().
func WithLogger(l *slog.Logger) Option {
	return option{"WithLogger", func(c config) config { c.logger = l; return c }}
}

// WithClock sets where the times of versions come from. Default: time.Now. It is called
// once per change, by one goroutine at a time.
func WithClock(now func() time.Time) Option {
	return option{"WithClock", func(c config) config { c.now = now; return c }}
}

// WithExtractor sets how references between entries are found. Default: the
// extractor of DefaultPatterns.
func WithExtractor(x *Extractor) Option {
	return option{"WithExtractor", func(c config) config { c.extractor = x; return c }}
}

// WithCyclesAllowed makes LoadState warn about entries that depend on each other in a
// cycle instead of failing.
func WithCyclesAllowed() Option {
	return option{"WithCyclesAllowed", func(c config) config { c.allowCycle = true; return c }}
}

// WithQueryCache sets how many results of queries are kept of every state that is in use,
// how many compiled queries in all, and how many compiled regular expressions. Defaults
// 1000 for the first two and 100; 0 keeps none. A result costs 8 bytes per entry found
// plus the text of the query, and goes with its state.
func WithQueryCache(results, regexes int) Option {
	return option{fmt.Sprintf("WithQueryCache(%d, %d)", results, regexes), func(c config) config {
		c.queryCache, c.regexCache = results, regexes
		return c
	}}
}

func newConfig(opts []Option) (config, error) {
	c := config{internal: DefaultInternalKinds(), timeout: 30 * time.Second, queryCache: 1000, regexCache: 100}
	for _, o := range opts {
		c = o.apply(c)
	}
	if c.history == nil {
		c.history = NewMemoryHistory()
	}
	if c.logger == nil {
		c.logger = slog.Default()
	}
	if c.now == nil {
		c.now = time.Now
	}
	if c.timeout <= 0 {
		return c, invalidf("registry: time-out %v must be positive", c.timeout)
	}
	if c.queryCache < 0 || c.regexCache < 0 {
		return c, invalidf("registry: cache sizes %d and %d must not be negative", c.queryCache, c.regexCache)
	}
	if c.extractor == nil {
		x, err := NewExtractor()
		if err != nil {
			return c, err
		}
		c.extractor = x
	}
	return c, nil
}

// kindSet answers whether a kind is internal.
type kindSet []wildcard.Pattern

func newKindSet(kinds []string) kindSet {
	var s kindSet
	for _, k := range kinds {
		s = append(s, wildcard.Compile(k))
	}
	return s
}

func (s kindSet) has(kind string) bool {
	for _, p := range s {
		if p.Match(kind) {
			return true
		}
	}
	return false
}
