// SPDX-License-Identifier: Apache-2.0

package time

import (
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

func (m *module) now(L *lua.LState) int { return m.push(L, time.Now()) }

// date implements time.date(y, mo, d, h, mi, s, ns, loc).
func (m *module) date(L *lua.LState) int {
	return m.push(L, time.Date(L.CheckInt(1), time.Month(L.CheckInt(2)), L.CheckInt(3),
		L.CheckInt(4), L.CheckInt(5), L.CheckInt(6), L.CheckInt(7), optLocation(L, 8)))
}

func (m *module) unix(L *lua.LState) int {
	return m.push(L, time.Unix(L.CheckInt64(1), L.CheckInt64(2)))
}

func (m *module) parse(L *lua.LState) int {
	layout, value := L.CheckString(1), L.CheckString(2)
	t, err := time.ParseInLocation(layout, value, optLocation(L, 3))
	if err != nil {
		return engine.PushError(L, engine.NewError(engine.KindInvalid, err.Error()).WithCause(err))
	}
	return m.push(L, t)
}

func (m *module) parseDuration(L *lua.LState) int {
	d, err := duration(L.Get(1))
	if err != nil {
		return engine.PushError(L, err)
	}
	L.Push(m.durations.New(d))
	return 1
}

func (m *module) loadLocation(L *lua.LState) int {
	name := L.CheckString(1)
	if name == "" {
		return engine.PushError(L, invalid("empty location name"))
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		return engine.PushError(L, engine.NewError(engine.KindNotFound, err.Error()).WithCause(err))
	}
	L.Push(m.locations.New(location))
	return 1
}

func (m *module) fixedZone(L *lua.LState) int {
	L.Push(m.locations.New(time.FixedZone(L.CheckString(1), L.CheckInt(2))))
	return 1
}
