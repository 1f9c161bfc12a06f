// SPDX-License-Identifier: Apache-2.0

package functions_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/functions"
)

// failing answers with each of the outcomes in turn, and counts.
type failing struct {
	outcomes []error
	calls    int
	inputs   []any
}

func (f *failing) call(_ context.Context, task functions.Task, done functions.Done) func() {
	err := f.outcomes[min(f.calls, len(f.outcomes)-1)]
	f.calls++
	if len(task.Input) > 0 {
		f.inputs = append(f.inputs, task.Input[0].Data)
		task.Input[0].Data = "spoilt"
	}
	done(payload.Payload{Data: f.calls}, err)
	return func() {}
}

func retried(t *testing.T, f *failing) *functions.Registry {
	t.Helper()
	r := functions.New()
	if err := r.Intercept(functions.Retry(slices.Clone[[]payload.Payload])); err != nil {
		t.Fatal(err)
	}
	r.Register("app:f", f.call, nil)
	return r
}

func options(pairs ...any) map[string]any {
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		m[pairs[i].(string)] = pairs[i+1]
	}
	return map[string]any{"retry": m}
}

func TestRetryRepeatsWithGrowingDelays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		busy := fault.New(fault.Unavailable, "busy")
		f := &failing{outcomes: []error{busy, busy, busy, nil}}
		began := time.Now()
		out, err := retried(t, f).Call(t.Context(), functions.Task{
			ID: "app:f", Input: []payload.Payload{{Data: "as given"}},
			Options: options("max_attempts", 5.0, "initial_delay", "10ms", "max_delay", 40.0, "jitter", 0.0),
		})
		if err != nil || out.Data != 4 {
			t.Fatalf("Call = %v, %v", out.Data, err)
		}
		if took := time.Since(began); took != 100*time.Millisecond { // 20 + 40 + 40, the last one capped
			t.Errorf("waited %v", took)
		}
		if !slices.Equal(f.inputs, []any{"as given", "as given", "as given", "as given"}) {
			t.Errorf("attempts got %v", f.inputs)
		}
	})
}

func TestRetryChoosesByError(t *testing.T) {
	unavailable := fault.New(fault.Unavailable, "busy")
	for name, c := range map[string]struct {
		err     error
		options map[string]any
		calls   int
	}{
		"a kind that may pass":     {unavailable, options("max_attempts", 3), 3},
		"no kind":                  {errors.New("plain"), options("max_attempts", 3), 3},
		"one attempt":              {unavailable, options("max_attempts", 1), 1},
		"no option":                {unavailable, nil, 1},
		"a fault of the caller":    {fault.New(fault.Invalid, "bad"), options("max_attempts", 3), 1},
		"a broken program":         {fault.New(fault.Internal, "bug"), options("max_attempts", 3), 1},
		"asked for by kind":        {fault.New(fault.Internal, "bug"), options("max_attempts", 3, "retry_kinds", []any{"Internal"}), 3},
		"not one of the kinds":     {unavailable, options("max_attempts", 3, "retry_kinds", []any{"Timeout"}), 1},
		"no kind has a name":       {errors.New("plain"), options("max_attempts", 2, "retry_kinds", []any{"Unknown"}), 2},
		"skipped":                  {unavailable, options("max_attempts", 3, "skip_kinds", []any{"Unavailable"}), 1},
		"skipped wins":             {unavailable, options("max_attempts", 3, "skip_kinds", []any{"Unavailable"}, "retry_kinds", []any{"Unavailable"}), 1},
		"final":                    {fault.New(fault.Unavailable, "gone").Final(), options("max_attempts", 3), 1},
		"cancelled":                {context.Canceled, options("max_attempts", 3), 1},
		"out of time":              {context.DeadlineExceeded, options("max_attempts", 3), 1},
		"useless delays":           {unavailable, options("max_attempts", 2, "initial_delay", "soon", "max_delay", -1.0), 2},
		"attempts are no number":   {unavailable, options("max_attempts", "3"), 1},
		"the option is not a map":  {unavailable, map[string]any{"retry": 3}, 1},
		"attempts as the file has": {unavailable, options("max_attempts", int64(2)), 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &failing{outcomes: []error{c.err}}
				_, err := retried(t, f).Call(t.Context(), functions.Task{ID: "app:f", Options: c.options})
				if !errors.Is(err, c.err) || f.calls != c.calls {
					t.Errorf("%d calls, err %v, want %d calls and %v", f.calls, err, c.calls, c.err)
				}
			})
		})
	}
}

func TestRetryEndsWhenTheCallerIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &failing{outcomes: []error{fault.New(fault.Unavailable, "busy")}}
		outcomes := make(chan error, 2)
		cancel := retried(t, f).CallAsync(t.Context(), functions.Task{ID: "app:f", Options: options("max_attempts", 9, "initial_delay", "1h")},
			func(_ payload.Payload, err error) { outcomes <- err })
		synctest.Wait()
		cancel()
		cancel()
		if err := <-outcomes; fault.KindOf(err) != fault.Canceled {
			t.Errorf("err = %v", err)
		}
		synctest.Wait()
		if f.calls != 1 || len(outcomes) != 0 {
			t.Errorf("%d calls, %d more outcomes", f.calls, len(outcomes))
		}
	})
}

func TestCancelReachesTheAttemptUnderWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := retried(t, &failing{outcomes: []error{nil}})
		stopped := 0
		attempts := 0
		r.Register("app:slow", func(_ context.Context, _ functions.Task, done functions.Done) func() {
			attempts++
			if attempts == 1 {
				done(payload.Payload{}, fault.New(fault.Unavailable, "busy"))
				return func() { t.Error("the first attempt had ended") }
			}
			return func() { stopped++; done(payload.Payload{}, fault.New(fault.Canceled, "stopped")) }
		}, options("max_attempts", 3, "initial_delay", "1ms"))
		var got error
		cancel := r.CallAsync(t.Context(), functions.Task{ID: "app:slow"}, func(_ payload.Payload, err error) { got = err })
		<-time.After(time.Second)
		synctest.Wait()
		cancel()
		synctest.Wait()
		if stopped != 1 || attempts != 2 || fault.KindOf(got) != fault.Canceled {
			t.Errorf("stopped %d of %d attempts, outcome %v", stopped, attempts, got)
		}
	})
}
