// SPDX-License-Identifier: Apache-2.0

// Package metrics lets Prometheus read what is counted, and counts what happens in the runtime.
//
// # Basics
//
//	m := metrics.New() // of wippy/system/metrics
//	s := &metrics.Server{Address: ":9090", Metrics: m, Checks: checks, Log: log}
//	err := s.Start()
//
// The endpoint /metrics has what is in m, and the memory, garbage collector and process figures of the
// Go client. The endpoint /livez has a line for each health check: "name<TAB>ok" or
// "name<TAB>fail: reason"; the status is 503 when any fails.
//
// [Calls] is an interceptor that counts the calls of functions, [Observe] makes m ask the parts of a
// runtime for their own counters whenever it is read.
//
// # Guarantees
//
//   - What /metrics returns is parsed by Prometheus' own parsers, in the text format and in the
//     binary one (TestGatheredIsValid).
//   - A call of a function that does not exist makes no series: callers choose ids
//     (TestCallsOfUnknownFunctionsShareOneSeries).
//   - A reader that is slow or stuck holds up nobody: recording takes no lock that reading holds for
//     longer than a map look-up.
package metrics
