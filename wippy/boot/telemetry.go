// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"os"
	"time"

	"github.com/wippyrun/kit/loader"
	"github.com/wippyrun/kit/wippy/boot/config"
	"github.com/wippyrun/kit/wippy/service/otel"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/lifecycle"
)

// The components that trace: the first says where spans go, the second makes them of calls and messages.
// Processes and requests are traced where those are made.
const (
	Telemetry = "otel"
	Traces    = "otel.traces"
)

// flushTime bounds how long the end of the program waits for the collector.
const flushTime = 3 * time.Second

// telemetryComponent begins to send traces and metrics when the configuration asks for it, and ends
// after everything that makes them.
func (r *Runtime) telemetryComponent() loader.Component {
	var telemetry otel.Telemetry
	return loader.Component{
		Name:      Telemetry,
		DependsOn: []string{Metrics},
		Load: func(ctx context.Context) (context.Context, error) {
			c, err := otel.Configure(section{r.config, "otel"}, os.Getenv)
			if err != nil || !c.Enabled {
				return ctx, err
			}
			if r.options.Telemetry == nil {
				return ctx, fault.New(fault.Invalid, "otel.enabled: this program is made without telemetry")
			}
			log := r.log.With("logger", "otel")
			telemetry, err = r.options.Telemetry(r.ctx, c, KeyMetrics.MustGet(r.dict), func(err error) {
				log.Warn("telemetry was not sent", "endpoint", c.Endpoint, "error", err)
			})
			if err != nil {
				return ctx, fault.Wrap(fault.Invalid, "otel", err)
			}
			if c.Traces {
				r.tracing = otel.New(c, telemetry.Tracers())
			}
			log.Debug("sending telemetry", "endpoint", c.Endpoint, "protocol", c.Protocol, "traces", c.Traces, "metrics", c.Metrics)
			return ctx, nil
		},
		Stop: func(ctx context.Context) error {
			if telemetry == nil {
				return nil
			}
			ctx, cancel := context.WithTimeout(ctx, flushTime)
			defer cancel()
			if err := telemetry.Stop(ctx); err != nil {
				r.log.Warn("telemetry was not sent", "logger", "otel", "error", err)
			}
			return nil // nobody misses it
		},
	}
}

// loadTraces makes spans of calls and messages.
func (r *Runtime) loadTraces() error {
	if r.tracing == nil {
		return nil
	}
	c := r.tracing.Config()
	if c.Calls {
		if err := KeyFunctions.MustGet(r.dict).Intercept(r.tracing.Calls()); err != nil {
			return err
		}
	}
	if c.Queues {
		return KeyQueues.MustGet(r.dict).Intercept(r.tracing.Publishing())
	}
	return nil
}

// lifecycleOptions let the starts and ends of processes be traced.
func (r *Runtime) lifecycleOptions() []lifecycle.Option {
	if r.tracing == nil {
		return nil
	}
	return []lifecycle.Option{lifecycle.WithObserver(r.tracing)}
}

// section is one section of the configuration.
type section struct {
	*config.Config
	name string
}

func (s section) String(name, def string) string  { return s.Config.String(s.name, name, def) }
func (s section) Bool(name string, def bool) bool { return s.Config.Bool(s.name, name, def) }
func (s section) Int(name string, def int) int    { return s.Config.Int(s.name, name, def) }
func (s section) Strings(name string) []string    { return s.Config.Strings(s.name, name) }
func (s section) Float(name string, def float64) float64 {
	switch v := s.Section(s.name)[name].(type) {
	case float64:
		return v
	case int:
		return float64(v)
	case int64:
		return float64(v)
	}
	return def
}
