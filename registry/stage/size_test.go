// SPDX-License-Identifier: Apache-2.0

//go:build !race

package stage_test

// projectSize is the number of entries of a large project.
const projectSize = 10_000
