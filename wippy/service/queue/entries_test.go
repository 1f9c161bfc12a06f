// SPDX-License-Identifier: Apache-2.0

package queue_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/queue"
	"github.com/wippyrun/kit/wippy/service/queue/memory"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func TestMalformedEntries(t *testing.T) {
	for _, c := range []struct {
		kind       string
		data       any
		path, text string
		errorKind  fault.Kind
	}{
		{queue.KindQueue, object{}, "data.driver", "driver ID is required", fault.Invalid},
		{queue.KindQueue, object{"driver": 5}, "data.driver", "driver must be a string, got a number", fault.Invalid},
		{queue.KindQueue, object{"driver": "none"}, "data.driver", "driver not found", fault.NotFound},
		{queue.KindQueue, object{"driver": "driver", "driver_options": object{"memory": object{"max_length": -1}}}, "data.driver_options.memory.max_length", "max_length must be non-negative", fault.Invalid},
		{queue.KindQueue, object{"driver": "driver", "driver_options": "x"}, "data.driver_options", "driver_options must be a map, got a string", fault.Invalid},
		{queue.KindQueue, object{"driver": "driver", "dead_letter": object{"max_attempts": -1}}, "data.dead_letter.max_attempts", "max_attempts must be non-negative", fault.Invalid},
		{queue.KindQueue, object{"driver": "driver", "dead_letter": object{"queue": "x"}}, "data.dead_letter.queue", "a queue cannot be its own dead-letter queue", fault.Invalid},
		{queue.KindQueue, object{"driver": "driver", "dead_letter": object{"queue": "none"}}, "data.dead_letter.queue", "dead-letter queue not found: app:none", fault.NotFound},
		{queue.KindQueue, "text", "data", "configuration data must be a map, got a string", fault.Invalid},
		{queue.KindConsumer, object{"func": "f"}, "data.queue", "queue is required", fault.Invalid},
		{queue.KindConsumer, object{"queue": "q"}, "data.func", "func is required", fault.Invalid},
		{queue.KindConsumer, object{"queue": "none", "func": "f"}, "data.queue", "queue not found", fault.NotFound},
		{queue.KindConsumer, object{"queue": "q", "func": "f", "concurrency": 1001}, "data.concurrency", "concurrency 1001 exceeds maximum 1000", fault.Invalid},
		{queue.KindConsumer, object{"queue": "q", "func": "f", "prefetch": 10001}, "data.prefetch", "prefetch 10001 exceeds maximum 10000", fault.Invalid},
		{queue.KindConsumer, object{"queue": "q", "func": "f", "concurrency": "many"}, "data.concurrency", "concurrency must be a whole number, got many", fault.Invalid},
		{queue.KindConsumer, object{"queue": "q", "func": "f", "auto_ack": "yes"}, "data.auto_ack", "auto_ack must be true or false, got a string", fault.Invalid},
		{queue.KindConsumer, object{"queue": "q", "func": "f", "retry": object{"max_attempts": -1}}, "data.retry.max_attempts", "max_attempts must be non-negative", fault.Invalid},
		{queue.KindConsumer, object{"queue": "q", "func": "f", "retry": object{"initial_delay": "-1s"}}, "data.retry.initial_delay", "initial_delay must be non-negative", fault.Invalid},
		{queue.KindConsumer, object{"queue": "q", "func": "f", "retry": object{"max_delay": "-1s"}}, "data.retry.max_delay", "max_delay must be non-negative", fault.Invalid},
		{queue.KindConsumer, object{"queue": "q", "func": "f", "retry": object{"backoff_factor": 0.5}}, "data.retry.backoff_factor", "backoff_factor must be at least 1", fault.Invalid},
		{queue.KindConsumer, object{"queue": "q", "func": "f", "retry": object{"jitter": 1.5}}, "data.retry.jitter", "jitter must be between 0 and 1", fault.Invalid},
		{queue.KindConsumer, object{"queue": "q", "func": "f", "retry": object{"jitter": "some"}}, "data.retry.jitter", "jitter must be a number, got some", fault.Invalid},
		{queue.KindConsumer, object{"queue": "q", "func": "f", "lifecycle": 1}, "data.lifecycle", "", fault.Invalid},
		{memory.KindDriver, object{"synchronous": "full"}, "data.synchronous", "synchronous needs a path", fault.Invalid},
		{memory.KindDriver, object{"path": "x", "synchronous": "off"}, "data.synchronous", "synchronous must be full or normal", fault.Invalid},
		{memory.KindDriver, object{"path": true}, "data.path", "path must be a string, got a boolean", fault.Invalid},
		{"queue.driver.carrier_pigeon", object{}, "", "not a queue kind: queue.driver.carrier_pigeon", fault.Invalid},
	} {
		s := newSystem(t, nil)
		s.create(entry("driver", memory.KindDriver, nil), entry("q", queue.KindQueue, object{"driver": "driver"}))
		err := s.Create(t.Context(), registry.Entry{ID: registry.NewID("app", "x"), Kind: c.kind, Data: c.data})
		var field interface{ Field() string }
		if errors.As(err, &field) != (c.path != "") || c.path != "" && field.Field() != c.path || !strings.HasPrefix(text(err), c.text) || fault.KindOf(err) != c.errorKind {
			t.Errorf("%s %v: %v", c.kind, c.data, err)
		}
		if s.staged.services["app:x"] != nil {
			t.Errorf("%s %v: registered", c.kind, c.data)
		}
		if _, err := s.queues.Info(t.Context(), "app:x"); fault.KindOf(err) != fault.NotFound {
			t.Errorf("%s %v: declared", c.kind, c.data)
		}
	}
}

