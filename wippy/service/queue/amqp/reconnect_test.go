// SPDX-License-Identifier: Apache-2.0

package amqp_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	rabbit "github.com/rabbitmq/amqp091-go"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/queue"
	"github.com/wippyrun/kit/wippy/service/queue/amqp"
	"github.com/wippyrun/kit/wippy/system/fault"
)

var restarts = flag.Int("broker.restarts", 1, "how often the broker is killed under load")

func TestBrokerRestartedUnderLoad(t *testing.T) {
	b := startBroker(t)
	if b == nil {
		return
	}
	s := newSystem(t, b.url(), nil)
	s.queue("q", nil)
	var mu sync.Mutex
	handled, times := map[string]int{}, 0
	all := make(chan struct{}, 1)
	s.handle("f", func(d *queue.Delivery, body payload.Payload) error {
		mu.Lock()
		handled[fmt.Sprint(decoded(t, body))]++
		times++
		fifth := times%5 == 0
		mu.Unlock()
		select {
		case all <- struct{}{}:
		default:
		}
		if d.Attempt == 1 && fifth {
			return errors.New("once more")
		}
		return nil
	})
	s.create("c", queue.KindConsumer, object{"queue": "q", "func": "f", "concurrency": 4, "retry": object{"initial_delay": "10ms"}})
	s.start("driver", "c")

	var confirmed, failed atomic.Int64
	var publishers sync.WaitGroup
	stop := make(chan struct{})
	progress := make(chan struct{}, 1)
	accepted := make([][]string, 4)
	for p := range 4 {
		publishers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				body := fmt.Sprintf("%d/%d", p, i)
				err := s.queues.Publish(context.Background(), "app:q", queue.NewMessage(payload.New(body), nil))
				if err != nil {
					again, known := fault.RetryableOf(err)
					if !again || !known || fault.KindOf(err) != fault.Unavailable {
						t.Errorf("publish: %v", err)
						return
					}
					failed.Add(1)
					<-time.After(10 * time.Millisecond) // as a program would
					continue
				}
				accepted[p] = append(accepted[p], body)
				confirmed.Add(1)
				select {
				case progress <- struct{}{}:
				default:
				}
			}
		})
	}
	more := func() {
		for target := confirmed.Load() + 200; confirmed.Load() < target; {
			select {
			case <-progress:
			case <-time.After(patience):
				t.Fatal("nothing is published any more")
			}
		}
	}
	more()
	for range *restarts {
		b.kill()
		if err := b.run(); err != nil {
			t.Fatal(err)
		}
		more()
	}
	close(stop)
	publishers.Wait()
	missing := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		for _, bodies := range accepted {
			for _, body := range bodies {
				if handled[body] == 0 {
					n++
				}
			}
		}
		return n
	}
	for missing() > 0 {
		select {
		case <-all:
		case <-time.After(patience):
			info, err := s.queues.Info(t.Context(), "app:q")
			t.Fatalf("%d of %d confirmed messages were not handled; the queue: %+v, %v; the log:\n%s", missing(), confirmed.Load(), info, err, s.log.String())
		}
	}
	if failed.Load() == 0 || !strings.Contains(s.log.String(), "connected again") {
		t.Errorf("the connection was not lost: %d failures, %s", failed.Load(), s.log.String())
	}
	mu.Lock()
	defer mu.Unlock()
	t.Logf("%d messages confirmed, %d handled %d times, %d failures of publishing", confirmed.Load(), len(handled), times, failed.Load())
}

// A channel that ends with its connection is not taken for one that ended alone, however late the driver notices.
func TestEndOfAConnectionIsKnownAtOnce(t *testing.T) {
	b := startBroker(t)
	if b == nil {
		return
	}
	conn, ch := b.dial(t)
	deliveries, err := ch.Consume(declared(t, ch), "", false, true, false, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	if amqp.IsLost(conn) {
		t.Error("lost while it is there")
	}
	go conn.Close()
	for range deliveries {
	}
	if !amqp.IsLost(conn) {
		t.Error("the channel has ended, and the connection is there still")
	}
}

// declared is a queue of the test's own that ends with the connection.
func declared(t *testing.T, ch *rabbit.Channel) string {
	t.Helper()
	q, err := ch.QueueDeclare(unique(t, "q"), false, true, true, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	return q.Name
}

func TestStopWhileReconnecting(t *testing.T) {
	b := startBroker(t)
	if b == nil {
		return
	}
	s := newSystem(t, b.url(), nil)
	s.queue("q", nil)
	s.handle("f", func(*queue.Delivery, payload.Payload) error { return nil })
	s.create("c", queue.KindConsumer, object{"queue": "q", "func": "f"})
	s.start("driver", "c")
	source := s.source("q")
	b.kill()
	defer func() {
		if err := b.run(); err != nil {
			t.Error(err)
		}
	}()
	for {
		err := s.queues.Publish(t.Context(), "app:q", queue.NewMessage(payload.New(1), nil))
		if errors.Is(err, amqp.ErrBusy) {
			break
		}
		if err == nil {
			t.Fatal("published without a broker")
		}
	}
	if err := s.staged["app:driver"].Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := source.Receive(t.Context()); !errors.Is(err, queue.ErrDown) {
		t.Errorf("%v", err)
	}
	if err := s.queues.Publish(t.Context(), "app:q", queue.NewMessage(payload.New(1), nil)); !errors.Is(err, queue.ErrDown) {
		t.Errorf("%v", err)
	}
}
