// SPDX-License-Identifier: Apache-2.0

package amqp_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/internal/porttest"
	"github.com/wippyrun/kit/wippy/service/queue"
	"github.com/wippyrun/kit/wippy/service/queue/amqp"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func TestMalformedEntries(t *testing.T) {
	for _, c := range []struct {
		kind       string
		data       object
		path, text string
	}{
		{amqp.KindDriver, object{"url": "http://x"}, "data.url", "url is no address of a broker such as amqp://guest:guest@localhost:5672/"},
		{amqp.KindDriver, object{"url": 5}, "data.url", "url must be a string, got a number"},
		{amqp.KindDriver, object{"auth_mechanism": "NONE"}, "data.auth_mechanism", "auth_mechanism must be PLAIN, AMQPLAIN or EXTERNAL, got NONE"},
		{amqp.KindDriver, object{"heartbeat": 5}, "data.heartbeat", `heartbeat must be a duration such as "5s", got a number`},
		{amqp.KindDriver, object{"reconnect_delay": "-1s"}, "data.reconnect_delay", "reconnect_delay must be non-negative"},
		{amqp.KindDriver, object{"prefetch_count": -1}, "data.prefetch_count", "prefetch_count is out of range"},
		{amqp.KindDriver, object{"channel_max": 70000}, "data.channel_max", "channel_max is out of range"},
		{amqp.KindDriver, object{"tls": object{"enabled": true, "cert": "x", "key": "y"}}, "data.tls.cert", "cert and key are no pair in PEM form"},
		{amqp.KindDriver, object{"tls": object{"enabled": true, "ca": "x"}}, "data.tls.ca", "ca holds no certificate in PEM form"},
		{queue.KindQueue, object{"driver": "driver", "codec": "yaml/plain"}, "data.codec", "unknown payload codec"},
		{queue.KindQueue, object{"driver": "driver", "driver_options": object{"amqp": object{"durable": "yes"}}}, "data.driver_options.amqp.durable", "durable must be true or false, got a string"},
		{queue.KindQueue, object{"driver": "driver", "driver_options": object{"amqp": object{"max_length": -5}}}, "data.driver_options.amqp.max_length", "max_length is out of range"},
		{queue.KindQueue, object{"driver": "driver", "driver_options": object{"amqp": object{"message_ttl": "-5s"}}}, "data.driver_options.amqp.message_ttl", "message_ttl must be non-negative"},
		{queue.KindConsumer, object{"queue": "q", "func": "f", "driver_options": object{"amqp": object{"exclusive": 1}}}, "data.driver_options.amqp.exclusive", "exclusive must be true or false, got a number"},
	} {
		s := newSystem(t, "amqp://localhost", nil)
		s.queue("q", nil)
		err := s.Create(t.Context(), entry("x", c.kind, c.data))
		var field interface{ Field() string }
		if !errors.As(err, &field) || field.Field() != c.path || !strings.HasPrefix(err.Error(), c.text) || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%v: %v", c.data, err)
		}
	}
}

func TestWithoutBroker(t *testing.T) {
	url := "amqp://user:secret@" + porttest.Address(t) + "/"
	s := newSystem(t, url, object{"vhost": "v", "auth_mechanism": "amqplain", "heartbeat": "1s", "tls": object{"enabled": false}})
	s.queue("q", nil)
	driver := s.staged["app:driver"]
	if _, err := driver.Start(t.Context()); fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "connect to broker") || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	if err := driver.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := s.queues.Info(t.Context(), "app:q"); !errors.Is(err, queue.ErrDown) {
		t.Errorf("%v", err)
	}
	if _, err := s.queues.Consume(t.Context(), "app:q"); !errors.Is(err, queue.ErrDown) {
		t.Errorf("%v", err)
	}
}

func TestBadHeaders(t *testing.T) {
	b := startBroker(t)
	if b == nil {
		return
	}
	s := newSystem(t, b.url(), nil)
	s.queue("q", nil)
	s.start("driver")
	for name, v := range map[string]any{"amqp.priority": int64(300), "amqp.delivery_mode": int64(5)} {
		err := s.queues.Publish(t.Context(), "app:q", queue.NewMessage(payload.New("x"), object{name: v}))
		if fault.KindOf(err) != fault.Invalid || !strings.Contains(err.Error(), name) {
			t.Errorf("%v", err)
		}
	}
}