func TestCheckNeedsNoOtherEntries(t *testing.T) {
	s := newSystem(t, nil)
	for _, c := range []struct {
		kind, path string // of the problem, or else of the warning
		data       object
		problem    bool
	}{
		{memory.KindDriver, "data.synchronous", object{"synchronous": "full"}, true},
		{memory.KindDriver, "data.pth", object{"pth": "x", "lifecycle": object{"auto_start": true}}, false},
		{queue.KindQueue, "data.driver", object{}, true},
		{queue.KindQueue, "data.driver_options.memory.max_length", object{"driver": "d", "driver_options": object{"memory": object{"max_length": -1}}}, true},
		{queue.KindQueue, "data.driver_options.memory.length", object{"driver": "d", "driver_options": object{"memory": object{"length": 1}, "sqs": object{"x": 1}}}, false},
		{queue.KindConsumer, "data.func", object{"queue": "q"}, true},
		{queue.KindConsumer, "data.prefech", object{"queue": "q", "func": "f", "prefech": 1}, false},
	} {
		warnings, err := s.Check(entry("x", c.kind, c.data))
		var field interface{ Field() string }
		switch {
		case c.problem && (!errors.As(err, &field) || field.Field() != c.path):
			t.Errorf("%s %v: %v", c.kind, c.data, err)
		case !c.problem && (err != nil || len(warnings) != 1 || warnings[0].Path != c.path):
			t.Errorf("%s %v: %+v, %v", c.kind, c.data, warnings, err)
		}
	}
}

func text(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}

func TestUnknownFieldsAreReported(t *testing.T) {
	s := newSystem(t, nil)
	s.create(
		entry("driver", memory.KindDriver, object{"pth": "x"}),
		entry("q", queue.KindQueue, object{"driver": "driver", "lifecycle": object{}, "queue_nam": "x", "driver_options": object{
			"memory": object{"max_lenght": 1}, "amqp": object{"durable": true}, "sqs": object{}, "kafka": object{}}}),
		entry("c", queue.KindConsumer, object{"queue": "q", "func": "f", "concurency": 1, "driver_options": object{"amqp": object{"exclusive": true}}}),
	)
	var paths []string
	for _, w := range s.warnings {
		paths = append(paths, w.Path)
	}
	slices.Sort(paths)
	if want := []string{"data.concurency", "data.driver_options.kafka", "data.driver_options.memory.max_lenght", "data.pth", "data.queue_nam"}; !slices.Equal(paths, want) {
		t.Errorf("%v, want %v", paths, want)
	}
}

func TestConsumerDependsOnItsDriver(t *testing.T) {
	s := newSystem(t, nil)
	s.standard(object{}, object{})
	if got := s.staged.deps["app:c"]; !slices.Equal(got, []string{"app:driver"}) {
		t.Errorf("%v", got)
	}
}

// transaction runs operations as the registry does.
func (s *system) transaction(commit bool, operations ...func(ctx context.Context) error) {
	s.t.Helper()
	ctx := s.t.Context()
	if err := s.Begin(ctx); err != nil {
		s.t.Fatal(err)
	}
	for _, op := range operations {
		if err := op(ctx); err != nil {
			s.t.Fatal(err)
		}
	}
	if !commit {
		if err := s.Discard(ctx); err != nil {
			s.t.Fatal(err)
		}
		return
	}
	if err := s.Commit(ctx); err != nil {
		s.t.Fatal(err)
	}
	s.Committed(ctx)
}

