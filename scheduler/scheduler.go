// SPDX-License-Identifier: Apache-2.0

package scheduler

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wippyrun/kit/scheduler/dispatch"
)

// Config configures a [Scheduler]. The zero value is a working configuration.
type Config struct {
	// Workers is the number of goroutines that run processes. Default:
	// runtime.GOMAXPROCS(0). More than that adds switching and no speed.
	Workers int
	// QueueSize is the initial capacity of the global queue, in processes,
	// rounded up to a power of two. Default 1024. The queue grows without
	// bound; a larger size saves copying and costs 8 bytes each.
	QueueSize int
	// LocalQueueSize is the same for the deque of each worker. Default 256.
	LocalQueueSize int
	// MaxProcesses limits how many processes may be alive. Default 0, no limit.
	MaxProcesses int
	// MaxQueue limits how many events may wait for one process before Send
	// fails; completions are always accepted. Default 0, no limit.
	MaxQueue int
	// StepBudget is how long a Step may take before its worker counts as stuck
	// and its queue is handed to others; it is also the sampling period of
	// Info.RunTime. Default 2 ms. Work behind a stuck Step waits at most twice
	// that. A smaller budget costs more wake-ups of the monitor, which sleeps
	// while no process runs.
	StepBudget time.Duration
	// MaxSpares limits the workers that stand in for stuck ones. Default 256;
	// each costs about 20 KB while it exists.
	MaxSpares int

	// Dispatch finds the handlers of yielded commands. Without it every yield
	// completes with the error "unknown command".
	Dispatch *dispatch.Registry
	// Lifecycle is told about every process. Optional.
	Lifecycle Lifecycle
	// OnStopping is called by Stop for every process, to ask it to end. Without
	// it Stop cancels the processes at once. It may be called concurrently with
	// the process and must not block.
	OnStopping func(*Ref)
	// OnDrop gets what was queued for a process and never reached it: messages
	// and completions left when it ended, and completions that came later. It
	// may be called from any goroutine and must not block. Optional.
	OnDrop func(*Ref, Event)
	// OnPanic is told about every contained panic; ref is the process
	// concerned. It may be called from any goroutine. Optional.
	OnPanic func(ref *Ref, err *PanicError)

	_ struct{}
}

// Lifecycle is told when processes start and end. Its methods may be called
// concurrently for different processes. OnExit runs on a worker and should not
// block.
type Lifecycle interface {
	// OnStart is called by Submit after Init and before the first Step. The ref
	// already takes messages. An error rejects the process: it is closed and
	// Submit returns the error; OnExit is not called.
	OnStart(ctx context.Context, ref *Ref) error
	// OnExit is called once for every process that OnStart accepted, when it
	// has been closed and takes no more messages.
	OnExit(ref *Ref, result any, err error)
}

// SubmitOptions describe one process.
type SubmitOptions struct {
	// Method and Input are given to Init.
	Method string
	Input  any
	// Value is what Ref.Value returns.
	Value any
	// OnExit is called when the process has ended, after the Lifecycle's, on a
	// worker. It should not block.
	OnExit func(result any, err error)
	// Near, when it is a process of the same scheduler, makes the new one ready on
	// the worker that Near ran on last, which is where Near's command handlers
	// run. A process whose end Near waits for then costs no wake-up of another
	// worker; one that should run beside Near is better off without.
	Near *Ref
	// WithParentCancel makes the process end when the context given to Submit
	// does. Otherwise only that context's values are inherited.
	WithParentCancel bool

	_ struct{}
}

// Stats are counters of a scheduler.
type Stats struct {
	// Executed counts how often a worker took up a process; it lags behind by
	// up to 64 per busy worker.
	Executed uint64
	// Stolen counts processes taken from another worker's queue.
	Stolen uint64
	// Late counts completions that came after their process ended.
	Late uint64
	// Lost counts messages that were queued when their process ended.
	Lost uint64
	// Panics counts contained panics.
	Panics uint64
	// GlobalQueue is the length of the global queue.
	GlobalQueue int
	// Workers is the number of workers, Spares included.
	Workers int
	// Spares is the number of workers standing in for stuck ones.
	Spares int
	// Parked is the number of workers that sleep.
	Parked int
	// Processes is the number of live processes.
	Processes int
}

