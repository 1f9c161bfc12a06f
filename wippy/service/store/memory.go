// SPDX-License-Identifier: Apache-2.0

package store

import (
	"context"
	"hash/maphash"
	"math"
	"sync/atomic"
	"time"

	"github.com/wippyrun/kit/relay/payload"
)

// shards is the number of parts of a Memory, a power of two. 16 keep eight writers out of
// each other's way (BenchmarkMemory) and a list has to merge no more than that.
const shards = 16

// Memory is a store in memory. What it holds is lost when it is closed. All methods may be
// called concurrently; none waits for anything but a short lock, so ctx is not looked at.
type Memory struct {
	limit   int64
	born    time.Time
	seed    maphash.Seed
	version atomic.Uint64 // of the last write
	count   atomic.Int64  // keys in the shards, and those about to be
	parts   [shards]shard
}

var _ Immediate = (*Memory)(nil)

// NewMemory returns an empty store for at most limit keys.
func NewMemory(limit int) *Memory {
	m := &Memory{limit: int64(limit), born: time.Now(), seed: maphash.MakeSeed()}
	for i := range m.parts {
		m.parts[i].items = map[string]*item{}
	}
	return m
}

// Immediate says that nothing here waits.
func (m *Memory) Immediate() {}

// Info describes the store.
func (m *Memory) Info() Info {
	return Info{Backend: BackendMemory, Consistency: Local, List: true, Versioned: true, ConditionalPut: true, TTL: true}
}

func (m *Memory) now() time.Duration { return time.Since(m.born) }

func (m *Memory) shard(key string) *shard {
	return &m.parts[maphash.String(m.seed, key)%shards]
}

// Get returns what is kept under key.
func (m *Memory) Get(_ context.Context, key string) (Entry, error) {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return Entry{}, ErrClosed
	}
	if it := s.find(m, key); it != nil {
		return Entry{it.key, it.value, it.version}, nil
	}
	return Entry{}, ErrNotFound
}

// Has tells whether there is something under key.
func (m *Memory) Has(_ context.Context, key string) (bool, error) {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false, ErrClosed
	}
	return s.find(m, key) != nil, nil
}

// Put writes a value. A key that is new in a store that is full drives out what has
// expired; when nothing has, it fails with ErrFull.
func (m *Memory) Put(_ context.Context, key string, value payload.Payload, o PutOptions) (uint64, error) {
	if err := o.Check(); err != nil {
		return 0, err
	}
	s := m.shard(key)
	for swept := false; ; {
		version, err := m.put(s, key, value, o)
		if err != ErrFull || swept { //nolint:errorlint // put returns it as it is
			return version, err
		}
		if m.Sweep() == 0 && m.count.Load() >= m.limit {
			return 0, ErrFull
		}
		swept = true
	}
}

func (m *Memory) put(s *shard, key string, value payload.Payload, o PutOptions) (uint64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, ErrClosed
	}
	live := s.find(m, key)
	switch {
	case o.OnlyIfAbsent && live != nil:
		return 0, ErrExists
	case o.IfVersion != 0 && live == nil:
		return 0, ErrNotFound
	case o.IfVersion != 0 && live.version != o.IfVersion:
		return 0, ErrMismatch
	}
	it := s.items[key] // perhaps one that has expired: its place is free
	if it == nil {
		if !m.reserve() {
			return 0, ErrFull
		}
		it = &item{key: key, at: -1}
		s.items[key] = it
		s.keys.insert(key)
	}
	it.value, it.version = value, m.version.Add(1)
	var due time.Duration
	if o.TTL > 0 {
		if due = m.now() + o.TTL; due < 0 {
			due = math.MaxInt64
		}
	}
	s.schedule(it, due)
	return it.version, nil
}

// reserve takes the place of one more key.
func (m *Memory) reserve() bool {
	for {
		n := m.count.Load()
		if n >= m.limit {
			return false
		}
		if m.count.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

// Delete removes a key.
func (m *Memory) Delete(_ context.Context, key string) error {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	it := s.items[key]
	if it == nil {
		return ErrNotFound
	}
	gone := it.expired(m.now())
	s.drop(m, it)
	if gone {
		return ErrNotFound
	}
	return nil
}

// List returns a page. It is no snapshot: keys that are written or removed meanwhile may
// be in it or not, all others are.
func (m *Memory) List(_ context.Context, o ListOptions) (Page, error) {
	size, now := o.Size(), m.now()
	start := o.Prefix
	if o.After != "" {
		start = max(start, o.After+"\x00")
	}
	var merged merge
	for i := range m.parts {
		part := newRun(&m.parts[i], size/shards*2+8)
		if err := part.fill(start, o.Prefix, now); err != nil {
			return Page{}, err
		}
		if len(part.items) > 0 {
			merged = append(merged, part)
		}
	}
	items := make([]Entry, 0, min(size+1, merged.count()))
	for len(items) <= size && len(merged) > 0 {
		e, err := merged.next(o.Prefix, now)
		if err != nil {
			return Page{}, err
		}
		items = append(items, e)
	}
	return NewPage(items, size), nil
}

// Len returns how many keys there are, also those that have expired and were not swept.
func (m *Memory) Len() int { return int(m.count.Load()) }

// Sweep drops what has expired, shard by shard, each in the order of time, and returns how
// many keys that were.
func (m *Memory) Sweep() int {
	dropped, now := 0, m.now()
	for i := range m.parts {
		dropped += m.parts[i].sweep(m, now)
	}
	return dropped
}

// Close forgets everything. Operations fail from then on.
func (m *Memory) Close() {
	for i := range m.parts {
		s := &m.parts[i]
		s.mu.Lock()
		m.count.Add(-int64(len(s.items)))
		s.closed, s.items, s.keys, s.due = true, nil, order{}, nil
		s.mu.Unlock()
	}
}
