// SPDX-License-Identifier: Apache-2.0

package otel_test

import (
	"reflect"
	"testing"

	"github.com/wippyrun/kit/wippy/service/otel"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// section is a configuration section in memory.
type section map[string]any

func get[T any](s section, name string, def T) T {
	if v, ok := s[name].(T); ok {
		return v
	}
	return def
}

func (s section) String(name, def string) string         { return get(s, name, def) }
func (s section) Bool(name string, def bool) bool        { return get(s, name, def) }
func (s section) Int(name string, def int) int           { return get(s, name, def) }
func (s section) Float(name string, def float64) float64 { return get(s, name, def) }
func (s section) Strings(name string) []string           { return get[[]string](s, name, nil) }

var defaults = otel.Config{
	Endpoint: "localhost:4318", Protocol: "http/protobuf", ServiceName: "wippy-runtime", Insecure: true, SampleRate: 1,
	Propagators: []string{"tracecontext", "baggage"}, Traces: true, HTTP: true, ExtractHeaders: true, InjectHeaders: true,
	Processes: true, ProcessLifecycles: true, Calls: true, CallsOrder: 100, Queues: true,
}

func TestConfigure(t *testing.T) {
	with := func(change func(*otel.Config)) otel.Config {
		c := defaults
		change(&c)
		return c
	}
	for name, test := range map[string]struct {
		section section
		env     map[string]string
		want    otel.Config
	}{
		"nothing": {want: defaults},
		"section": {
			section: section{"enabled": true, "endpoint": "otel:4317", "protocol": "grpc", "service_name": "shop", "service_version": "1", "insecure": false,
				"sample_rate": 0.5, "propagators": []string{"baggage"}, "traces_enabled": false, "metrics_enabled": true, "http.enabled": false,
				"http.extract_headers": false, "http.inject_headers": false, "process.enabled": false, "process.trace_lifecycle": false,
				"interceptor.enabled": false, "interceptor.order": 7, "queue.enabled": false},
			want: otel.Config{Enabled: true, Endpoint: "otel:4317", Protocol: "grpc", ServiceName: "shop", ServiceVersion: "1", SampleRate: 0.5,
				Propagators: []string{"baggage"}, Metrics: true, CallsOrder: 7},
		},
		"environment above the section": {
			section: section{"enabled": true, "endpoint": "a:1", "sample_rate": 1.0},
			env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://b:2", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_SERVICE_NAME": "s",
				"OTEL_SERVICE_VERSION": "v", "OTEL_TRACES_SAMPLER_ARG": "0.25", "OTEL_PROPAGATORS": "baggage, none"},
			want: with(func(c *otel.Config) {
				c.Enabled, c.Endpoint, c.Protocol, c.ServiceName, c.ServiceVersion, c.SampleRate = true, "http://b:2", "grpc", "s", "v", 0.25
				c.Propagators = []string{"baggage", "none"}
			}),
		},
		"switched off by the environment": {section: section{"enabled": true, "protocol": "nonsense"}, env: map[string]string{"OTEL_SDK_DISABLED": "true"},
			want: with(func(c *otel.Config) { c.Protocol = "nonsense" })},
		"not switched off": {section: section{"enabled": true}, env: map[string]string{"OTEL_SDK_DISABLED": "maybe"},
			want: with(func(c *otel.Config) { c.Enabled = true })},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := otel.Configure(test.section, func(name string) string { return test.env[name] })
			if err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%v\n got %+v\nwant %+v", err, got, test.want)
			}
		})
	}
}

func TestConfigureRefuses(t *testing.T) {
	for text, test := range map[string]struct {
		section section
		env     map[string]string
	}{
		`otel.protocol: unknown protocol "udp" (http/protobuf or grpc)`:           {section: section{"protocol": "udp"}},
		"otel.sample_rate: 2 is not between 0 and 1":                              {section: section{"sample_rate": 2.0}},
		`otel.propagators: unknown propagator "b3" (tracecontext or baggage)`:     {section: section{"propagators": []string{"b3"}}},
		`OTEL_TRACES_SAMPLER_ARG: "some" is not a number`:                         {env: map[string]string{"OTEL_TRACES_SAMPLER_ARG": "some"}},
		"otel.sample_rate: -1 is not between 0 and 1":                             {env: map[string]string{"OTEL_TRACES_SAMPLER_ARG": "-1"}},
		`otel.propagators: unknown propagator "jaeger" (tracecontext or baggage)`: {env: map[string]string{"OTEL_PROPAGATORS": "jaeger"}},
	} {
		if test.section == nil {
			test.section = section{}
		}
		test.section["enabled"] = true
		_, err := otel.Configure(test.section, func(name string) string { return test.env[name] })
		if err == nil || err.Error() != text || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%v, want %s", err, text)
		}
	}
}