// Scheduler runs processes on a few workers. Make one with [New].
type Scheduler struct {
	cfg      Config
	maxQueue int
	manual   *Manual // non-nil: no goroutines, see manual.go

	// Read by every worker at every step, written rarely.
	workers atomic.Pointer[[]*worker] // replaced as a whole, under mu
	surplus atomic.Int32              // workers too many; written under mu
	spares  atomic.Int32              // workers standing in for stuck ones; written under mu
	quit    atomic.Bool               // workers must exit
	_       [64]byte

	parked    atomic.Int32 // workers that are, or are about to be, parked
	searching atomic.Int32 // workers that look for work, or are being woken to
	_         [64]byte

	global globalQueue
	nodes  nodePool
	shards [shardCount]shard
	nextID atomic.Uint64
	live   atomic.Int64 // processes, including those inside Submit
	_      [64]byte

	executed, stolen, late, lost, panics atomic.Uint64

	mu      sync.Mutex // guards the fields below, and changes of the set of workers
	target  int        // configured workers
	started bool

	monitor  monitor
	running  atomic.Int32  // worker goroutines
	exited   chan struct{} // buffered 1: running has decreased
	stopping atomic.Bool
	drained  chan struct{} // buffered 1: live became 0 while stopping
	stopped  chan struct{} // closed when Stop is through
	stopErr  error         // written before stopped is closed
	grace    time.Duration // stopGrace; constant
}

// New returns a scheduler. It takes processes at once and runs them after
// [Scheduler.Start].
func New(cfg Config) (*Scheduler, error) {
	switch {
	case cfg.Workers < 0:
		return nil, ErrWorkers
	case cfg.QueueSize < 0:
		return nil, ErrQueueSize
	case cfg.LocalQueueSize < 0:
		return nil, ErrLocalQueueSize
	}
	setDefault(&cfg.Workers, runtime.GOMAXPROCS(0))
	setDefault(&cfg.QueueSize, 1024)
	setDefault(&cfg.LocalQueueSize, 256)
	setDefault(&cfg.StepBudget, 2*time.Millisecond)
	setDefault(&cfg.MaxSpares, 256)
	s := &Scheduler{
		cfg:      cfg,
		maxQueue: cfg.MaxQueue,
		target:   cfg.Workers,
		exited:   make(chan struct{}, 1),
		drained:  make(chan struct{}, 1),
		stopped:  make(chan struct{}),
		grace:    stopGrace,
	}
	s.workers.Store(&[]*worker{})
	s.global.init(cfg.QueueSize)
	s.monitor.init(s)
	return s, nil
}

func setDefault[T ~int | ~int64](v *T, def T) {
	if *v <= 0 {
		*v = def
	}
}

// Start starts the workers. Further calls, and calls after Stop, do nothing.
func (s *Scheduler) Start() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.started {
		return
	}
	s.started = true
	for range s.target {
		s.spawn()
	}
}

// SetWorkers changes the number of workers, keeping all processes; 0 means the
// default. Workers that are too many retire after their current Step.
func (s *Scheduler) SetWorkers(n int) error {
	if n < 0 {
		return ErrWorkers
	}
	setDefault(&n, runtime.GOMAXPROCS(0))
	s.mu.Lock()
	s.target = n
	if s.started && !s.quit.Load() {
		for len(*s.workers.Load()) < s.target+int(s.spares.Load()) {
			s.spawn()
		}
		s.updateSurplus()
	}
	workers := *s.workers.Load()
	s.mu.Unlock()
	if s.surplus.Load() > 0 {
		for _, w := range workers {
			s.wake(w)
		}
	}
	return nil
}

// spawn adds a worker. The caller holds mu.
func (s *Scheduler) spawn() {
	w := newWorker(s)
	old := *s.workers.Load()
	list := append(old[:len(old):len(old)], w)
	s.workers.Store(&list)
	s.updateSurplus()
	if s.manual == nil {
		s.running.Add(1)
		go w.main()
	}
}

