// SPDX-License-Identifier: Apache-2.0

// Package schedulertest drives a scheduler by hand, so that tests of processes
// are repeatable and need neither sleeping nor waiting.
//
// A [Sim] runs the very code that runs in production, on the goroutine of the
// test, one Step at a time. What runs next, on which worker, and who steals from
// whom is drawn from a [Choice]: a seed, or a property-testing library's source
// of randomness, which can then shrink a failing schedule.
//
// [Func] and [Recorder] are ready-made processes; [Held] is a command handler
// whose outcomes the test gives when it likes.
package schedulertest
