// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/wippyrun/kit/registry/internal/lru"
	"github.com/wippyrun/kit/registry/internal/pmap"
)

// maxDims bounds how many fields are indexed, and with it the cost of a change; queries
// on further fields scan.
const maxDims = 64

// finder searches states. It keeps the newest index, from which those of other states
// are derived. What was found is kept with the index of a state and goes with it;
// compiled queries and regular expressions outlive states.
type finder struct {
	logger  *slog.Logger
	size    int // how many results and compiled queries are kept
	queries *lru.Cache[*Query]
	regexes *lru.Cache[*regexp.Regexp]
	keys    sync.Pool // *[]byte

	mu   sync.Mutex // guards the rest; its holder waits for nothing
	last *index
}

func newFinder(c config) *finder {
	return &finder{
		logger:  c.logger,
		size:    c.queryCache,
		queries: lru.New[*Query](c.queryCache),
		regexes: lru.New[*regexp.Regexp](c.regexCache),
		keys:    sync.Pool{New: func() any { return new([]byte) }},
	}
}

func (f *finder) regexp(text string) (*regexp.Regexp, error) {
	if re, ok := f.regexes.Get([]byte(text)); ok {
		return re, nil
	}
	re, err := regexp.Compile(text)
	if err == nil {
		f.regexes.Put([]byte(text), re)
	}
	return re, err
}

// index returns the index of a state.
func (f *finder) index(s *state) *index {
	if ix := s.index.Load(); ix != nil {
		return ix
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.indexLocked(s)
}

func (f *finder) indexLocked(s *state) *index {
	ix := s.index.Load()
	if ix != nil {
		return ix
	}
	results := lru.New[[]*Entry](f.size)
	if f.last != nil {
		ix = f.last.advance(s.entries, results)
	} else {
		ix = &index{entries: s.entries, results: results}
	}
	f.publish(s, ix)
	return ix
}

func (f *finder) publish(s *state, ix *index) {
	s.index.Store(ix)
	if s.seq > 0 || f.last == nil {
		f.last = ix
	}
}

// dimension returns a dimension of a state, or nil when there are too many already.
func (f *finder) dimension(s *state, name string) *dimension {
	if d := f.index(s).dim(name); d != nil {
		return d
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	ix := f.indexLocked(s)
	if ix.dims[name] == nil {
		if len(ix.dims) >= maxDims && strings.HasPrefix(name, "meta.") {
			return nil
		}
		ix = ix.with(name)
		f.publish(s, ix)
	}
	return ix.dim(name)
}

func (f *finder) all(s *state) entrySet {
	return f.dimension(s, dimAll).get(pmap.Key{})
}

func (f *finder) namespace(s *state, ns string) entrySet {
	return f.dimension(s, dimNS).get(pmap.Key{Name: ns})
}

// find is search with caches in front.
func (f *finder) find(s *state, query map[string]any) []Entry {
	buf := f.keys.Get().(*[]byte)
	defer f.keys.Put(buf)
	*buf = appendQuery((*buf)[:0], query)
	results := f.index(s).results
	found, ok := results.Get(*buf)
	if !ok {
		q, ok := f.queries.Get(*buf)
		if !ok {
			q = f.compile(query)
			f.queries.Put(*buf, q)
		}
		found = f.search(s, q)
		results.Put(*buf, found)
	}
	return entriesOf(found)
}

func (f *finder) compile(query map[string]any) *Query {
	q := compile(query, f.regexp)
	for _, w := range q.warnings {
		f.logger.Warn("registry: part of a query was ignored: " + w)
	}
	return q
}

func entriesOf(found []*Entry) []Entry {
	out := make([]Entry, len(found))
	for i, e := range found {
		out[i] = *e
	}
	return out
}

func idsOf(found []*Entry) []ID {
	out := make([]ID, len(found))
	for i, e := range found {
		out[i] = e.ID
	}
	return out
}

func sortedIDs(set map[ID]bool) []ID {
	out := make([]ID, 0, len(set))
	for id := range set {
		out = append(out, id)
	}
	slices.SortFunc(out, ID.Compare)
	return out
}
