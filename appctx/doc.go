// SPDX-License-Identifier: Apache-2.0

// Package appctx hands the components of an application to each other: a typed
// dictionary that is written while the application boots, sealed, and read without
// a lock.
//
// # Basics
//
// A package that offers a component declares a key, usually an unexported
// variable with an exported accessor:
//
//	var busKey = appctx.NewKey[*Bus]("eventbus")
//
// Boot code makes one [Dict], puts components under their keys, carries it in a
// context ([With], [From]) and calls [Dict.Seal] when the last component is in
// place. Everything after that only reads.
//
// A [Frame] is the small sibling of Dict for the values of one execution, such as
// the actor a call runs for. It is forked for callees: keys made with [Inherit]
// pass to the child, and the parent becomes read-only.
//
// # Guarantees
//
//   - A key gives back exactly the type it was made with, nil interfaces included;
//     there is no type assertion at the call (TestKeyGetReturnsWhatWasSet).
//   - A key is set at most once per Dict, and a sealed Dict never changes: both
//     violations panic and name the key (TestSetTwicePanicsNamingTheKey,
//     TestSetAfterSealPanicsNamingTheKey).
//   - Dict behaves as a write-once map followed by a read-only one
//     (TestDictBehavesAsWriteOnceMap, a property test), and frames as maps of which
//     children get the inherited part, cloned or changed as their values ask for
//     (TestFramesBehaveAsInheritingMaps, a property test).
//   - A frame that has been sealed or forked cannot be changed: Set fails and names the
//     key (TestFrameSetOnSealedFails).
//   - A read of a Dict or of a sealed Frame takes no lock, and no read allocates
//     (TestReadsDoNotAllocate).
//   - Everything may be called concurrently (TestDictConcurrentSetGetSeal,
//     TestFrameConcurrentSetGetSeal, TestFrameConcurrentForkAndRelease).
//   - A closable frame value is closed exactly once, after the last frame that can
//     read it is released (TestFrameSharedCloserOutlivesParent,
//     TestFrameTreeClosesEachValueOnce, a property test), whatever other values do when
//     they are closed (TestFrameReleaseContainsPanics).
//
// # Caveats
//
// A key costs one slot in every Dict in which it, or a younger key, is set: keys
// belong in package variables. A Dict never forgets a value, and every Set copies its
// table: it is made for tens or hundreds of components, not for data. A Frame is
// scanned linearly and is meant for up to about a dozen values; while it is open a
// read takes a read lock.
//
// # Cost
//
// Key.Get is inlined: four loads, each at the address that the one before gave, and four
// comparisons, about a nanosecond (BenchmarkSealedGet, which is mostly its loop). Fork
// and Release make two allocations (TestForkAllocatesAFrameAndItsList).
package appctx
