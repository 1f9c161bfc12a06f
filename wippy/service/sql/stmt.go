// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	"database/sql"
	"sync"
)

// Stmt is a prepared statement, of a database or of a transaction. Its methods may be called concurrently; those of
// a statement of a transaction only as those of the transaction.
type Stmt struct {
	pool    *pool
	dialect string
	stmt    *sql.Stmt
	tx      *Tx // nil for a statement of a database

	mu     sync.RWMutex // held for reading while the statement is in use
	closed bool         // guarded by mu
}

// Prepare makes a statement that any connection runs. It holds on to the pool, not to a connection, until it is
// closed. Errors are those of [Fault].
func (d *Database) Prepare(ctx context.Context, text string) (*Stmt, error) {
	p, err := d.borrow(ctx)
	if err != nil {
		return nil, err
	}
	ctx, cancel := p.bind(ctx)
	defer cancel()
	s, err := p.db.PrepareContext(ctx, numbered(d.dialect, text))
	if err != nil {
		p.leave()
		return nil, Fault(err)
	}
	p.park()
	return &Stmt{pool: p, dialect: d.dialect, stmt: s}, nil
}

// Prepare makes a statement of the transaction. It is of no use once that has ended. Errors are those of [Fault] and
// ErrInactive.
func (t *Tx) Prepare(ctx context.Context, text string) (*Stmt, error) {
	if t.ended.Load() {
		return nil, ErrInactive
	}
	ctx, cancel := t.bind(ctx)
	defer cancel()
	s, err := t.tx.PrepareContext(ctx, numbered(t.dialect, text))
	if err != nil {
		return nil, Fault(err)
	}
	if !t.pool.retain() {
		// The transaction itself holds on to a pool that is about to close; its statement need not.
		return &Stmt{dialect: t.dialect, stmt: s, tx: t}, nil
	}
	return &Stmt{pool: t.pool, dialect: t.dialect, stmt: s, tx: t}, nil
}

// Type returns SQLite, Postgres or MySQL.
func (s *Stmt) Type() string { return s.dialect }

// use runs f unless the statement is closed.
func (s *Stmt) use(ctx context.Context, f func(ctx context.Context) error) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	switch {
	case s.closed:
		return ErrStatementClosed
	case s.tx != nil && !s.tx.Active():
		return ErrInactive
	}
	var cancel context.CancelFunc
	if s.tx != nil {
		ctx, cancel = s.tx.bind(ctx)
	} else {
		ctx, cancel = s.pool.bind(ctx)
	}
	defer cancel()
	if s.tx == nil {
		if err := s.pool.enter(ctx, true); err != nil {
			return outcome(ctx, err)
		}
		defer s.pool.leave()
	}
	err := f(ctx)
	if s.dialect == Postgres && s.tx == nil && stalePlan(err) {
		err = f(ctx)
	}
	return outcome(ctx, err)
}

// Query runs the statement and gives its rows to visit. Errors are those of [Fault], ErrStatementClosed, ErrInactive
// and those of visit.
func (s *Stmt) Query(ctx context.Context, args []any, visit Visit) error {
	return s.use(ctx, func(ctx context.Context) error {
		rows, err := s.stmt.QueryContext(ctx, bound(s.dialect, args)...)
		return read(rows, err, visit)
	})
}

// Exec runs the statement. Errors are those of [Fault], ErrStatementClosed and ErrInactive.
func (s *Stmt) Exec(ctx context.Context, args []any) (out Result, err error) {
	err = s.use(ctx, func(ctx context.Context) (err error) {
		out, err = result(s.stmt.ExecContext(ctx, bound(s.dialect, args)...))
		return err
	})
	return out, err
}

// Close releases what the statement holds. It waits for its use to end; a second call does nothing.
func (s *Stmt) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	err := s.stmt.Close()
	if s.pool != nil {
		s.pool.release()
	}
	return Fault(err)
}
