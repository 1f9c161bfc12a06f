// SPDX-License-Identifier: Apache-2.0

// Package supervisor keeps services running: it starts them after what they depend on, restarts them with
// growing delays when they fail, and stops them in the opposite order.
//
// # Basics
//
// Services come and go in transactions, next to the entries they are made from:
//
//	s := supervisor.New(supervisor.WithPublisher(bus), supervisor.WithLogger(log))
//	s.Begin(ctx)
//	s.Register("app:db", db, lifecycle, nil)
//	s.Register("app:api", api, lifecycle, []string{"app:db"})
//	s.Commit(ctx) // returns at once; auto-start services start in the background
//	...
//	s.Shutdown(ctx)
//
// Begin, Commit and Discard make a Supervisor a participant of registry transactions.
//
// # Guarantees
//
//   - Two methods of one service never run at the same time, not even after a timeout
//     (TestHungStopDelaysTheNextStart).
//   - A service starts after the services it depends on have started; a service that failed or is blocked
//     blocks those that need it and nobody else (TestStartOrder, TestFailureBlocksOnlyDependents).
//   - With max_attempts = N a service is started at most N times in a row; a run of at least the stable
//     threshold begins a new row (TestMachineModel, TestMaxAttemptsBoundsStarts).
//   - The delay before restart n is initial · factor^(n-1), at most max, ± jitter (TestBackoffSequence).
//   - A terminal error ends a service without a restart (TestTerminalErrorsAreNotRetried).
//   - A start that succeeds after its timeout is stopped again (TestLateStartIsStopped).
//   - A panic in a service is an error of that service (TestPanicIsAFailure).
//   - Whoever waited for a start finds what the service had reported of itself when it returned from Start
//     (TestDetailsAreThereWhenTheStartIsOver).
//   - Events of one service are published in the order of its states (TestStatesArePublishedInOrder).
//   - Commit does not wait for services, and a service that keeps failing does not hold up later
//     transactions (TestFailingServiceDoesNotHoldUpLaterTransactions).
//
// # How it works
//
// One pure state machine per service decides (machine.go); a controller carries out what it decides
// (controller.go) with a goroutine per call of the service and one that reads the status channel while
// it runs. A service that is down costs no goroutine.
package supervisor
