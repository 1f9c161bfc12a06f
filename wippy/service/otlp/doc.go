// SPDX-License-Identifier: Apache-2.0

// Package otlp sends traces and metrics to an OpenTelemetry collector.
//
// It is a module of its own, because of what it depends on: the rest of the runtime knows the OpenTelemetry
// interfaces only.
//
// # Basics
//
//	t, err := otlp.Start(ctx, otlp.Config{Endpoint: "localhost:4318", ServiceName: "shop", Traces: true, SampleRate: 1})
//	...
//	defer t.Stop(ctx)
//	tracer := t.Tracers().Tracer("shop")
//
// # Guarantees
//
//   - A collector that cannot be reached, is slow or refuses what it gets affects nobody: spans wait in a
//     queue of 2048 and are dropped when it is full, errors are reported to [Config.Report], once a minute
//     at most (TestUnreachableCollectorAffectsNobody).
//   - Stop sends what is left, within its context (TestStopSendsWhatIsLeft).
//   - Nothing global is set: no provider, no error handler, no logger.
package otlp
