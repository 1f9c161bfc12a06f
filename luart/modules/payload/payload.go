// SPDX-License-Identifier: Apache-2.0

// Package payload completes the conversions behind the Lua global payload, which the engine provides.
//
// On its own an engine converts between Lua and Go values the way it carries values between processes, and reaches
// other formats from there. [Register] adds the direct way between Lua and JSON, with the rules of module json, and
// replaces the one between Lua and Go values by a strict one: a number without a fraction is an integer, a table
// with a position is a list, and what cannot be converted is an error. YAML and MessagePack are reached through it.
//
// Values that cross to another process are not concerned: they are copied by the engine.
package payload

import (
	"fmt"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/host"
	"github.com/wippyrun/kit/luart/modules/json"
	"github.com/wippyrun/kit/relay/payload"
)

// The costs of the conversions. With those of the transcoder's own (JSON 1, MessagePack 1, YAML 2, from and to Go
// values) the way from Lua to MessagePack and to YAML is through a Go value: it costs what the one through JSON
// does, and is shorter. The engine's own conversions from and to text cost 1.
const (
	costJSON = 1
	costGo   = 2
)

// Register adds the conversions to the transcoder of e. Call it once, when the engine is made; payloads that are
// being converted meanwhile take the old way or the new one.
func Register(e *engine.Engine) {
	t := e.Transcoder()
	t.Register(payload.Lua, payload.JSON, costJSON, luaToJSON)
	t.Register(payload.JSON, payload.Lua, costJSON, jsonToLua)
	t.Register(payload.Lua, payload.Go, costGo, luaToGo)
	t.Register(payload.Go, payload.Lua, costGo, goToLua)
}

func luaToJSON(data any) (any, error) {
	v, err := luaData(data)
	if err != nil {
		return nil, err
	}
	text, err := json.Encode(v)
	if err != nil {
		return nil, err
	}
	return []byte(text), nil
}

func jsonToLua(data any) (any, error) {
	text, ok := payload.Payload{Format: payload.JSON, Data: data}.Text()
	if !ok {
		return nil, typeError(payload.JSON, data)
	}
	return json.Decode(text)
}

func luaToGo(data any) (any, error) {
	v, err := luaData(data)
	if err != nil {
		return nil, err
	}
	return host.Value(nil, v)
}

func goToLua(data any) (any, error) { return host.Lua(data) }

func luaData(data any) (lua.LValue, error) {
	if v, ok := data.(lua.LValue); ok {
		return v, nil
	}
	return nil, typeError(payload.Lua, data)
}

func typeError(f payload.Format, data any) error {
	return fmt.Errorf("payload: %s data of Go type %T", f, data)
}
