// SPDX-License-Identifier: Apache-2.0

package json

import (
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// Module returns the Lua module `json` with the functions encode, decode, validate and validate_string. No
// call yields. Compiled schemas are shared by all programs of the engine that the module is registered with.
func Module() engine.Module {
	schemas := &schemaCache{}
	return engine.Module{
		Name:    "json",
		Classes: []string{"encoding", "deterministic"},
		Build: func(b *engine.Builder) error {
			b.Func("encode", encode)
			b.Func("decode", decode)
			b.Func("validate", schemas.validate)
			b.Func("validate_string", schemas.validateString)
			return nil
		},
	}
}

func encode(L *lua.LState) int {
	text, err := Encode(L.Get(1))
	if err != nil {
		return fail(L, err)
	}
	L.Push(lua.LString(text))
	return 1
}

func decode(L *lua.LState) int {
	text, ok := L.Get(1).(lua.LString)
	if !ok {
		return engine.PushError(L, engine.NewError(engine.KindInvalid, "string expected"))
	}
	if text == "" {
		return engine.PushError(L, engine.NewError(engine.KindInvalid, "empty string is not valid JSON"))
	}
	v, err := Decode(string(text))
	if err != nil {
		return fail(L, err)
	}
	L.Push(v)
	if v == lua.LNil { // the document null is a value, and no error: two results
		L.Push(lua.LNil)
		return 2
	}
	return 1
}

// validate implements json.validate(schema, data).
func (c *schemaCache) validate(L *lua.LState) int {
	schema, ok := c.schema(L)
	if !ok {
		return 2
	}
	data := L.Get(2)
	if data == lua.LNil {
		return refuse(L, "data is required")
	}
	var doc any
	var err error
	if t, ok := data.(*lua.LTable); ok && !hasPositions(t) {
		doc, err = hostValue(t, nil)
	} else {
		var text string
		if text, err = Encode(data); err == nil {
			doc, err = parseDocument(text)
		}
	}
	if err == nil {
		err = check(schema, doc)
	}
	return verdict(L, err)
}

// validateString implements json.validate_string(schema, text).
func (c *schemaCache) validateString(L *lua.LState) int {
	schema, ok := c.schema(L)
	if !ok {
		return 2
	}
	text, ok := L.Get(2).(lua.LString)
	if !ok {
		return refuse(L, "data must be a JSON string")
	}
	doc, err := parseDocument(string(text))
	if err == nil {
		err = check(schema, doc)
	}
	return verdict(L, err)
}

// schema takes the schema from the first argument. When it is no good, the two results of the call are pushed.
func (c *schemaCache) schema(L *lua.LState) (*jsonschema.Schema, bool) {
	var text string
	switch v := L.Get(1).(type) {
	case *lua.LNilType:
		refuse(L, "schema is required")
		return nil, false
	case lua.LString:
		text = string(v)
	case *lua.LTable:
		var err error
		if text, err = Encode(v); err != nil {
			refuse(L, err.Error())
			return nil, false
		}
	default:
		refuse(L, "schema must be a string or table")
		return nil, false
	}
	schema, err := c.get(text)
	if err != nil {
		refuse(L, strings.ReplaceAll(err.Error(), "\n", "; "))
		return nil, false
	}
	return schema, true
}

func hasPositions(t *lua.LTable) bool {
	found := false
	engine.Unwrap(t).ForEach(func(k, _ lua.LValue) {
		if _, ok := position(k); ok {
			found = true
		}
	})
	return found
}

func verdict(L *lua.LState, err error) int {
	if err != nil {
		return refuse(L, err.Error())
	}
	L.Push(lua.LTrue)
	return 1
}

// refuse pushes false and an error of kind Invalid.
func refuse(L *lua.LState, message string) int {
	L.Push(lua.LFalse)
	L.Push(engine.ErrorValue(engine.NewError(engine.KindInvalid, message)))
	return 2
}

// fail pushes nil and an error whose text is the cause's own.
func fail(L *lua.LState, cause error) int {
	return engine.PushError(L, engine.NewError(engine.KindInternal, cause.Error()).WithCause(cause))
}
