// SPDX-License-Identifier: Apache-2.0

package store

import (
	"errors"
	"math"
	"strconv"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/service/store"
)

// lifetime turns seconds into a duration. None, or less, is for ever.
func lifetime(seconds float64) time.Duration {
	switch d := seconds * float64(time.Second); {
	case d <= 0:
		return 0
	case d < 1:
		return 1
	case d >= math.MaxInt64:
		return math.MaxInt64
	default:
		return time.Duration(d)
	}
}

// optionTable returns a table of options, nil for none.
func optionTable(v lua.LValue) (*lua.LTable, error) {
	switch v := v.(type) {
	case *lua.LNilType:
		return nil, nil
	case *lua.LTable:
		return engine.Unwrap(v), nil
	}
	return nil, errors.New("options must be a table")
}

// putOptions reads the options of put.
func putOptions(v lua.LValue) (o store.PutOptions, err error) {
	t, err := optionTable(v)
	if err != nil {
		return o, engine.NewError(engine.KindInvalid, err.Error())
	}
	if t == nil {
		return o, nil
	}
	problem := ""
	switch ttl := t.RawGetString("ttl").(type) {
	case *lua.LNilType:
	case lua.LNumber:
		if !(ttl >= 0) { // also not a number
			problem = "ttl must be a non-negative number"
		}
		o.TTL = lifetime(float64(ttl))
	default:
		problem = "ttl must be a non-negative number"
	}
	switch only := t.RawGetString("only_if_absent").(type) {
	case *lua.LNilType:
	case lua.LBool:
		o.OnlyIfAbsent = bool(only)
	default:
		problem = "only_if_absent must be a boolean"
	}
	conditional := t.RawGetString("if_version") != lua.LNil
	if conditional {
		if o.IfVersion = version(t.RawGetString("if_version")); o.IfVersion == 0 {
			problem = "if_version must be a positive version"
		}
	}
	if problem == "" && conditional && o.OnlyIfAbsent {
		problem = "only_if_absent and if_version are mutually exclusive"
	}
	if problem != "" {
		return o, engine.NewError(engine.KindInvalid, problem)
	}
	return o, nil
}

// version reads a version, 0 when it is none.
func version(v lua.LValue) uint64 {
	switch v := v.(type) {
	case lua.LString:
		n, err := strconv.ParseUint(string(v), 10, 64)
		if err != nil {
			return 0
		}
		return n
	case lua.LNumber:
		if f := float64(v); f > 0 && f == math.Trunc(f) && f <= 1<<53 {
			return uint64(f)
		}
	}
	return 0
}

// listOptions reads the options of list.
func listOptions(v lua.LValue) (o store.ListOptions, err error) {
	t, err := optionTable(v)
	if err != nil {
		return o, engine.NewError(engine.KindInvalid, err.Error())
	}
	if t == nil {
		return o, nil
	}
	for _, field := range []struct {
		name   string
		target *string
	}{{"prefix", &o.Prefix}, {"after", &o.After}} {
		switch s := t.RawGetString(field.name).(type) {
		case *lua.LNilType:
		case lua.LString:
			*field.target = string(s)
		default:
			return o, engine.NewError(engine.KindInvalid, field.name+" must be a string")
		}
	}
	switch n := t.RawGetString("limit").(type) {
	case *lua.LNilType:
	case lua.LNumber:
		if f := float64(n); f >= 0 && f == math.Trunc(f) {
			o.Limit = int(min(f, store.MaxPage))
			return o, nil
		}
		return o, engine.NewError(engine.KindInvalid, "limit must be a non-negative integer")
	default:
		return o, engine.NewError(engine.KindInvalid, "limit must be a non-negative integer")
	}
	return o, nil
}
