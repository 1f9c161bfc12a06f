// SPDX-License-Identifier: Apache-2.0

package lua

import (
	"context"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/system/factory"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/pidgen"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/proctable"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// Runner makes the processes of Lua entries: those that hosts spawn and those
// that function calls run in. All fields but OnControl are required.
type Runner struct {
	Engine *engine.Engine
	// Scheduler runs function calls whose caller does not lend its place. Like all
	// schedulers that calls run on it is made with proctable.Lifecycle.
	Scheduler *scheduler.Scheduler
	Topology  *topology.Topology
	Node      *relay.Node
	PIDs      *pidgen.Generator
	Processes *processes.Manager // runs process entries that are called like functions
	Context   context.Context    // what calls answer values from
	Log       *slog.Logger
	// OnControl is what every process gets of engine.ProcessOptions.
	OnControl func(*engine.Process, *relay.Message) (deliver bool, err error)

	generation atomic.Uint64 // numbers the pools
	outer      outerHosts
}

// outerHosts are where calls from outside the system are reachable: under the id of their
// function, whatever generation of it they run. The zero value is ready.
type outerHosts struct {
	mu   sync.Mutex // guards all below
	byID map[string]*outerHost
}

type outerHost struct {
	table *proctable.Table
	pools int // generations that have calls, or may get some
}

// join returns the table of id, for one more pool.
func (h *outerHosts) join(node *relay.Node, id string) (*proctable.Table, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	host := h.byID[id]
	if host == nil {
		host = &outerHost{table: proctable.New()}
		if err := node.Register(id, host.table); err != nil {
			return nil, err
		}
		if h.byID == nil {
			h.byID = map[string]*outerHost{}
		}
		h.byID[id] = host
	}
	host.pools++
	return host.table, nil
}

// leave takes one pool off.
func (h *outerHosts) leave(node *relay.Node, id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	host := h.byID[id]
	if host.pools--; host.pools == 0 {
		node.Unregister(id)
		delete(h.byID, id)
	}
}

// factory makes processes of a process.lua entry. Processes spawned earlier
// keep the program they were made with.
func (r *Runner) factory(u *unit) factory.Factory {
	program, method := u.program, u.config.method
	return func(_ context.Context, request factory.Request) (scheduler.Process, string, error) {
		return r.process(engine.ProcessOptions{Program: program, PID: request.PID, Messages: request.Messages, Value: request.Frame}), method, nil
	}
}

func (r *Runner) process(o engine.ProcessOptions) *engine.Process {
	o.OnControl = r.OnControl
	return r.Engine.NewProcess(o)
}

// function is a function.lua entry over the life of its pools.
type function struct {
	pool atomic.Pointer[pool]
}

// pool is one generation of a function: its workers, and the relay hosts their
// calls are reachable at: that of the generation, and for calls from outside that of the
// function.
type pool struct {
	*functions.Pool
	runner       *Runner
	id, host     string
	table, outer *proctable.Table
}

// call runs one call on the current pool. A pool that is being replaced sends
// the caller on to its successor.
func (f *function) call(ctx context.Context, task functions.Task, done functions.Done) func() {
	for {
		p := f.pool.Load()
		if cancel, ok := p.TryCall(ctx, task, done); ok {
			return cancel
		}
		if f.pool.Load() == p {
			done(payload.Payload{}, fault.New(fault.Unavailable, "pool is closed"))
			return func() {}
		}
	}
}

// close ends the function: calls under way finish.
func (f *function) close() {
	if p := f.pool.Load(); p != nil {
		p.retire()
	}
}

// retire closes the pool and, when its last call has ended, its relay hosts.
func (p *pool) retire() {
	drained := p.Close()
	select {
	case <-drained:
		p.leave()
	default:
		go func() {
			<-drained
			p.leave()
		}()
	}
}

func (p *pool) leave() {
	p.runner.Node.Unregister(p.host)
	p.runner.outer.leave(p.runner.Node, p.id)
}

// swap gives u's function a pool with the current program. The new one stands
// before the old one goes.
func (r *Runner) swap(u *unit) error {
	p := &pool{runner: r, id: u.id(), host: u.id() + "#lua." + strconv.FormatUint(r.generation.Add(1), 10), table: proctable.New()}
	program, method := u.program, u.config.method
	var err error
	p.Pool, err = functions.NewPool(u.config.pool, func() (functions.Worker, error) {
		return &worker{runner: r, pool: p, instance: r.Engine.NewInstance(program), method: method}, nil
	})
	if err != nil {
		return err
	}
	if err := r.Node.Register(p.host, p.table); err != nil {
		p.Close()
		return err
	}
	if p.outer, err = r.outer.join(r.Node, p.id); err != nil {
		r.Node.Unregister(p.host)
		p.Close()
		return err
	}
	if old := u.function.pool.Swap(p); old != nil {
		old.retire()
	}
	return nil
}
