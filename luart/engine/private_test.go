// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/engine"
)

func TestMessagesOfAnEndedSubscriptionAreDropped(t *testing.T) {
	m := start(t, newEngine(t), `return function() channel.new():receive() end`).run()
	ch := m.p.NewChannel(1)
	if err := m.p.Subscribe("@events/1", ch, engine.Raw); err != nil {
		t.Fatal(err)
	}
	for range 3 { // one fits the channel
		m.send("@events/1", "early")
	}
	m.run()
	if ch.Len() != 1 {
		t.Fatalf("%d values in the channel, want 1", ch.Len())
	}
	ch.Close()
	m.send("@events/1", "late")
	m.send(engine.ControlTopic, "control")
	m.send("topic", "kept")
	m.run()
	var topics []string
	for _, msg := range m.p.TakeMessages() {
		topics = append(topics, msg.Topic)
	}
	if len(topics) != 2 || topics[0] != engine.ControlTopic || topics[1] != "topic" {
		t.Errorf("the process keeps messages of %v", topics)
	}
}

// The last message of a subscription closes its channel, but not before what came earlier was received.
func TestEndOfASubscriptionComesAfterItsMessages(t *testing.T) {
	for _, size := range []int{0, 1, 8} {
		for _, n := range []int{0, 1, 3} {
			checkEnd(t, size, n)
		}
	}
}

func checkEnd(t *testing.T, size, n int) {
	t.Helper()
	m := start(t, newEngine(t), `return function() channel.new():receive() end`).run()
	ch := m.p.NewChannel(size)
	if err := m.p.Subscribe("@feed/1", ch, engine.Raw); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		m.send("@feed/1", i)
	}
	closed := 0
	m.send("@feed/1", &engine.End{Closed: func() { closed++ }})
	m.run()
	for i := range n {
		if v, ok, ready := ch.TryReceive(); !ok || !ready || v.String() != []string{"0", "1", "2"}[i] {
			t.Fatalf("size %d: message %d of %d is %v, %v, %v", size, i, n, v, ok, ready)
		}
	}
	if _, ok, ready := ch.TryReceive(); ok || !ready || !ch.Closed() || closed != 1 {
		t.Errorf("size %d: after %d messages the channel is not closed", size, n)
	}
	m.send("@feed/1", "late")
	m.run()
	if left := m.p.TakeMessages(); len(left) > 0 {
		t.Errorf("the process keeps %d messages", len(left))
	}
}

// Coroutines that wait, plainly or in a select, hear of the end too.
func TestEndOfASubscriptionWakesReceivers(t *testing.T) {
	for _, receive := range []string{
		`local v, ok = ch:receive()`,
		`local r = channel.select({ch:case_receive()}) local v, ok = r.value, r.ok`,
	} {
		m := start(t, newEngine(t), `return function()
			local ch, n = test.listen("@feed/1"), 0
			while true do
				`+receive+`
				if not ok then return n end
				n = n + v
			end
		end`).run()
		m.send("@feed/1", 1)
		m.run()
		m.send("@feed/1", 2)
		m.send("@feed/1", 4)
		m.send("@feed/1", &engine.End{})
		if m.run(); !m.done || m.err != nil || m.result.String() != "7" {
			t.Errorf("%s: done %v with %v, %v", receive, m.done, m.result, m.err)
		}
	}
}
