// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/frames"
	"github.com/wippyrun/kit/wippy/system/functions"
)

const (
	// settleTime is how long settling a message may take, whoever asked for it.
	settleTime = 30 * time.Second
	// cancelTime is how much of the time of a stop is kept for functions that have to be
	// cancelled: a fifth, at most this much.
	cancelTime = time.Second
)

// consumer is one queue.consumer. It implements supervisor.Service: the supervisor calls
// one method at a time.
type consumer struct {
	id     string
	config consumerConfig
	queues *Queues
	call   func(ctx context.Context, t functions.Task, done functions.Done) (cancel func())
	log    *slog.Logger

	run *consuming // nil while it is down
}

// consuming is one run of a consumer.
type consuming struct {
	*consumer
	frame    *appctx.Frame // what functions inherit, nil for nothing
	source   Subscription
	taking   context.Context // ends when no more messages are to be taken
	handling context.Context // ends when functions have to end
	stop     func()          // ends taking
	abort    func()          // ends handling
	workers  sync.WaitGroup
	ended    chan struct{} // closed when the workers have ended

	mu  sync.Mutex
	err error // why a worker ended by itself
}

// Start begins to take messages.
func (c *consumer) Start(ctx context.Context) (<-chan any, error) {
	_, driver, err := c.queues.find(c.config.queue)
	if err != nil {
		return nil, err
	}
	source, err := driver.Consume(ctx, c.config.queue, ConsumeOptions{Prefetch: c.config.prefetch, Workers: c.config.concurrency, AutoAck: c.config.autoAck, Options: c.config.options[driver.Name()]})
	if err != nil {
		return nil, err
	}
	r := &consuming{consumer: c, frame: appctx.FrameFrom(ctx), source: source, ended: make(chan struct{})}
	r.handling, r.abort = context.WithCancel(context.WithoutCancel(ctx))
	r.taking, r.stop = context.WithCancel(r.handling)
	for range c.config.concurrency {
		r.workers.Go(r.work)
	}
	status := make(chan any, 2)
	status <- fmt.Sprintf("%d workers at %s", c.config.concurrency, c.config.queue)
	go func() {
		defer close(status)
		r.workers.Wait()
		close(r.ended)
		if r.taking.Err() == nil {
			r.abort()
			status <- errors.Join(r.err, source.Close()) // the workers have ended and set it before
		}
	}()
	c.run = r
	return status, nil
}

// Stop takes no more messages and waits for the functions that run; those that take too
// long are cancelled.
func (c *consumer) Stop(ctx context.Context) error {
	r := c.run
	c.run = nil
	if r == nil {
		return nil
	}
	defer r.abort()
	r.stop()
	err := r.drain(ctx)
	return errors.Join(err, r.source.Close())
}

func (r *consuming) drain(ctx context.Context) error {
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		patience := time.NewTimer(left - min(left/5, cancelTime))
		defer patience.Stop()
		select {
		case <-r.ended:
			return nil
		case <-patience.C:
		case <-ctx.Done():
		}
		r.abort()
	}
	select {
	case <-r.ended:
		return nil
	case <-ctx.Done():
		r.abort()
		return fault.Wrap(fault.Timeout, "functions of consumer "+r.id+" did not end", ctx.Err())
	}
}

// work handles messages one at a time.
func (r *consuming) work() {
	for {
		d, err := r.source.Receive(r.taking)
		if err != nil {
			r.mu.Lock()
			r.err = err
			r.mu.Unlock()
			return
		}
		d.fail = r.fail
		r.handle(d)
	}
}

// handle calls the function with one message and settles it.
func (r *consuming) handle(d *Delivery) {
	frame := frames.Fork(r.frame)
	result, err := payload.Payload{}, Current.Set(frame, d)
	if err == nil {
		result, err = r.invoke(frame, d)
	}
	d.ended.Store(true)
	if release := frame.Release(); release != nil {
		r.log.Warn("a resource of a message did not close", "consumer", r.id, "error", release)
	}
	if !d.take() {
		if err != nil {
			r.log.Warn("function failed after it had settled its message", "consumer", r.id, "message", d.Message.ID, "error", err)
		}
		return
	}
	if err := r.settle(d, result, err); err != nil {
		r.unsettled(d, err)
	}
}

func (r *consuming) unsettled(d *Delivery, err error) {
	r.log.Error("message not settled, it may come again", "consumer", r.id, "queue", r.config.queue, "message", d.Message.ID, "error", err)
}

