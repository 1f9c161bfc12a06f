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
