// SPDX-License-Identifier: Apache-2.0

package otel

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Config is the section otel of the configuration.
type Config struct {
	Enabled        bool
	Endpoint       string
	Protocol       string // "http/protobuf" or "grpc"
	ServiceName    string
	ServiceVersion string
	Insecure       bool
	SampleRate     float64
	Propagators    []string // of "tracecontext" and "baggage"
	Traces         bool
	Metrics        bool

	HTTP              bool
	ExtractHeaders    bool
	InjectHeaders     bool
	Processes         bool
	Calls             bool
	CallsOrder        int
	Queues            bool
	ProcessLifecycles bool
}

// Section is how the configuration is read. Names are relative to the section.
type Section interface {
	String(name, def string) string
	Bool(name string, def bool) bool
	Int(name string, def int) int
	Float(name string, def float64) float64
	Strings(name string) []string
}

// Configure reads a section. Variables of the environment, which getenv returns, are above it.
func Configure(s Section, getenv func(string) string) (Config, error) {
	c := Config{
		Enabled:           s.Bool("enabled", false),
		Endpoint:          override(getenv, "OTEL_EXPORTER_OTLP_ENDPOINT", s.String("endpoint", "localhost:4318")),
		Protocol:          override(getenv, "OTEL_EXPORTER_OTLP_PROTOCOL", s.String("protocol", "http/protobuf")),
		ServiceName:       override(getenv, "OTEL_SERVICE_NAME", s.String("service_name", "wippy-runtime")),
		ServiceVersion:    override(getenv, "OTEL_SERVICE_VERSION", s.String("service_version", "")),
		Insecure:          s.Bool("insecure", true),
		SampleRate:        s.Float("sample_rate", 1),
		Propagators:       s.Strings("propagators"),
		Traces:            s.Bool("traces_enabled", true),
		Metrics:           s.Bool("metrics_enabled", false),
		HTTP:              s.Bool("http.enabled", true),
		ExtractHeaders:    s.Bool("http.extract_headers", true),
		InjectHeaders:     s.Bool("http.inject_headers", true),
		Processes:         s.Bool("process.enabled", true),
		ProcessLifecycles: s.Bool("process.trace_lifecycle", true),
		Calls:             s.Bool("interceptor.enabled", true),
		CallsOrder:        s.Int("interceptor.order", 100),
		Queues:            s.Bool("queue.enabled", true),
	}
	if off, err := strconv.ParseBool(getenv("OTEL_SDK_DISABLED")); err == nil && off {
		c.Enabled = false
	}
	if text := getenv("OTEL_PROPAGATORS"); text != "" {
		c.Propagators = nil
		for name := range strings.SplitSeq(text, ",") {
			c.Propagators = append(c.Propagators, strings.TrimSpace(name))
		}
	}
	if len(c.Propagators) == 0 {
		c.Propagators = []string{propagateTrace, propagateBaggage}
	}
	if !c.Enabled {
		return c, nil
	}
	if text := getenv("OTEL_TRACES_SAMPLER_ARG"); text != "" {
		rate, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return c, invalid("OTEL_TRACES_SAMPLER_ARG: %q is not a number", text)
		}
		c.SampleRate = rate
	}
	return c, c.check()
}

func override(getenv func(string) string, name, configured string) string {
	if v := getenv(name); v != "" {
		return v
	}
	return configured
}

func invalid(format string, args ...any) error {
	return fault.New(fault.Invalid, fmt.Sprintf(format, args...)).Final()
}

func (c Config) check() error {
	if !slices.Contains([]string{"http/protobuf", "http", "grpc"}, c.Protocol) {
		return invalid("otel.protocol: unknown protocol %q (http/protobuf or grpc)", c.Protocol)
	}
	if !(c.SampleRate >= 0 && c.SampleRate <= 1) {
		return invalid("otel.sample_rate: %v is not between 0 and 1", c.SampleRate)
	}
	for _, name := range c.Propagators {
		if name != propagateTrace && name != propagateBaggage && name != "none" {
			return invalid("otel.propagators: unknown propagator %q (%s or %s)", name, propagateTrace, propagateBaggage)
		}
	}
	return nil
}
