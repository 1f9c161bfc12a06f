// SPDX-License-Identifier: Apache-2.0

// Package otel traces what happens in a runtime, with the interfaces of OpenTelemetry: requests, calls of
// functions, starts and ends of processes, messages in queues. Where spans go is the business of a [Start]
// function; wippy/service/otel/export has the one that sends them to a collector.
//
// # Basics
//
//	config, err := otel.Configure(section, os.Getenv)
//	t := otel.New(config, telemetry.Tracers())
//	functions.Intercept(t.Calls())
//	lifecycle.New(topology, bus, lifecycle.WithObserver(t))
//	queues.Intercept(t.Publishing())
//	middleware["otel"] = t.Middleware
//
// # How traces hang together
//
// The frame of an execution carries its [Trace]. It flows to the functions that are called and the
// processes that are spawned, so their spans are children of the caller's. Between programs it travels
// in the headers traceparent, tracestate and baggage: of HTTP requests, and of messages.
//
// # Guarantees
//
//   - A span ends exactly once, also when its call fails, is cancelled or panics (TestCalls).
//   - A trace that comes from outside is continued, one that makes no sense is left alone
//     (TestMiddlewareContinuesTraces, FuzzHeaders).
//   - A runtime without tracing has none of this in its way: nothing is installed.
package otel
