// SPDX-License-Identifier: Apache-2.0

// Package host converts between Lua values and the plain Go data that libraries work with.
//
// It differs from engine.ToGo and engine.ToLua, which carry values between processes, in what it is for: here a
// number without a fraction is an integer, a table with a position is a list, and what cannot be converted is an
// error instead of nil. Both directions are bounded, so no value makes them run for ever or use up the memory.
package host
