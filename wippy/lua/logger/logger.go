// SPDX-License-Identifier: Apache-2.0

// Package logger is the Lua module logger: structured log records from programs.
//
// Unlike the other modules it is an object, used with a colon: logger:info("saved", {id = 7}). Every record
// starts with the fields pid and location ("entry:line" of the call). Nothing is built for a record whose
// level is switched off. No call yields and none fails.
package logger

import (
	"log/slog"
	"math"
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// NameKey is the attribute that carries the name of a logger, parts joined with dots.
const NameKey = "logger"

// logger is one Lua logger object. It is immutable and may be shared between processes.
type logger struct {
	log  *slog.Logger // without name and fields
	name string
	with []slog.Attr
}

// Module returns the Lua module; records go to log.
func Module(log *slog.Logger) engine.Module {
	return engine.Module{
		Name:    "logger",
		Classes: []string{"io"},
		Build: func(b *engine.Builder) error {
			var class *engine.Class
			class = b.Type("Logger", map[string]lua.LGFunction{
				"debug": at(slog.LevelDebug),
				"info":  at(slog.LevelInfo),
				"warn":  at(slog.LevelWarn),
				"error": at(slog.LevelError),
				"with":  func(L *lua.LState) int { return with(L, class) },
				"named": func(L *lua.LState) int { return named(L, class) },
			}, nil)
			b.Replace(class.New(&logger{log: log}))
			return nil
		},
	}
}

func check(L *lua.LState) *logger {
	if l, ok := L.CheckUserData(1).Value.(*logger); ok {
		return l
	}
	L.ArgError(1, "logger expected")
	return nil
}

// at returns the method that writes records of one level.
func at(level slog.Level) lua.LGFunction {
	return func(L *lua.LState) int {
		l := check(L)
		message := text(L, 2)
		var fields *lua.LTable
		if L.GetTop() >= 3 {
			fields = L.CheckTable(3)
		}
		p := engine.From(L)
		ctx := p.Context()
		if !l.log.Enabled(ctx, level) {
			return 0
		}
		attrs := make([]slog.Attr, 0, 8)
		attrs = append(attrs, slog.String("pid", p.PID().String()))
		if where := p.Where(L); where != "" {
			attrs = append(attrs, slog.String("location", where))
		}
		attrs = append(attrs, l.with...)
		if level == slog.LevelError && fields != nil {
			attrs = appendError(attrs, fields)
		}
		attrs = appendFields(attrs, fields)
		if l.name != "" {
			attrs = append(attrs, slog.String(NameKey, l.name))
		}
		l.log.LogAttrs(ctx, level, message, attrs...)
		return 0
	}
}

// text takes a string argument; an error object counts as its message.
func text(L *lua.LState, n int) string {
	if err, ok := engine.AsError(L.Get(n)); ok {
		return err.Error()
	}
	return L.CheckString(n)
}

func with(L *lua.LState, class *engine.Class) int {
	l := check(L)
	child := *l
	child.with = appendFields(slices.Clone(l.with), L.CheckTable(2))
	L.Push(class.New(&child))
	return 1
}

func named(L *lua.LState, class *engine.Class) int {
	l := check(L)
	name := L.CheckString(2)
	if name == "" {
		L.ArgError(2, "name cannot be empty")
	}
	child := *l
	if l.name != "" {
		name = l.name + "." + name
	}
	child.name = name
	L.Push(class.New(&child))
	return 1
}

// appendError moves the field "error" of an error record in front of the others and out of the table.
func appendError(attrs []slog.Attr, fields *lua.LTable) []slog.Attr {
	switch v := fields.RawGetString("error").(type) {
	case lua.LString, lua.LNumber:
		attrs = append(attrs, slog.String("error", v.String()))
	case *lua.LUserData:
		err, ok := engine.AsError(v)
		if !ok {
			return attrs
		}
		attrs = append(attrs, slog.String("error", err.Error()))
	default:
		return attrs
	}
	fields.RawSetString("error", lua.LNil)
	return attrs
}

// appendFields adds the string keys of a table, sorted, so that equal calls give equal records.
func appendFields(attrs []slog.Attr, fields *lua.LTable) []slog.Attr {
	if fields == nil {
		return attrs
	}
	first := len(attrs)
	fields.ForEach(func(k, v lua.LValue) {
		if key, ok := k.(lua.LString); ok {
			attrs = append(attrs, slog.Attr{Key: string(key), Value: fieldValue(v, 0)})
		}
	})
	slices.SortFunc(attrs[first:], func(a, b slog.Attr) int {
		switch {
		case a.Key < b.Key:
			return -1
		case a.Key > b.Key:
			return 1
		}
		return 0
	})
	return attrs
}

// maxDepth bounds the nesting of a field, and so keeps a table that contains itself from running for ever.
const maxDepth = 16

func fieldValue(v lua.LValue, depth int) slog.Value {
	switch v := v.(type) {
	case lua.LString:
		return slog.StringValue(string(v))
	case lua.LBool:
		return slog.BoolValue(bool(v))
	case lua.LNumber:
		f := float64(v)
		if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			return slog.Int64Value(int64(f))
		}
		return slog.Float64Value(f)
	case *lua.LTable:
		return slog.AnyValue(plain(v, depth))
	}
	if err, ok := engine.AsError(v); ok {
		return slog.StringValue(err.Error())
	}
	return slog.StringValue(v.String())
}

// plain turns a table into a list, when it has a positive whole key, or a map.
func plain(t *lua.LTable, depth int) any {
	if depth >= maxDepth {
		return "…"
	}
	if n := t.MaxN(); n > 0 {
		list := make([]any, n)
		for i := range list {
			if v := t.RawGetInt(i + 1); v != lua.LNil {
				list[i] = fieldValue(v, depth+1).Any()
			}
		}
		return list
	}
	m := map[string]any{}
	t.ForEach(func(k, v lua.LValue) {
		if key, ok := k.(lua.LString); ok {
			m[string(key)] = fieldValue(v, depth+1).Any()
		}
	})
	return m
}
