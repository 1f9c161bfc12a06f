// SPDX-License-Identifier: Apache-2.0

package wippy

import (
	"context"
	"fmt"
	"sync"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/boot"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/functions"
)

// App is one application. New makes it; it must be ended with Stop, or by Run or Exec,
// which do that themselves.
type App struct {
	runtime *boot.Runtime
	dict    *appctx.Dict
	start   sync.Once
	err     error // of the start
}

// New reads the configuration and prepares the infrastructure. No entry is read yet.
func New(opts ...Option) (*App, error) {
	var o boot.Options
	for _, opt := range opts {
		opt.apply(&o)
	}
	rt, err := boot.New(o)
	if err != nil {
		return nil, err
	}
	return &App{runtime: rt, dict: appctx.From(rt.Context())}, nil
}

// Start boots the application: components, entries, services. The context bounds the
// start only. Called again it returns what the first call did.
func (a *App) Start(ctx context.Context) error {
	a.start.Do(func() { a.err = a.runtime.Start(ctx) })
	return a.err
}

// Stop ends services, processes and components, within shutdown.timeout of the
// configuration. Calling it again has no effect.
func (a *App) Stop() { a.runtime.Shutdown() }

// ExitError is how an application ends that asked for an exit code other than 0.
type ExitError struct{ Code int }

// Error says which exit code it was.
func (e *ExitError) Error() string { return fmt.Sprintf("exit code %d", e.Code) }

// Run starts the application and serves until ctx ends, which is no error, or until the
// application asks for its end; it returns an *ExitError when that was with another code
// than 0. The application is stopped when Run returns.
func (a *App) Run(ctx context.Context) error {
	defer a.Stop()
	stop := context.AfterFunc(ctx, a.runtime.Interrupt)
	defer stop()
	if err := a.Start(ctx); err != nil {
		return err
	}
	return a.wait()
}

// Exec is Run with one process, a process entry, in the foreground: on the terminal host,
// with the arguments as strings. It returns when the process has ended.
func (a *App) Exec(ctx context.Context, id string, args ...string) error {
	defer a.Stop()
	stop := context.AfterFunc(ctx, a.runtime.Interrupt)
	defer stop()
	if err := a.Start(ctx); err != nil {
		return err
	}
	if err := a.runtime.Exec(ctx, id, "", args); err != nil {
		return err
	}
	return a.wait()
}

func (a *App) wait() error {
	if code := a.runtime.Wait(); code != 0 {
		return &ExitError{code}
	}
	return nil
}

// Call calls a function, any entry that can be called, with Go values as arguments, and
// returns its result as a Go value: nil, bool, float64, string, []any, map[string]any.
// The end of ctx cancels the callee. Errors carry what the function returned: their kind,
// message, retry flag and details. Before Start it fails with kind Unavailable.
func (a *App) Call(ctx context.Context, id string, args ...any) (any, error) {
	calls, ok := boot.KeyFunctions.Get(a.dict)
	eng, ready := boot.KeyEngine.Get(a.dict)
	if !ok || !ready {
		return nil, errNotStarted()
	}
	result, err := calls.Call(ctx, functions.Task{ID: id, Input: payloads(args)})
	if err != nil {
		return nil, err
	}
	v, err := eng.FromPayload(result)
	if err != nil {
		return nil, err
	}
	return engine.ToGo(v), nil
}

// Send sends a message to a process, by its PID as text or by the name it is registered
// under. It fails with kind NotFound when there is none.
func (a *App) Send(to, topic string, values ...any) error {
	names, ok := boot.KeyTopology.Get(a.dict)
	if !ok {
		return errNotStarted()
	}
	pid, err := names.Resolve(to)
	if err != nil {
		return err
	}
	m := relay.NewMessage(relay.PID{}, pid, topic, payloads(values)...)
	if err := boot.KeyRouter.MustGet(a.dict).Send(m); err != nil {
		m.Release()
		return err
	}
	return nil
}

// Registry holds the entries; nil before Start.
func (a *App) Registry() *registry.Registry {
	r, _ := boot.KeyRegistry.Get(a.dict)
	return r
}

// Bus is the event bus of the application.
func (a *App) Bus() *eventbus.Bus { return boot.KeyBus.MustGet(a.dict) }

func payloads(values []any) []payload.Payload {
	list := make([]payload.Payload, len(values))
	for i, v := range values {
		list[i] = payload.New(v)
	}
	return list
}

func errNotStarted() error { return fault.New(fault.Unavailable, "the application has not started") }
