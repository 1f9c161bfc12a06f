// SPDX-License-Identifier: Apache-2.0

// Package base64 is the Lua module base64: the standard alphabet of RFC 4648, with padding.
//
// Both calls take any bytes and never raise. Decoding skips line breaks.
package base64

import (
	"encoding/base64"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// Module returns the Lua module `base64` with the functions encode and decode.
func Module() engine.Module {
	return engine.Module{
		Name:    "base64",
		Classes: []string{"encoding", "deterministic"},
		Build: func(b *engine.Builder) error {
			b.Func("encode", encode)
			b.Func("decode", decode)
			return nil
		},
	}
}

// Encode returns the base64 text of data.
func Encode(data string) string { return base64.StdEncoding.EncodeToString([]byte(data)) }

// Decode returns the bytes that text stands for. Carriage returns and line feeds in it do not count. The error
// names the byte of text that is wrong.
func Decode(text string) (string, error) {
	data, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return "", err
	}
	return string(data), nil
}

func encode(L *lua.LState) int {
	data, ok := call.Text(L, 1)
	if !ok {
		return call.Invalid(L, "string expected")
	}
	L.Push(lua.LString(Encode(data)))
	return 1
}

func decode(L *lua.LState) int {
	text, ok := call.Text(L, 1)
	if !ok {
		return call.Invalid(L, "string expected")
	}
	data, err := Decode(text)
	if err != nil {
		return call.Refused(L, "decode failed", err)
	}
	L.Push(lua.LString(data))
	return 1
}
