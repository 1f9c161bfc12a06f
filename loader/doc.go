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
// levels above it what it has made. [Loader.Report] tells where the time went, and
// during a call, which component it waits for.
//
// # Guarantees
//
//   - A component is loaded after everything it depends on, directly or not
//     (TestPlanPutsEveryComponentAboveItsDependencies, a property test), and the
//     components of one level run at the same time
//     (TestLoadRunsTheComponentsOfALevelConcurrently).
//   - The plan depends on names only, never on the order of arguments
//     (TestPlanIgnoresTheOrderOfArguments).
//   - New reports every duplicate, missing dependency and cycle in one error
//     (TestNewReportsAllProblemsAtOnce). A cycle is printed with its whole path, and
//     every component that is part of one is in a path
//     (TestReportedCyclesAreReal, a property test).
//   - The contexts of a level are merged deterministically: on equal keys the
//     component with the greatest name wins (TestLoadMergesContextsByName).
//   - The first failure cancels the rest of the level, nothing above it is loaded,
//     and the error names the component; so does a time-out, even when the
//     component ignores its context (TestLoadFailureCancelsTheLevel,
//     TestLoadTimeoutNamesTheComponent). A hang without a time-out is found in the
//     report (TestReportShowsWhereItHangs).
//   - When Load or Start fails, exactly the components that are up are stopped, in
//     reverse: those whose Start succeeded, and those without one whose Load did
//     (TestStartFailureStopsWhatHadStarted, TestLoadFailureStopsWhatIsUp).
//   - Stop goes on after an error and joins the errors (TestStopGoesOnAfterErrors).
//   - The contexts given to a component live until it has been stopped, and no longer
//     (TestContextsLiveAsLongAsTheirComponent).
//   - A panic in a component, or a runtime.Goexit, becomes an error, the panic one with
//     its stack (TestPanicBecomesAnError, TestGoexitBecomesAnError).
//   - All of this holds together: calls, errors and times are what a plain calculation
//     predicts for random graphs of components that take their time, fail, panic and
//     hang (TestRandomGraphsAgreeWithAModel, a property test in virtual time).
//
// # Caveats
//
// A level is a barrier: a component waits for the whole level below it, not only
// for what it needs. Go cannot end a goroutine, so a function that ignores its
// context is left behind, with an error that says so. A component with a Start that is
// never reached is not stopped: what its Load takes, only its Load can give back.
//
// # Cost
//
// One and a half to two microseconds per component from New to Stop
// (BenchmarkLife1000In10); a goroutine each in Load, one for all in Start and in Stop.
package loader
