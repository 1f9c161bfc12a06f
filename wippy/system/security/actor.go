// SPDX-License-Identifier: Apache-2.0

package security

import "github.com/wippyrun/kit/appctx"

// Actor is somebody on whose behalf a program works. It is never changed once it is in use.
type Actor struct {
	ID   string
	Meta map[string]any // plain data; nil for none
}

var (
	actorKey = appctx.NewFrameKey[*Actor]("security.actor", appctx.Inherit())
	scopeKey = appctx.NewFrameKey[*Scope]("security.scope", appctx.Inherit())
)

// ActorOf returns the actor of a frame, nil when there is none. The frame may be nil.
func ActorOf(f *appctx.Frame) *Actor {
	a, _ := actorKey.Get(f)
	return a
}

// ScopeOf returns the scope of a frame, nil when there is none. The frame may be nil.
func ScopeOf(f *appctx.Frame) *Scope {
	s, _ := scopeKey.Get(f)
	return s
}

// Enter puts an actor and a scope into an open frame, in the place of those it has. A nil one leaves what is there.
func Enter(f *appctx.Frame, a *Actor, s *Scope) error {
	if a != nil {
		if err := actorKey.Set(f, a); err != nil {
			return err
		}
	}
	if s != nil {
		return scopeKey.Set(f, s)
	}
	return nil
}

// Replace puts an actor and a scope into an open frame; a nil one takes away what is there.
func Replace(f *appctx.Frame, a *Actor, s *Scope) error {
	if err := actorKey.Set(f, a); err != nil {
		return err
	}
	return scopeKey.Set(f, s)
}
