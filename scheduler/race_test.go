// SPDX-License-Identifier: Apache-2.0

//go:build race

package scheduler

// RaceEnabled tells the tests whether they run under the race detector.
const RaceEnabled = true
