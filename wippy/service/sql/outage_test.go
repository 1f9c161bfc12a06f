// SPDX-License-Identifier: Apache-2.0

package sql_test

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/wippyrun/kit/wippy/service/sql"
	"github.com/wippyrun/kit/wippy/service/sql/sqltest"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func TestLostConnection(t *testing.T) {
	for _, c := range []struct {
		err              error
		kind             fault.Kind
		retryable, known bool
	}{
		{driver.ErrBadConn, fault.Unavailable, true, true},
		{mysql.ErrInvalidConn, fault.Unavailable, true, true},
		{fmt.Errorf("read: %w", io.ErrUnexpectedEOF), fault.Unavailable, true, true},
		{&net.OpError{Op: "dial", Err: errors.New("refused")}, fault.Unavailable, true, true},
		{&pgconn.PgError{Code: "57P01"}, fault.Unavailable, true, true},
		{&pgconn.PgError{Code: "08006"}, fault.Unavailable, true, true},
		{&mysql.MySQLError{Number: 1053}, fault.Unavailable, true, true},
		{&pgconn.PgError{Code: "40001"}, fault.Unknown, true, true},
		{&mysql.MySQLError{Number: 1213}, fault.Unknown, true, true},
		{&pgconn.PgError{Code: "42601"}, fault.Unknown, false, false},
		{&pgconn.PgError{Code: "28P01"}, fault.Unknown, false, false}, // wrong password
		{&mysql.MySQLError{Number: 1064}, fault.Unknown, false, false},
		{errors.New("conn closed"), fault.Unavailable, true, true},
		{errors.New("SQL logic error"), fault.Unknown, false, false},
		{context.Canceled, fault.Canceled, false, true},
		{context.DeadlineExceeded, fault.Timeout, true, true},
		{sql.ErrClosed, fault.Unavailable, false, true},
	} {
		got := sql.Fault(c.err)
		retryable, known := fault.RetryableOf(got)
		if fault.KindOf(got) != c.kind || retryable != c.retryable || known != c.known || got.Error() != c.err.Error() || !errors.Is(got, c.err) {
			t.Errorf("Fault(%v) = %v: kind %s, retryable %v %v", c.err, got, fault.KindOf(got), retryable, known)
		}
	}
	if sql.Fault(nil) != nil {
		t.Error("an error of nothing")
	}
}

// Clients that write all the time see a server go away and come back.
func TestServerIsKilledUnderLoad(t *testing.T) {
	for _, server := range []*sqltest.Server{sqltest.Postgres(t), sqltest.MariaDB(t)} {
		if server == nil {
			continue
		}
		t.Run(server.Kind, func(t *testing.T) {
			s := newSystem(t)
			d := s.open(t, entry("app:db", server.Kind, server.Data(nil)))
			mark := "?"
			if d.Type() == sql.Postgres {
				mark = "$1"
			}
			exec(t, d, "DROP TABLE IF EXISTS t", "CREATE TABLE t (id INTEGER)")
			statement, err := d.Prepare(t.Context(), "INSERT INTO t VALUES ("+mark+")")
			if err != nil {
				t.Fatal(err)
			}
			defer statement.Close()
			var (
				clients              sync.WaitGroup
				stop                 atomic.Bool
				done, lost, recently atomic.Int64
			)
			write := func(worker int) error {
				switch worker % 3 {
				case 0:
					_, err := d.Exec(t.Context(), "INSERT INTO t VALUES ("+mark+")", []any{int64(1)})
					return err
				case 1:
					_, err := statement.Exec(t.Context(), []any{int64(1)})
					return err
				}
				tx, err := d.Begin(t.Context(), sql.TxOptions{})
				if err != nil {
					return err
				}
				defer tx.Close()
				if _, err := tx.Exec(t.Context(), "INSERT INTO t VALUES ("+mark+")", []any{int64(1)}); err != nil {
					return err
				}
				return tx.Commit(t.Context())
			}
			for worker := range 9 {
				clients.Go(func() {
					for !stop.Load() {
						err := write(worker)
						if err == nil {
							done.Add(1)
							recently.Add(1)
							continue
						}
						lost.Add(1)
						if retry, _ := fault.RetryableOf(err); fault.KindOf(err) != fault.Unavailable || !retry {
							t.Errorf("%v (%T): kind %s, retryable %v", err, err, fault.KindOf(err), retry)
							return
						}
					}
				})
			}
			busy := func() bool { return recently.Load() > 200 }
			until(t, "the server is used", busy)
			for range 2 {
				server.Kill()
				before := lost.Load()
				until(t, "the clients notice", func() bool { return lost.Load() > before+20 })
				server.Restart(t)
				recently.Store(0)
				until(t, "the clients go on", busy)
			}
			stop.Store(true)
			clients.Wait()
			expect(t, d, "1", "SELECT 1")
			// Connections that were being made for those who waited count as in use until they are there.
			until(t, "all connections are returned", func() bool { return d.Stats().InUse == 0 })
			if n := d.Stats().OpenConnections; n > 4 {
				t.Errorf("%d connections, 4 may be idle", n)
			}
			t.Logf("%d written, %d errors", done.Load(), lost.Load())
		})
	}
}

// A statement that a connection has prepared before a table changed works afterwards.
func TestPreparedPlansFollowTheTables(t *testing.T) {
	server := sqltest.Postgres(t)
	if server == nil {
		return
	}
	s := newSystem(t)
	d := s.open(t, entry("app:db", server.Kind, server.Data(map[string]any{"pool": map[string]any{"max_open": 2, "max_idle": 2}})))
	exec(t, d, "DROP TABLE IF EXISTS t", "CREATE TABLE t (id INTEGER)", "INSERT INTO t VALUES (1)")
	for range 2 {
		expect(t, d, "1", "SELECT * FROM t")
	}
	tx, err := d.Begin(t.Context(), sql.TxOptions{})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, tx, "1", "SELECT * FROM t")
	exec(t, tx, "ALTER TABLE t ALTER COLUMN id TYPE text")
	expect(t, tx, "1", "SELECT * FROM t")
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	exec(t, d, "ALTER TABLE t ALTER COLUMN id TYPE bigint USING id::bigint")
	for range 4 {
		expect(t, d, "1", "SELECT * FROM t")
	}
}
