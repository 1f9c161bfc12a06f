// SPDX-License-Identifier: Apache-2.0

package queue_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/queue"
	"github.com/wippyrun/kit/wippy/service/queue/memory"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// staged is a supervisor that only takes note.
type staged struct {
	services map[string]supervisor.Service
	deps     map[string][]string
	removed  []string
}

func (s *staged) Register(id string, service supervisor.Service, _ supervisor.Lifecycle, deps []string) error {
	s.services[id], s.deps[id] = service, deps
	return nil
}

func (s *staged) Remove(id string) error {
	s.removed = append(s.removed, id)
	return nil
}

// handler is the function app:f of a test.
type handler func(ctx context.Context, d *queue.Delivery) (any, error)

// system is a listener with what it works with.
type system struct {
	*queue.Listener
	t        *testing.T
	queues   *queue.Queues
	staged   *staged
	log      bytes.Buffer
	warnings []fields.Warning

	mu      sync.Mutex // guards handled
	handled []string   // text and attempt of what app:f was called with
}

func newSystem(t *testing.T, f handler) *system {
	s := &system{t: t, queues: queue.New(), staged: &staged{services: map[string]supervisor.Service{}, deps: map[string][]string{}}}
	calls := functions.New()
	calls.Register("app:f", func(_ context.Context, task functions.Task, done functions.Done) func() {
		ctx, cancel := context.WithCancel(context.Background())
		d, ok := queue.Current.Get(task.Frame)
		if !ok {
			t.Error("no delivery in the frame")
		}
		s.mu.Lock()
		s.handled = append(s.handled, fmt.Sprint(task.Input[0].Data, "/", d.Attempt))
		s.mu.Unlock()
		go func() {
			defer cancel()
			result, err := f(ctx, d)
			done(payload.Payload{Format: payload.Go, Data: result}, err)
		}()
		return cancel
	}, nil)
	s.Listener = queue.NewListener(queue.Deps{
		Queues: s.queues, Functions: calls, Supervisor: s.staged,
		Log:     slog.New(slog.NewTextHandler(&s.log, nil)),
		Warn:    func(_ registry.Entry, w []fields.Warning) { s.warnings = append(s.warnings, w...) },
		Drivers: []queue.Kind{memory.Kind(t.TempDir(), payload.NewDefault())},
	})
	return s
}

func entry(name, kind string, data map[string]any) registry.Entry {
	return registry.Entry{ID: registry.NewID("app", name), Kind: kind, Data: data}
}

type object = map[string]any

func (s *system) create(entries ...registry.Entry) {
	s.t.Helper()
	for _, e := range entries {
		if err := s.Create(s.t.Context(), e); err != nil {
			s.t.Fatal(err)
		}
	}
}

// run starts services and stops them with the test, last first.
func (s *system) run(ids ...string) {
	s.t.Helper()
	for _, id := range ids {
		service := s.staged.services[id]
		if _, err := service.Start(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			if err := service.Stop(ctx); err != nil {
				s.t.Error(err)
			}
		})
	}
}

// standard declares a driver, a dead-letter queue, a queue and its consumer.
func (s *system) standard(queueData, consumerData object) {
	queueData["driver"] = "driver"
	consumerData["queue"], consumerData["func"] = "q", "f"
	s.create(entry("driver", memory.KindDriver, nil), entry("dead", queue.KindQueue, object{"driver": "driver"}),
		entry("q", queue.KindQueue, queueData), entry("c", queue.KindConsumer, consumerData))
}

func (s *system) publish(texts ...string) {
	s.t.Helper()
	for _, text := range texts {
		if err := s.queues.Publish(s.t.Context(), "app:q", queue.NewMessage(payload.New(text), nil)); err != nil {
			s.t.Fatal(err)
		}
	}
}

// calledWith waits until nothing happens any more and compares.
func (s *system) calledWith(want ...string) {
	s.t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := strings.Join(s.handled, " "); got != strings.Join(want, " ") {
		s.t.Errorf("called with %s, want %s", got, strings.Join(want, " "))
	}
}

