// SPDX-License-Identifier: Apache-2.0

package lua

import (
	"context"
	"log/slog"
	"strconv"
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
// that function calls run in. All fields but Options are required.
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
	// Options adds what every process gets, such as the hook for control events.
	Options func(*engine.ProcessOptions)

	generation atomic.Uint64 // numbers the pools
}

// factory makes processes of a process.lua entry. Processes spawned earlier
// keep the program they were made with.
func (r *Runner) factory(u *unit) factory.Factory {
	program, method := u.program, u.config.method
	return func(_ context.Context, request factory.Request) (scheduler.Process, string, error) {
		return r.process(engine.ProcessOptions{Program: program, PID: request.PID, Messages: request.Messages}), method, nil
	}
}

func (r *Runner) process(o engine.ProcessOptions) *engine.Process {
	if r.Options != nil {
		r.Options(&o)
	}
	return r.Engine.NewProcess(o)
}

// function is a function.lua entry over the life of its pools.
type function struct {
	pool atomic.Pointer[pool]
}

// pool is one generation of a function: its workers, and the relay host their
// calls are reachable at.
type pool struct {
	*functions.Pool
	host  string
	node  *relay.Node
	table *proctable.Table
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

// retire closes the pool and, when its last call has ended, its relay host.
func (p *pool) retire() {
	drained := p.Close()
	select {
	case <-drained:
		p.node.Unregister(p.host)
	default:
		go func() {
			<-drained
			p.node.Unregister(p.host)
		}()
	}
}

// swap gives u's function a pool with the current program. The new one stands
// before the old one goes.
func (r *Runner) swap(u *unit) error {
	p := &pool{host: u.id() + "#lua." + strconv.FormatUint(r.generation.Add(1), 10), node: r.Node, table: proctable.New()}
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
	if old := u.function.pool.Swap(p); old != nil {
		old.retire()
	}
	return nil
}
