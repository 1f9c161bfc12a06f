// SPDX-License-Identifier: Apache-2.0

package scheduler_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/scheduler/schedulertest"
)

var errBoom = errors.New("boom")

// panicky panics in the method it is told to.
type panicky struct{ op string }

func (p panicky) Init(context.Context, string, any) error {
	if p.op == "init" {
		panic(errBoom)
	}
	return nil
}

func (p panicky) Step(_ []scheduler.Event, out *scheduler.Output) error {
	switch p.op {
	case "step":
		panic(errBoom)
	case "handler":
		out.Yield(schedulertest.Command(echoID), 1)
		return nil
	case "nil command":
		out.Yield(nil, 1)
		return nil
	case "upgrade":
		out.Upgrade(func(context.Context) (scheduler.Process, error) { panic(errBoom) }, "", nil)
		return nil
	}
	out.Done("result")
	return nil
}

func (p panicky) Close() {
	if p.op == "close" {
		panic(errBoom)
	}
}

func TestPanicsAreContainedAndReported(t *testing.T) {
	for _, op := range []string{"init", "step", "handler", "nil command", "upgrade", "close", "start hook", "exit hook", "own hook"} {
		t.Run(op, func(t *testing.T) {
			var mu sync.Mutex
			var reports []*scheduler.PanicError
			s := newScheduler(t, scheduler.Config{
				Dispatch: registry(echoID, dispatch.HandlerFunc(
					func(context.Context, dispatch.Command, dispatch.Tag, dispatch.Receiver) error { panic(errBoom) })),
				OnPanic: func(_ *scheduler.Ref, err *scheduler.PanicError) {
					mu.Lock()
					defer mu.Unlock()
					reports = append(reports, err)
					panic("the reporter panics, too")
				},
				Lifecycle: &lifecycle{
					onStart: func(context.Context, *scheduler.Ref) error {
						if op == "start hook" {
							panic(errBoom)
						}
						return nil
					},
					onExit: func(*scheduler.Ref, any, error) {
						if op == "exit hook" {
							panic(errBoom)
						}
					},
				},
			})
			ref, err := s.Submit(t.Context(), panicky{op}, scheduler.SubmitOptions{OnExit: func(any, error) {
				if op == "own hook" {
					panic(errBoom)
				}
			}})
			var result any
			if err == nil {
				result, err = wait(t, ref)
			}
			if strings.HasSuffix(op, " hook") && op != "start hook" {
				if result != "result" || err != nil {
					t.Errorf("the hook changed the outcome to %v, %v", result, err)
				}
			} else {
				var perr *scheduler.PanicError
				if !errors.As(err, &perr) || len(perr.Stack) == 0 || kind(err) != "Internal" {
					t.Fatalf("got %v", err)
				}
				if op != "nil command" && (!errors.Is(err, errBoom) || !strings.Contains(perr.Error(), "boom")) {
					t.Errorf("got %v", err)
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if len(reports) != 1 || s.Stats().Panics != 1 {
				t.Errorf("reported %v, counted %d", reports, s.Stats().Panics)
			}
		})
	}
}

func TestPanicLeavesOthersRunning(t *testing.T) {
	s := newScheduler(t, scheduler.Config{Workers: 1})
	for range 100 {
		bad := submit(t, s, panicky{"step"})
		good := submit(t, s, panicky{"none"})
		if _, err := wait(t, bad); !errors.Is(err, errBoom) {
			t.Errorf("got %v", err)
		}
		if result, err := wait(t, good); result != "result" || err != nil {
			t.Errorf("got %v, %v", result, err)
		}
	}
}

type goexitInClose struct{ stepFunc }

func (goexitInClose) Close() { runtime.Goexit() }

func TestGoexitInCloseOrHookEndsOnlyTheProcess(t *testing.T) {
	s := newScheduler(t, scheduler.Config{Workers: 1})
	done := stepFunc(func(_ []scheduler.Event, out *scheduler.Output) error {
		out.Done("result")
		return nil
	})
	if result, err := wait(t, submit(t, s, goexitInClose{done})); result != "result" || err != nil {
		t.Errorf("got %v, %v", result, err)
	}
	ref := submitOpt(t, s, done, scheduler.SubmitOptions{OnExit: func(any, error) { runtime.Goexit() }})
	if result, err := wait(t, ref); result != "result" || err != nil {
		t.Errorf("got %v, %v", result, err)
	}
	if result, err := wait(t, submit(t, s, panicky{"none"})); result != "result" || err != nil {
		t.Errorf("afterwards: %v, %v", result, err)
	}
}

func TestGoexitInStepEndsOnlyTheProcess(t *testing.T) {
	s := newScheduler(t, scheduler.Config{Workers: 1})
	ref := submit(t, s, stepFunc(func([]scheduler.Event, *scheduler.Output) error {
		runtime.Goexit()
		return nil
	}))
	var perr *scheduler.PanicError
	if _, err := wait(t, ref); !errors.As(err, &perr) {
		t.Errorf("got %v", err)
	}
	if result, err := wait(t, submit(t, s, panicky{"none"})); result != "result" || err != nil {
		t.Errorf("afterwards: %v, %v", result, err)
	}
}
