// SPDX-License-Identifier: Apache-2.0

package amqp_test

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
	"time"

	rabbit "github.com/rabbitmq/amqp091-go"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/queue"
	"github.com/wippyrun/kit/wippy/service/queue/amqp"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

type object = map[string]any

// patience bounds a test that waits for the broker. It is only reached when something is
// broken.
const patience = 2 * time.Minute

// lockedBuffer is a log that several goroutines write.
type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// staged is a supervisor that only takes note.
type staged map[string]supervisor.Service

func (s staged) Register(id string, service supervisor.Service, _ supervisor.Lifecycle, _ []string) error {
	s[id] = service
	return nil
}

func (staged) Remove(string) error { return nil }

// system is the entries of a test with what keeps them.
type system struct {
	*queue.Listener
	t      *testing.T
	queues *queue.Queues
	staged staged
	calls  *functions.Registry
	log    lockedBuffer
}

func newSystem(t *testing.T, url string, options object) *system {
	t.Helper()
	s := &system{t: t, queues: queue.New(), staged: staged{}, calls: functions.New()}
	log := slog.New(slog.NewTextHandler(&s.log, nil))
	s.Listener = queue.NewListener(queue.Deps{Queues: s.queues, Functions: s.calls, Supervisor: s.staged, Log: log,
		Warn:    func(_ registry.Entry, w []fields.Warning) { t.Helper(); warnNothing(t, w) },
		Drivers: []queue.Kind{amqp.Kind(payload.NewDefault(), log)}})
	data := object{"url": url, "reconnect_delay": "20ms", "reconnect_max_delay": "200ms"}
	for k, v := range options {
		data[k] = v
	}
	s.create("driver", amqp.KindDriver, data)
	return s
}

func warnNothing(t *testing.T, w []fields.Warning) {
	if len(w) > 0 {
		t.Errorf("unknown fields: %+v", w)
	}
}

func entry(name, kind string, data object) registry.Entry {
	return registry.Entry{ID: registry.NewID("app", name), Kind: kind, Data: data}
}

func (s *system) create(name, kind string, data object) {
	s.t.Helper()
	if err := s.Create(s.t.Context(), entry(name, kind, data)); err != nil {
		s.t.Fatal(err)
	}
}

// names counts the queues.
var names atomic.Int64

// unique is a name no other test uses, and no other run of this one: when the broker is killed it may forget that a
// message was acknowledged.
func unique(t *testing.T, name string) string {
	return fmt.Sprintf("%s.%s.%d", t.Name(), name, names.Add(1))
}

// queue declares one under a name of its own.
func (s *system) queue(name string, data object) string {
	s.t.Helper()
	at := unique(s.t, name)
	all := object{"driver": "driver", "queue_name": at}
	for k, v := range data {
		all[k] = v
	}
	s.create(name, queue.KindQueue, all)
	return at
}

func (s *system) start(ids ...string) {
	s.t.Helper()
	for _, id := range ids {
		service := s.staged["app:"+id]
		if _, err := service.Start(s.t.Context()); err != nil {
			s.t.Fatal(err)
		}
		s.t.Cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
			defer cancel()
			if err := service.Stop(ctx); err != nil {
				s.t.Errorf("stop %s: %v", id, err)
			}
		})
	}
}

// handle makes f a function.
func (s *system) handle(id string, f func(d *queue.Delivery, body payload.Payload) error) {
	s.calls.Register("app:"+id, func(_ context.Context, task functions.Task, done functions.Done) func() {
		d, _ := queue.Current.Get(task.Frame)
		go func() { done(payload.Payload{}, f(d, task.Input[0])) }()
		return func() {}
	}, nil)
}

func (s *system) publish(id string, body any, headers object) {
	s.t.Helper()
	if err := s.queues.Publish(s.t.Context(), "app:"+id, queue.NewMessage(payload.New(body), headers)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *system) source(id string) queue.Subscription {
	s.t.Helper()
	source, err := s.queues.Consume(s.t.Context(), "app:"+id)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := source.Close(); err != nil {
			s.t.Error(err)
		}
	})
	return source
}

