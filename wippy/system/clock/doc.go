// SPDX-License-Identifier: Apache-2.0

// Package clock lets processes wait: sleeping, timers and tickers for any number of them, without a
// goroutine or a runtime timer each.
//
// # Basics
//
// Processes reach it with commands, Go code directly:
//
//	c := clock.New()
//	c.Register(dispatcher)                       // commands 10 to 23
//	out.Yield(&clock.Sleep{For: time.Second}, 1) // in a process
//
//	t := c.Every(time.Second, func(now time.Time) { ... }) // in Go
//	t.Stop()
//
// A one-shot wait completes the yield of the process. A ticker has no end a yield could complete with, so
// it delivers through a function; [ToProcess] makes one that sends each tick as a message.
//
// # Guarantees
//
//   - Nothing fires early. It fires late by at most [Resolution] plus what the operating system and other
//     deliveries take (TestNothingFiresEarly, TestModel).
//   - A one-shot timer fires once or is stopped, never both: Stop and Reset report true exactly when they
//     came before it (TestModel, TestStopRacesFiringConcurrentSafe).
//   - A ticker does not drift: tick n is due n periods after the start. Ticks that are already in the
//     past when the one before was delivered are left out, not made up for (TestTickerDoesNotDrift,
//     TestTickerSkipsMissedTicks).
//   - Arming, stopping and firing allocate nothing beyond the command or timer itself
//     (TestSleepingAllocatesNothing).
//   - Nothing runs while nothing is due: no goroutine, no periodic wake-up (TestIdleClockHasNoGoroutine).
//   - A panic in a delivery function is reported and does not stop the others (TestPanicIsContained).
//
// # Costs and caveats
//
// Timers live in hierarchical timing wheels (Varghese & Lauck 1987), one per processor: arming and
// stopping is O(1) whatever their number, against O(log n) and a goroutine per firing for time.AfterFunc; see
// BenchmarkArmStop and BenchmarkFire for the comparison. One runtime timer per wheel waits for the
// earliest deadline.
//
// Delivery functions run one after the other on the goroutine of their wheel: they must not block. A tick
// that is being delivered while Stop is called may arrive after Stop has returned.
//
// A sleep that outlives its process is forgotten when it is due, unless it is cancelled with
// [Sleep.Cancel].
package clock