func TestQueueGoesWhenTheTransactionIsCertain(t *testing.T) {
	s := newSystem(t, nil)
	q := entry("q", queue.KindQueue, object{"driver": "driver"})
	s.transaction(true, func(context.Context) error { s.create(entry("driver", memory.KindDriver, nil), q); return nil })
	s.run("app:driver")
	s.publish("m")
	remove := func(ctx context.Context) error { return s.Delete(ctx, q) }
	add := func(ctx context.Context) error { return s.Create(ctx, q) }
	s.transaction(false, remove, add)
	s.transaction(true, remove, add)
	s.transaction(true, func(ctx context.Context) error {
		return s.Update(ctx, q, entry("q", queue.KindQueue, object{"driver": "driver", "dead_letter": object{"max_attempts": 2}}))
	})
	if i := s.info("app:q"); i.Messages != 1 {
		t.Errorf("%+v", i)
	}
	s.transaction(true, remove)
	if _, err := s.queues.Info(t.Context(), "app:q"); !errors.Is(err, queue.ErrQueueNotFound) && fault.KindOf(err) != fault.NotFound {
		t.Errorf("%v", err)
	}
	s.transaction(true, add)
	if i := s.info("app:q"); i.Messages != 0 {
		t.Errorf("its messages are back: %+v", i)
	}
	// One that was declared for nothing leaves nothing.
	other := entry("other", queue.KindQueue, object{"driver": "driver"})
	s.transaction(false, func(ctx context.Context) error { return s.Create(ctx, other) }, func(ctx context.Context) error { return s.Delete(ctx, other) })
	if _, err := s.staged.services["app:driver"].(queue.Driver).Info(t.Context(), "app:other"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("%v", err)
	}
}

func TestQueueMovesToAnotherDriver(t *testing.T) {
	s := newSystem(t, nil)
	q := entry("q", queue.KindQueue, object{"driver": "driver"})
	s.transaction(true, func(context.Context) error {
		s.create(entry("driver", memory.KindDriver, nil), entry("second", memory.KindDriver, nil), q)
		return nil
	})
	s.run("app:driver", "app:second")
	s.publish("m")
	s.transaction(true, func(ctx context.Context) error {
		return s.Update(ctx, q, entry("q", queue.KindQueue, object{"driver": "second"}))
	})
	if i := s.info("app:q"); i.Messages != 0 {
		t.Errorf("%+v", i)
	}
	if _, err := s.staged.services["app:driver"].(queue.Driver).Info(t.Context(), "app:q"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("the old driver has it still: %v", err)
	}
}

func TestDriverOfADiscardedTransaction(t *testing.T) {
	s := newSystem(t, nil)
	driver := entry("driver", memory.KindDriver, nil)
	s.transaction(true, func(context.Context) error {
		s.create(driver, entry("q", queue.KindQueue, object{"driver": "driver"}))
		return nil
	})
	s.run("app:driver") // and it goes on
	s.publish("m")
	other := entry("driver", memory.KindDriver, object{"lifecycle": object{"auto_start": true}})
	s.transaction(false,
		func(ctx context.Context) error { return s.Update(ctx, driver, other) },
		func(ctx context.Context) error { return s.Update(ctx, other, driver) })
	if i := s.info("app:q"); i.Messages != 1 {
		t.Errorf("%+v", i)
	}
	s.transaction(true, func(ctx context.Context) error { return s.Update(ctx, driver, other) })
	if _, err := s.queues.Info(t.Context(), "app:q"); !errors.Is(err, queue.ErrDown) {
		t.Errorf("the new driver has not started: %v", err)
	}
	if err := s.Delete(t.Context(), driver); fault.KindOf(err) != fault.Conflict || err.Error() != "queue app:q uses the driver" {
		t.Errorf("%v", err)
	}
}

func TestInterceptors(t *testing.T) {
	s := newSystem(t, nil)
	s.standard(object{}, object{})
	s.run("app:driver")
	var order []string
	add := func(name string, at int) {
		t.Helper()
		err := s.queues.Intercept(queue.Interceptor{Name: name, Order: at, Wrap: func(next queue.PublishFunc) queue.PublishFunc {
			return func(ctx context.Context, id string, m *queue.Message) error {
				order = append(order, name)
				if m.Body.Data == "refused by "+name {
					return errors.New(name)
				}
				return next(ctx, id, m)
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	add("late", 100)
	add("early", 20)
	if err := s.queues.Intercept(queue.Interceptor{Name: "late"}); fault.KindOf(err) != fault.AlreadyExists {
		t.Errorf("%v", err)
	}
	s.publish("m")
	if err := s.queues.Publish(t.Context(), "app:q", queue.NewMessage(payload.New("refused by early"), nil)); err == nil {
		t.Error("published")
	}
	if done, err := s.queues.TryPublish("app:q", queue.NewMessage(payload.New("m"), nil)); done || err != nil {
		t.Errorf("past the interceptors: %v, %v", done, err)
	}
	if got := strings.Join(order, " "); got != "early late early" || s.info("app:q").Messages != 1 {
		t.Errorf("%s, %+v", got, s.info("app:q"))
	}
}
