// SPDX-License-Identifier: Apache-2.0

package queue_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	luaqueue "github.com/wippyrun/kit/wippy/lua/queue"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/queue"
	"github.com/wippyrun/kit/wippy/service/queue/memory"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// services starts what is registered at once.
type services struct{ all []supervisor.Service }

func (s *services) Register(_ string, service supervisor.Service, _ supervisor.Lifecycle, _ []string) error {
	s.all = append(s.all, service)
	_, err := service.Start(context.Background())
	return err
}

func (*services) Remove(string) error { return nil }

// far is a driver that waits for everything, as one with a broker does.
type far struct {
	queue.Driver
	failure error
}

func (f *far) Publish(ctx context.Context, id string, m *queue.Message) error {
	if f.failure != nil {
		return f.failure
	}
	return f.Driver.Publish(ctx, id, m)
}

// newSystem makes the queues app:q, of two messages, and app:far.
func newSystem(t *testing.T, allow access.Check) (*luatest.System, *queue.Queues, *far) {
	queues, s, away := queue.New(), &services{}, &far{}
	l := queue.NewListener(queue.Deps{Queues: queues, Supervisor: s, Log: slog.New(slog.DiscardHandler),
		Warn: func(registry.Entry, []fields.Warning) {},
		Drivers: []queue.Kind{memory.Kind("", nil), {Kind: "queue.driver.far", New: func(registry.Entry, *fields.Reader) queue.Driver {
			away.Driver = memory.New(memory.Options{})
			return away
		}}}})
	for _, e := range []registry.Entry{
		{ID: registry.NewID("app", "driver"), Kind: memory.KindDriver},
		{ID: registry.NewID("app", "away"), Kind: "queue.driver.far"},
		{ID: registry.NewID("app", "q"), Kind: queue.KindQueue, Data: map[string]any{"driver": "driver",
			"driver_options": map[string]any{"memory": map[string]any{"max_length": 2}}}},
		{ID: registry.NewID("app", "far"), Kind: queue.KindQueue, Data: map[string]any{"driver": "away"}},
	} {
		if err := l.Create(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() {
		for _, service := range slices.Backward(s.all) {
			if err := service.Stop(context.Background()); err != nil {
				t.Error(err)
			}
		}
	})
	return luatest.New(t, func(s *luatest.System) {
		luaqueue.Register(s.Dispatch)
		s.Register(luaqueue.Module(queues, allow))
	}), queues, away
}

const prelude = `
	local function fails(kind, text, v, err, again)
		assert(v == nil, "no error")
		assert(err:kind() == kind and err:message() == text, err:kind() .. ": " .. err:message())
		assert(err:retryable() == (again or false), tostring(err:retryable()))
	end
`

func TestFacts(t *testing.T) {
	for name, body := range map[string]string{
		"arguments are checked in order": `
			fails("Invalid", "queue ID required", queue.publish())
			fails("Invalid", "queue ID required", queue.publish("", {a = 1}))
			fails("Invalid", "message data required", queue.publish("app:q"))
			fails("Invalid", "message data required", queue.publish("app:none", nil))
			fails("Invalid", "message data cannot be empty", queue.publish("app:q", {}))
			fails("Invalid", "message data must be plain data, got a function", queue.publish("app:q", print))
			fails("Internal", "queue not found", queue.publish("app:none", {a = 1}))
			assert(not pcall(queue.publish, {}))`,
		"info": `
			fails("Invalid", "queue ID required", queue.info())
			fails("Invalid", "queue ID required", queue.info(""))
			fails("Internal", "queue not found", queue.info("app:none"))
			assert(not pcall(queue.info, {}))
			assert(queue.publish("app:q", 1))
			for _, id in ipairs({"app:q", "app:far"}) do
				local i, err = queue.info(id)
				assert(err == nil and i.message_count == i.ready and i.consumer_count == 0 and i.in_flight == 0)
			end
			assert(queue.info("app:q").ready == 1)`,
		"any data": `
			for _, v in ipairs({"text", 0, 1.5, false, {1}, {a = {b = {}}}, errors.new("e")}) do
				local ok, err = queue.publish("app:far", v)
				assert(ok == true and err == nil, tostring(err))
			end
			assert(queue.info("app:far").ready == 7)`,
		"headers that are none": `
			assert(queue.publish("app:q", 1, "x"))
			assert(queue.publish("app:q", 1, nil))`,
		"a full queue": `
			queue.publish("app:q", 1)
			queue.publish("app:q", 2)
			local order = channel.new(2)
			coroutine.spawn(function() queue.publish("app:q", 3) order:send("published") end)
			coroutine.spawn(function() order:send("other") end)
			assert(order:receive() == "other")
			assert(queue.info("app:q").ready == 2)`,
		"outside of a consumer": `
			fails("Invalid", "no delivery found in context", queue.message())`,
		"read-only": `
			assert(not pcall(function() queue.publish = 1 end))`,
	} {
		t.Run(name, func(t *testing.T) {
			s, _, _ := newSystem(t, nil)
			s.Check(t, prelude+body)
		})
	}
}

func TestErrorsOfDrivers(t *testing.T) {
	s, _, away := newSystem(t, nil)
	away.failure = errors.New("channel closed")
	s.Check(t, prelude+`fails("Internal", "channel closed", queue.publish("app:far", 1))`)
	away.failure = fault.New(fault.Unavailable, "amqp driver busy (reconnecting)").Transient()
	s.Check(t, prelude+`
		local v, err = queue.publish("app:far", 1)
		fails("Unavailable", "amqp driver busy (reconnecting)", v, err, true)`)
}

func TestPublishedDataIsASnapshot(t *testing.T) {
	s, queues, _ := newSystem(t, nil)
	s.Check(t, `
		local t = {list = {1, 2}}
		queue.publish("app:q", t, {correlation_id = "c", priority = 9, ratio = 1.5, urgent = true, [1] = "skipped", bad = {}})
		t.list[1] = "changed"`)
	d := take(t, queues, "app:q")
	body, _ := s.Engine.FromPayload(d.Message.Body)
	if got := engine.ToGo(body).(map[string]any)["list"].([]any); got[0] != 1.0 || len(got) != 2 {
		t.Errorf("%v", got)
	}
	h := d.Message.Headers
	if _, ok := h["bad"]; !ok || h["bad"] != nil || h["correlation_id"] != "c" || h["priority"] != int64(9) || h["ratio"] != 1.5 || h["urgent"] != true || h["timestamp"] == nil || len(h) != 6 {
		t.Errorf("%v", h)
	}
}

// take receives the next message of a queue.
func take(t *testing.T, queues *queue.Queues, id string) *queue.Delivery {
	t.Helper()
	source, err := queues.Consume(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	d, err := source.Receive(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestMessageObjects(t *testing.T) {
	s, _, _ := newSystem(t, nil)
	s.Frame = appctx.NewFrame()
	d := queue.NewDelivery(&queue.Message{ID: "m-1", Headers: map[string]any{"n": int64(3), "nothing": nil}, Body: payload.New("x")}, 2, settler{})
	if err := queue.Current.Set(s.Frame, d); err != nil {
		t.Fatal(err)
	}
	s.Check(t, prelude+`
		local msg, err = queue.message()
		assert(err == nil and tostring(msg) == "queue.Message{id=m-1}" and msg:id() == "m-1")
		assert(msg:header("n") == 3 and msg:header("attempts") == 2)
		assert(select("#", msg:header("none")) == 2 and msg:header("none") == nil and select(2, msg:header("none")) == nil)
		local h, err = msg:headers()
		assert(err == nil and h.n == 3 and h.attempts == 2 and h.nothing == nil)
		h.n = 4
		assert(msg:header("n") == 3)
		assert(not pcall(msg.header, msg) and not pcall(msg.header, msg, {}) and not pcall(msg.id, "x"))
		fails("Internal", "connection lost", msg:ack())
		fails("Invalid", "queue.Message already settled", msg:ack())
		fails("Invalid", "queue.Message already settled", msg:nack())`)
}

// settler fails as a broker that is gone does.
type settler struct{ queue.Settler }

func (settler) Ack(context.Context) error { return errors.New("connection lost") }

func TestPermissions(t *testing.T) {
	denied := ""
	s, _, _ := newSystem(t, func(_ *engine.Process, action, resource string, _ map[string]any) bool {
		return action+" "+resource != denied
	})
	for _, c := range []struct{ denied, body string }{
		{"queue.publish ", `fails("Invalid", "queue publishing not allowed", queue.publish("", 1))`},
		{"queue.publish.queue app:q", `
			fails("Invalid", "queue ID required", queue.publish(""))
			fails("Invalid", "not allowed to publish to queue: app:q", queue.publish("app:q"))
			assert(queue.publish("app:far", 1))`},
		{"everything else", `assert(queue.publish("app:q", 1) and queue.info("app:q"))`},
	} {
		denied = c.denied
		s.Check(t, prelude+c.body)
	}
}
