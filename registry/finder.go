// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"encoding/binary"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/wippyrun/kit/registry/internal/lru"
	"github.com/wippyrun/kit/registry/internal/oset"
	"github.com/wippyrun/kit/registry/internal/pmap"
)

// maxDims bounds how many metadata fields are indexed; queries on further fields scan.
const maxDims = 64

// finder searches states. It keeps the newest index, from which those of other states
// are derived.
type finder struct {
	logger  *slog.Logger
	results *lru.Cache[[]*Entry]
	regexes *lru.Cache[*regexp.Regexp]
	keys    sync.Pool // *[]byte

	mu   sync.Mutex // guards the rest; its holder waits for nothing
	last *index
}

func newFinder(c config) *finder {
	return &finder{
		logger:  c.logger,
		results: lru.New[[]*Entry](c.queryCache),
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

// index returns an index of the state with at least the given dimensions.
func (f *finder) index(s *state, dims ...string) *index {
	if ix := s.index.Load(); ix != nil && ix.has(dims) {
		return ix
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	ix := s.index.Load()
	switch {
	case ix != nil:
	case f.last != nil:
		ix = f.last.advance(s.entries)
	default:
		ix = &index{entries: s.entries}
	}
	if !ix.has(dims) {
		ix = ix.with(dims)
	}
	s.index.Store(ix)
	if s.seq > 0 || f.last == nil {
		f.last = ix
	}
	return ix
}

func (f *finder) all(s *state) entrySet {
	return setOf(f.index(s, dimAll), dimAll, pmap.Key{})
}

func (f *finder) namespace(s *state, ns string) entrySet {
	return setOf(f.index(s, dimNS), dimNS, pmap.Key{Name: ns})
}

func setOf(ix *index, dim string, k pmap.Key) entrySet {
	if set := ix.dims[dim].Get(k); set != nil {
		return *set
	}
	return oset.New(compareEntries)
}

// find is search with a cache in front.
func (f *finder) find(s *state, query map[string]any) []Entry {
	if s.seq == 0 {
		return entriesOf(f.search(s, f.compile(query)))
	}
	buf := f.keys.Get().(*[]byte)
	key := appendQuery(binary.BigEndian.AppendUint64((*buf)[:0], s.seq), query)
	found, ok := f.results.Get(key)
	if !ok {
		found = f.search(s, f.compile(query))
		f.results.Put(key, found)
	}
	*buf = key
	f.keys.Put(buf)
	return entriesOf(found)
}

func (f *finder) compile(query map[string]any) *Query {
	q := compile(query, f.regexp)
	for _, w := range q.warnings {
		f.logger.Warn("registry: part of a query was ignored: " + w)
	}
	return q
}

// search takes the criterion whose candidates are fewest from an index and checks the
// other criteria on each candidate.
func (f *finder) search(s *state, q *Query) []*Entry {
	best := candidates{cost: -1}
	for i := range q.criteria {
		if c := f.candidates(s, &q.criteria[i]); c.known && (best.cost < 0 || c.cost < best.cost) {
			best = c
		}
	}
	if best.cost < 0 {
		best.sets = []entrySet{f.all(s)}
	}
	var out []*Entry
	if best.one != nil && q.match(best.one) {
		out = append(out, best.one)
	}
	for _, set := range best.sets {
		for e := range set.All() {
			if q.match(e) {
				out = append(out, e)
			}
		}
	}
	if len(best.sets) > 1 {
		slices.SortFunc(out, compareEntries)
	}
	return out
}

// candidates are the entries an index offers for a criterion.
type candidates struct {
	known bool
	cost  int
	sets  []entrySet
	one   *Entry
}

func (f *finder) candidates(s *state, c *criterion) candidates {
	switch {
	case c.op == opGlob && c.root == "id":
		if strings.Contains(c.text, "*") {
			return candidates{}
		}
		e := s.entries.Get(pmap.Key(ParseID(c.text)))
		return candidates{known: true, cost: 0, one: e}
	case c.op == opGlob:
		return f.rootCandidates(s, c)
	case c.op != opEqual || len(c.want) == 0:
		return candidates{}
	}
	dim := "meta." + c.field
	ix := f.index(s)
	if !ix.has([]string{dim}) {
		if len(ix.dims) >= maxDims {
			return candidates{}
		}
		ix = f.index(s, dim)
	}
	best := candidates{}
	for _, w := range c.want {
		k, ok := scalarKey(w)
		if !ok {
			continue
		}
		if set := setOf(ix, dim, k); !best.known || set.Len() < best.cost {
			best = candidates{known: true, cost: set.Len(), sets: []entrySet{set}}
		}
	}
	return best
}

func (f *finder) rootCandidates(s *state, c *criterion) candidates {
	dim := c.root
	if !strings.Contains(c.text, "*") {
		set := setOf(f.index(s, dim), dim, pmap.Key{Name: c.text})
		return candidates{known: true, cost: set.Len(), sets: []entrySet{set}}
	}
	if dim == dimName {
		return candidates{} // as many names as entries: listing them saves nothing
	}
	out := candidates{known: true}
	for k, set := range f.index(s, dim).dims[dim].All() {
		if glob(c.text, k.Name) {
			out.sets = append(out.sets, *set)
			out.cost += set.Len()
		}
	}
	return out
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
