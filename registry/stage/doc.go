// SPDX-License-Identifier: Apache-2.0

// Package stage transforms a list of entries before it is loaded into a registry:
// Override sets single fields, Disable removes entries, Link writes the values that
// dependencies pass to the requirements of a module. A Pipeline runs stages in order.
//
//	p := stage.NewPipeline(overrides, disable, stage.Link(stage.LinkOptions{}), overrides)
//	entries, err := p.Run(ctx, entries)
//
// # Guarantees
//
// Stages never change the entries they are given; they copy what they change
// (TestStagesDoNotModifyTheirInput). A stage reports everything it could not do, each
// with the ID and, where known, the file, line and column of the entry
// (TestLinkReportsEveryUnresolvedRequirement). When a stage fails nothing is returned.
package stage
