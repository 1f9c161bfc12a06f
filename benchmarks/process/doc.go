// SPDX-License-Identifier: Apache-2.0

// Package process measures native processes of the scheduler beside goroutines with
// channels, the actors of protoactor-go and of hollywood, and the processes of the
// Erlang virtual machine.
//
// # Basics
//
// A workload is a function of this package: it fixes sizes and what is measured. A
// [Contestant] carries workloads out with one runtime, in that runtime's own words:
// nothing stands between the contestant's code and its runtime while the clock runs, so
// that nobody pays for having been made comparable.
//
// The contestants are in the test files. Hollywood has a package of its own, because it
// and protoactor register protocol buffers of the same names, which the protocol buffer
// library answers with a panic when both are in one program.
//
// # Contestants
//
//   - ours: the scheduler. A suffix says what is done differently, such as plain for
//     Ref.Send in place of Output.Send.
//   - goroutines: goroutines and channels, used as a Go programmer would.
//   - protoactor, hollywood: actors with the default mailbox.
//   - erlang: the source testdata/contest.erl, compiled and run by the Erlang on PATH as
//     a program of its own with its own clock. Without erl and erlc it is left out, and a
//     line in the output says so.
//
// Ergo is missing: the module proxy that this suite is built with refuses it.
package process
