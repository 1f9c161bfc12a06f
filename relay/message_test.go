// SPDX-License-Identifier: Apache-2.0

package relay_test

import (
	"sync"
	"testing"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

func TestNewMessageCopiesItsPayloads(t *testing.T) {
	for _, n := range []int{0, 1, 2, 5} {
		in := make([]payload.Payload, n)
		for i := range in {
			in[i] = payload.New(i)
		}
		m := relay.NewMessage(relay.PID{}, relay.NewPID("", "h", "u"), "topic", in...)
		for i := range in {
			in[i] = payload.New("overwritten")
		}
		if len(m.Payloads) != n {
			t.Fatalf("%d payloads, want %d", len(m.Payloads), n)
		}
		for i, p := range m.Payloads {
			if p != payload.New(i) {
				t.Errorf("payload %d of %d = %v %v", i, n, p.Format, p.Data)
			}
		}
		if n == 0 && m.Payload() != (payload.Payload{}) {
			t.Errorf("Payload() of none = %v", m.Payload())
		}
		if n > 0 && m.Payload() != payload.New(0) {
			t.Errorf("Payload() = %v", m.Payload())
		}
		m.Release()
	}
}

func TestNewMessagePayloadsHaveNoSpareRoom(t *testing.T) {
	m := relay.NewMessage(relay.PID{}, relay.PID{}, "t", payload.New(1))
	defer m.Release()
	// A spare slot inside the pooled message would be shared with its next user.
	if cap(m.Payloads) != 1 {
		t.Errorf("cap = %d, want 1", cap(m.Payloads))
	}
	m.Payloads = append(m.Payloads, payload.New(2))
	if len(m.Payloads) != 2 || m.Payloads[0] != payload.New(1) {
		t.Errorf("after append: %v", m.Payloads)
	}
}

func TestReleaseTwicePanics(t *testing.T) {
	m := new(relay.Message)
	m.Release()
	defer func() {
		if v := recover(); v != "relay: message released twice" {
			t.Errorf("recovered %v", v)
		}
	}()
	m.Release()
}

func TestReleaseForgetsTheContent(t *testing.T) {
	m := &relay.Message{From: relay.NewPID("", "h", "u"), Topic: "t", Payloads: []payload.Payload{payload.New(1)}, Via: t}
	p := m.Payloads
	m.Release()
	if !m.From.IsZero() || m.Topic != "" || m.Payloads != nil || m.Via != nil {
		t.Errorf("released message still holds %q %q %v", m.From, m.Topic, m.Payloads)
	}
	if p[0] != payload.New(1) {
		t.Error("Release changed a slice that is not its own")
	}
}

func TestMessagesFromThePoolAreSeparateConcurrent(t *testing.T) {
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 2000 {
				a := relay.NewMessage(relay.PID{}, relay.PID{}, "a", payload.New(g))
				b := relay.NewMessage(relay.PID{}, relay.PID{}, "b", payload.New(i))
				if a.Topic != "a" || a.Payload().Data != g || b.Topic != "b" || b.Payload().Data != i {
					t.Errorf("mixed up: %q %v, %q %v", a.Topic, a.Payload().Data, b.Topic, b.Payload().Data)
				}
				a.Release()
				b.Release()
			}
		})
	}
	wg.Wait()
}
