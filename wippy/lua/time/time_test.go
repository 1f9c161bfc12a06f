// SPDX-License-Identifier: Apache-2.0

package time_test

import (
	"testing"
	"testing/synctest"

	"github.com/wippyrun/kit/wippy/lua/luatest"
	luatime "github.com/wippyrun/kit/wippy/lua/time"
	"github.com/wippyrun/kit/wippy/system/clock"
)

func newSystem(t testing.TB) *luatest.System {
	return luatest.New(t, func(s *luatest.System) {
		c := clock.New()
		c.Register(s.Dispatch)
		s.Register(luatime.Module(c, s.Router.Send))
	})
}

func check(t *testing.T, cases map[string]string) {
	s := newSystem(t)
	for name, body := range cases {
		t.Run(name, func(t *testing.T) { s.Check(t, body) })
	}
}

func TestDurations(t *testing.T) {
	check(t, map[string]string{
		"text":    `local d = time.parse_duration("1h30m") assert(d:minutes() == 90 and tostring(d) == "1h30m0s")`,
		"number":  `assert(time.parse_duration(1500000):milliseconds() == 1)`,
		"object":  `assert(time.parse_duration(time.parse_duration("2s")):seconds() == 2)`,
		"units":   `local d = time.parse_duration("1.5s") assert(d:hours() == 1.5 / 3600 and d:microseconds() == 1500000 and d:nanoseconds() == 1500000000)`,
		"bad":     `local d, err = time.parse_duration("zz") assert(d == nil and err:kind() == "Invalid")`,
		"no form": `local d, err = time.parse_duration({}) assert(d == nil and err:message() == "duration must be number or string")`,
		"consts":  `assert(time.SECOND == 1000 * time.MILLISECOND and time.HOUR == 60 * time.MINUTE and time.NANOSECOND == 1)`,
	})
}

func TestInstants(t *testing.T) {
	const instant = `local t = time.date(2024, 12, 29, 15, 4, 5, 6000000, time.utc) `
	check(t, map[string]string{
		"format":     instant + `assert(t:format(time.RFC3339) == "2024-12-29T15:04:05Z" and t:format_rfc3339() == "2024-12-29T15:04:05Z")`,
		"fields":     instant + `assert(t:year() == 2024 and t:month() == time.DECEMBER and t:day() == 29 and t:weekday() == time.SUNDAY and t:year_day() == 364)`,
		"clock":      instant + `local h, m, s = t:clock() assert(h == 15 and m == 4 and s == 5 and t:nanosecond() == 6000000)`,
		"date":       instant + `local y, m, d = t:date() assert(y == 2024 and m == 12 and d == 29)`,
		"unix":       instant + `assert(t:unix() == 1735484645 and time.unix(1735484645, 0):equal(t:truncate(time.parse_duration("1s"))))`,
		"add":        instant + `local u = t:add("1h") assert(u:hour() == 16 and u:sub(t):hours() == 1 and t:before(u) and u:after(t) and not u:equal(t))`,
		"add_date":   instant + `assert(t:add_date(0, 1, 3):format(time.DATE_ONLY) == "2025-02-01")`,
		"overflow":   `assert(time.date(2024, 14, 1, 0, 0, 0, 0, time.utc):format(time.DATE_ONLY) == "2025-02-01")`,
		"parse":      `local t = time.parse(time.DATE_TIME, "2024-01-02 03:04:05", time.utc) assert(t:unix() == 1704164645)`,
		"parse bad":  `local t, err = time.parse(time.DATE_ONLY, "x") assert(t == nil and err:kind() == "Invalid")`,
		"location":   `local l = time.load_location("Europe/Berlin") assert(tostring(l) == "Europe/Berlin" and l:string() == "Europe/Berlin")`,
		"in":         instant + `assert(t:in_location(time.fixed_zone("X", 3600)):hour() == 16 and tostring(t:in_location(time.utc):location()) == "UTC")`,
		"no place":   `local l, err = time.load_location("No/Where") assert(l == nil and err:kind() == "NotFound")`,
		"no name":    `local l, err = time.load_location("") assert(l == nil and err:kind() == "Invalid" and err:message() == "empty location name")`,
		"zero":       `assert(not time.now():is_zero())`,
		"tostring":   instant + `assert(tostring(t) == "2024-12-29 15:04:05.006 +0000 UTC")`,
		"round":      instant + `assert(t:round(time.parse_duration("1m")):second() == 0)`,
		"identity":   instant + `assert(t == t and t ~= t:add(0))`,
		"no sharing": `assert(not pcall(function() time.now = nil end))`,
	})
}