// invoke calls the function and waits for its end, also after it was told to end.
func (r *consuming) invoke(frame *appctx.Frame, d *Delivery) (payload.Payload, error) {
	type outcome struct {
		result payload.Payload
		err    error
	}
	answer := make(chan outcome, 1)
	cancel := r.call(r.handling, functions.Task{ID: r.config.function, Input: []payload.Payload{bodyOf(d.Message)}, Frame: frame},
		func(result payload.Payload, err error) { answer <- outcome{result, err} })
	select {
	case o := <-answer:
		return o.result, o.err
	case <-r.handling.Done():
		cancel()
		o := <-answer
		if o.err == nil {
			return o.result, nil // it was faster
		}
		return o.result, errCancelled
	}
}

// errCancelled is the outcome of a function that a stop has cancelled.
var errCancelled = fault.New(fault.Canceled, "the consumer stops")

// bodyOf returns the argument of the function, which may change it: an attempt must not
// see what an earlier one has done.
func bodyOf(m *Message) payload.Payload {
	if v, ok := m.Body.Data.(lua.LValue); ok && m.Body.Format == payload.Lua {
		return payload.Payload{Format: payload.Lua, Data: engine.Copy(v)}
	}
	return m.Body
}

// Refused tells whether the result of a function that did not fail says that the message
// was not handled: the value false.
func Refused(result payload.Payload) bool { return result.Data == lua.LFalse || result.Data == false }

// settle does what the outcome of the function asks for.
func (r *consuming) settle(d *Delivery, result payload.Payload, failure error) error {
	ctx, cancel := d.settling(context.Background())
	defer cancel()
	switch {
	case failure == errCancelled: //nolint:errorlint // invoke returns it as it is
		return d.settler.Return(ctx)
	case failure != nil:
		return r.fail(ctx, d, failure.Error(), fault.LogArgs(failure)[2:]...)
	case Refused(result):
		return r.fail(ctx, d, "rejected")
	}
	if lazy, ok := d.settler.(Lazy); ok {
		lazy.AckLater(func(err error) {
			if err != nil {
				r.unsettled(d, err)
			}
		})
		return nil
	}
	return d.settler.Ack(ctx)
}

// rules are what happens to failed messages: the consumer's policy, with what the queue
// says of dead letters where the consumer says nothing.
func (c *consumer) rules() (p Policy, deadTo string) {
	p = c.config.policy
	d, _, err := c.queues.find(c.config.queue)
	if err != nil {
		return p, "" // the queue is being removed
	}
	dead := d.spec.DeadLetter
	if p.Attempts == 0 {
		p.Attempts = dead.MaxAttempts
	}
	if p.Attempts == 0 && dead.Queue != "" {
		p.Attempts = defaultAttempts
	}
	return p, dead.Queue
}

// fail gives a message back for another attempt, or gives it up. more is what the log says beside
// the reason.
func (r *consuming) fail(ctx context.Context, d *Delivery, reason string, more ...any) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	log := r.log.With("consumer", r.id, "queue", r.config.queue, "message", d.Message.ID, "attempt", d.Attempt, "reason", reason).With(more...)
	policy, deadTo := r.rules()
	delay := policy.delay(d.Attempt, rand.Float64())
	if !policy.spent(d.Attempt) {
		log.Warn("message failed", "delay", delay)
		return d.settler.Retry(ctx, delay)
	}
	if deadTo == "" {
		log.Error("message given up: there is no dead-letter queue", "body", preview(d.Message.Body))
		return d.settler.Ack(ctx)
	}
	if err := r.queues.bury(ctx, r.config.queue, deadTo, d, reason); err != nil {
		log.Error("message not given up: the dead-letter queue does not take it", "dead_letter", deadTo, "error", err)
		return d.settler.Retry(ctx, delay)
	}
	log.Warn("message given up", "dead_letter", deadTo)
	return nil
}

// previewSize is how much of a body gets into a log.
const previewSize = 200

// preview is the beginning of a body, for a log.
func preview(p payload.Payload) string {
	data := p.Data
	switch v := data.(type) {
	case lua.LValue:
		data = engine.ToGo(v)
	case []byte:
		data = string(v)
	}
	text := fmt.Sprint(data)
	if len(text) > previewSize {
		text = text[:previewSize] + "…"
	}
	return text
}
