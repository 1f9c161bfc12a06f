// SPDX-License-Identifier: Apache-2.0

package memory_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/wippy/service/queue"
)

// modelLine is what a queue has to do, in the simplest way: all messages in their order.
type modelLine struct {
	now   time.Duration
	items []*modelItem
}

type modelItem struct {
	text, key string
	taken     bool
	due       time.Duration
	attempt   int
}

// next returns the index of what has to come next, -1 for nothing.
func (m *modelLine) next() int {
	busy := map[string]bool{}
	for _, it := range m.items {
		if it.key != "" && it.taken {
			busy[it.key] = true
		}
	}
	for i, it := range m.items {
		ready := !it.taken && it.due <= m.now
		if ready && !busy[it.key] {
			return i
		}
		if it.key != "" { // those that follow wait for it
			busy[it.key] = true
		}
	}
	return -1
}

// wait lets time pass: messages without a key whose time has come go to the end, in the
// order of their times.
func (m *modelLine) wait(d time.Duration) {
	before := m.now
	m.now += d
	var due []*modelItem
	m.items = slices.DeleteFunc(m.items, func(it *modelItem) bool {
		if it.key == "" && !it.taken && it.due > before && it.due <= m.now {
			due = append(due, it)
			return true
		}
		return false
	})
	slices.SortStableFunc(due, func(a, b *modelItem) int { return int(a.due - b.due) })
	m.items = append(m.items, due...)
}

func (m *modelLine) toEnd(it *modelItem) {
	i := slices.Index(m.items, it)
	m.items = append(slices.Delete(m.items, i, i+1), it)
}

func TestLineModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// A *testing.T itself would be asked for its deadline, which a bubble has none of.
		rapid.Check(struct{ *testing.T }{t}, checkLine)
	})
}

func checkLine(t *rapid.T) {
	d := start(t, "", 1000)
	defer stop(t, d)
	s := consume(t, d, "q")
	model := &modelLine{}
	var taken []*queue.Delivery
	var takenModel []*modelItem
	published := 0
	choose := func(t *rapid.T) (*queue.Delivery, *modelItem) {
		if len(taken) == 0 {
			return nil, nil
		}
		i := rapid.IntRange(0, len(taken)-1).Draw(t, "which")
		delivery, it := taken[i], takenModel[i]
		taken, takenModel = slices.Delete(taken, i, i+1), slices.Delete(takenModel, i, i+1)
		return delivery, it
	}
	t.Repeat(map[string]func(*rapid.T){
		"publish": func(t *rapid.T) {
			published++
			it := &modelItem{text: fmt.Sprint(published), key: rapid.SampledFrom([]string{"", "", "x", "y"}).Draw(t, "key"), attempt: 1}
			m := message(it.text)
			if it.key != "" {
				m = keyed(it.key, it.text)
			}
			publish(t, d, m)
			model.items = append(model.items, it)
		},
		"receive": func(t *rapid.T) {
			got, i := next(t, s), model.next()
			if i < 0 {
				if got != nil {
					t.Fatalf("received %s, want nothing", text(got))
				}
				return
			}
			want := model.items[i]
			if text(got) != want.text || got.Attempt != want.attempt {
				t.Fatalf("received %q, attempt %v, want %+v", text(got), got, want)
			}
			want.taken = true
			taken, takenModel = append(taken, got), append(takenModel, want)
		},
		"ack": func(t *rapid.T) {
			if delivery, it := choose(t); delivery != nil {
				settled(t, delivery.Settler().Ack(t.Context()))
				i := slices.Index(model.items, it)
				model.items = slices.Delete(model.items, i, i+1)
			}
		},
		"retry": func(t *rapid.T) {
			if delivery, it := choose(t); delivery != nil {
				delay := time.Duration(rapid.IntRange(0, 3).Draw(t, "delay")) * time.Second
				settled(t, delivery.Settler().Retry(t.Context(), delay))
				it.taken, it.due, it.attempt = false, model.now+delay, it.attempt+1
				if it.key == "" && delay == 0 {
					model.toEnd(it)
				}
			}
		},
		"return": func(t *rapid.T) {
			if delivery, it := choose(t); delivery != nil {
				settled(t, delivery.Settler().Return(t.Context()))
				it.taken = false
			}
		},
		"wait": func(*rapid.T) {
			<-time.After(time.Second)
			synctest.Wait()
			model.wait(time.Second)
		},
		"": func(t *rapid.T) {
			info, err := d.Info(t.Context(), "q")
			if err != nil || info.Messages != len(model.items)-len(taken) || info.InFlight != len(taken) {
				var all []string
				for _, it := range model.items {
					all = append(all, it.text)
				}
				t.Fatalf("%+v, %v, want %s", info, err, strings.Join(all, " "))
			}
		},
	})
}
