// SPDX-License-Identifier: Apache-2.0

// Package functions is the registry of callable entries: what `funcs.call`, HTTP
// endpoints and queue consumers go through.
//
// A function is registered under its entry id with a Handler and default
// options. A call merges the options, runs through the interceptors in order,
// then reaches the handler. Calls are asynchronous at heart: no goroutine waits
// for a function unless its caller asked to wait.
package functions

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// Task is one call of a function.
type Task struct {
	// ID is the entry id of the function, "namespace:name".
	ID string
	// Input holds the arguments. The callee owns them from here on.
	Input []payload.Payload
	// Options are the call's own options, laid over the function's defaults.
	Options map[string]any
	// Frame carries the values the callee inherits; nil means none.
	Frame *appctx.Frame
	// Caller is the calling process, the zero PID when there is none.
	Caller relay.PID
	// Attach gives the callee's own frame what nobody it calls inherits; nil for nothing.
	// It marks a call that comes from outside the system, such as a request: the host of
	// its PID is the function's id.
	// A process entry that is called as a function does not get it.
	Attach func(*appctx.Frame) error
	// Waits says that the caller does nothing until the outcome is there, so that
	// the call may run in its place.
	Waits bool
}

// Done receives the outcome of a call, exactly once, on any goroutine. It must
// not block.
type Done func(result payload.Payload, err error)

// CallFunc starts a call and returns at once. cancel asks the callee to stop;
// the call still reports its end through done. It is never nil and may be
// called from any goroutine, any number of times.
type CallFunc func(ctx context.Context, task Task, done Done) (cancel func())

// Interceptor wraps the calls of all functions. It may change the task, answer
// itself or look at the outcome.
type Interceptor struct {
	Name  string
	Order int // ascending: the lowest sees the call first
	Wrap  func(next CallFunc) CallFunc
}

type registration struct {
	call    CallFunc
	options map[string]any
}

// Registry holds the functions. All methods may be called concurrently; a call
// costs one lock-free look-up here.
type Registry struct {
	functions sync.Map // string → *registration

	mu           sync.Mutex // guards interceptors
	interceptors []Interceptor
	chain        atomic.Pointer[CallFunc]
}

// New returns an empty registry.
func New() *Registry {
	r := &Registry{}
	r.rebuild()
	return r
}

// Register makes call reachable under id, in place of any earlier one.
// options are the defaults of every call and must not be changed afterwards.
func (r *Registry) Register(id string, call CallFunc, options map[string]any) {
	r.functions.Store(id, &registration{call: call, options: options})
}

// Unregister forgets id. Calls under way go on.
func (r *Registry) Unregister(id string) { r.functions.Delete(id) }

// Has tells whether a function is registered under id.
func (r *Registry) Has(id string) bool {
	_, ok := r.functions.Load(id)
	return ok
}

// Intercept adds an interceptor for all calls from now on. A name taken is an
// AlreadyExists error.
func (r *Registry) Intercept(i Interceptor) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, have := range r.interceptors {
		if have.Name == i.Name {
			return fault.New(fault.AlreadyExists, `interceptor "`+i.Name+`" already registered`)
		}
	}
	r.interceptors = append(r.interceptors, i)
	slices.SortStableFunc(r.interceptors, func(a, b Interceptor) int {
		if a.Order != b.Order {
			return a.Order - b.Order
		}
		return strings.Compare(a.Name, b.Name)
	})
	r.rebuild()
	return nil
}

// RemoveInterceptor takes an interceptor out again; an unknown name is a
// NotFound error.
func (r *Registry) RemoveInterceptor(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, have := range r.interceptors {
		if have.Name == name {
			r.interceptors = slices.Delete(r.interceptors, i, i+1)
			r.rebuild()
			return nil
		}
	}
	return fault.New(fault.NotFound, `interceptor "`+name+`" not found`)
}

// rebuild composes the chain once, so that a call pays only for the
// interceptors there are.
func (r *Registry) rebuild() {
	chain := CallFunc(r.execute)
	for _, i := range slices.Backward(r.interceptors) {
		chain = i.Wrap(chain)
	}
	r.chain.Store(&chain)
}

// CallAsync starts a call. An unknown function reports its NotFound error
// through done like every other failure.
func (r *Registry) CallAsync(ctx context.Context, task Task, done Done) (cancel func()) {
	reg, ok := r.functions.Load(task.ID)
	if ok {
		task.Options = merged(reg.(*registration).options, task.Options)
	}
	return (*r.chain.Load())(ctx, task, done)
}

// Call runs a function and waits for its outcome or for the end of ctx, which
// cancels the callee.
func (r *Registry) Call(ctx context.Context, task Task) (payload.Payload, error) {
	type outcome struct {
		result payload.Payload
		err    error
	}
	answer := make(chan outcome, 1)
	cancel := r.CallAsync(ctx, task, func(result payload.Payload, err error) { answer <- outcome{result, err} })
	select {
	case o := <-answer:
		return o.result, o.err
	case <-ctx.Done():
		cancel()
		return payload.Payload{}, fault.Wrap(fault.Canceled, "async call canceled", ctx.Err())
	}
}

func (r *Registry) execute(ctx context.Context, task Task, done Done) func() {
	// Looked up again: an interceptor may have changed the target, and a retry
	// must see a function that was replaced meanwhile.
	reg, ok := r.functions.Load(task.ID)
	if !ok {
		done(payload.Payload{}, fault.New(fault.NotFound, "no handler registered for target").Final().With("target", task.ID))
		return func() {}
	}
	return reg.(*registration).call(ctx, task, done)
}

// merged lays the call's options over the defaults, without copying when one
// side is empty.
func merged(defaults, own map[string]any) map[string]any {
	if len(own) == 0 {
		return defaults
	}
	if len(defaults) == 0 {
		return own
	}
	out := maps.Clone(defaults)
	maps.Copy(out, own)
	return out
}
