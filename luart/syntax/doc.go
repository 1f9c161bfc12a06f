// SPDX-License-Identifier: Apache-2.0

// Package syntax reads typed Lua.
package syntax
