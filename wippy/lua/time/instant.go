// SPDX-License-Identifier: Apache-2.0

package time

import (
	"time"

	lua "github.com/yuin/gopher-lua"
)

func (m *module) push(L *lua.LState, t time.Time) int {
	L.Push(m.times.New(t))
	return 1
}

// timeMethods are the methods of Time values.
func (m *module) timeMethods() map[string]lua.LGFunction {
	methods := map[string]lua.LGFunction{
		"add": func(L *lua.LState) int { return m.push(L, checkTime(L, 1).Add(checkDuration(L, 2))) },
		"sub": func(L *lua.LState) int {
			L.Push(m.durations.New(checkTime(L, 1).Sub(checkTime(L, 2))))
			return 1
		},
		"add_date": func(L *lua.LState) int {
			return m.push(L, checkTime(L, 1).AddDate(L.CheckInt(2), L.CheckInt(3), L.CheckInt(4)))
		},
		"utc":         func(L *lua.LState) int { return m.push(L, checkTime(L, 1).UTC()) },
		"in_local":    func(L *lua.LState) int { return m.push(L, checkTime(L, 1).Local()) },
		"in_location": func(L *lua.LState) int { return m.push(L, checkTime(L, 1).In(checkLocation(L, 2))) },
		"location": func(L *lua.LState) int {
			L.Push(m.locations.New(checkTime(L, 1).Location()))
			return 1
		},
		"round": func(L *lua.LState) int {
			return m.push(L, checkTime(L, 1).Round(check[time.Duration](L, 2, "duration expected")))
		},
		"truncate": func(L *lua.LState) int {
			return m.push(L, checkTime(L, 1).Truncate(check[time.Duration](L, 2, "duration expected")))
		},
	}
	for name, fn := range plainTimeMethods {
		methods[name] = fn
	}
	return methods
}

// plainTimeMethods are those that make no value of the module.
var plainTimeMethods = map[string]lua.LGFunction{
	"before":         compare(time.Time.Before),
	"after":          compare(time.Time.After),
	"equal":          compare(time.Time.Equal),
	"format":         format,
	"format_rfc3339": formatRFC3339,
	"unix":           field(func(t time.Time) int64 { return t.Unix() }),
	"unix_nano":      field(func(t time.Time) int64 { return t.UnixNano() }),
	"year":           field(func(t time.Time) int64 { return int64(t.Year()) }),
	"month":          field(func(t time.Time) int64 { return int64(t.Month()) }),
	"day":            field(func(t time.Time) int64 { return int64(t.Day()) }),
	"hour":           field(func(t time.Time) int64 { return int64(t.Hour()) }),
	"minute":         field(func(t time.Time) int64 { return int64(t.Minute()) }),
	"second":         field(func(t time.Time) int64 { return int64(t.Second()) }),
	"nanosecond":     field(func(t time.Time) int64 { return int64(t.Nanosecond()) }),
	"weekday":        field(func(t time.Time) int64 { return int64(t.Weekday()) }),
	"year_day":       field(func(t time.Time) int64 { return int64(t.YearDay()) }),
	"date":           date,
	"clock":          clockFields,
	"is_zero":        isZero,
}

func compare(op func(a, b time.Time) bool) lua.LGFunction {
	return func(L *lua.LState) int {
		L.Push(lua.LBool(op(checkTime(L, 1), checkTime(L, 2))))
		return 1
	}
}

func field(get func(time.Time) int64) lua.LGFunction {
	return func(L *lua.LState) int {
		L.Push(lua.LNumber(get(checkTime(L, 1))))
		return 1
	}
}

func format(L *lua.LState) int {
	L.Push(lua.LString(checkTime(L, 1).Format(L.CheckString(2))))
	return 1
}

func formatRFC3339(L *lua.LState) int {
	L.Push(lua.LString(checkTime(L, 1).Format(time.RFC3339)))
	return 1
}

func date(L *lua.LState) int {
	y, mo, d := checkTime(L, 1).Date()
	L.Push(lua.LNumber(y))
	L.Push(lua.LNumber(mo))
	L.Push(lua.LNumber(d))
	return 3
}

func clockFields(L *lua.LState) int {
	h, mi, s := checkTime(L, 1).Clock()
	L.Push(lua.LNumber(h))
	L.Push(lua.LNumber(mi))
	L.Push(lua.LNumber(s))
	return 3
}

func isZero(L *lua.LState) int {
	L.Push(lua.LBool(checkTime(L, 1).IsZero()))
	return 1
}

func timeString(L *lua.LState) int {
	L.Push(lua.LString(checkTime(L, 1).String()))
	return 1
}

// durationMethods are the methods of Duration values.
var durationMethods = map[string]lua.LGFunction{
	"hours":        length(func(d time.Duration) float64 { return d.Hours() }),
	"minutes":      length(func(d time.Duration) float64 { return d.Minutes() }),
	"seconds":      length(func(d time.Duration) float64 { return d.Seconds() }),
	"milliseconds": length(func(d time.Duration) float64 { return float64(d.Milliseconds()) }),
	"microseconds": length(func(d time.Duration) float64 { return float64(d.Microseconds()) }),
	"nanoseconds":  length(func(d time.Duration) float64 { return float64(d.Nanoseconds()) }),
}

func length(get func(time.Duration) float64) lua.LGFunction {
	return func(L *lua.LState) int {
		L.Push(lua.LNumber(get(check[time.Duration](L, 1, "duration expected"))))
		return 1
	}
}

func durationString(L *lua.LState) int {
	L.Push(lua.LString(check[time.Duration](L, 1, "duration expected").String()))
	return 1
}

func locationString(L *lua.LState) int {
	L.Push(lua.LString(checkLocation(L, 1).String()))
	return 1
}