// updateSurplus recomputes surplus. The caller holds mu.
func (s *Scheduler) updateSurplus() {
	s.surplus.Store(int32(len(*s.workers.Load())-s.target) - s.spares.Load())
}

// Submit initialises p on the calling goroutine and lets it run. The values of
// ctx are visible to the process; its cancellation is not, unless opt says so.
// A worker that has to be woken for it runs first, on this processor.
//
// It fails with [ErrStopping], with [ErrMaxProcesses], with the error of Init
// (p is not closed then, it never came to life), or with the error of
// Lifecycle.OnStart (p is closed).
func (s *Scheduler) Submit(ctx context.Context, p Process, opt SubmitOptions) (*Ref, error) {
	if s.stopping.Load() {
		return nil, ErrStopping
	}
	if n := s.live.Add(1); s.cfg.MaxProcesses > 0 && n > int64(s.cfg.MaxProcesses) {
		s.leave()
		return nil, ErrMaxProcesses
	}
	accepted := false
	defer func() {
		if !accepted {
			s.leave()
		}
	}()
	r := &Ref{
		sched:   s,
		proc:    p,
		parent:  ctx,
		value:   opt.Value,
		onExit:  opt.OnExit,
		again:   true, // the first Step is due without an event
		id:      s.nextID.Add(1),
		started: s.monitor.clock(),
	}
	if opt.WithParentCancel {
		r.flags.Store(flagParentCancel)
		stop := context.AfterFunc(ctx, r.parentEnded)
		r.ctxDone.afterFunc(func() { stop() }, r.canceled)
	}
	if err := s.initProcess(r, p, opt.Method, opt.Input); err != nil {
		s.reject(r, err)
		return nil, err
	}
	if !s.enter(r) {
		s.reject(r, ErrStopping)
		_ = s.closeProcess(r)
		return nil, ErrStopping
	}
	if s.cfg.Lifecycle != nil {
		if err := s.callOnStart(r); err != nil {
			s.forget(r)
			accepted = !s.reject(r, err) // Stop may have completed it already
			_ = s.closeProcess(r)
			return nil, err
		}
	}
	accepted = true
	if w := opt.near(s); w != nil {
		r.last.Store(w)
		s.ready(r, nil)
	} else {
		s.global.push(r)
		if w := s.wakeOne(); w != nil {
			handOver(w)
		}
	}
	if s.quit.Load() {
		s.sweep() // the workers are gone; Stop has completed r
	}
	return r, nil
}

// near returns the worker of s to run the process on, nil for any.
func (o *SubmitOptions) near(s *Scheduler) *worker {
	if o.Near == nil || o.Near.sched != s {
		return nil
	}
	return o.Near.last.Load()
}

// reject makes r, which never ran, an ended process. It returns false if r has
// been ended by somebody else.
func (s *Scheduler) reject(r *Ref, err error) bool {
	old := r.flags.Or(flagCanceled | flagEnding)
	if old&flagCanceled == 0 {
		r.ctxDone.fire()
	}
	if old&flagEnding != 0 {
		return false
	}
	s.dropAll(r, reverse(r.head.Swap(closedMark)))
	r.setOutcome(nil, err)
	r.flags.Or(flagFinished)
	r.done.fire()
	return true
}

// leave ends the count of a process as alive.
func (s *Scheduler) leave() {
	if s.live.Add(-1) == 0 && s.stopping.Load() {
		notify(s.drained)
	}
}

func notify(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// Stats returns the scheduler's counters.
func (s *Scheduler) Stats() Stats {
	s.mu.Lock()
	workers, spares := len(*s.workers.Load()), int(s.spares.Load())
	s.mu.Unlock()
	return Stats{
		Executed:    s.executed.Load(),
		Stolen:      s.stolen.Load(),
		Late:        s.late.Load(),
		Lost:        s.lost.Load(),
		Panics:      s.panics.Load(),
		GlobalQueue: int(s.global.size.Load()),
		Workers:     workers,
		Spares:      spares,
		Parked:      max(0, int(s.parked.Load())),
		Processes:   int(s.live.Load()),
	}
}
