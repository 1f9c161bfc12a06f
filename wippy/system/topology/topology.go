// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/puzpuzpuz/xsync/v3"

	"github.com/wippyrun/kit/relay"
)

// shardCount is a power of two well above the number of workers that end processes at the same time.
const shardCount = 32

// Topology is the registry of living processes. All methods may be called concurrently and none blocks on
// a process. Make one with [New].
type Topology struct {
	send   func(*relay.Message) error
	now    func() time.Time
	seed   maphash.Seed
	names  *xsync.MapOf[string, relay.PID]
	again  atomic.Uint64 // names registered by the process that had them
	shards [shardCount]shard
}

// shard holds the processes whose id hashes to it.
//
// Lock order: an entry of Topology.names, then shards by ascending index.
type shard struct {
	mu    sync.Mutex
	procs map[relay.PID]*edges // the value is nil while the process has no edges and no names
	_     [48]byte             // keeps neighbours off the same cache line
}

// edges is what connects one process with the rest. It belongs to the shard of the process and is guarded
// by its lock until [Topology.Complete] takes it out.
type edges struct {
	watchers pidSet // who monitors this process
	watching pidSet // whom this process monitors
	links    pidSet
	names    []string
	funcs    []*watch
}

func (e *edges) empty() bool {
	return e.watchers.len() == 0 && e.watching.len() == 0 && e.links.len() == 0 && len(e.names) == 0 && len(e.funcs) == 0
}

// Option changes how [New] sets a topology up.
type Option func(*Topology)

// WithNow replaces the clock that stamps events, [time.Now] by default.
func WithNow(now func() time.Time) Option { return func(t *Topology) { t.now = now } }

// New returns a topology without processes. It tells processes about each other through send, which must
// not block and takes over the message when it returns nil.
func New(send func(*relay.Message) error, opts ...Option) *Topology {
	t := &Topology{send: send, now: time.Now, seed: maphash.MakeSeed(), names: xsync.NewMapOf[string, relay.PID]()}
	for i := range t.shards {
		t.shards[i].procs = make(map[relay.PID]*edges)
	}
	for _, o := range opts {
		o(t)
	}
	return t
}

// Register makes pid a living process. The error is [ErrAlreadyRegistered].
func (t *Topology) Register(pid relay.PID) error {
	s := t.shard(pid)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.procs[pid]; ok {
		return ErrAlreadyRegistered.With("pid", pid.String())
	}
	s.procs[pid] = nil
	return nil
}

// Registered reports whether pid is a living process.
func (t *Topology) Registered(pid relay.PID) bool {
	s := t.shard(pid)
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.procs[pid]
	return ok
}

// Len returns the number of living processes.
func (t *Topology) Len() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += len(s.procs)
		s.mu.Unlock()
	}
	return n
}

// Complete ends pid: its names become free, all its edges disappear, then everybody who watched it is told
// in the order functions, monitors, links (links only when r.Err is not nil). It reports whether pid
// was alive; a second call does nothing.
func (t *Topology) Complete(pid relay.PID, r Result) bool {
	e, ok := t.take(pid)
	if !ok {
		return false
	}
	if e == nil {
		return true
	}
	for _, name := range e.names {
		t.freeName(name, pid)
	}
	e.watchers.each(func(p relay.PID) { t.detach(p, func(q *edges) { q.watching.remove(pid) }) })
	e.watching.each(func(p relay.PID) { t.detach(p, func(q *edges) { q.watchers.remove(pid) }) })
	e.links.each(func(p relay.PID) { t.detach(p, func(q *edges) { q.links.remove(pid) }) })
	t.announce(pid, e, r)
	return true
}

// take removes pid from its shard. From then on no operation finds it, so the caller owns what it returns.
func (t *Topology) take(pid relay.PID) (*edges, bool) {
	s := t.shard(pid)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.procs[pid]
	delete(s.procs, pid)
	return e, ok
}

func (t *Topology) announce(pid relay.PID, e *edges, result Result) {
	for _, w := range e.funcs {
		w.fire(result)
	}
	if e.watchers.len() == 0 && (result.Err == nil || e.links.len() == 0) {
		return
	}
	at, r := t.now(), &Result{Value: result.Value, Err: result.Err} // on the heap only from here
	if e.watchers.len() > 0 {
		ev := &Event{Kind: KindExit, From: pid, At: at, Result: r}
		e.watchers.each(func(to relay.PID) { t.deliver(message(pid, to, ev)) })
	}
	if r.Err != nil && e.links.len() > 0 {
		ev := &Event{Kind: KindLinkDown, From: pid, At: at, Result: r}
		e.links.each(func(to relay.PID) { t.deliver(message(Sender, to, ev)) })
	}
}

// deliver sends m and takes care of it when nobody wants it: a watcher may have ended meanwhile.
func (t *Topology) deliver(m *relay.Message) {
	if err := t.send(m); err != nil {
		m.Release()
	}
}

// detach lets f change the edges of pid, if it is alive and has any.
func (t *Topology) detach(pid relay.PID, f func(*edges)) {
	s := t.shard(pid)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.detach(pid, f)
}

// detach is called with the lock held.
func (s *shard) detach(pid relay.PID, f func(*edges)) {
	if e := s.procs[pid]; e != nil {
		f(e)
		if e.empty() {
			s.procs[pid] = nil
		}
	}
}

// attach returns the edges of pid, made when needed; ok is false when pid is not alive. It is called
// with the lock held.
func (s *shard) attach(pid relay.PID) (e *edges, ok bool) {
	e, ok = s.procs[pid]
	if ok && e == nil {
		e = new(edges)
		s.procs[pid] = e
	}
	return e, ok
}

func (t *Topology) shard(pid relay.PID) *shard { return &t.shards[t.index(pid)] }

func (t *Topology) index(pid relay.PID) int {
	return int(maphash.String(t.seed, pid.String()) % shardCount)
}

// pair is the shards of two processes, locked.
type pair struct{ a, b *shard }

// lock2 locks the shards of a and b in the order that rules out a deadlock.
func (t *Topology) lock2(a, b relay.PID) pair {
	i, j := t.index(a), t.index(b)
	p := pair{&t.shards[i], &t.shards[j]}
	switch {
	case i == j:
		p.a.mu.Lock()
	case i < j:
		p.a.mu.Lock()
		p.b.mu.Lock()
	default:
		p.b.mu.Lock()
		p.a.mu.Lock()
	}
	return p
}

func (p pair) unlock() {
	p.a.mu.Unlock()
	if p.a != p.b {
		p.b.mu.Unlock()
	}
}

// Info describes one process.
type Info struct {
	// Names are the names of the process, oldest first.
	Names []string
	// Watchers are the processes that monitor it, Watching those it monitors, Links those it is linked to.
	Watchers, Watching, Links []relay.PID
}

// Info returns a copy of what connects pid; ok is false when it is not alive.
func (t *Topology) Info(pid relay.PID) (info Info, ok bool) {
	s := t.shard(pid)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.procs[pid]
	if e == nil {
		return Info{}, ok
	}
	return Info{
		Names:    slices.Clone(e.names),
		Watchers: e.watchers.members(),
		Watching: e.watching.members(),
		Links:    e.links.members(),
	}, true
}
