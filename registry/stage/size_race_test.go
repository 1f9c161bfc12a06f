// SPDX-License-Identifier: Apache-2.0

//go:build race

package stage_test

// projectSize is smaller under the race detector, which makes reading files ten times as
// slow and which other tests give more to do.
const projectSize = 1000
