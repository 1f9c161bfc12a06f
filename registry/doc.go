// SPDX-License-Identifier: Apache-2.0

// Package registry is a versioned store of entries — the definitions an application
// consists of — whose changes have to be accepted by the components they concern. It
// answers reads without waiting, makes changes all or nothing, and can return to any
// version it ever had.
//
// # Basics
//
// An [Entry] has an [ID], a kind, metadata and data. Components register a [Listener] for
// the kinds they handle. [Registry.LoadState] brings in the entries of an application,
// [Registry.Apply] changes them at run time and returns a new [Version],
// [Registry.ApplyVersion] goes to another one. A [Snapshot] is an unchanging view for
// readers; [Registry.Find] searches it. [Registry.Watch] follows entries.
//
// A change runs like this: its operations are put in the order of the references between
// the entries; every transactor is told that it begins; every operation is accepted or
// rejected by the listeners of its kind; every transactor may still object; the version
// is stored in the [History]; only then it becomes visible to readers, and finishers,
// observers, watches and the [Publisher] learn of it. If anything fails on the way, what was accepted
// is undone by inverse operations and the version and the state remain as they were.
//
// Sub-packages: source reads entries from YAML and JSON, stage transforms them before they
// are loaded, history/sqlite keeps versions on disk, historytest checks other histories.
//
// # Guarantees
//
//   - Get takes no lock and does not allocate; readers never wait for a change and never
//     see half of one (TestGetDoesNotAllocate, TestReadersNeverWaitForAChange,
//     TestConcurrentReadersSeeWholeChanges).
//   - The state of every version is the replay of its history, and what listeners were
//     told adds up to the state, also after rejections and moves between versions
//     (TestStateIsTheReplayOfHistoryAndRejectionIsIdentity).
//   - A changeset followed by its reverse is the identity; squashing keeps the outcome
//     (TestReverseAfterApplyIsIdentityAndSquashKeepsTheOutcome).
//   - A version is durable, as its history understands it, before anybody is told; with
//     SQLite a process killed at any instant loses nothing it reported and keeps nothing
//     by half (history/sqlite: TestKilledWriterLosesNothing).
//   - Version numbers are never used twice, also after a restart
//     (TestLoadStateReplaysHistoryOverTheBaseline, TestRegistryRestartsWhereItWas).
//   - LoadState reports every entry that is wrong, with its place
//     (TestLoadStateReportsEveryFailingEntry).
//   - A listener that panics or never returns fails its operation and nothing else
//     (TestListenerPanicRejects, TestListenerThatNeverReturnsTimesOut).
//   - An indexed search finds what looking at every entry finds, in the order of IDs
//     (TestIndexedSearchEqualsScan).
//
// # Costs
//
// A snapshot is a pointer. A change copies O(changed · log n): about 1.5 KB per entry at
// 100 000 entries. A search uses indexes of the fields that were asked for before; after a
// change they are brought up to date by the next search, at the cost of the difference.
// Equality and prefixes look at what is found, other criteria on text at every different
// value of the field. Every version keeps what it does not share with others as long as a memory history
// or a snapshot refers to it.
//
// # Caveats
//
// Entries are shared: their maps and slices must not be modified. Apply copies what it is
// given, LoadState takes ownership.
//
// Changes are made one at a time. A listener must not change the registry with the context
// it was given, an observer not at all before it returns.
//
// A call of a listener that timed out may still be running when its operation is reported
// as rejected; what it does afterwards is its own affair.
package registry
