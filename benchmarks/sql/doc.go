// SPDX-License-Identifier: Apache-2.0

// Package sql measures statements of Lua programs beside the same statements from Go with database/sql.
package sql
