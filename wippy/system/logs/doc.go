// SPDX-License-Identifier: Apache-2.0

// Package logs writes log records for people and for machines, and streams them to the event bus.
//
// # Basics
//
//	m := logs.New(os.Stderr, logs.Options{Format: logs.Console, Publisher: bus})
//	log := m.Logger().With(logs.NameKey, "registry")
//	log.Info("loaded", "entries", 12)
//
// The attribute [NameKey] is the name of the logger and gets a place of its own; all others are fields. In
// the format Console, a record is one line of tab-separated columns:
//
//	2026-01-02 15:04:05	INFO	registry	loaded	{"entries":12}
//
// What is written and what is streamed can be changed while the program runs: see [Config],
// [Manager.Set] and, over the event bus, [Manager.HandleEvent].
//
// # Guarantees
//
//   - One record is one Write of complete lines, also with concurrent loggers (TestRecordsAreNotMixedConcurrentSafe).
//   - Whatever the fields hold, the fields of a line are valid JSON on one line (FuzzFields).
//   - Writing a record allocates nothing for plain fields (TestPlainRecordAllocatesNothing).
//   - A record nobody wants costs two atomic loads, 5 ns (BenchmarkDisabled).
//
// # Caveats
//
// A handler keeps a lock while it writes: a writer that blocks blocks the loggers. Streaming publishes on the
// bus; a subscriber to the stream that logs for every record it receives makes a loop.
package logs
