// SPDX-License-Identifier: Apache-2.0

// Package sql is the databases of an application: the entry kinds `db.sql.sqlite`, `db.sql.postgres` and
// `db.sql.mysql`, each a pool of connections that programs share.
//
// # Basics
//
// A [Listener] turns entries into [Database] values and keeps them in a [Table] under the id of their entry. A database works from then on; being started as a service only proves that it can be reached. Programs
// run statements on a [Database], in a [Tx] or with a [Stmt]: the three have the same methods.
//
//	rows := 0
//	err := db.Query(ctx, "SELECT name FROM users WHERE id = ?", []any{int64(7)}, func(r *sql.Rows) error {
//		for r.Next() { rows++ }
//		return r.Err()
//	})
//
// # Guarantees
//
//   - Every operation ends soon after its context: SQLite is interrupted, PostgreSQL gets a cancel request, MySQL a
//     KILL (TestCancelledQueryEndsOnTheServer).
//   - A change of the pool's limits counts at once; a change of what is connected to, also by an environment
//     variable, makes a new pool: what runs finishes on the old one, who waits for a connection of it gets one of the
//     new one (TestUpdateSwapsThePool, TestWaitersMoveToTheNewPool, TestPoolLimitsChangeLive).
//   - Connections are given to those who wait in order (TestWaitersAreServedInOrder).
//   - A change of entries that fails leaves every database as it was (TestDiscardedChangeLeavesTheDatabase).
//   - A database that is kept in memory lives as long as its entry, whatever happens to its service
//     (TestMemoryDatabaseOutlivesItsService).
//   - No connection, goroutine or transaction outlives [Listener.Close] (goleak in the tests).
//   - A lost connection is Unavailable and retryable (TestLostConnection); what the database itself has to say
//     keeps its text and has no kind.
//
// # Caveats
//
// A pool without max_idle keeps no connection: every statement then connects anew. A SQLite database has one
// connection, so whoever waits for a second one within its own transaction waits for ever. A prepared statement
// stays with the pool it was prepared on and keeps it open.
package sql
