// SPDX-License-Identifier: Apache-2.0

package uuid

import (
	"github.com/google/uuid"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
	"github.com/wippyrun/kit/luart/modules/replay"
)

// Module returns the Lua module `uuid`. Its calls do not yield, except v1, v4 and v7 in processes whose values
// record keeps; record may be nil.
func Module(record replay.Recorder) engine.Module {
	return engine.Module{
		Name:    "uuid",
		Classes: []string{"nondeterministic", "workflow"},
		Build: func(b *engine.Builder) error {
			v1, err := newTimeSource()
			if err != nil {
				return err
			}
			for name, generate := range map[string]func() (uuid.UUID, error){
				"v1": v1.next, "v4": uuid.NewRandom, "v7": uuid.NewV7,
			} {
				produce := func() ([]byte, error) {
					id, err := generate()
					if err != nil {
						return nil, err
					}
					return id.MarshalText()
				}
				b.Func(name, func(L *lua.LState) int { return record.Bytes(L, "generate "+name, produce) })
			}
			b.Func("v3", named(uuid.NewMD5))
			b.Func("v5", named(uuid.NewSHA1))
			b.Func("validate", validate)
			b.Func("version", version)
			b.Func("variant", variant)
			b.Func("parse", parts)
			b.Func("format", format)
			return nil
		},
	}
}

// named makes the function name(namespace, name).
func named(derive func(space uuid.UUID, data []byte) uuid.UUID) lua.LGFunction {
	return func(L *lua.LState) int {
		namespace, ok := call.Text(L, 1)
		name, ok2 := call.Text(L, 2)
		if !ok || !ok2 {
			return call.Invalid(L, "namespace and name must be strings")
		}
		space, ok := Parse(namespace)
		if !ok {
			return call.Invalid(L, "invalid namespace UUID")
		}
		return text(L, derive(space, []byte(name)))
	}
}

func text(L *lua.LState, id uuid.UUID) int { return call.Value(L, lua.LString(id.String())) }

func validate(L *lua.LState) int {
	s, ok := call.Text(L, 1)
	if ok {
		_, ok = Parse(s)
	}
	return call.Value(L, lua.LBool(ok))
}

// argument takes the identifier from the first argument. When it is no good, the two results of the call are
// pushed.
func argument(L *lua.LState) (uuid.UUID, bool) {
	s, ok := call.Text(L, 1)
	if !ok {
		call.Invalid(L, "input must be a string")
		return uuid.UUID{}, false
	}
	id, ok := Parse(s)
	if !ok {
		call.Invalid(L, "invalid UUID format")
	}
	return id, ok
}

func version(L *lua.LState) int {
	id, ok := argument(L)
	if !ok {
		return 2
	}
	return call.Value(L, lua.LNumber(id.Version()))
}

func variant(L *lua.LState) int {
	id, ok := argument(L)
	if !ok {
		return 2
	}
	return call.Value(L, lua.LString(id.Variant().String()))
}

// parts implements uuid.parse.
func parts(L *lua.LState) int {
	id, ok := argument(L)
	if !ok {
		return 2
	}
	t := engine.NewObject(4)
	t.RawSetString("version", lua.LNumber(id.Version()))
	t.RawSetString("variant", lua.LString(id.Variant().String()))
	switch id.Version() {
	case 1:
		t.RawSetString("node", lua.LString(id.NodeID()))
		fallthrough
	case 7:
		seconds, _ := id.Time().UnixTime()
		t.RawSetString("timestamp", lua.LNumber(seconds))
	}
	return call.Value(L, t)
}

func format(L *lua.LState) int {
	id, ok := argument(L)
	if !ok {
		return 2
	}
	form, ok := call.Text(L, 2)
	if !ok {
		form = "standard"
	}
	switch form {
	case "standard":
		return text(L, id)
	case "simple":
		return call.Value(L, lua.LString(simple(id)))
	case "urn":
		return call.Value(L, lua.LString(id.URN()))
	}
	return call.Invalid(L, "unsupported format")
}
