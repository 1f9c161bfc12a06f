// SPDX-License-Identifier: Apache-2.0

// Package luart is the Lua runtime: programs written in typed Lua run as light,
// isolated processes on the scheduler.
//
// The work is done by its packages:
//
//   - [github.com/wippyrun/kit/luart/syntax] parses typed Lua and compiles it;
//   - [github.com/wippyrun/kit/luart/engine] runs programs as processes with
//     coroutines, channels, a mailbox and yielding calls;
//   - github.com/wippyrun/kit/luart/modules, a module of its own, holds the
//     libraries for programs that need nothing but Go.
//
// A Go developer who wants to run Lua starts with the engine.
package luart
