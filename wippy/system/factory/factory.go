// SPDX-License-Identifier: Apache-2.0

// Package factory makes processes from the entries that define them.
//
// # Basics
//
// Whoever owns a kind of process entries registers a factory per entry; a process host asks for a
// process by entry id and gets something its scheduler can run:
//
//	factories.Register("app:worker", makeWorker)
//	process, method, err := factories.New(ctx, "app:worker", factory.Request{PID: pid})
//
// # Guarantees
//
//   - [Registry.New] takes no lock, and a factory that was replaced while it works does not affect the
//     process it makes (TestReplacedWhileMakingConcurrentSafe).
//   - A panic in a factory is the error of that process alone (TestPanicIsAnError).
package factory

import (
	"context"
	"fmt"
	"runtime/debug"

	"github.com/puzpuzpuz/xsync/v3"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// Errors of New.
var (
	// ErrNotFound says that no factory has the id; the detail factory_id names it.
	ErrNotFound = fault.New(fault.NotFound, "factory not found").Final()
	// ErrFailed wraps what a factory returned. The error keeps the kind of its cause.
	ErrFailed = fault.New(fault.Unknown, "failed to create process")
)

// Request is what a factory is told about the process to make.
type Request struct {
	// ID is the entry. [Registry.New] fills it in.
	ID string
	// PID is the id the process will have.
	PID relay.PID
	// Frame holds the values the process inherits; nil for none. It stays with the caller.
	Frame *appctx.Frame
	// Messages are what an earlier incarnation of the process left unread, when it is upgraded. The new process
	// owns them.
	Messages []*relay.Message

	_ struct{}
}

// Factory makes one process, and names the method it begins with ("" for the default). It is called
// concurrently, on the goroutine of whoever spawns.
type Factory func(ctx context.Context, r Request) (p scheduler.Process, method string, err error)

// Registry holds the factories of a node. All methods may be called concurrently. Make one with [New].
type Registry struct {
	byID *xsync.MapOf[string, Factory]
}

// New returns an empty registry.
func New() *Registry { return &Registry{byID: xsync.NewMapOf[string, Factory]()} }

// Register makes f the factory of the entry id, in place of an earlier one. Processes made before are not
// affected. A nil factory panics.
func (r *Registry) Register(id string, f Factory) {
	if f == nil {
		panic("factory: nil factory for " + id)
	}
	r.byID.Store(id, f)
}

// Unregister removes the factory of id and reports whether there was one.
func (r *Registry) Unregister(id string) bool {
	_, had := r.byID.LoadAndDelete(id)
	return had
}

// Has reports whether id has a factory.
func (r *Registry) Has(id string) bool {
	_, ok := r.byID.Load(id)
	return ok
}

// Len returns the number of factories.
func (r *Registry) Len() int { return r.byID.Size() }

// New makes a process of the entry id. The error is [ErrNotFound] or [ErrFailed].
func (r *Registry) New(ctx context.Context, id string, req Request) (p scheduler.Process, method string, err error) {
	f, ok := r.byID.Load(id)
	if !ok {
		return nil, "", ErrNotFound.With("factory_id", id)
	}
	req.ID = id
	defer func() {
		if v := recover(); v != nil {
			cause := fault.New(fault.Internal, fmt.Sprintf("panic: %v", v)).With("stack", string(debug.Stack()))
			p, method, err = nil, "", failed(id, cause)
		}
	}()
	p, method, err = f(ctx, req)
	switch {
	case err != nil:
		return nil, "", failed(id, err)
	case p == nil:
		return nil, "", failed(id, fault.New(fault.Internal, "factory returned no process"))
	}
	return p, method, nil
}

func failed(id string, cause error) error { return ErrFailed.Because(cause).With("factory_id", id) }
