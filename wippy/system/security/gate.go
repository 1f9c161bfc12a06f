// SPDX-License-Identifier: Apache-2.0

package security

import "github.com/wippyrun/kit/appctx"

// Gate answers whether an execution may do something. A nil Gate allows everything. It may be used concurrently.
type Gate struct {
	strict bool
}

// NewGate returns a gate. A strict one refuses everything to an execution that lacks an actor or a scope; any other
// allows it everything.
func NewGate(strict bool) *Gate { return &Gate{strict: strict} }

// Strict reports the mode.
func (g *Gate) Strict() bool { return g != nil && g.strict }

// Allowed reports whether the execution of a frame may perform action on resource. With an actor and a scope the scope
// must allow it. The frame may be nil, and so may meta, the attributes of the question.
func (g *Gate) Allowed(f *appctx.Frame, action, resource string, meta map[string]any) bool {
	if g == nil {
		return true
	}
	if d, known := decide(f, action, resource, meta); known {
		return d == Allow
	}
	return !g.strict
}

// Denied reports whether the scope of a frame denies an action outright: for the few that are allowed unless somebody
// forbids them. Without actor or scope nothing is denied.
func (g *Gate) Denied(f *appctx.Frame, action, resource string, meta map[string]any) bool {
	if g == nil {
		return false
	}
	d, _ := decide(f, action, resource, meta)
	return d == Deny
}

// Can reports whether the scope of a frame allows an action. Without actor or scope the answer is no, in every mode.
func Can(f *appctx.Frame, action, resource string, meta map[string]any) bool {
	d, _ := decide(f, action, resource, meta)
	return d == Allow
}

// decide asks the scope of a frame; known is false when the frame lacks it, or the actor.
func decide(f *appctx.Frame, action, resource string, meta map[string]any) (d Decision, known bool) {
	actor, scope := ActorOf(f), ScopeOf(f)
	if actor == nil || scope == nil {
		return Undefined, false
	}
	return scope.Evaluate(Request{Actor: actor, Action: action, Resource: resource, Meta: meta}), true
}
