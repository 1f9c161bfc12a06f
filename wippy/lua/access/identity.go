// SPDX-License-Identifier: Apache-2.0

package access

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/system/security"
)

// CheckActor returns argument n when it is an actor, and else raises "Actor expected".
func CheckActor(L *lua.LState, n int) *security.Actor {
	return engine.Check[*security.Actor](L, n, "Actor")
}

// CheckScope returns argument n when it is a scope, and else raises "Scope expected".
func CheckScope(L *lua.LState, n int) *security.Scope {
	return engine.Check[*security.Scope](L, n, "Scope")
}

// Identity is what the methods with_actor and with_scope of a builder collect: on whose behalf the callee works, where
// that differs from the caller.
type Identity struct {
	Actor *security.Actor // nil for that of the caller
	Scope *security.Scope // nil for that of the caller
}

// IsZero reports whether the callee is to work for whom the caller works.
func (i Identity) IsZero() bool { return i.Actor == nil && i.Scope == nil }

// Enter gives the frame of a callee the identity. The frame must be open.
func (i Identity) Enter(f *appctx.Frame) error { return security.Enter(f, i.Actor, i.Scope) }
