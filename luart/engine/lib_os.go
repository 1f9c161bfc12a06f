// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"strings"
	"time"

	lua "github.com/yuin/gopher-lua"
)

// started is what os.clock counts from.
var started = time.Now()

// buildOS fills the global os: the clock and the calendar, nothing that touches
// the system.
func buildOS(b *Builder) {
	b.Value("platform", lua.LString("wippy"))
	b.Func("clock", func(L *lua.LState) int {
		L.Push(lua.LNumber(time.Since(started).Seconds()))
		return 1
	})
	b.Func("difftime", func(L *lua.LState) int {
		L.Push(L.CheckNumber(1) - L.OptNumber(2, 0))
		return 1
	})
	b.Func("time", osTime)
	b.Func("date", osDate)
}

func osTime(L *lua.LState) int {
	if L.Get(1) == lua.LNil {
		L.Push(lua.LNumber(time.Now().Unix()))
		return 1
	}
	t := Unwrap(L.CheckTable(1))
	field := func(name string, def int) int { // what is no number counts as not given
		switch v := t.RawGetString(name).(type) {
		case lua.LNumber:
			return int(toInt64(float64(v)))
		case lua.LString:
			if n, ok := parseNumber(string(v)).(lua.LNumber); ok {
				return int(toInt64(float64(n)))
			}
		}
		return def
	}
	now := time.Now()
	at := time.Date(field("year", now.Year()), time.Month(field("month", int(now.Month()))), field("day", now.Day()),
		field("hour", 0), field("min", 0), field("sec", 0), 0, time.Local)
	L.Push(lua.LNumber(at.Unix()))
	return 1
}

func osDate(L *lua.LState) int {
	format := L.OptString(1, "%c")
	at := time.Now()
	if L.Get(2) != lua.LNil {
		at = time.Unix(toInt64(float64(L.CheckNumber(2))), 0)
	}
	if rest, ok := strings.CutPrefix(format, "!"); ok {
		format, at = rest, at.UTC()
	}
	if strings.HasPrefix(format, "*t") {
		L.Push(dateTable(at))
		return 1
	}
	L.Push(lua.LString(strftime(at, format)))
	return 1
}

func dateTable(at time.Time) *lua.LTable {
	t := newTable(0, 9)
	for name, v := range map[string]int{
		"year": at.Year(), "month": int(at.Month()), "day": at.Day(), "hour": at.Hour(), "min": at.Minute(),
		"sec": at.Second(), "wday": int(at.Weekday()) + 1, "yday": at.YearDay(),
	} {
		t.RawSetString(name, lua.LNumber(v))
	}
	_, offset := at.Zone()
	t.RawSetString("isdst", lua.LBool(offset != 0))
	return t
}

// layouts are the conversions that Go's layouts express.
var layouts = map[byte]string{
	'a': "Mon", 'A': "Monday", 'b': "Jan", 'B': "January", 'c': "Mon Jan _2 15:04:05 2006", 'd': "02", 'H': "15",
	'I': "03", 'm': "01", 'M': "04", 'p': "PM", 'S': "05", 'x': "01/02/06", 'X': "15:04:05", 'y': "06", 'Y': "2006",
	'z': "-0700", 'Z': "MST",
}

func strftime(at time.Time, format string) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		switch c := format[i]; c {
		case '%':
			b.WriteByte('%')
		case 'j':
			fmt.Fprintf(&b, "%03d", at.YearDay())
		case 'U', 'W':
			_, week := at.ISOWeek()
			fmt.Fprintf(&b, "%02d", week)
		case 'w':
			fmt.Fprintf(&b, "%d", int(at.Weekday()))
		default:
			if layout, ok := layouts[c]; ok {
				b.WriteString(at.Format(layout))
			} else {
				b.WriteByte('%')
				b.WriteByte(c)
			}
		}
	}
	return b.String()
}
