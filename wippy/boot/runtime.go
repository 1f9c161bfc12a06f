// SPDX-License-Identifier: Apache-2.0

// Package boot puts the system together and takes it down again.
//
// A runtime starts in four phases: the infrastructure, then the components of
// the graph, level by level, then activation (the dispatcher is frozen, the
// AppContext sealed, components start), then the entries of the application.
// A phase that fails stops what had started. Shutdown is the reverse: services
// first, then components, then the infrastructure.
package boot

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/loader"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/internode"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/boot/config"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/service/otel"
	"github.com/wippyrun/kit/wippy/service/terminal"
	"github.com/wippyrun/kit/wippy/system/logs"
	"github.com/wippyrun/kit/wippy/system/pidgen"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/security"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// Runtime is one running system. New makes it, Start boots it, Wait waits for
// its end and takes it down.
type Runtime struct {
	options  Options
	config   *config.Config
	dict     *appctx.Dict
	bus      *eventbus.Bus
	router   *relay.Router
	logs     *logs.Manager
	log      *slog.Logger
	mistakes *slog.Logger   // see newLogs
	gate     *security.Gate // what services ask whether something is allowed
	allow    access.Check   // the same, for Lua modules
	tracing  *otel.Tracing  // nil without; set before what it traces loads
	loader   *loader.Loader
	ctx      context.Context // what processes and components answer values from
	cancel   context.CancelFunc

	// Set by Start, from the components.
	registry   *registry.Registry
	dangling   *dangling
	supervisor *supervisor.Supervisor
	orders     *orders // nil until they are served
	processes  *processes.Manager

	transport atomic.Pointer[internode.Transport] // to other nodes, nil without
	terminal  atomic.Pointer[terminal.Listener]   // nil before it loads
	checkers  sync.Map                            // kind → fields.Checker, written while components load

	shutdown     chan struct{} // closed when a shutdown is asked for
	shutdownOnce sync.Once
	exitCode     atomic.Int64
	interrupted  atomic.Bool
	ready        atomic.Bool // all is loaded, and not yet on its way down
	chosen       atomic.Bool // a program has chosen the exit code
	downOnce     sync.Once
}

// New does the first phase: configuration, logger, event bus, transcoder and
// relay. A runtime that New made must be ended with Shutdown; when New fails
// nothing is left running.
func New(o Options) (_ *Runtime, err error) {
	o = o.withDefaults()
	c, warnings, err := o.configure()
	if err != nil {
		return nil, err
	}
	r := &Runtime{options: o, config: c, dict: appctx.New(), shutdown: make(chan struct{})}
	r.bus = eventbus.New()
	defer func() {
		if err != nil {
			err = errors.Join(err, r.bus.Stop(context.Background()))
		}
	}()
	r.logs, r.mistakes, err = newLogs(o, c, r.bus)
	if err != nil {
		return nil, err
	}
	r.log = r.logs.Logger()
	for _, w := range warnings {
		r.mistakes.Warn(w)
	}
	r.gate, err = newGate(c, r.log.With("logger", "security"), func(text string) { r.mistakes.Warn(text) })
	if err != nil {
		return nil, err
	}
	r.allow = access.New(r.gate)
	nodeName := pidgen.NodeName(pidgen.NodeOptions{
		Configured: c.String("relay", "node_name", ""),
		Clustered:  c.Bool("cluster", "enabled", false),
	})
	node := relay.NewNode(nodeName)
	r.router = relay.NewRouter(node)

	KeyBus.Set(r.dict, r.bus)
	KeyTranscoder.Set(r.dict, payload.NewDefault())
	KeyLogger.Set(r.dict, r.log)
	KeyNode.Set(r.dict, node)
	KeyRouter.Set(r.dict, r.router)
	KeyGate.Set(r.dict, r.gate)
	KeyPolicies.Set(r.dict, security.NewDirectory())

	ctx, cancel := context.WithCancel(context.Background())
	r.ctx, r.cancel = appctx.With(ctx, r.dict), cancel
	r.loader, err = loader.New(r.components()...)
	if err == nil {
		err = r.serveLogConfig(r.ctx)
	}
	if err != nil {
		cancel()
		return nil, err
	}
	return r, nil
}