func (s *system) info(id string) queue.Info {
	s.t.Helper()
	i, err := s.queues.Info(s.t.Context(), id)
	if err != nil {
		s.t.Error(err)
	}
	return i
}

func bubble(t *testing.T, test func(t *testing.T)) { synctest.Test(t, test) }

func TestOutcomesSettle(t *testing.T) {
	for name, c := range map[string]struct {
		result any
		err    error
		again  bool
	}{
		"nothing": {nil, nil, false}, "true": {true, nil, false}, "zero": {0, nil, false}, "text": {"false", nil, false},
		"false": {false, nil, true}, "error": {nil, errors.New("no"), true}, "error with value": {true, errors.New("no"), true},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := newSystem(t, func(_ context.Context, d *queue.Delivery) (any, error) {
					if d.Attempt > 1 {
						return nil, nil
					}
					return c.result, c.err
				})
				s.standard(object{}, object{"retry": object{"initial_delay": "1s", "jitter": 0}})
				s.run("app:driver", "app:c")
				s.publish("m")
				s.calledWith("m/1")
				<-time.After(time.Second)
				if c.again {
					s.calledWith("m/1", "m/2")
				} else {
					s.calledWith("m/1")
				}
				if i := s.info("app:q"); i.Messages != 0 || i.InFlight != 0 {
					t.Errorf("%+v", i)
				}
			})
		})
	}
}

func TestUnknownFunctionKeepsTheMessage(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSystem(t, nil)
		s.standard(object{}, object{})
		s.create(entry("other", queue.KindConsumer, object{"queue": "q", "func": "nothing"}))
		s.run("app:driver", "app:other")
		s.publish("m")
		synctest.Wait()
		if i := s.info("app:q"); i.Messages != 1 || !strings.Contains(s.log.String(), "no handler registered") {
			t.Errorf("%+v %s", i, s.log.String())
		}
	})
}

func TestSettledOnce(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var kept *queue.Delivery
		s := newSystem(t, func(ctx context.Context, d *queue.Delivery) (any, error) {
			kept = d
			for i, err := range []error{d.Ack(ctx), d.Nack(ctx), d.Ack(ctx)} {
				if i == 0 && err != nil || i > 0 && !errors.Is(err, queue.ErrSettled) {
					t.Errorf("call %d: %v", i, err)
				}
			}
			return nil, errors.New("too late")
		})
		s.standard(object{}, object{})
		s.run("app:driver", "app:c")
		s.publish("m")
		<-time.After(time.Hour)
		s.calledWith("m/1")
		for _, err := range []error{kept.Released(), kept.Ack(t.Context()), kept.Nack(t.Context())} {
			if !errors.Is(err, queue.ErrReleased) {
				t.Errorf("afterwards: %v", err)
			}
		}
	})
}

func TestNackByTheFunction(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSystem(t, func(ctx context.Context, d *queue.Delivery) (any, error) {
			if d.Attempt == 1 {
				return nil, d.Nack(ctx)
			}
			return nil, nil
		})
		s.standard(object{}, object{"retry": object{"initial_delay": "5s", "jitter": 0}})
		s.run("app:driver", "app:c")
		s.publish("m")
		<-time.After(5*time.Second - 1)
		s.calledWith("m/1")
		<-time.After(1)
		s.calledWith("m/1", "m/2")
	})
}

