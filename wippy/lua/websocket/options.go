// SPDX-License-Identifier: Apache-2.0

package websocket

import (
	"math"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

const (
	// defaultLimit bounds a message, maxLimit what a program may set.
	defaultLimit = 16 << 20
	maxLimit     = 128 << 20
	// maxThreshold and maxCapacity are what a program may set at most.
	maxThreshold = 100 << 20
	maxCapacity  = 10_000
	// defaultCapacity is the size of the channel: enough that a program which receives steadily seldom waits for its
	// mailbox.
	defaultCapacity = 64
)

// options is what connect was asked for.
type options struct {
	header                              http.Header
	host                                string
	protocols                           []string
	dialTimeout, readTimeout, writeTime time.Duration // 0 for none
	compression                         websocket.CompressionMode
	threshold                           int
	limit                               int64
	capacity                            int
}

var compressions = map[string]websocket.CompressionMode{
	"disabled":            websocket.CompressionDisabled,
	"context_takeover":    websocket.CompressionContextTakeover,
	"no_context_takeover": websocket.CompressionNoContextTakeover,
}

// readOptions reads the options. What is out of range or of another type than it should be is left out.
func readOptions(t *lua.LTable) options {
	o := options{header: http.Header{}, limit: defaultLimit, capacity: defaultCapacity}
	if t == nil {
		return o
	}
	t = engine.Unwrap(t)
	if headers, ok := t.RawGetString("headers").(*lua.LTable); ok {
		engine.Unwrap(headers).ForEach(func(k, v lua.LValue) {
			name, isText := k.(lua.LString)
			value, isText2 := v.(lua.LString)
			switch {
			case !isText || !isText2:
			case strings.EqualFold(string(name), "Host"):
				o.host = string(value)
			default:
				o.header.Set(string(name), string(value))
			}
		})
	}
	if list, ok := t.RawGetString("protocols").(*lua.LTable); ok {
		list = engine.Unwrap(list)
		for i := 1; i <= list.Len(); i++ {
			if s, ok := list.RawGetInt(i).(lua.LString); ok {
				o.protocols = append(o.protocols, string(s))
			}
		}
	}
	o.dialTimeout = duration(t.RawGetString("dial_timeout"))
	o.readTimeout = duration(t.RawGetString("read_timeout"))
	o.writeTime = duration(t.RawGetString("write_timeout"))
	switch v := t.RawGetString("compression").(type) {
	case lua.LNumber:
		if v == 0 || v == 1 || v == 2 {
			o.compression = websocket.CompressionMode(v)
		}
	case lua.LString:
		o.compression = compressions[string(v)]
	}
	if n, ok := within(t.RawGetString("compression_threshold"), 0, maxThreshold); ok {
		o.threshold = n
	}
	if n, ok := within(t.RawGetString("read_limit"), 1, maxLimit); ok {
		o.limit = int64(n)
	}
	if n, ok := within(t.RawGetString("channel_capacity"), 1, maxCapacity); ok {
		o.capacity = n
	}
	return o
}

// within reads a number between two others.
func within(v lua.LValue, least, most int) (int, bool) {
	n, ok := v.(lua.LNumber)
	if !ok || float64(n) < float64(least) || float64(n) > float64(most) {
		return 0, false
	}
	return int(n), true
}

// duration reads a time: a number of milliseconds or a text.
func duration(v lua.LValue) time.Duration {
	switch v := v.(type) {
	case lua.LNumber:
		if d := float64(v) * float64(time.Millisecond); d > 0 && d < math.MaxInt64 {
			return time.Duration(d)
		}
	case lua.LString:
		if d, err := time.ParseDuration(string(v)); err == nil && d > 0 {
			return d
		}
	}
	return 0
}
