// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Errors of using a database.
var (
	// ErrClosed comes from a database that was stopped or whose entry is gone.
	ErrClosed = fault.New(fault.Unavailable, "connection pool is closed").Final()
	// ErrInactive comes from a transaction that was committed or rolled back.
	ErrInactive = fault.New(fault.Invalid, "transaction is not active").Final()
	// ErrStatementClosed comes from a statement that was closed.
	ErrStatementClosed = fault.New(fault.Invalid, "statement is closed").Final()
)

// Fault gives an error of a driver what programs ask errors for. The text stays the driver's.
//
//   - A connection that was lost, or cannot be made: Unavailable, retryable. Whether the statement took effect is not
//     known then.
//   - The context ended: Canceled or Timeout.
//   - A transaction that lost against another one, and a lock not given in time: retryable, without a kind.
//   - Everything else the database says has neither.
func Fault(err error) error {
	var known interface{ Kind() string }
	switch {
	case err == nil || errors.As(err, &known):
		return err
	case errors.Is(err, context.Canceled):
		return &driverError{err: err, kind: fault.Canceled, known: true}
	case errors.Is(err, context.DeadlineExceeded):
		return &driverError{err: err, kind: fault.Timeout, retry: true, known: true}
	case errors.Is(err, sql.ErrConnDone), err.Error() == "sql: database is closed":
		return ErrClosed
	case errors.Is(err, sql.ErrTxDone):
		return ErrInactive
	case lost(err):
		return &driverError{err: err, kind: fault.Unavailable, retry: true, known: true}
	case defeated(err):
		return &driverError{err: err, retry: true, known: true}
	}
	return err
}

// outcome is Fault for an operation under a context: what a driver says of one that was cancelled is not what it would
// say otherwise.
func outcome(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return Fault(err)
	}
	cause := context.Cause(ctx)
	if errors.Is(cause, ErrClosed) {
		return ErrClosed
	}
	return &driverError{err: err, kind: fault.KindOf(cause), retry: errors.Is(cause, context.DeadlineExceeded), known: true}
}

// driverError is an error of a driver with a kind.
type driverError struct {
	err          error
	kind         fault.Kind
	retry, known bool
}

func (e *driverError) Error() string           { return e.err.Error() }
func (e *driverError) Unwrap() error           { return e.err }
func (e *driverError) Kind() string            { return string(e.kind) }
func (e *driverError) Retryable() (bool, bool) { return e.retry, e.known }

// lost tells that there is no connection any more, or never was.
func lost(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "57P01", "57P02", "57P03", "57P05", "53300": // shut down, crashed, starting, idle for too long, too many
			return true
		}
		return strings.HasPrefix(pg.Code, "08")
	}
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok {
		switch my.Number {
		case 1040, 1053, 1077, 1079, 1203, 1226, 1927: // too many connections, shut down, killed
			return true
		}
		return false
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for _, gone := range []error{driver.ErrBadConn, mysql.ErrInvalidConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed} {
		if errors.Is(err, gone) {
			return true
		}
	}
	// The driver has no name for the error of a connection that is closed already.
	return pgconn.SafeToRetry(err) || strings.HasSuffix(err.Error(), "conn closed")
}

// defeated tells that another transaction was in the way.
func defeated(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code == "40001" || pg.Code == "40P01" || pg.Code == "55P03"
	}
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok {
		return my.Number == 1205 || my.Number == 1213
	}
	if lite, ok := errors.AsType[interface {
		error
		Code() int
	}](err); ok {
		const busy, locked = 5, 6 // SQLITE_BUSY, SQLITE_LOCKED
		code := lite.Code() & 0xff
		return code == busy || code == locked
	}
	return false
}
