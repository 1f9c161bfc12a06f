// SPDX-License-Identifier: Apache-2.0

package otel

import (
	"context"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/baggage"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/frames"
	"github.com/wippyrun/kit/wippy/system/metrics"
)

// The propagators there are.
const (
	propagateTrace   = "tracecontext"
	propagateBaggage = "baggage"
)

// Telemetry is where spans go.
type Telemetry interface {
	Tracers() trace.TracerProvider
	// Stop sends what is left before ctx ends.
	Stop(ctx context.Context) error
}

// Start makes a Telemetry. It must not wait for anybody. m is sent, too, when the configuration says so;
// report hears of what cannot be sent.
type Start func(ctx context.Context, c Config, m *metrics.Metrics, report func(error)) (Telemetry, error)

// Trace is what an execution belongs to.
type Trace struct {
	Span    trace.SpanContext
	Baggage baggage.Baggage
}

// Current is where a frame has its trace.
var Current = appctx.NewFrameKey[Trace]("otel.trace", appctx.Inherit())

// scope is the name of the tracer.
const scope = "github.com/wippyrun/kit/wippy"

// Tracing makes spans. All methods may be called concurrently.
type Tracing struct {
	config     Config
	tracer     trace.Tracer
	propagator propagation.TextMapPropagator
}

// New returns the tracing of a runtime.
func New(c Config, p trace.TracerProvider) *Tracing {
	var all []propagation.TextMapPropagator
	for _, name := range c.Propagators {
		switch name {
		case propagateTrace:
			all = append(all, propagation.TraceContext{})
		case propagateBaggage:
			all = append(all, propagation.Baggage{})
		}
	}
	return &Tracing{config: c, tracer: p.Tracer(scope), propagator: propagation.NewCompositeTextMapPropagator(all...)}
}

// Config returns what it was made with.
func (t *Tracing) Config() Config { return t.config }

// context is a context in which spans are children of t, and headers are made from.
func (t Trace) context() context.Context {
	ctx := context.Background()
	if t.Span.IsValid() {
		ctx = trace.ContextWithSpanContext(ctx, t.Span)
	}
	return baggage.ContextWithBaggage(ctx, t.Baggage)
}

// start begins a span as a child of t, and returns the trace of what happens in it.
func (t *Tracing) start(parent Trace, name string, kind trace.SpanKind, attributes ...attribute.KeyValue) (trace.Span, Trace) {
	_, span := t.tracer.Start(parent.context(), name, trace.WithSpanKind(kind), trace.WithAttributes(attributes...))
	return span, Trace{Span: span.SpanContext(), Baggage: parent.Baggage}
}

// extract reads a trace from headers; the zero Trace when there is none that makes sense.
func (t *Tracing) extract(headers propagation.TextMapCarrier) Trace {
	ctx := t.propagator.Extract(context.Background(), headers)
	return Trace{Span: trace.SpanContextFromContext(ctx), Baggage: baggage.FromContext(ctx)}
}

// inject writes a trace into headers.
func (t *Tracing) inject(in Trace, headers propagation.TextMapCarrier) {
	t.propagator.Inject(in.context(), headers)
}

// within returns a frame for what happens in a trace, a child of parent. Whoever asks for it releases it.
func within(parent *appctx.Frame, t Trace) (*appctx.Frame, error) {
	f := frames.Fork(parent)
	if err := Current.Set(f, t); err != nil {
		_ = f.Release() // it holds nothing but what the parent has
		return nil, err
	}
	return f, nil
}

// traceOf returns the trace of a frame, which may be nil.
func traceOf(f *appctx.Frame) Trace {
	t, _ := Current.Get(f)
	return t
}

// end ends a span with the outcome of what it stands for.
func end(span trace.Span, err error) {
	if err != nil {
		span.RecordError(err)
		span.SetStatus(codes.Error, err.Error())
		span.SetAttributes(attribute.String("error.type", fault.KindOf(err).String()))
	} else {
		span.SetStatus(codes.Ok, "")
	}
	span.End()
}
