// SPDX-License-Identifier: Apache-2.0

// Package scheduler runs very many small state machines on a few goroutines.
//
// A goroutine per actor costs kilobytes and a wake-up per message; a [Process]
// costs about 200 bytes, and one that waits, for a message or for a command it
// yielded, costs nothing else.
//
// # Basics
//
// A [Process] is a Step function with an Init and a Close. [Scheduler.Submit]
// gives a [Ref] to it; [Ref.Send] queues messages; Step gets them in batches and
// says through [Output] what happens next: wait, run again, end, or carry out
// commands, whose outcomes come back as events. Package dispatch maps commands
// to handlers, package schedulertest drives processes by hand in tests.
//
// Every worker looks for work in its LIFO slot (the process that the running
// one has just readied, at most 16 times in a row), in its inject queue, in its
// deque, in the global queue, and then in the deques of others, of which it
// takes half. One that finds nothing spins for a few microseconds and parks.
// A process that becomes ready goes to the worker it ran on last, so that its
// memory is still in a near cache.
//
// Inside a Step, use [Output.Send], or [Ref.SendFrom] in code that is handed the
// Output: it knows the worker, and costs about half of a plain Send. A plain
// Send is correct everywhere.
//
// # States
//
// The state of a process is one atomic word, the head of its event queue:
//
//	head       state               meaning
//	nil        ready or running    in hand, no event waiting
//	list       ready or running    in hand, events waiting (the wake-up flag)
//	idle       idle                nobody's; whoever pushes an event must queue it
//	blocked    blocked             the same, with open yields
//	closed     complete            takes no events
//
// and these are all its transitions; each is one compare-and-swap or swap:
//
//	from             to       by                     when
//	—                nil      Submit                 Init has succeeded; goes to the global queue
//	nil, list        list     Send, CompleteYield,   event pushed; nothing else to do, as
//	                          Terminate              somebody has the process in hand
//	idle, blocked    list     the same               event pushed; the pusher queues the process
//	list             nil      worker                 takes the events and runs Step
//	nil              idle     worker                 Step is over, no event, no open yield
//	nil              blocked  worker                 Step is over, no event, open yields
//	list             list     worker                 Step is over, but events came: queued again
//	nil, list        nil,list worker                 Step asked to go on: queued again
//	any              closed   worker, Stop           done, failed, panicked, terminated
//
// An event and the duty to run the process cannot come apart, because they are
// the same word; that is why no wake-up is ever lost.
//
// # Ownership
//
// A process is in hand of exactly one party at a time: the goroutine inside
// Submit, then the queue it is ready in, then the worker that took it from
// there; whoever lets go of it, or makes it ready, does so by a compare-and-swap
// of the state word, which orders everything before with everything after. The
// fields of a Ref that are not atomic, and the Process, belong to that party;
// that is why Step needs no lock. Stop takes a process away from a Step that does
// not return by a flag both sides set, and touches nothing that the Step may use.
//
// Events are copied into a slice of the worker and are valid during the Step;
// their nodes are recycled before it begins. The Output belongs to the worker and
// is lent for one Step. What Send was given belongs to the receiver when Send
// returned nil; it is never copied and never kept. A Ref is never recycled: a
// stale one finds an ended process, not another one.
//
// # Guarantees
//
//   - Events are delivered exactly once while the process lives, those of one
//     sender in order; Step, Init and Close of a process never overlap
//     (TestPropertyStateMachine, TestConcurrentSendersAreHeardExactlyOnceInOrder).
//   - No wake-up, completion or cancellation is lost
//     (TestConcurrentCompletionsAreNeverLost, TestConcurrentCancelIsNeverLost,
//     TestConcurrentSendWakesParkedWorkers, and for every interleaving of a model
//     of parking TestParkingLosesNoWakeUpInAnyInterleaving).
//   - A Step that does not return delays nobody else by more than about twice
//     Config.StepBudget plus the time Go needs to find a thread
//     (TestEndlessStepDoesNotDelayOthers, TestWhatAnEndlessStepReadiedRunsElsewhere,
//     TestManyEndlessStepsGetSparesUpToTheLimit).
//   - Terminate ends a process in every state, and cancels the context of a
//     running Step at once (TestTerminateEndsAProcessInEveryState).
//   - A panic or runtime.Goexit in a process, handler or hook ends at most that
//     process, with a [PanicError] that has the stack
//     (TestPanicsAreContainedAndReported, TestGoexitInStepEndsOnlyTheProcess).
//   - A command that its handler accepted either completes or, if it implements
//     dispatch.Canceler, is told that its process has ended or was replaced
//     (TestOpenCommandsAreCancelledWhenTheirProcessEnds,
//     TestConcurrentCompletionAndCancelOfCommands).
//   - What comes too late is dropped, counted and shown to Config.OnDrop
//     (TestCompletionAfterTheEndIsDroppedAndCounted,
//     TestMessagesLeftAtTheEndAreLostAndCounted).
//   - An idle scheduler runs nothing at all: workers are parked and no timer is
//     set (TestIdleSchedulerParksEverything).
//   - Stop completes every process and leaves no goroutine, unless a Step
//     ignores its context for ever (TestStopConcurrentWithSubmitLosesNothing,
//     TestStopCompletesAProcessThatNeverReturns).
//   - Send, yield, completion and Step do not allocate; Submit allocates the Ref
//     (TestSendAndStepDoNotAllocate, TestSubmitToDoneAllocatesOnlyTheRef).
//
// # Caveats
//
// Queues are unbounded unless Config.MaxQueue is set. A Step in a tight loop is
// not preempted: others move to a spare worker, and Go divides the processors
// among the goroutines, in slices of about 10 ms. A plain Send to a process
// whose last worker is inside a long Step waits until the monitor notices, up to
// twice Config.StepBudget, even if another worker sleeps. Info.RunTime is
// sampled. Handlers and hooks run on workers and must not block.
package scheduler
