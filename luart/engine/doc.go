// SPDX-License-Identifier: Apache-2.0

// Package engine runs Lua programs as light processes.
//
// A Lua state per process costs 166 KB and 65 µs with gopher-lua as it is, and
// protected calls, iterators and coroutines keep a program from waiting without
// blocking. The engine makes a process a thread of about two kilobytes that shares
// everything immutable with all others, and lets it wait anywhere an ordinary call
// can stand.
//
// # Basics
//
// An [Engine] holds what processes share: [Module] values are registered with it
// before [Engine.Seal]. [Engine.Link] compiles a program and ties it to the modules
// and libraries it may use. [Engine.NewProcess] makes a [Process], which
// implements scheduler.Process: Submit it to a scheduler. Arguments are the
// []payload.Payload given as input, the result is a payload.Payload in the
// Lua format, a failure is an error that carries kind, details and the Lua stack
// ([Error]).
//
// Module functions are ordinary gopher-lua functions:
//
//	b.Func("sleep", func(L *lua.LState) int {
//		return engine.Yield(L, sleepCommand{d}, nil)
//	})
//
// [From] gives them the process, [Yield] suspends the calling coroutine until the
// scheduler has completed a command, [Start] issues one and goes on,
// [Process.NewChannel] and [Process.Listen] make channels, [ToLua], [ToGo],
// [Copy] and [PushError] convert values.
//
// # Guarantees
//
//   - A call may wait inside pcall, xpcall, coroutines, generic for iterators and
//     any mix of them (TestYieldAnywhere).
//   - Where it cannot, in metamethods and callbacks of Go functions, it raises an
//     error that names the function, and nothing else changes (TestNestedYieldRaises).
//   - Processes share no mutable value: libraries and modules are read-only, values
//     that cross are copied (TestSharedTablesAreReadOnly, TestCopyIsDeep,
//     TestProcessesCannotObserveEachOther).
//   - What a program without modules can reach is a known list, testdata/reachable.txt,
//     and none of it can be written to
//     (TestReachableFromAProcessWithoutModules, TestSharedTablesRefuseEveryWayOfWriting).
//   - Programs of Lua 5.1 mean what they mean in its C implementation, with listed
//     exceptions (TestOracle, TestRandomProgramsMeanWhatTheyMeanInLua51).
//   - Coroutines run first come, first served; channels keep their order
//     (TestChannelModel, a property test against a model).
//   - Messages reach the channel of their topic, else the inbox, in order, and none
//     is dropped (TestMailbox).
//   - Endless loops and recursion end with an error or with Terminate, and no pcall
//     holds that up (TestRunawayPrograms).
//   - Types are values: the built-in ones globals of every program, declared ones of
//     the program that declares them alone (TestBuiltinTypesAreGlobals,
//     TestDeclaredTypesAreValues, TestTypesOfLibrariesAreTheirOwn). They cost
//     a process nothing (TestIdleProcessWithTypesBytes).
//   - An error of the virtual machine names the variable at fault
//     (TestErrorsNameTheCulprit).
//   - A panic in a module function becomes a Lua error with the Go stack
//     (TestPanicIsContained).
//
// # Caveats
//
// Numbers are float64. A pcall costs a switch of threads, about half a microsecond.
// A process is interrupted between instructions, not inside a Go function. One
// assignment to a very large index of a table fills the gap with nil, as gopher-lua
// does. Setting a shared global to nil in a program leaves it visible.
package engine
