// SPDX-License-Identifier: Apache-2.0

// Package loader brings the components of an application up in dependency order,
// independent ones in parallel, and takes them down in the reverse order.
//
// # Basics
//
// A [Component] has a name, the names it depends on and up to three functions.
// [New] checks the whole graph and arranges it into levels: a component stands one
// level above the highest of its dependencies. Then
//
//	l, err := loader.New(components...)
//	ctx, err = l.Load(ctx)  // level by level, the components of a level in parallel
//	err = l.Start(ctx)      // one by one, in order
//	...
//	err = l.Stop(ctx)       // one by one, in reverse order
//
// Load receives a context and returns one: this is how a component hands to the
// levels above it what it has made. [Loader.Report] tells where the time went.
//
// # Guarantees
//
//   - A component is loaded after everything it depends on, directly or not
//     (TestPlanPutsEveryComponentAboveItsDependencies, a property test), and the
//     components of one level run at the same time
//     (TestLoadRunsTheComponentsOfALevelConcurrently).
//   - The plan depends on names only, never on the order of arguments
//     (TestPlanIgnoresTheOrderOfArguments).
//   - New reports every duplicate, missing dependency and cycle in one error, a
//     cycle with its whole path (TestNewReportsAllProblemsAtOnce).
//   - The contexts of a level are merged deterministically: on equal keys the
//     component with the greatest name wins (TestLoadMergesContextsByName).
//   - The first failure cancels the rest of the level, nothing above it is loaded,
//     and the error names the component; so does a time-out, even when the
//     component ignores its context (TestLoadFailureCancelsTheLevel,
//     TestLoadTimeoutNamesTheComponent).
//   - When Start fails, exactly the components that had started are stopped, in
//     reverse (TestStartFailureStopsWhatHadStarted).
//   - Stop goes on after an error and joins the errors (TestStopGoesOnAfterErrors).
//   - A panic in a component becomes an error with a stack
//     (TestPanicBecomesAnError).
//
// # Caveats
//
// A level is a barrier: a component waits for the whole level below it, not only
// for what it needs. Go cannot end a goroutine, so a function that ignores its
// context is left behind, with an error that says so. Load runs before anything is
// started: if a later component fails to load, Stop of the loaded ones is not
// called, so Load should acquire nothing that only Stop gives back.
package loader