func TestBadArguments(t *testing.T) {
	s := newSystem(t)
	for call, text := range map[string]string{
		`time.date(2024, 1)`:                              "bad argument #3",
		`time.unix(1)`:                                    "bad argument #2",
		`time.now():add("x")`:                             "bad argument",
		`time.now():sub(1)`:                               "time expected",
		`time.now():round(1)`:                             "duration expected",
		`time.now():in_location("UTC")`:                   "location expected",
		`time.parse(time.DATE_ONLY, "2024-01-02", "UTC")`: "location expected",
		`time.date(2024, 1, 1, 0, 0, 0, 0, 7)`:            "location expected",
		`time.now().year({})`:                             "time expected",
		`time.timer("1h"):reset(0)`:                       "timer:reset: duration must be > 0",
	} {
		t.Run(call, func(t *testing.T) {
			s.Check(t, `
				local ok, err = pcall(function() return `+call+` end)
				assert(not ok, "no error")
				assert(string.find(tostring(err), "`+text+`", 1, true), err)`)
		})
	}
}

func TestWaiting(t *testing.T) {
	check(t, map[string]string{
		"sleep": `
			local started = time.now()
			assert(select("#", time.sleep("5ms")) == 0)
			assert(time.now():sub(started):milliseconds() >= 5)`,
		"sleep nothing":  `time.sleep(0) time.sleep(-5) time.sleep("0s")`,
		"sleep bad":      `local v, err = time.sleep("x") assert(v == nil and err:kind() == "Invalid")`,
		"sleep in pcall": `local ok, v = pcall(function() time.sleep("1ms") return 1 end) assert(ok and v == 1)`,
		"after": `
			local ch = time.after("2ms")
			local at, ok = ch:receive()
			assert(ok and at:year() > 2000)
			at, ok = ch:receive()
			assert(at == nil and not ok)`,
		"after bad": `
			local ch, err = time.after(0)
			assert(ch == nil and err:kind() == "Invalid" and err:message() == "time.after: duration must be > 0")`,
		"select": `
			local silent, soon = channel.new(), time.after("5ms")
			local got = channel.select { silent:case_receive(), soon:case_receive() }
			assert(got.channel == soon and got.ok)`,
		"timer": `
			local t = time.timer("2ms")
			assert(t:channel() == t:response())
			local at, ok = t:channel():receive()
			assert(ok and at:unix() > 0)
			assert(t:stop() == false and t:reset("1ms") == false)
			at, ok = t:channel():receive()
			assert(not ok)`,
		"timer stop": `
			local t = time.timer("1h")
			assert(t:stop() == true)
			local at, ok = t:channel():receive()
			assert(at == nil and ok == false)
			assert(t:stop() == false)`,
		"timer reset": `
			local t = time.timer("1h")
			assert(t:reset("1ms") == true)
			local _, ok = t:channel():receive()
			assert(ok)`,
		"timer bad":  `local t, err = time.timer("-1s") assert(t == nil and err:message() == "time.timer: duration must be > 0")`,
		"ticker bad": `local t, err = time.ticker(0) assert(t == nil and err:message() == "time.ticker: duration must be > 0")`,
		"ticker": `
			local t = time.ticker("2ms")
			assert(t:channel() == t:response())
			local last
			for i = 1, 3 do
				local at, ok = t:channel():receive()
				assert(ok and (not last or at:after(last)))
				last = at
			end
			assert(t:stop() == true)
			local _, ok = t:channel():receive()
			assert(not ok)
			assert(t:stop() == true)`,
		"two tickers": `
			local a, b = time.ticker("2ms"), time.ticker("3ms")
			local n = { [a:channel()] = 0, [b:channel()] = 0 }
			while n[a:channel()] < 2 or n[b:channel()] < 2 do
				local got = channel.select { a:channel():case_receive(), b:channel():case_receive() }
				n[got.channel] = n[got.channel] + 1
			end`,
	})
}

// checkStill runs a program for which time passes only while it waits.
func checkStill(t *testing.T, body string) {
	synctest.Test(t, func(t *testing.T) { newSystem(t).Check(t, body) })
}

// TestTickerDropsWhatNobodyReads lets many more ticks pass than are kept.
func TestTickerDropsWhatNobodyReads(t *testing.T) {
	checkStill(t, `
		local t = time.ticker("1ms")
		time.sleep("60ms")
		local waiting = 0
		while true do
			local got = channel.select { t:channel():case_receive(), default = true }
			if got.default then
				break
			end
			waiting = waiting + 1
		end
		assert(waiting >= 1 and waiting <= 17, waiting)`)
}

// TestManyWaitAtOnce sleeps in many coroutines: they wait together.
func TestManyWaitAtOnce(t *testing.T) {
	checkStill(t, `
		local done = channel.new(0)
		local started = time.now()
		for _ = 1, 100 do
			coroutine.spawn(function() time.sleep("20ms") done:send(true) end)
		end
		for _ = 1, 100 do done:receive() end
		local took = time.now():sub(started)
		assert(took:milliseconds() >= 20 and took:milliseconds() < 30, tostring(took))`)
}
