// SPDX-License-Identifier: Apache-2.0

// Package access is what the Lua modules know about the program that calls them: the values it carries, and
// whether it is allowed to do what it asks for.
package access

import (
	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/system/security"
)

// Frame returns the frame of the call or process p: the host's own value when it is one, even nil, else the frame its
// context carries. It is nil when there is none. Hosts give the value because every check asks for it, and a context
// has to be walked.
func Frame(p *engine.Process) *appctx.Frame {
	if f, ok := p.Value().(*appctx.Frame); ok {
		return f
	}
	return appctx.FrameFrom(p.Context())
}

// Check decides whether the program that p runs may perform action on resource. meta are the attributes of the
// question, plain Go values that nobody changes; nil for none. It is called on the worker that runs the program and
// must not block. A nil Check allows everything.
type Check func(p *engine.Process, action, resource string, meta map[string]any) bool

// New returns the check that asks a gate about the frame of the program.
func New(g *security.Gate) Check {
	return func(p *engine.Process, action, resource string, meta map[string]any) bool {
		return g.Allowed(Frame(p), action, resource, meta)
	}
}

// Allowed asks the check a question without attributes.
func (c Check) Allowed(p *engine.Process, action, resource string) bool {
	return c == nil || c(p, action, resource, nil)
}

// AllowedWith asks the check a question with attributes, the names a policy finds below meta.
func (c Check) AllowedWith(p *engine.Process, action, resource string, meta map[string]any) bool {
	return c == nil || c(p, action, resource, meta)
}

// Forbids returns the check that reports whether the scope of the program denies something outright: for the few
// actions that are allowed unless somebody forbids them.
func Forbids(g *security.Gate) Check {
	return func(p *engine.Process, action, resource string, meta map[string]any) bool {
		return g.Denied(Frame(p), action, resource, meta)
	}
}

// Restricted reports whether policies decide what the program may do: it has an actor and a scope. Where it has not,
// attributes of a question are not looked at.
func Restricted(p *engine.Process) bool {
	f := Frame(p)
	return security.ScopeOf(f) != nil && security.ActorOf(f) != nil
}

// Denied is the error for an action that is not allowed.
func Denied(message string) *engine.Error {
	return engine.NewError(engine.KindPermissionDenied, message)
}
