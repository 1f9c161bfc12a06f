// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	"database/sql"
	"regexp"
	"sync/atomic"
	"time"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// rollbackPatience bounds the rollback of a transaction that was left open; then its connection is given up, which
// has the same effect.
const rollbackPatience = 10 * time.Second

// levels are the isolation levels by name.
var levels = map[string]sql.IsolationLevel{
	"": sql.LevelDefault, "default": sql.LevelDefault,
	"read_uncommitted": sql.LevelReadUncommitted, "read_committed": sql.LevelReadCommitted,
	"write_committed": sql.LevelWriteCommitted, "repeatable_read": sql.LevelRepeatableRead, "serializable": sql.LevelSerializable,
}

// TxOptions say what a transaction sees and may do. SQLite ignores them.
type TxOptions struct {
	Isolation string // name of a level, "" for that of the database
	ReadOnly  bool
}

// Check returns an Invalid error for a level that does not exist.
func (o TxOptions) Check() error {
	if _, ok := levels[o.Isolation]; !ok {
		return fault.New(fault.Invalid, "invalid isolation level: "+o.Isolation).Final()
	}
	return nil
}

// Tx is a transaction. It keeps one connection until it ends. Only Close and Active may be called while another
// method runs.
type Tx struct {
	pool    *pool
	dialect string
	conn    *sql.Conn
	tx      *sql.Tx
	ctx     context.Context // ends the transaction, which rolls it back
	cancel  context.CancelFunc
	ended   atomic.Bool
}

// Begin starts a transaction. ctx counts until it has started; then it lasts until Commit, Rollback or Close. Errors
// are those of [Fault] and of [TxOptions.Check].
func (d *Database) Begin(ctx context.Context, o TxOptions) (*Tx, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	p, err := d.borrow(ctx)
	if err != nil {
		return nil, err
	}
	options := &sql.TxOptions{Isolation: levels[o.Isolation], ReadOnly: o.ReadOnly}
	if d.dialect == SQLite {
		options = nil
	}
	t := &Tx{pool: p, dialect: d.dialect}
	t.ctx, t.cancel = context.WithCancel(p.ctx)
	stop := context.AfterFunc(ctx, t.cancel)
	t.conn, err = p.db.Conn(t.ctx)
	if err == nil {
		t.tx, err = t.conn.BeginTx(t.ctx, options)
	}
	if err == nil && !stop() {
		err = context.Cause(ctx)
		_ = t.tx.Rollback()
	}
	if err != nil {
		stop()
		if t.conn != nil {
			_ = t.conn.Close()
		}
		t.cancel()
		p.leave()
		return nil, Fault(err)
	}
	return t, nil
}

// Type returns SQLite, Postgres or MySQL.
func (t *Tx) Type() string { return t.dialect }

// Active reports whether the transaction has not ended.
func (t *Tx) Active() bool { return !t.ended.Load() }

// Query runs a statement and gives its rows to visit. Errors are those of [Fault], ErrInactive and those of visit.
func (t *Tx) Query(ctx context.Context, text string, args []any, visit Visit) error {
	if t.ended.Load() {
		return ErrInactive
	}
	ctx, cancel := t.bind(ctx)
	defer cancel()
	return outcome(ctx, query(ctx, t.tx, t.dialect, text, args, visit))
}

// Exec runs a statement. Errors are those of [Fault] and ErrInactive.
func (t *Tx) Exec(ctx context.Context, text string, args []any) (Result, error) {
	if t.ended.Load() {
		return Result{}, ErrInactive
	}
	ctx, cancel := t.bind(ctx)
	defer cancel()
	if parts := script(t.dialect, text, args); len(parts) > 1 {
		r, err := runScript(ctx, t.tx, parts)
		return r, outcome(ctx, err)
	}
	r, err := exec(ctx, t.tx, t.dialect, text, args)
	if err == nil && t.dialect == Postgres && changesSchema(text) {
		err = forgetPlans(ctx, t.conn)
	}
	return r, outcome(ctx, err)
}

// bind returns a context that ends with ctx and with the transaction.
func (t *Tx) bind(ctx context.Context) (context.Context, context.CancelFunc) {
	return merge(ctx, t.ctx)
}

// savepointName is what names of savepoints look like: they are part of a statement.
var savepointName = regexp.MustCompile(`^[A-Za-z0-9_]+$`)

// CheckSavepoint returns an Invalid error for a name that cannot be that of a savepoint.
func CheckSavepoint(name string) error {
	switch {
	case name == "":
		return fault.New(fault.Invalid, "savepoint name is required").Final()
	case !savepointName.MatchString(name):
		return fault.New(fault.Invalid, "savepoint name can only contain alphanumeric characters and underscores").Final()
	}
	return nil
}

// Commit ends the transaction and keeps what it did. When it fails, the transaction has ended all the same. When ctx
// ends first, the outcome is unknown.
func (t *Tx) Commit(ctx context.Context) error { return t.end(ctx, t.tx.Commit) }

// Rollback ends the transaction and undoes what it did.
func (t *Tx) Rollback(ctx context.Context) error { return t.end(ctx, t.tx.Rollback) }

// Close rolls back a transaction that is open. It waits for the method that runs.
func (t *Tx) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), rollbackPatience)
	defer cancel()
	_ = t.end(ctx, t.tx.Rollback)
}

func (t *Tx) end(ctx context.Context, f func() error) error {
	if !t.ended.CompareAndSwap(false, true) {
		return ErrInactive
	}
	stop := context.AfterFunc(ctx, t.cancel)
	err := f()
	stop()
	// Should the rollback have failed, closing the connection is one.
	_ = t.conn.Close()
	t.cancel()
	t.pool.leave()
	return Fault(err)
}
