// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/stdlib"
)

// cancelPatience is how long a server may take to end a statement that was cancelled. After that the connection is
// given up.
const cancelPatience = 5 * time.Second

// checkPostgres tells what is wrong with a connection string. Passwords in it are not repeated.
func checkPostgres(dsn string) error {
	_, err := pgx.ParseConfig(dsn)
	return err
}

// openPostgres makes a pool; nothing is connected yet.
func openPostgres(c config) (*sql.DB, error) {
	config, err := pgx.ParseConfig(c.dsn)
	if err != nil {
		return nil, err
	}
	// The driver would close the connection of a statement that is cancelled. Asking the server to end the statement
	// first keeps both in use.
	config.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, DeadlineDelay: cancelPatience}
	}
	db := stdlib.OpenDB(*config)
	return db, nil
}

// postgresArgs gives numbers and booleans as text, whose type the server takes from the statement. Typed, they
// would only fit columns of their own type.
func postgresArgs(args []any) []any {
	var out []any
	for i, arg := range args {
		var text string
		switch v := arg.(type) {
		case int64:
			text = strconv.FormatInt(v, 10)
		case float64:
			text = strconv.FormatFloat(v, 'f', -1, 64)
		case bool:
			text = strconv.FormatBool(v)
		default:
			continue
		}
		if out == nil {
			out = append(out, args...)
		}
		out[i] = text
	}
	if out == nil {
		return args
	}
	return out
}

// stalePlan tells that a statement the connection had prepared does not fit the tables any more. The driver
// has forgotten it by now; nothing was executed.
func stalePlan(err error) bool {
	var e *pgconn.PgError
	return errors.As(err, &e) && e.Code == "0A000" && strings.Contains(e.Message, "cached plan must not change result type")
}

// changesSchema tells whether a statement may change what prepared statements rely on.
func changesSchema(text string) bool {
	words := strings.Fields(text)
	if len(words) == 0 {
		return false
	}
	switch strings.ToUpper(words[0]) {
	case "SELECT", "INSERT", "UPDATE", "DELETE", "SAVEPOINT", "RELEASE", "ROLLBACK", "VALUES":
		return false
	}
	return true
}

// forgetPlans drops what a connection has prepared, so that a transaction that has changed a table can go on
// reading it.
func forgetPlans(ctx context.Context, conn *sql.Conn) error {
	return conn.Raw(func(driverConn any) error {
		c, ok := driverConn.(*stdlib.Conn)
		if !ok {
			return fmt.Errorf("unexpected connection %T", driverConn)
		}
		return c.Conn().DeallocateAll(ctx)
	})
}
