// SPDX-License-Identifier: Apache-2.0

// Package sql is the Lua module sql: databases, transactions, prepared statements and a builder of statements.
//
// # Basics
//
// A program gets a database by the id of its entry and runs statements on it. Everything that reaches a database
// suspends the calling coroutine only; everything else, the builder included, answers at once.
//
//	local db = sql.get("app:db")
//	local rows, err = db:query("SELECT name FROM users WHERE id = ?", {7})
//
// # Guarantees
//
//   - What a program does not finish is finished with it: statements that run are cancelled on the server, open
//     transactions are rolled back, handles released (TestNothingOutlivesTheProgram).
//   - The statements of a transaction run one at a time, in the order of their calls, also when coroutines share it
//     (TestTransactionKeepsTheOrderOfCalls).
//   - Values are bound, never made part of a statement; what is part of one, as written by the program, are the
//     texts, table and column names given to the builder. Names of savepoints are checked
//     (TestValuesAreNeverPartOfAStatement).
//   - No number is changed: an integer that a number cannot hold arrives as text (TestLargeIntegersAreTexts).
//   - Errors of the database keep their text; those of a lost connection are Unavailable and retryable.
//
// # Costs
//
// A statement costs a goroutine while it runs. A result is made of tables before the program sees it: memory in
// proportion to it.
package sql

import (
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/service/sql"
)

// Deps is what the module works with.
type Deps struct {
	Databases *sql.Table
	Allow     access.Check
	// Kind returns the kind of the entry with an id, "" when there is none. It may be nil.
	Kind func(id string) string
}

// module holds the classes of the values.
type module struct {
	Deps
	databases, transactions, statements *engine.Class
	conditions, formats, executors      *engine.Class
	selects, inserts, updates, deletes  *engine.Class
}

// Module returns the Lua module. It needs the handler that [Register] adds.
func Module(d Deps) engine.Module {
	return engine.Module{
		Name:    "sql",
		Classes: []string{"storage", "io", "nondeterministic"},
		Build: func(b *engine.Builder) error {
			m := &module{Deps: d}
			m.databases = b.Type("DB", m.databaseMethods(), nil)
			m.transactions = b.Type("Transaction", m.transactionMethods(), nil)
			m.statements = b.Type("Statement", m.statementMethods(), nil)
			b.Func("get", m.get)
			constants(b.Table("type"), map[string]string{
				"POSTGRES": sql.Postgres, "MYSQL": sql.MySQL, "SQLITE": sql.SQLite, "UNKNOWN": "unknown",
			})
			constants(b.Table("isolation"), map[string]string{
				"DEFAULT": "default", "READ_UNCOMMITTED": "read_uncommitted", "READ_COMMITTED": "read_committed",
				"WRITE_COMMITTED": "write_committed", "REPEATABLE_READ": "repeatable_read", "SERIALIZABLE": "serializable",
			})
			values(b)
			m.builder(b.Table("builder"))
			return nil
		},
	}
}

func constants(b *engine.Builder, texts map[string]string) {
	for name, text := range texts {
		b.Value(name, lua.LString(text))
	}
}

func invalid(text string) error { return engine.NewError(engine.KindInvalid, text) }
