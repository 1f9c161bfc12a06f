// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// chanModel says what a channel must do: three first-in first-out queues.
type chanModel struct {
	size      int
	closed    bool
	buffer    []int
	senders   []pendingSend
	receivers []int // coroutine numbers
}

type pendingSend struct{ co, value int }

// settled is what a coroutine's operation came to: the text the program logs.
type modelLog map[int]string

func (m *chanModel) send(co, v int, log modelLog) {
	switch {
	case m.closed:
		log[co] = "raised"
	case len(m.receivers) > 0:
		log[m.receivers[0]] = fmt.Sprintf("%d true", v)
		m.receivers = m.receivers[1:]
		log[co] = "sent"
	case len(m.buffer) < m.size:
		m.buffer = append(m.buffer, v)
		log[co] = "sent"
	default:
		m.senders = append(m.senders, pendingSend{co, v})
	}
}

func (m *chanModel) receive(co int, log modelLog) {
	switch {
	case len(m.buffer) > 0:
		log[co] = fmt.Sprintf("%d true", m.buffer[0])
		m.buffer = m.buffer[1:]
		if len(m.senders) > 0 {
			m.buffer = append(m.buffer, m.senders[0].value)
			log[m.senders[0].co] = "sent"
			m.senders = m.senders[1:]
		}
	case len(m.senders) > 0:
		log[co] = fmt.Sprintf("%d true", m.senders[0].value)
		log[m.senders[0].co] = "sent"
		m.senders = m.senders[1:]
	case m.closed:
		log[co] = "nil false"
	default:
		m.receivers = append(m.receivers, co)
	}
}

func (m *chanModel) close(log modelLog) {
	if m.closed {
		return
	}
	m.closed = true
	for _, co := range m.receivers {
		log[co] = "nil false"
	}
	for _, s := range m.senders {
		log[s.co] = "refused"
	}
	m.receivers, m.senders = nil, nil
}

// TestChannelModel runs random operations, each in a coroutine of its own, against
// the model.
func TestChannelModel(t *testing.T) {
	e := newEngine(t)
	rapid.Check(t, func(rt *rapid.T) {
		m := &chanModel{size: rapid.IntRange(0, 3).Draw(rt, "size")}
		log := modelLog{}
		var src strings.Builder
		fmt.Fprintf(&src, "return function() local ch, log = channel.new(%d), {}\n", m.size)
		n := rapid.IntRange(1, 40).Draw(rt, "operations")
		for i := 1; i <= n; i++ {
			op := rapid.SampledFrom([]string{"send", "send", "receive", "receive", "select send", "select receive", "close"}).Draw(rt, "op")
			switch op {
			case "send":
				m.send(i, i, log)
				fmt.Fprintf(&src, `coroutine.spawn(function() local ok, r, e = pcall(ch.send, ch, %d)
	log[%d] = not ok and "raised" or r and "sent" or "refused" end)`, i, i)
			case "receive":
				m.receive(i, log)
				fmt.Fprintf(&src, `coroutine.spawn(function() local v, ok = ch:receive() log[%d] = tostring(v) .. " " .. tostring(ok) end)`, i)
			case "select send":
				// Without a default only when it is ready: a select that waits
				// to send on a channel that is closed waits for ever.
				if !m.closed && (len(m.receivers) > 0 || len(m.buffer) < m.size) {
					m.send(i, i, log)
				} else {
					log[i] = "default"
				}
				fmt.Fprintf(&src, `coroutine.spawn(function() local r = channel.select{ch:case_send(%d), default = true}
	log[%d] = r.default and "default" or "sent" end)`, i, i)
			case "select receive":
				m.receive(i, log)
				fmt.Fprintf(&src, `coroutine.spawn(function() local r = channel.select{ch:case_receive()}
	log[%d] = tostring(r.value) .. " " .. tostring(r.ok) end)`, i)
			case "close":
				m.close(log)
				src.WriteString("ch:close()")
			}
			src.WriteString(" coroutine.yield()\n")
		}
		fmt.Fprintf(&src, "coroutine.yield() local out = {} for i = 1, %d do out[i] = log[i] or '-' end return table.concat(out, ',') end", n)
		want := make([]string, n)
		for i := range want {
			if want[i] = log[i+1]; want[i] == "" {
				want[i] = "-"
			}
		}
		machine := start(t, e, src.String()).run()
		if machine.err != nil {
			rt.Fatal(machine.err)
		}
		if got := str(machine.result); got != strings.Join(want, ",") {
			rt.Fatalf("got  %s\nwant %s\n%s", got, strings.Join(want, ","), src.String())
		}
	})
}
