// SPDX-License-Identifier: Apache-2.0

// Package data measures stores and queues, used from Lua programs, beside Redis, used from
// Go over a Unix socket.
package data