func (s *system) receive(source queue.Subscription) *queue.Delivery {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), patience)
	defer cancel()
	d, err := source.Receive(ctx)
	if err != nil {
		s.t.Fatal(err)
	}
	return d
}

func decoded(t *testing.T, p payload.Payload) any {
	t.Helper()
	q, err := payload.NewDefault().Transcode(p, payload.Go)
	if err != nil {
		t.Fatal(err)
	}
	return q.Data
}

func TestMessagesKeepWhatTheyCarry(t *testing.T) {
	b := startBroker(t)
	if b == nil {
		return
	}
	for _, codec := range []payload.Format{payload.JSON, payload.Msgpack} {
		t.Run(strings.ReplaceAll(string(codec), "/", "-"), func(t *testing.T) {
			s := newSystem(t, b.url(), object{"connection_name": "tests"})
			s.queue("q", object{"codec": string(codec), "driver_options": object{"amqp": object{"queue_expiry": "1h"}}})
			s.start("driver")
			source := s.source("q")
			headers := object{
				"correlation_id": "c", "reply_to": "r", "message_type": "order", "encoding": "identity", "priority": int64(9), "urgent": true,
				"ratio": 1.5, "nothing": nil, "schema": "v1", "amqp.priority": int64(3), "amqp.expiration": "600000", "amqp.x_delay": int64(7),
				"timestamp": int64(1700000000), "partition_key": "p",
			}
			s.publish("q", object{"n": 1.0, "list": []any{"a", true}}, headers)
			d := s.receive(source)
			if got := fmt.Sprint(decoded(t, d.Message.Body)); got != "map[list:[a true] n:1]" || d.Attempt != 1 || len(d.Message.ID) != 36 {
				t.Errorf("%s, %+v", got, d)
			}
			h := d.Headers()
			for name, want := range headers {
				if got, there := h[name]; !there || got != want {
					t.Errorf("%s is %v, want %v", name, got, want)
				}
			}
			want := map[payload.Format]string{payload.JSON: "application/json", payload.Msgpack: "application/msgpack"}[codec]
			if h["content_type"] != want || len(h) != len(headers)+1 {
				t.Errorf("%v", h)
			}
			if err := d.Settler().Ack(t.Context()); err != nil {
				t.Error(err)
			}
			s.publish("q", "plain text", object{"content_type": "text/plain"})
			if d = s.receive(source); d.Message.Body != (payload.Payload{Format: payload.String, Data: "plain text"}) {
				t.Errorf("%+v", d.Message.Body)
			}
			if err := d.Settler().Ack(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestForeignMessages(t *testing.T) {
	b := startBroker(t)
	if b == nil {
		return
	}
	s := newSystem(t, b.url(), nil)
	name := s.queue("q", nil)
	s.start("driver")
	_, ch := b.dial(t)
	table := rabbit.Table{"i": int32(5), "b": []byte("bytes"), "t": rabbit.Table{"deep": int16(1)}, "l": []any{float32(0.5)}, "at": time.Unix(9, 0)}
	if err := ch.Publish("", name, false, false, rabbit.Publishing{Headers: table, Body: []byte(`{"a":1}`), DeliveryMode: rabbit.Transient}); err != nil {
		t.Fatal(err)
	}
	d := s.receive(s.source("q"))
	h := d.Headers()
	if fmt.Sprintln(h["i"], h["b"], h["t"], h["l"], h["at"]) != "5 bytes map[deep:1] [0.5] 9\n" || h["amqp.delivery_mode"] != int64(1) || len(d.Message.ID) != 36 {
		t.Errorf("%v", h)
	}
	if got := fmt.Sprint(decoded(t, d.Message.Body)); got != "map[a:1]" {
		t.Errorf("%s", got)
	}
}

func TestRetriesAndDeadLetters(t *testing.T) {
	b := startBroker(t)
	if b == nil {
		return
	}
	s := newSystem(t, b.url(), nil)
	s.queue("dead", nil)
	s.queue("q", object{"dead_letter": object{"queue": "dead", "max_attempts": 3}})
	attempts := make(chan string, 10)
	s.handle("f", func(d *queue.Delivery, body payload.Payload) error {
		attempts <- fmt.Sprintf("%v %d %v %v", decoded(t, body), d.Attempt, d.Header("attempts"), d.Header("source"))
		if decoded(t, body) == "good" && d.Attempt == 2 {
			return nil
		}
		return errors.New("no way")
	})
	s.create("c", queue.KindConsumer, object{"queue": "q", "func": "f", "retry": object{"initial_delay": "10ms"}})
	s.start("driver", "c")
	s.publish("q", "good", object{"source": "shop"})
	for _, want := range []string{"good 1 <nil> shop", "good 2 2 shop"} {
		if got := <-attempts; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	s.publish("q", "bad", object{"source": "shop"})
	for _, want := range []string{"bad 1 <nil> shop", "bad 2 2 shop", "bad 3 3 shop"} {
		if got := <-attempts; got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	source := s.source("dead")
	d := s.receive(source)
	h := d.Headers()
	if decoded(t, d.Message.Body) != "bad" || d.Attempt != 1 || h["x_original_queue"] != "app:q" || h["x_dead_letter_reason"] != "no way" || h["attempts"] != int64(3) || h["source"] != "shop" {
		t.Errorf("%v, attempt %d", h, d.Attempt)
	}
	// One that fails there too is counted anew.
	if err := d.Settler().Retry(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	if d = s.receive(source); d.Attempt != 2 {
		t.Errorf("attempt %d", d.Attempt)
	}
	// What is held for its next attempt is sent before the consumer ends.
	if err := d.Settler().Retry(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
	if d = s.receive(s.source("dead")); d.Attempt != 3 {
		t.Errorf("attempt %d", d.Attempt)
	}
	if err := d.Settler().Ack(t.Context()); err != nil { // the broker keeps what is left for the next run
		t.Error(err)
	}
}

func TestExpiredMessagesGoToTheDeadLetterQueue(t *testing.T) {
	b := startBroker(t)
	if b == nil {
		return
	}
	s := newSystem(t, b.url(), object{"default_message_ttl": "1ms"})
	s.queue("dead", object{"driver_options": object{"amqp": object{"message_ttl": "1h"}}})
	s.queue("q", object{"dead_letter": object{"queue": "dead"}})
	s.start("driver")
	s.publish("q", "late", object{"amqp.expiration": "1"})
	d := s.receive(s.source("dead"))
	if decoded(t, d.Message.Body) != "late" || !strings.Contains(fmt.Sprint(d.Header("x-death")), "expired") {
		t.Errorf("%v", d.Headers())
	}
}

func TestReturnedMessagesComeAgain(t *testing.T) {
	b := startBroker(t)
	if b == nil {
		return
	}
	s := newSystem(t, b.url(), nil)
	s.queue("q", nil)
	s.start("driver")
	for i := range 5 {
		s.publish("q", fmt.Sprint(i), nil)
	}
	source := s.source("q")
	first := s.receive(source)
	if err := first.Settler().Return(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.receive(source) // is not settled at all
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
	seen := map[any]bool{}
	source = s.source("q")
	for range 5 {
		d := s.receive(source)
		seen[decoded(t, d.Message.Body)] = true
		if err := d.Settler().Ack(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if len(seen) != 5 {
		t.Errorf("%v", seen)
	}
}

func TestAutoAck(t *testing.T) {
	b := startBroker(t)
	if b == nil {
		return
	}
	s := newSystem(t, b.url(), nil)
	s.queue("q", nil)
	handled := make(chan int, 10)
	s.handle("f", func(d *queue.Delivery, _ payload.Payload) error {
		handled <- d.Attempt
		return errors.New("no way")
	})
	s.create("c", queue.KindConsumer, object{"queue": "q", "func": "f", "auto_ack": true, "retry": object{"initial_delay": "1ms"},
		"driver_options": object{"amqp": object{"consumer_tag": "mine", "exclusive": true}}})
	s.start("driver", "c")
	s.publish("q", 1, nil)
	s.publish("q", 2, nil)
	if a, b := <-handled, <-handled; a != 1 || b != 1 {
		t.Errorf("attempts %d, %d", a, b)
	}
	// It is exclusive.
	if _, err := s.queues.Consume(t.Context(), "app:q"); err == nil || !strings.Contains(err.Error(), "exclusive") {
		t.Errorf("%v", err)
	}
	select {
	case <-handled:
		t.Error("it came again")
	default:
	}
}

func TestMandatoryMessages(t *testing.T) {
	b := startBroker(t)
	if b == nil {
		return
	}
	s := newSystem(t, b.url(), nil)
	name := s.queue("q", nil)
	s.start("driver")
	s.publish("q", 1, object{"amqp.mandatory": true})
	_, ch := b.dial(t)
	if _, err := ch.QueueDelete(name, false, false, false); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		err := s.queues.Publish(t.Context(), "app:q", queue.NewMessage(payload.New(1), object{"amqp.mandatory": true}))
		if !errors.Is(err, amqp.ErrReturned) {
			t.Fatalf("%v", err)
		}
	}
}

func TestInfoAndRemoval(t *testing.T) {
	b := startBroker(t)
	if b == nil {
		return
	}
	s := newSystem(t, b.url(), nil)
	name := unique(t, "q")
	data := object{"driver": "driver", "queue_name": name}
	s.create("q", queue.KindQueue, data)
	s.start("driver")
	s.publish("q", 1, nil)
	s.publish("q", 2, nil)
	i, err := s.queues.Info(t.Context(), "app:q")
	if err != nil || i != (queue.Info{Messages: 2, Ready: 2, InFlight: -1}) {
		t.Errorf("%+v, %v", i, err)
	}
	remove := func() {
		t.Helper()
		if err := s.Delete(t.Context(), entry("q", queue.KindQueue, data)); err != nil {
			t.Fatal(err)
		}
		s.Committed(t.Context())
	}
	remove()
	if !strings.Contains(s.log.String(), "a queue was not removed") {
		t.Errorf("with messages in it: %s", s.log.String())
	}
	s.create("q", queue.KindQueue, data)
	source := s.source("q")
	for range 2 {
		if err := s.receive(source).Settler().Ack(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := source.Close(); err != nil {
		t.Fatal(err)
	}
	remove()
	_, ch := b.dial(t)
	if _, err := ch.QueueDeclarePassive(name, true, false, false, false, nil); err == nil {
		t.Error("it is there still")
	}
}

func TestQueueWithOtherArguments(t *testing.T) {
	b := startBroker(t)
	if b == nil {
		return
	}
	_, ch := b.dial(t)
	name := unique(t, "q")
	if _, err := ch.QueueDeclare(name, true, false, false, false, rabbit.Table{"x-max-length": int64(5)}); err != nil {
		t.Fatal(err)
	}
	s := newSystem(t, b.url(), nil)
	s.create("q", queue.KindQueue, object{"driver": "driver", "queue_name": name, "driver_options": object{"amqp": object{"max_length": 9}}})
	s.start("driver")
	s.publish("q", "x", nil)
	if d := s.receive(s.source("q")); decoded(t, d.Message.Body) != "x" || !strings.Contains(s.log.String(), "other arguments") {
		t.Errorf("%+v %s", d, s.log.String())
	}
}
