// SPDX-License-Identifier: Apache-2.0

//go:build !race

package logs_test

// raceEnabled says that allocations are not what they are in a normal build.
const raceEnabled = false
