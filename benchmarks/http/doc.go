// SPDX-License-Identifier: Apache-2.0

// Package http measures a Lua function that answers HTTP requests beside net/http.
package http
