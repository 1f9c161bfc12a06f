// SPDX-License-Identifier: Apache-2.0

package otlp

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// Telemetry sends. All methods may be called concurrently.
type Telemetry struct {
	traces  *sdktrace.TracerProvider // nil when no traces are sent
	metrics *metric.MeterProvider    // nil when no metrics are sent
	spans   *spans
	cancel  context.CancelFunc // of what is under way
}

// Start begins to send. It does not wait for the collector, which need not be there yet. An error says what
// is wrong with the configuration.
func Start(ctx context.Context, c Config) (*Telemetry, error) {
	c, err := c.normal()
	if err != nil {
		return nil, err
	}
	r := &reporter{report: c.Report}
	life, cancel := context.WithCancel(context.Background())
	t := &Telemetry{cancel: cancel}
	if c.Traces {
		exporter, err := c.traceExporter(ctx)
		if err != nil {
			return nil, errors.Join(err, t.Stop(ctx))
		}
		t.spans = &spans{exporter, r, life, make(chan struct{})}
		t.traces = sdktrace.NewTracerProvider(
			sdktrace.WithResource(c.resource()),
			sdktrace.WithSampler(sdktrace.ParentBased(sdktrace.TraceIDRatioBased(c.SampleRate))),
			sdktrace.WithBatcher(t.spans, sdktrace.WithBatchTimeout(c.TraceInterval),
				sdktrace.WithMaxExportBatchSize(batchSize), sdktrace.WithMaxQueueSize(queueSize)),
		)
	}
	if c.Metrics != nil {
		exporter, err := c.metricExporter(ctx)
		if err != nil {
			return nil, errors.Join(err, t.Stop(ctx))
		}
		t.metrics = metric.NewMeterProvider(
			metric.WithResource(c.resource()),
			metric.WithReader(metric.NewPeriodicReader(&points{exporter, r}, metric.WithInterval(c.MetricInterval), metric.WithProducer(newProducer(c.Metrics)))),
		)
	}
	return t, nil
}

// Tracers makes tracers. Without traces their spans are not recorded.
func (t *Telemetry) Tracers() trace.TracerProvider {
	if t.traces == nil {
		return noop.NewTracerProvider()
	}
	return t.traces
}

// Stop sends what is left and ends. What cannot be sent before ctx ends is lost.
func (t *Telemetry) Stop(ctx context.Context) error {
	measured := make(chan error, 1)
	go func() {
		if t.metrics == nil {
			measured <- nil
			return
		}
		measured <- t.metrics.Shutdown(ctx)
	}()
	var err error
	if t.traces != nil {
		err = t.traces.Shutdown(ctx)
	}
	t.cancel()
	if t.spans != nil {
		<-t.spans.down // the processor goes on behind the back of Shutdown when ctx has ended
	}
	return errors.Join(err, <-measured)
}

// resource says who sends.
func (c Config) resource() *resource.Resource {
	attributes := []attribute.KeyValue{attribute.String("service.name", c.ServiceName)}
	if c.ServiceVersion != "" {
		attributes = append(attributes, attribute.String("service.version", c.ServiceVersion))
	}
	return resource.NewSchemaless(attributes...)
}

func (c Config) traceExporter(ctx context.Context) (sdktrace.SpanExporter, error) {
	if c.Protocol == GRPC {
		options := []otlptracegrpc.Option{
			otlptracegrpc.WithEndpoint(c.Endpoint), otlptracegrpc.WithTimeout(sendTimeout),
			otlptracegrpc.WithRetry(otlptracegrpc.RetryConfig{Enabled: true, InitialInterval: sendTimeout / 10, MaxInterval: sendTimeout, MaxElapsedTime: retryTime}),
		}
		if c.Insecure {
			options = append(options, otlptracegrpc.WithInsecure())
		}
		return otlptracegrpc.New(ctx, options...)
	}
	options := []otlptracehttp.Option{
		otlptracehttp.WithEndpoint(c.Endpoint), otlptracehttp.WithTimeout(sendTimeout),
		otlptracehttp.WithRetry(otlptracehttp.RetryConfig{Enabled: true, InitialInterval: sendTimeout / 10, MaxInterval: sendTimeout, MaxElapsedTime: retryTime}),
	}
	if c.Insecure {
		options = append(options, otlptracehttp.WithInsecure())
	}
	return otlptracehttp.New(ctx, options...)
}

func (c Config) metricExporter(ctx context.Context) (metric.Exporter, error) {
	if c.Protocol == GRPC {
		options := []otlpmetricgrpc.Option{
			otlpmetricgrpc.WithEndpoint(c.Endpoint), otlpmetricgrpc.WithTimeout(sendTimeout),
			otlpmetricgrpc.WithRetry(otlpmetricgrpc.RetryConfig{Enabled: true, InitialInterval: sendTimeout / 10, MaxInterval: sendTimeout, MaxElapsedTime: retryTime}),
		}
		if c.Insecure {
			options = append(options, otlpmetricgrpc.WithInsecure())
		}
		return otlpmetricgrpc.New(ctx, options...)
	}
	options := []otlpmetrichttp.Option{
		otlpmetrichttp.WithEndpoint(c.Endpoint), otlpmetrichttp.WithTimeout(sendTimeout),
		otlpmetrichttp.WithRetry(otlpmetrichttp.RetryConfig{Enabled: true, InitialInterval: sendTimeout / 10, MaxInterval: sendTimeout, MaxElapsedTime: retryTime}),
	}
	if c.Insecure {
		options = append(options, otlpmetrichttp.WithInsecure())
	}
	return otlpmetrichttp.New(ctx, options...)
}
