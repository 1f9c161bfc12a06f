// SPDX-License-Identifier: Apache-2.0

// Package time is the Lua module time: instants, durations, zones, sleeping, timers and tickers.
//
// A duration is a number of nanoseconds, a string such as "1h30m", or a Duration object, everywhere. Sleeping
// suspends the calling coroutine only. Timers and tickers deliver on channels and end with their process.
package time

import (
	"math"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/system/clock"
)

// module holds what the functions work with and the classes of the values they make.
type module struct {
	clock     *clock.Clock
	send      func(*relay.Message) error
	times     *engine.Class
	durations *engine.Class
	locations *engine.Class
	timers    *engine.Class
	tickers   *engine.Class
}

// Module returns the Lua module. Its sleeping and timing calls need the command handlers of c; tickers reach
// their process through send.
func Module(c *clock.Clock, send func(*relay.Message) error) engine.Module {
	return engine.Module{
		Name:    "time",
		Classes: []string{"time", "workflow"},
		Build: func(b *engine.Builder) error {
			m := &module{clock: c, send: send}
			m.classes(b)
			m.functions(b)
			constants(b)
			b.Value("utc", m.locations.New(time.UTC))
			b.Value("localtz", m.locations.New(time.Local))
			return nil
		},
	}
}

func (m *module) classes(b *engine.Builder) {
	m.times = b.Type("Time", m.timeMethods(), map[string]lua.LGFunction{"__tostring": timeString})
	m.durations = b.Type("Duration", durationMethods, map[string]lua.LGFunction{"__tostring": durationString})
	m.locations = b.Type("Location", map[string]lua.LGFunction{"string": locationString},
		map[string]lua.LGFunction{"__tostring": locationString})
	m.timers = b.Type("Timer", timerMethods, nil)
	m.tickers = b.Type("Ticker", tickerMethods, nil)
}

func (m *module) functions(b *engine.Builder) {
	b.Func("now", m.now)
	b.Func("date", m.date)
	b.Func("unix", m.unix)
	b.Func("parse", m.parse)
	b.Func("parse_duration", m.parseDuration)
	b.Func("load_location", m.loadLocation)
	b.Func("fixed_zone", m.fixedZone)
	b.Func("sleep", sleep)
	b.Func("after", m.after)
	b.Func("timer", m.timer)
	b.Func("ticker", m.ticker)
}

func constants(b *engine.Builder) {
	for name, value := range map[string]float64{
		"NANOSECOND":  float64(time.Nanosecond),
		"MICROSECOND": float64(time.Microsecond),
		"MILLISECOND": float64(time.Millisecond),
		"SECOND":      float64(time.Second),
		"MINUTE":      float64(time.Minute),
		"HOUR":        float64(time.Hour),
	} {
		b.Value(name, lua.LNumber(value))
	}
	for name, layout := range map[string]string{
		"RFC3339":     time.RFC3339,
		"RFC3339NANO": time.RFC3339Nano,
		"RFC822":      time.RFC822,
		"RFC822Z":     time.RFC822Z,
		"RFC850":      time.RFC850,
		"RFC1123":     time.RFC1123,
		"RFC1123Z":    time.RFC1123Z,
		"KITCHEN":     time.Kitchen,
		"STAMP":       time.Stamp,
		"STAMP_MILLI": time.StampMilli,
		"STAMP_MICRO": time.StampMicro,
		"STAMP_NANO":  time.StampNano,
		"DATE_TIME":   time.DateTime,
		"DATE_ONLY":   time.DateOnly,
		"TIME_ONLY":   time.TimeOnly,
	} {
		b.Value(name, lua.LString(layout))
	}
	months := []string{
		"JANUARY", "FEBRUARY", "MARCH", "APRIL", "MAY", "JUNE", "JULY", "AUGUST", "SEPTEMBER", "OCTOBER", "NOVEMBER",
		"DECEMBER",
	}
	for i, name := range months {
		b.Value(name, lua.LNumber(i+1))
	}
	days := []string{"SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"}
	for i, name := range days {
		b.Value(name, lua.LNumber(i))
	}
}

func invalid(message string) error { return engine.NewError(engine.KindInvalid, message) }

// duration reads a duration in any of its three forms.
func duration(v lua.LValue) (time.Duration, error) {
	switch v := v.(type) {
	case lua.LNumber:
		switch f := float64(v); {
		case math.IsNaN(f):
			return 0, invalid("duration is not a number")
		case f >= math.MaxInt64:
			return math.MaxInt64, nil
		case f <= math.MinInt64:
			return math.MinInt64, nil
		default:
			return time.Duration(f), nil
		}
	case lua.LString:
		d, err := time.ParseDuration(string(v))
		if err != nil {
			return 0, engine.NewError(engine.KindInvalid, err.Error()).WithCause(err)
		}
		return d, nil
	case *lua.LUserData:
		if d, ok := v.Value.(time.Duration); ok {
			return d, nil
		}
	}
	return 0, invalid("duration must be number or string")
}

// checkDuration is duration for methods, which raise.
func checkDuration(L *lua.LState, n int) time.Duration {
	d, err := duration(L.Get(n))
	if err != nil {
		L.ArgError(n, err.Error())
	}
	return d
}

func checkTime(L *lua.LState, n int) time.Time {
	return check[time.Time](L, n, "time expected")
}

func checkLocation(L *lua.LState, n int) *time.Location {
	return check[*time.Location](L, n, "location expected")
}

// optLocation is the location argument of constructors: local time unless given.
func optLocation(L *lua.LState, n int) *time.Location {
	if L.Get(n) == lua.LNil {
		return time.Local
	}
	return checkLocation(L, n)
}

func check[T any](L *lua.LState, n int, problem string) T {
	var none T
	if ud, ok := L.Get(n).(*lua.LUserData); ok {
		if v, ok := ud.Value.(T); ok {
			return v
		}
	}
	L.ArgError(n, problem)
	return none
}
