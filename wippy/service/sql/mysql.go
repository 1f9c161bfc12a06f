// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/go-sql-driver/mysql"
)

// killPatience bounds the attempt to end a statement on a server; more than that and the server is gone.
const killPatience = 5 * time.Second

// mysqlServer is what a pool connects to.
type mysqlServer struct {
	user, password, address, database string
	options                           string // as in the query of a URL
}

// dsn is the connection string, for comparing.
func (s mysqlServer) dsn() string {
	text := s.user + ":" + s.password + "@tcp(" + s.address + ")/" + s.database
	if s.options != "" {
		text += "?" + s.options
	}
	return text
}

// config is the form the driver takes.
func (s mysqlServer) config() (*mysql.Config, error) {
	// Names and passwords may hold any character, which a connection string cannot: only the options are parsed.
	text := "/"
	if s.options != "" {
		text += "?" + s.options
	}
	c, err := mysql.ParseDSN(text)
	if err != nil {
		return nil, err
	}
	c.User, c.Passwd, c.Net, c.Addr, c.DBName = s.user, s.password, "tcp", s.address, s.database
	c.Logger = &mysql.NopLogger{} // what goes wrong is in the errors
	if _, err := url.ParseQuery(s.options); err != nil {
		return nil, err
	}
	return c, nil
}

// openMySQL makes a pool; nothing is connected yet. wait returns when no statement is being ended any more.
func openMySQL(c config) (db *sql.DB, wait func(), err error) {
	config, err := c.server.config()
	if err != nil {
		return nil, nil, err
	}
	connector, err := mysql.NewConnector(config)
	if err != nil {
		return nil, nil, err
	}
	k := &killer{Connector: connector}
	db = sql.OpenDB(k)
	return db, k.wait, nil
}

// killer makes connections whose statements end on the server, too, when their context does: the driver only
// closes the connection then, which a server does not notice while it works.
type killer struct {
	driver.Connector

	mu    sync.Mutex    // guards all below
	kills int           // statements that may be, or are being, killed
	idle  chan struct{} // closed when there are none; nil unless somebody waits
}

// count adds n statements.
func (k *killer) count(n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.kills += n
	if k.kills == 0 && k.idle != nil {
		close(k.idle)
		k.idle = nil
	}
}

// wait returns when there are no statements. A sync.WaitGroup could not count new ones meanwhile.
func (k *killer) wait() {
	k.mu.Lock()
	if k.kills > 0 && k.idle == nil {
		k.idle = make(chan struct{})
	}
	idle := k.idle
	k.mu.Unlock()
	if idle != nil {
		<-idle
	}
}

// Connect implements driver.Connector.
func (k *killer) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := k.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	full, ok := conn.(mysqlConn)
	if !ok {
		_ = conn.Close()
		return nil, fmt.Errorf("the driver's connections (%T) lack a method", conn)
	}
	id, err := connectionID(ctx, full)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	return &killable{mysqlConn: full, id: id, killer: k}, nil
}

// connectionID asks the server for its name of a connection.
func connectionID(ctx context.Context, c mysqlConn) (string, error) {
	rows, err := c.QueryContext(ctx, "SELECT CONNECTION_ID()", nil)
	if err != nil {
		return "", err
	}
	values := make([]driver.Value, 1)
	err = rows.Next(values)
	if closed := rows.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return "", err
	}
	if text, ok := values[0].([]byte); ok {
		return string(text), nil
	}
	return fmt.Sprint(values[0]), nil
}

// kill ends a connection on the server. The id is not used again, so a kill that comes late hits nobody.
func (k *killer) kill(id string) {
	ctx, cancel := context.WithTimeout(context.Background(), killPatience)
	defer cancel()
	conn, err := k.Connector.Connect(ctx)
	if err != nil {
		return // the server is gone, and the statement with it
	}
	defer conn.Close()
	if c, ok := conn.(driver.ExecerContext); ok {
		_, _ = c.ExecContext(ctx, "KILL "+id, nil)
	}
}

// mysqlConn is what the driver's connections can do.
type mysqlConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.NamedValueChecker
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

// killable is a connection whose statements are ended on the server.
type killable struct {
	mysqlConn
	id     string
	killer *killer
}

// watch kills the connection when ctx ends before stop is called.
func (c *killable) watch(ctx context.Context) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	c.killer.count(1)
	cancel := context.AfterFunc(ctx, func() {
		defer c.killer.count(-1)
		c.killer.kill(c.id)
	})
	return func() {
		if cancel() {
			c.killer.count(-1)
		}
	}
}

// ExecContext implements driver.ExecerContext.
func (c *killable) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	defer c.watch(ctx)()
	return c.mysqlConn.ExecContext(ctx, query, args)
}

// QueryContext implements driver.QueryerContext.
func (c *killable) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	stop := c.watch(ctx)
	return watched(stop)(c.mysqlConn.QueryContext(ctx, query, args))
}

// PrepareContext implements driver.ConnPrepareContext.
func (c *killable) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	defer c.watch(ctx)()
	s, err := c.mysqlConn.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	full, ok := s.(mysqlStmt)
	if !ok {
		_ = s.Close()
		return nil, fmt.Errorf("the driver's statements (%T) lack a method", s)
	}
	return &killableStmt{mysqlStmt: full, conn: c}, nil
}

// mysqlStmt is what the driver's statements can do.
type mysqlStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
	driver.NamedValueChecker
}

type killableStmt struct {
	mysqlStmt
	conn *killable
}

// ExecContext implements driver.StmtExecContext.
func (s *killableStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	defer s.conn.watch(ctx)()
	return s.mysqlStmt.ExecContext(ctx, args)
}

// QueryContext implements driver.StmtQueryContext.
func (s *killableStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	stop := s.conn.watch(ctx)
	return watched(stop)(s.mysqlStmt.QueryContext(ctx, args))
}

// watched makes stop be called when rows are closed, or at once when there are none.
func watched(stop func()) func(driver.Rows, error) (driver.Rows, error) {
	return func(rows driver.Rows, err error) (driver.Rows, error) {
		full, ok := rows.(mysqlRows)
		if err != nil || !ok {
			stop()
			return rows, err
		}
		return &killableRows{mysqlRows: full, stop: stop}, nil
	}
}

// mysqlRows is what the driver's rows can do.
type mysqlRows interface {
	driver.Rows
	driver.RowsNextResultSet
	driver.RowsColumnTypeDatabaseTypeName
}

type killableRows struct {
	mysqlRows
	stop func()
}

// Close implements driver.Rows. What is left of the result is read first, which may take long.
func (r *killableRows) Close() error {
	defer r.stop()
	return r.mysqlRows.Close()
}
