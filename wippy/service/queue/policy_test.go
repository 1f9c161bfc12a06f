// SPDX-License-Identifier: Apache-2.0

package queue_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"pgregory.net/rapid"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/queue"
)

func TestDelaysGrowUpToTheirBound(t *testing.T) {
	p := queue.Policy{Initial: 100 * time.Millisecond, Max: time.Second, Factor: 2, Jitter: 0.1}
	for attempt, want := range []time.Duration{1: 100, 2: 200, 3: 400, 4: 800, 5: 1000, 6: 1000} {
		if attempt == 0 {
			continue
		}
		want *= time.Millisecond
		if got := p.Delay(attempt, 0.5); got != want {
			t.Errorf("attempt %d: %v, want %v", attempt, got, want)
		}
		if low, high := p.Delay(attempt, 0), p.Delay(attempt, 0.999999); low != want*9/10 || high <= want || high > want*11/10 {
			t.Errorf("attempt %d: from %v to %v", attempt, low, high)
		}
	}
	if got := p.Delay(1_000_000, 0.5); got != time.Second {
		t.Errorf("after very many attempts: %v", got)
	}
}

func TestAttemptsAreSpent(t *testing.T) {
	for _, c := range []struct {
		attempts, attempt int
		want              bool
	}{{0, 1, false}, {0, 1 << 30, false}, {1, 1, true}, {3, 2, false}, {3, 3, true}, {3, 4, true}} {
		if got := (queue.Policy{Attempts: c.attempts}).Spent(c.attempt); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}

func TestMessagesGetIdAndTime(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		m := queue.NewMessage(payload.New("x"), nil)
		id, err := uuid.Parse(m.ID)
		if err != nil || id.Version() != 4 || id.Variant() != uuid.RFC4122 || seen[m.ID] {
			t.Fatalf("%s, %v", m.ID, err)
		}
		seen[m.ID] = true
		if at, ok := m.Headers["timestamp"].(int64); !ok || time.Since(time.Unix(at, 0)) > time.Minute {
			t.Fatalf("%v", m.Headers)
		}
	}
	if m := queue.NewMessage(payload.New("x"), map[string]any{"timestamp": int64(5)}); m.Headers["timestamp"] != int64(5) {
		t.Errorf("the publisher's time is %v", m.Headers)
	}
}

func TestDelayIsNeverNegative(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := queue.Policy{
			Initial: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "initial")),
			Max:     time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "max")),
			Factor:  rapid.Float64Range(1, 100).Draw(t, "factor"), Jitter: rapid.Float64Range(0, 1).Draw(t, "jitter"),
		}
		d := p.Delay(rapid.IntRange(1, 1<<30).Draw(t, "attempt"), rapid.Float64Range(0, 0.999).Draw(t, "random"))
		if d < 0 || d > 2*p.Max {
			t.Fatalf("%v", d)
		}
	})
}
