// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin || freebsd || netbsd || openbsd || windows

package sql

// vec0 tables and the vec_* functions, on every SQLite connection.
import _ "modernc.org/sqlite/vec"