func TestDeadLetters(t *testing.T) {
	for name, c := range map[string]struct {
		queue, consumer object
		attempts        int
	}{
		"limit of the queue":    {object{"dead_letter": object{"queue": "dead", "max_attempts": 2}}, object{}, 2},
		"limit of the consumer": {object{"dead_letter": object{"queue": "app:dead", "max_attempts": 2}}, object{"retry": object{"max_attempts": 3}}, 3},
		"no limit given":        {object{"dead_letter": object{"queue": "dead"}}, object{}, 5},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T) {
				s := newSystem(t, func(context.Context, *queue.Delivery) (any, error) { return nil, errors.New("no way") })
				s.standard(c.queue, c.consumer)
				s.run("app:driver", "app:c")
				s.publish("m")
				<-time.After(time.Minute)
				var want []string
				for i := range c.attempts {
					want = append(want, fmt.Sprint("m/", i+1))
				}
				s.calledWith(want...)
				if q, dead := s.info("app:q"), s.info("app:dead"); q.Messages+q.InFlight != 0 || dead.Messages != 1 {
					t.Fatalf("%+v, %+v", q, dead)
				}
				driver := s.staged.services["app:driver"].(queue.Driver)
				sub, err := driver.Consume(t.Context(), "app:dead", queue.ConsumeOptions{})
				if err != nil {
					t.Fatal(err)
				}
				d, err := sub.Receive(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				h := d.Headers()
				if at, ok := h["x_dead_letter_time"].(int64); !ok || at > time.Now().Unix() || h["x_original_queue"] != "app:q" ||
					h["x_dead_letter_reason"] != "no way" || h["attempts"] != int64(c.attempts) || h["timestamp"] == nil {
					t.Errorf("headers %v", h)
				}
				if d.Message.Body.Data != "m" || d.Attempt != 1 {
					t.Errorf("%+v", d)
				}
			})
		})
	}
}

func TestAttemptsWithoutDeadLetterQueue(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSystem(t, func(context.Context, *queue.Delivery) (any, error) { return nil, errors.New("no way") })
		s.standard(object{}, object{"retry": object{"max_attempts": 2}})
		s.run("app:driver", "app:c")
		s.publish("precious")
		<-time.After(time.Minute)
		s.calledWith("precious/1", "precious/2")
		if log := s.log.String(); !strings.Contains(log, `level=ERROR msg="message given up`) || !strings.Contains(log, "body=precious") {
			t.Error(log)
		}
	})
}

// refusing is a driver that takes no messages for a while.
type refusing struct {
	*memory.Driver
	refuse atomic.Bool
}

func (r *refusing) Publish(ctx context.Context, id string, m *queue.Message) error {
	if r.refuse.Load() {
		return fault.New(fault.Unavailable, "no broker")
	}
	return r.Driver.Publish(ctx, id, m)
}

func TestDeadLettersOfAnotherDriver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSystem(t, func(context.Context, *queue.Delivery) (any, error) { return nil, errors.New("no way") })
		other := &refusing{Driver: memory.New(memory.Options{})}
		other.refuse.Store(true)
		l := queue.NewListener(queue.Deps{Queues: s.queues, Functions: nil, Supervisor: s.staged, Log: slog.Default(),
			Warn:    func(registry.Entry, []fields.Warning) {},
			Drivers: []queue.Kind{{Kind: "queue.driver.other", New: func(registry.Entry, *fields.Reader) queue.Driver { return other }}}})
		for _, e := range []registry.Entry{entry("far", "queue.driver.other", nil), entry("away", queue.KindQueue, object{"driver": "far"})} {
			if err := l.Create(t.Context(), e); err != nil {
				t.Fatal(err)
			}
		}
		s.standard(object{"dead_letter": object{"queue": "away", "max_attempts": 1}}, object{"retry": object{"initial_delay": "1s", "jitter": 0}})
		s.run("app:driver", "app:far", "app:c")
		s.publish("m")
		s.calledWith("m/1")
		if i := s.info("app:q"); i.Messages != 1 || !strings.Contains(s.log.String(), "no broker") {
			t.Errorf("it was lost: %+v %s", i, s.log.String())
		}
		other.refuse.Store(false)
		<-time.After(time.Second)
		s.calledWith("m/1", "m/2")
		if q, away := s.info("app:q"), s.info("app:away"); q.Messages+q.InFlight != 0 || away.Messages != 1 {
			t.Errorf("%+v, %+v", q, away)
		}
	})
}