// Start does the other phases. When it fails, what had started is stopped and
// the error tells everything that is wrong, with its place.
func (r *Runtime) Start(ctx context.Context) error {
	began := time.Now()
	loaded, err := r.loader.Load(r.ctx)
	if err != nil {
		return r.abort(err)
	}
	r.ctx = loaded
	r.registry = KeyRegistry.MustGet(r.dict)
	r.supervisor = KeySupervisor.MustGet(r.dict)
	r.processes = KeyProcesses.MustGet(r.dict)

	KeyDispatcher.MustGet(r.dict).Freeze()
	r.dict.Seal()
	if err := r.loader.Start(r.ctx); err != nil {
		return r.abort(err)
	}

	if err := r.serveOrders(r.ctx); err != nil {
		return r.abort(err)
	}

	r.log.Info("security", "strict_mode", r.gate.Strict())
	entries, err := loadEntries(ctx, r.options, r.config, r.mistakes)
	if err != nil {
		return r.abort(err)
	}
	r.dangling.entries = entries
	err = r.registry.LoadState(ctx, entries)
	r.dangling.entries = nil
	if err != nil {
		return r.abort(explain(err, entries))
	}
	r.ready.Store(true)
	r.log.Info("runtime ready", "entries", len(entries), "took", time.Since(began).Round(time.Millisecond).String())
	return nil
}

func (r *Runtime) abort(cause error) error {
	r.Shutdown()
	return cause
}

// TriggerShutdown asks for the end of the program. Called again it changes
// nothing; Exit sets the exit code.
func (r *Runtime) TriggerShutdown() { r.shutdownOnce.Do(func() { close(r.shutdown) }) }

// Exit asks for the end of the program with an exit code; a later call changes
// the code.
func (r *Runtime) Exit(code int) {
	r.exitCode.Store(int64(code))
	r.TriggerShutdown()
}

// Interrupt is TriggerShutdown on behalf of a person or of the operating system.
// A foreground process that fails because of it does not make the program fail.
func (r *Runtime) Interrupt() {
	r.interrupted.Store(true)
	r.TriggerShutdown()
}

// chooseExit is Exit for a program that says how all shall end: how its own process ends
// does not count then.
func (r *Runtime) chooseExit(code int) {
	r.chosen.Store(true)
	r.Exit(code)
}

// foregroundEnded takes the exit code of the process that owned the terminal.
func (r *Runtime) foregroundEnded(code int, failed bool) {
	if failed && r.interrupted.Load() || r.chosen.Load() {
		return
	}
	r.Exit(code)
}

// Wait blocks until a shutdown is asked for, takes the system down and returns
// the exit code.
func (r *Runtime) Wait() int {
	<-r.shutdown
	r.Shutdown()
	return int(r.exitCode.Load())
}

// Shutdown stops services, components and infrastructure, in this order, within
// shutdown.timeout. What fails is logged and does not keep the rest from being
// stopped. Calling it again has no effect.
func (r *Runtime) Shutdown() {
	r.downOnce.Do(func() {
		r.ready.Store(false)
		timeout := r.config.Duration("shutdown", "timeout", 30*time.Second)
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		var errs []error
		if r.supervisor != nil {
			errs = append(errs, r.supervisor.Shutdown(ctx))
		}
		if r.orders != nil {
			r.orders.close()
		}
		errs = append(errs, r.loader.Stop(ctx))
		if reg, ok := KeyRegistry.Get(r.dict); ok { // also when a later component did not load
			errs = append(errs, reg.Close())
		}
		r.cancel()
		errs = append(errs, r.ResetTerminal()) // a process may not have ended in time
		if err := errors.Join(errs...); err != nil {
			r.log.Error("shutdown failed", "error", err)
		}
		r.log.Debug("shutdown complete")
		if err := r.bus.Stop(ctx); err != nil {
			r.log.Error("shutdown failed", "error", err)
		}
	})
}

// Registry gives access to the entries, nil before Start.
func (r *Runtime) Registry() *registry.Registry { return r.registry }

// Context is what processes and components answer values from; it ends with the
// runtime.
func (r *Runtime) Context() context.Context { return r.ctx }

// dispatcher is what components register their command handlers with.
func (r *Runtime) dispatcher() *dispatch.Registry { return KeyDispatcher.MustGet(r.dict) }
