// SPDX-License-Identifier: Apache-2.0

package time

import (
	"strconv"
	"sync/atomic"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/owned"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/clock"
)

// sleep implements time.sleep(d). A sleep of no time still lets others run.
func sleep(L *lua.LState) int {
	d, err := duration(L.Get(1))
	if err != nil {
		return engine.PushError(L, err)
	}
	return engine.Yield(L, &clock.Sleep{For: d}, func(*lua.LState, any, error) []lua.LValue { return nil })
}

// positive reads the duration argument of the function what.
func positive(L *lua.LState, n int, what string) (time.Duration, error) {
	d, err := duration(L.Get(n))
	if err == nil && d <= 0 {
		err = invalid(what + ": duration must be > 0")
	}
	return d, err
}

// timer is the value behind Timer objects.
type timer struct {
	wait    *clock.TimerWait
	channel *engine.Channel
}

// startTimer arms a timer whose channel gets one Time and is then closed.
func (m *module) startTimer(L *lua.LState, d time.Duration) *timer {
	t := &timer{wait: &clock.TimerWait{After: d}, channel: engine.From(L).NewChannel(1)}
	engine.Start(L, t.wait, func(_ *engine.Process, data any, err error) {
		if err == nil {
			t.channel.TrySend(m.times.New(data))
		}
		t.channel.Close()
	})
	return t
}

// after implements time.after(d).
func (m *module) after(L *lua.LState) int {
	d, err := positive(L, 1, "time.after")
	if err != nil {
		return engine.PushError(L, err)
	}
	L.Push(m.startTimer(L, d).channel.Value())
	return 1
}

// timer implements time.timer(d).
func (m *module) timer(L *lua.LState) int {
	d, err := positive(L, 1, "time.timer")
	if err != nil {
		return engine.PushError(L, err)
	}
	L.Push(m.timers.New(m.startTimer(L, d)))
	return 1
}

func checkTimer(L *lua.LState) *timer { return engine.Check[*timer](L, 1, "timer") }

var timerMethods = map[string]lua.LGFunction{
	"response": timerChannel,
	"channel":  timerChannel,
	"stop": func(L *lua.LState) int {
		return engine.Yield(L, &clock.TimerStop{Timer: checkTimer(L).wait}, nil)
	},
	"reset": func(L *lua.LState) int {
		t := checkTimer(L)
		d, err := positive(L, 2, "timer:reset")
		if err != nil {
			L.RaiseError("%s", err.Error())
		}
		return engine.Yield(L, &clock.TimerReset{Timer: t.wait, After: d}, nil)
	},
}

func timerChannel(L *lua.LState) int {
	L.Push(checkTimer(L).channel.Value())
	return 1
}

// tickerBuffer is how many ticks wait for their process; further ones are dropped.
const tickerBuffer = 16

// ticker is the value behind Ticker objects. Ticks travel as messages on a topic of their own.
type ticker struct {
	module  *module
	channel *engine.Channel
	waiting atomic.Int32 // ticks sent and not received
	stop    func()
}

// tick is the payload of such a message; it turns into a Time when it is received.
type tick struct {
	ticker *ticker
	at     time.Time
}

// LuaValue implements engine.LuaValuer.
func (t tick) LuaValue() lua.LValue {
	t.ticker.waiting.Add(-1)
	return t.ticker.module.times.New(t.at)
}

// topics numbers the topics of tickers.
var topics atomic.Uint64

// ticker implements time.ticker(d).
func (m *module) ticker(L *lua.LState) int {
	d, err := positive(L, 1, "time.ticker")
	if err != nil {
		return engine.PushError(L, err)
	}
	p := engine.From(L)
	topic := "@tick/" + strconv.FormatUint(topics.Add(1), 10)
	t := &ticker{module: m, channel: p.NewChannel(0)}
	if err := p.Subscribe(topic, t.channel, engine.Raw); err != nil {
		return engine.PushError(L, err)
	}
	pid := p.PID()
	timer := m.clock.Every(d, func(now time.Time) {
		if t.waiting.Add(1) > tickerBuffer {
			t.waiting.Add(-1)
			return
		}
		msg := relay.NewMessage(relay.PID{}, pid, topic, payload.Payload{Format: payload.Go, Data: tick{t, now}})
		if m.send(msg) != nil { // the process is gone, and the ticker presently
			t.waiting.Add(-1)
			msg.Release()
		}
	})
	release := owned.Add(p, func() { timer.Stop() })
	t.stop = func() {
		release()
		timer.Stop()
		t.channel.Close()
	}
	L.Push(m.tickers.New(t))
	return 1
}

func checkTicker(L *lua.LState) *ticker { return engine.Check[*ticker](L, 1, "ticker") }

var tickerMethods = map[string]lua.LGFunction{
	"response": tickerChannel,
	"channel":  tickerChannel,
	"stop": func(L *lua.LState) int {
		checkTicker(L).stop()
		L.Push(lua.LTrue)
		return 1
	},
}

func tickerChannel(L *lua.LState) int {
	L.Push(checkTicker(L).channel.Value())
	return 1
}
