// SPDX-License-Identifier: Apache-2.0

package factory_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/system/factory"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// process is a process that does nothing.
type process struct{ name string }

func (*process) Init(context.Context, string, any) error         { return nil }
func (*process) Step([]scheduler.Event, *scheduler.Output) error { return nil }
func (*process) Close()                                          {}

func makes(name, method string) factory.Factory {
	return func(context.Context, factory.Request) (scheduler.Process, string, error) {
		return &process{name}, method, nil
	}
}

func TestNewMakesAProcess(t *testing.T) {
	r := factory.New()
	pid := relay.NewPID("", "app:h", "1")
	var got factory.Request
	r.Register("app:worker", func(_ context.Context, req factory.Request) (scheduler.Process, string, error) {
		got = req
		return &process{"w"}, "run", nil
	})
	p, method, err := r.New(t.Context(), "app:worker", factory.Request{PID: pid})
	if err != nil || method != "run" || p.(*process).name != "w" {
		t.Errorf("New: %v, %q, %v", p, method, err)
	}
	if got.ID != "app:worker" || got.PID != pid {
		t.Errorf("request %+v", got)
	}
	if !r.Has("app:worker") || r.Len() != 1 {
		t.Error("Has or Len is wrong")
	}
}

func TestUnknownFactory(t *testing.T) {
	r := factory.New()
	r.Register("a", makes("a", ""))
	if !r.Unregister("a") || r.Unregister("a") || r.Has("a") {
		t.Error("Unregister must report whether there was one")
	}
	_, _, err := r.New(t.Context(), "a", factory.Request{})
	if !errors.Is(err, factory.ErrNotFound) || err.Error() != "factory not found" || fault.KindOf(err) != fault.NotFound ||
		fault.DetailsOf(err)["factory_id"] != "a" {
		t.Errorf("error %v %v", err, fault.DetailsOf(err))
	}
}

func TestFailedFactoryKeepsTheKind(t *testing.T) {
	r := factory.New()
	cause := fault.New(fault.Unavailable, "no memory").Transient()
	r.Register("a", func(context.Context, factory.Request) (scheduler.Process, string, error) {
		return &process{}, "x", cause
	})
	r.Register("b", func(context.Context, factory.Request) (scheduler.Process, string, error) { return nil, "x", nil })
	p, method, err := r.New(t.Context(), "a", factory.Request{})
	if p != nil || method != "" || !errors.Is(err, factory.ErrFailed) || !errors.Is(err, cause) ||
		err.Error() != "failed to create process: no memory" || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("New: %v, %q, %v", p, method, err)
	}
	if retryable, known := fault.RetryableOf(err); !retryable || !known {
		t.Error("the retry flag of the cause is lost")
	}
	if _, _, err := r.New(t.Context(), "b", factory.Request{}); !errors.Is(err, factory.ErrFailed) || fault.KindOf(err) != fault.Internal {
		t.Errorf("a factory that makes nothing: %v", err)
	}
}

func TestPanicIsAnError(t *testing.T) {
	r := factory.New()
	r.Register("a", func(context.Context, factory.Request) (scheduler.Process, string, error) { panic("oh") })
	p, _, err := r.New(t.Context(), "a", factory.Request{})
	stack, _ := fault.DetailsOf(err)["stack"].(string)
	if p != nil || !errors.Is(err, factory.ErrFailed) || !strings.Contains(err.Error(), "oh") || !strings.Contains(stack, "factory_test.go") {
		t.Errorf("New: %v, %v", p, err)
	}
	defer func() {
		if v := recover(); v != "factory: nil factory for x" {
			t.Errorf("registering nil: %v", v)
		}
	}()
	r.Register("x", nil)
}

func TestReplacedWhileMakingConcurrentSafe(t *testing.T) {
	r := factory.New()
	entered, release := make(chan struct{}), make(chan struct{})
	r.Register("a", func(context.Context, factory.Request) (scheduler.Process, string, error) {
		close(entered)
		<-release
		return &process{"old"}, "", nil
	})
	var wg sync.WaitGroup
	wg.Go(func() {
		if p, _, err := r.New(t.Context(), "a", factory.Request{}); err != nil || p.(*process).name != "old" {
			t.Errorf("New: %v, %v", p, err)
		}
	})
	<-entered
	r.Register("a", makes("new", ""))
	if p, _, err := r.New(t.Context(), "a", factory.Request{}); err != nil || p.(*process).name != "new" {
		t.Errorf("New after the change: %v, %v", p, err)
	}
	close(release)
	wg.Wait()
}
