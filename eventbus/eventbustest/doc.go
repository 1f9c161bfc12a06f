// SPDX-License-Identifier: Apache-2.0

// Package eventbustest is the contract of an event bus, as tests that any implementation
// can be put to: one's own, an adapter to a broker, a fake.
//
// # Basics
//
// An implementation says how to make a bus and which features it has; the suite checks
// what every bus has to do and what those features promise:
//
//	func TestContract(t *testing.T) {
//		eventbustest.Run(t, eventbustest.Implementation{
//			New:      func() eventbustest.Bus { return adapter{mybus.New()} },
//			Features: eventbustest.Wildcards | eventbustest.Contexts,
//		})
//	}
//
// Features are declared and nothing is skipped: a contract whose features are not declared
// is no test.
//
// # Guarantees
//
//   - [eventbus.Bus] keeps every contract (TestOwnBusKeepsEveryContract).
//   - A bus with none of the features can pass (TestNaiveBusKeepsTheBasicContracts).
//   - Every contract fails for some bus that is wrong in one point
//     (TestEveryContractFindsAFault).
//   - Nothing is decided by how long something takes: that an event was not delivered is
//     concluded from a later one that was. Only what never happens is given up on, when
//     the context of [Contract.Check] ends. The suite may run in a [testing/synctest]
//     bubble, where that takes no time (TestOwnBusKeepsEveryContract).
//
// # Caveats
//
// A bus that lets a panic of a callback escape on a goroutine of its own takes the test
// program with it; its Contains feature must not be declared.
package eventbustest
