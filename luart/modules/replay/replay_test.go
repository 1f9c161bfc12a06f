// SPDX-License-Identifier: Apache-2.0

package replay_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/replay"
	"github.com/wippyrun/kit/luart/modules/replay/replaytest"
)

// counter is a module whose function next() is different every time.
func counter(record replay.Recorder) engine.Module {
	n := 0
	return engine.Module{Name: "counter", Build: func(b *engine.Builder) error {
		b.Func("next", func(L *lua.LState) int {
			return record.Bytes(L, "count", func() ([]byte, error) { n++; return fmt.Append(nil, n), nil })
		})
		b.Func("fail", func(L *lua.LState) int {
			return record.Bytes(L, "count", func() ([]byte, error) { return nil, errors.New("out of numbers") })
		})
		return nil
	}}
}

const twice = `return counter.next() .. " " .. counter.next()`

func TestValuesAreRepeatedWhenAProgramRunsAgain(t *testing.T) {
	var h replaytest.History
	m := counter(h.Record)
	for range 2 {
		if got, err := h.Run(t, m, twice); err != nil || got != lua.LString("1 2") {
			t.Errorf("%v, %v", got, err)
		}
	}
	if len(h.Values) != 2 {
		t.Errorf("%d values in the history", len(h.Values))
	}
}

func TestValuesAreMadeAtOnceWithoutHistory(t *testing.T) {
	other := &replaytest.History{Other: true}
	for name, m := range map[string]engine.Module{"no recorder": counter(nil), "another process": counter(other.Record)} {
		t.Run(name, func(t *testing.T) {
			for _, want := range []lua.LString{"1 2", "3 4"} {
				if got, err := other.Run(t, m, twice); err != nil || got != want {
					t.Errorf("%v, %v; want %s", got, err, want)
				}
			}
		})
	}
	if len(other.Values) != 0 {
		t.Errorf("%d values in the history", len(other.Values))
	}
}

func TestFailuresAreErrorObjects(t *testing.T) {
	const body = `local v, err = counter.fail() assert(v == nil and err:kind() == "Internal") return err:message()`
	var kept replaytest.History
	for name, c := range map[string]struct {
		h    *replaytest.History
		want string
	}{
		"at once":      {&replaytest.History{Other: true}, "out of numbers"},
		"recorded":     {&kept, "out of numbers"},
		"lost history": {&replaytest.History{Err: errors.New("no history")}, "no history"},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := c.h.Run(t, counter(c.h.Record), body); err != nil || got != lua.LString(c.want) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

// TestLabelIsForTheHost checks that programs see the cause's own text and the host what was being done as well.
func TestLabelIsForTheHost(t *testing.T) {
	h := &replaytest.History{Other: true}
	_, err := h.Run(t, counter(h.Record), `local _, err = counter.fail() error(err)`)
	var e *engine.Error
	if !errors.As(err, &e) || e.Message() != "out of numbers" {
		t.Fatalf("%v", err)
	}
	if cause := errors.Unwrap(e); cause == nil || !strings.HasPrefix(cause.Error(), "count: ") {
		t.Errorf("the cause is %v", cause)
	}
}
