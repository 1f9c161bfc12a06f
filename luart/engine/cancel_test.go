// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"context"
	"errors"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// held is a command that waits until it is cancelled, or completes at once.
type held struct {
	now       bool
	cancelled chan string
	name      string
}

func (*held) CommandID() dispatch.CommandID { return 201 }
func (h *held) Cancel()                     { h.cancelled <- h.name }

func TestOpenCommandsAreCancelledWhenTheProcessEnds(t *testing.T) {
	cancelled, waiting := make(chan string, 3), make(chan struct{}, 3)
	reg := dispatch.NewRegistry()
	reg.Register("test", 201, dispatch.HandlerFunc(func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
		if cmd.(*held).now {
			r.CompleteYield(tag, nil, nil)
		} else {
			waiting <- struct{}{}
		}
		return nil
	}))
	reg.Freeze()
	e := engine.New()
	err := e.Register(engine.Module{Name: "held", Build: func(b *engine.Builder) error {
		b.Func("wait", func(L *lua.LState) int {
			return engine.Yield(L, &held{name: "waiting", cancelled: cancelled}, nil)
		})
		b.Func("done", func(L *lua.LState) int {
			return engine.Yield(L, &held{now: true, name: "completed", cancelled: cancelled}, nil)
		})
		b.Func("start", func(L *lua.LState) int {
			engine.Start(L, &held{name: "started", cancelled: cancelled}, nil)
			return 0
		})
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	e.Seal()
	prog, err := e.Link(engine.ProgramSpec{ID: "app:p", Modules: []string{"held"}, Source: "return {main = function() held.done() held.start() held.wait() end}"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := scheduler.New(scheduler.Config{Workers: 1, Dispatch: reg})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	defer s.Stop(context.Background())
	ref, err := s.Submit(t.Context(), e.NewProcess(engine.ProcessOptions{Program: prog}), scheduler.SubmitOptions{})
	if err != nil {
		t.Fatal(err)
	}
	<-waiting
	<-waiting
	if err := ref.Terminate(); err != nil {
		t.Fatal(err)
	}
	if _, err := ref.Wait(t.Context()); !errors.Is(err, scheduler.ErrTerminated) {
		t.Errorf("ended with %v", err)
	}
	got := map[string]bool{<-cancelled: true, <-cancelled: true}
	if !got["waiting"] || !got["started"] || len(cancelled) > 0 {
		t.Errorf("cancelled %v", got)
	}
}
