// SPDX-License-Identifier: Apache-2.0

package security

import "github.com/wippyrun/kit/appctx"

// Gate answers whether an execution may do something. A nil Gate allows everything. It may be used concurrently.
type Gate struct {
	strict  bool
	refused func(Refusal) // nil: nobody hears of refusals
}

// Option changes a Gate.
type Option interface{ apply(*Gate) }

type observer func(Refusal)

func (o observer) apply(g *Gate) { g.refused = o }

// WithRefusals sets a function that hears of every refusal. It is called by the one who asks and must not block.
func WithRefusals(f func(Refusal)) Option { return observer(f) }

// Refusal is a question that a gate answered with no.
type Refusal struct {
	Actor            *Actor // nil when there is none
	Action, Resource string
	// Policy is the id of the one that denies, "" when none allows it.
	Policy string
	// Incomplete says that the actor or the scope is missing, without which strict mode refuses everything.
	Incomplete bool
}

// NewGate returns a gate. A strict one refuses everything to an execution that lacks an actor or a scope; any other
// allows it everything.
func NewGate(strict bool, opts ...Option) *Gate {
	g := &Gate{strict: strict}
	for _, o := range opts {
		o.apply(g)
	}
	return g
}

// Strict reports the mode.
func (g *Gate) Strict() bool { return g != nil && g.strict }

// Allowed reports whether the execution of a frame may perform action on resource. With an actor and a scope the scope
// must allow it. The frame may be nil, and so may meta, the attributes of the question.
func (g *Gate) Allowed(f *appctx.Frame, action, resource string, meta map[string]any) bool {
	if g == nil {
		return true
	}
	d, by, known := decide(f, action, resource, meta)
	if known && d == Allow || !known && !g.strict {
		return true
	}
	g.report(f, action, resource, by, !known)
	return false
}

// Denied reports whether the scope of a frame denies an action outright: for the few that are allowed unless somebody
// forbids them. Without actor or scope nothing is denied.
func (g *Gate) Denied(f *appctx.Frame, action, resource string, meta map[string]any) bool {
	if g == nil {
		return false
	}
	d, by, _ := decide(f, action, resource, meta)
	if d == Deny {
		g.report(f, action, resource, by, false)
	}
	return d == Deny
}

// Can is the function Can for those who refuse on its answer: refusals are reported.
func (g *Gate) Can(f *appctx.Frame, action, resource string, meta map[string]any) bool {
	d, by, known := decide(f, action, resource, meta)
	if d != Allow && g != nil {
		g.report(f, action, resource, by, !known)
	}
	return d == Allow
}

func (g *Gate) report(f *appctx.Frame, action, resource string, by Policy, incomplete bool) {
	if g.refused == nil {
		return
	}
	r := Refusal{Actor: ActorOf(f), Action: action, Resource: resource, Incomplete: incomplete}
	if by != nil {
		r.Policy = by.ID()
	}
	g.refused(r)
}

// Can reports whether the scope of a frame allows an action. Without actor or scope the answer is no, in every mode.
func Can(f *appctx.Frame, action, resource string, meta map[string]any) bool {
	d, _, _ := decide(f, action, resource, meta)
	return d == Allow
}

// decide asks the scope of a frame; known is false when the frame lacks it, or the actor.
func decide(f *appctx.Frame, action, resource string, meta map[string]any) (d Decision, by Policy, known bool) {
	actor, scope := ActorOf(f), ScopeOf(f)
	if actor == nil || scope == nil {
		return Undefined, nil, false
	}
	d, by = scope.judge(Request{Actor: actor, Action: action, Resource: resource, Meta: meta})
	return d, by, true
}
