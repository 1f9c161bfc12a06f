// SPDX-License-Identifier: Apache-2.0

// Package stage transforms a list of entries before it is loaded into a registry:
// LoadDirs reads more of them, Override sets single fields, Disable removes entries, Link
// writes the values that dependencies pass to the requirements of a module, Embed takes
// directories into a package. A Pipeline runs stages in order.
//
//	p := stage.NewPipeline(overrides, disable, stage.Link(stage.LinkOptions{}), overrides)
//	entries, err := p.Run(ctx, entries)
//
// Expand is for the readers of entries: it replaces the names of environment variables in
// the data of one entry by their values.
//
// # Guarantees
//
//   - Stages never change the entries they are given; they copy what they change, and
//     share the rest (TestSetAndAppendAreChangesInACopy; every test that runs a stage
//     checks its input).
//   - A pipeline reports everything that keeps it from succeeding, of all its stages, and
//     once (TestPipelineReportsWhatEveryStageFinds, TestOverrideReportsEveryBadKey,
//     TestDisableReportsWhatIsWrong, TestLinkReportsEveryUnresolvedRequirement,
//     TestEmbedReportsEveryEntryItCannotEmbed, TestExpandReportsEveryStringItCannotExpand).
//   - What is wrong is told with the place it was written at, where known, and what was
//     probably meant (TestLinkTellsWhereAndWhatToDo). What is ignored is a warning in the
//     Report (TestLinkWarnsOfFieldsThatMeanNothing, TestOverrideOfADisabledEntryIsAWarning).
//   - Link gives every requirement the value its definition says
//     (TestLinkWritesWhatTheDefinitionSays); running overrides twice is running them once
//     (TestOverridingTwiceIsOverridingOnce).
//   - When a stage fails nothing is returned, so that nothing starts
//     (TestOneBrokenFileAmongManyKeepsAllFromStarting).
//
// # Caveats
//
// A stage may be used by several pipelines at a time; the functions given to Embed then
// are called from each. Hints are given for the first twenty mistakes of a stage.
package stage
