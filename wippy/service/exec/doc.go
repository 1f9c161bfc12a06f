// SPDX-License-Identifier: Apache-2.0

// Package exec runs commands of the operating system: the kind exec.native.
//
// # Basics
//
// An executor is an entry that says where commands run, what environment they get and,
// with a whitelist, which ones there are. [Executor.Command] makes a [Process] of a
// command line; nothing runs before [Process.Start].
//
// There is no shell: [Split] takes a command line apart at its spaces, and what is left is
// handed to the program as it stands. Pipes, variables and redirections are plain text
// to it, so a value that a program puts into a command line cannot start anything else;
// it can only become further arguments, unless it is quoted.
//
// # Guarantees
//
//   - A command gets the variables of its executor and of the call and no others: nothing
//     of this program's own environment (TestEnvironmentIsClean).
//   - Every process leads a process group of its own. [Process.End] ends the group, also
//     when its leader is gone already, first with SIGTERM and after [Grace] with SIGKILL
//     (TestEndEndsTheWholeGroup, TestEndKillsWhatIgnoresIt).
//   - A process that has ended is collected at once, whether somebody waits for it or
//     not: no zombies (TestProcessesAreReaped).
//   - What a command wrote can be read after it has ended (TestOutputOutlivesTheProcess).
//   - [Executors.Stop] leaves no command running (TestStopEndsEverything).
//   - Whoever starts commands without end gets an error, kind RateLimited, before the program runs out
//     of file descriptors (TestAttackCommandsWithoutEnd).
//
// # Costs and caveats
//
// A running command costs one goroutine, which on Linux takes no thread (TestCommandsTakeNoThreads),
// and up to three pipes. Starting one costs what os/exec costs (BenchmarkRun). A command that writes more than a pipe holds, 64 KiB on Linux, stands still
// until somebody reads.
//
// A command that leaves its process group (setsid) is out of reach, and a program that is killed with
// SIGKILL ends none of its commands. Outside Unix there are
// no process groups: only the process itself is ended, and no signal but SIGKILL works.
package exec
