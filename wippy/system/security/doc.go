// SPDX-License-Identifier: Apache-2.0

// Package security decides what programs may do.
//
// # Basics
//
// A frame may carry an [Actor], somebody on whose behalf the execution works, and a [Scope], the policies that
// count for it. Both flow from call to call and from call to process like the other inherited values of a frame.
// [Gate.Allowed] is the one question that modules and services ask:
//
//	if !gate.Allowed(frame, "store.get", "app:sessions", nil) { … }
//
// Policies come from entries; [Directory] knows them by id and by group. A scope keeps the policies it was made of,
// so a policy that changes counts for scopes that are looked up afterwards.
//
// # Guarantees
//
//   - One policy that denies outweighs any number that allow; when none says anything the action is not allowed
//     (TestScopeDecision). Order does not matter (TestScopeOrderIsIrrelevant).
//   - Without actor or scope the mode decides alone: everything is allowed, or in strict mode nothing
//     (TestGate). That path takes two look-ups in a frame and allocates nothing.
//   - Actors, scopes and policies never change once they are made and may be used by any number of goroutines. An
//     evaluation takes no lock.
//
// # Caveats
//
// What is defended against is a program that acts for somebody: it cannot do what the scope it was given does not
// allow, nor give what it calls or spawns another one, unless the scope allows that too. Trusted is whoever writes the
// entries: they say who may do what, and code that runs without an actor may do everything unless the mode is strict.
// Messages do not carry an actor: who receives one goes on acting for whom it acted before. A scope that somebody holds
// keeps its policies when the entries change; it has to be looked up again for a change to count.
package security
