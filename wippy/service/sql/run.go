// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	"database/sql"
)

// runner is what statements run on: a pool, a connection or a transaction.
type runner interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// bound makes args what the driver of a dialect expects.
func bound(dialect string, args []any) []any {
	if dialect == Postgres {
		return postgresArgs(args)
	}
	return args
}

func query(ctx context.Context, r runner, dialect, text string, args []any, visit Visit) error {
	rows, err := r.QueryContext(ctx, numbered(dialect, text), bound(dialect, args)...)
	return read(rows, err, visit)
}

// read gives rows to visit and closes them. Some drivers only find out while closing that a statement failed.
func read(rows *sql.Rows, err error, visit Visit) error {
	if err != nil {
		return err
	}
	err = visit(rows)
	if err == nil {
		err = rows.Err()
	}
	if closed := rows.Close(); err == nil {
		err = closed
	}
	return err
}

func exec(ctx context.Context, r runner, dialect, text string, args []any) (Result, error) {
	return result(r.ExecContext(ctx, numbered(dialect, text), bound(dialect, args)...))
}

// result reads what the driver knows.
func result(r sql.Result, err error) (Result, error) {
	if err != nil || r == nil {
		return Result{}, err
	}
	var out Result
	if n, err := r.LastInsertId(); err == nil {
		out.LastInsertID = n
	}
	if n, err := r.RowsAffected(); err == nil {
		out.RowsAffected = n
	}
	return out, nil
}
