// SPDX-License-Identifier: Apache-2.0

// Package evalrunner is the Lua module eval_runner: compiling and running Lua source that is only known while the
// program runs, shut in.
//
// # Basics
//
// The source runs in a process of its own, on the scheduler of its caller, and sees the modules it is given: those
// that are listed, or else all but those whose classes are blocked (process, storage and network, unless the caller
// allows them). Libraries, data and context values may be handed to it. What it returns is copied to the caller.
//
//	r := evalrunner.New(evalrunner.Config{})
//	err := e.Register(r.Module())
//	…
//	r.Register(dispatch)
//
// What belongs to the system around it (permissions, library entries, frames, the scheduler) comes through [Config];
// the zero value is a runner without libraries that allows everything.
//
// # Guarantees
//
//   - Evaluated source reaches no module that it is not given, not through the globals, require, libraries or types,
//     and none of the runtime's globals: they run on an engine of their own, which knows nothing else
//     (TestNothingElseIsReachable, TestPrivilegedImports).
//   - An evaluation ends: with its caller (TestTheCallerEndsItsEvaluation), when nothing can wake it
//     (TestIdleEvaluations), after 10 000 resumptions (TestStepLimit).
//   - Nothing is shared with the caller but what the engine shares between processes: arguments, context, custom
//     modules and results are copies.
//
// # Caveats
//
// Source without a method is run as the body of a function: the types it declares check nothing there and are no
// values. Memory is bounded by the options of the engine alone (Config.Engine). A caller that waits for its evaluation
// waits without a worker, but its evaluation takes one.
package evalrunner