func TestConcurrencyIsWhatTheEntrySays(t *testing.T) {
	bubble(t, func(t *testing.T) {
		var mu sync.Mutex
		now, most := 0, 0
		s := newSystem(t, func(context.Context, *queue.Delivery) (any, error) {
			mu.Lock()
			now++
			most = max(most, now)
			mu.Unlock()
			<-time.After(100 * time.Millisecond)
			mu.Lock()
			now--
			mu.Unlock()
			return nil, nil
		})
		s.standard(object{}, object{"concurrency": 500})
		s.run("app:driver", "app:c")
		began := time.Now()
		for range 1000 {
			s.publish("m")
		}
		for i := s.info("app:q"); i.Messages+i.InFlight > 0; i = s.info("app:q") {
			<-time.After(time.Millisecond)
		}
		if took := time.Since(began); most != 500 || took > 250*time.Millisecond {
			t.Errorf("%d at once, %v", most, took)
		}
	})
}

func TestStopDrains(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSystem(t, func(ctx context.Context, _ *queue.Delivery) (any, error) {
			select {
			case <-time.After(5 * time.Second):
				return nil, nil
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		})
		s.standard(object{}, object{})
		s.run("app:driver")
		c := s.staged.services["app:c"]
		status, err := c.Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		s.publish("a", "b")
		s.calledWith("a/1")
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		began := time.Now()
		if err := c.Stop(ctx); err != nil || time.Since(began) != 5*time.Second {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		s.calledWith("a/1")
		if i := s.info("app:q"); i != (queue.Info{Messages: 1, Ready: 1}) {
			t.Errorf("%+v", i)
		}
		if detail := <-status; detail != "1 workers at app:q" {
			t.Errorf("%v", detail)
		}
		if v, open := <-status; open {
			t.Errorf("a stop is no failure: %v", v)
		}
	})
}

func TestStopCancelsWhatTakesTooLong(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSystem(t, func(ctx context.Context, d *queue.Delivery) (any, error) {
			if d.Message.Body.Data == "deaf" {
				<-time.After(time.Minute)
				return nil, nil
			}
			<-ctx.Done()
			return nil, ctx.Err()
		})
		s.standard(object{}, object{"concurrency": 2})
		s.run("app:driver")
		c := s.staged.services["app:c"]
		for _, deaf := range []bool{false, true} {
			if _, err := c.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			synctest.Wait() // what is there is called before what comes
			if deaf {
				s.publish("deaf")
			} else {
				s.publish("long")
			}
			synctest.Wait()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			began := time.Now()
			err := c.Stop(ctx)
			took := time.Since(began)
			switch {
			case !deaf && (err != nil || took != 9*time.Second):
				t.Errorf("%v after %v", err, took)
			case deaf && (fault.KindOf(err) != fault.Timeout || took != 10*time.Second):
				t.Errorf("%v after %v", err, took)
			}
		}
		<-time.After(time.Hour) // the deaf one has ended
		// No attempt was counted, and the one that was done in the end is done.
		s.calledWith("long/1", "long/1", "deaf/1")
		if i := s.info("app:q"); i.Messages != 1 || i.InFlight != 0 {
			t.Errorf("%+v", i)
		}
	})
}

func TestConsumerFailsWithItsDriver(t *testing.T) {
	bubble(t, func(t *testing.T) {
		s := newSystem(t, nil)
		s.standard(object{}, object{"concurrency": 3})
		c, driver := s.staged.services["app:c"], s.staged.services["app:driver"]
		if _, err := c.Start(t.Context()); !errors.Is(err, queue.ErrDown) {
			t.Fatalf("without its driver: %v", err)
		}
		if _, err := driver.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		status, err := c.Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		<-status
		if err := driver.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err, _ := (<-status).(error); !errors.Is(err, queue.ErrDown) {
			t.Errorf("%v", err)
		}
		if _, open := <-status; open {
			t.Error("the run goes on")
		}
		if err := c.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
