// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// apply sets the limits of a pool, which may be in use.
func (l limits) apply(db *sql.DB) {
	db.SetMaxOpenConns(l.maxOpen)
	db.SetMaxIdleConns(l.maxIdle)
	db.SetConnMaxLifetime(l.maxLifetime)
}

// pool is the connections to one place. It closes once it was retired and nothing uses it any more.
type pool struct {
	db  *sql.DB
	ctx context.Context // of everything that runs on it
	end context.CancelCauseFunc
	// wait returns when nothing of the driver goes on behind a closed pool.
	wait func()

	mu      sync.Mutex // guards all below
	users   int        // operations, transactions and statements
	retired bool

	once   sync.Once
	closed chan struct{} // closed when db is
	err    error         // of closing it; set before that
}

// openPool makes the pool of a configuration. Only SQLite connects now.
func openPool(ctx context.Context, c config) (*pool, error) {
	p := &pool{wait: func() {}, closed: make(chan struct{})}
	var err error
	switch c.dialect {
	case SQLite:
		p.db, err = openSQLite(ctx, c)
	case Postgres:
		p.db, err = openPostgres(c)
	case MySQL:
		p.db, p.wait, err = openMySQL(c)
	default:
		err = errors.New("no such dialect: " + c.dialect)
	}
	if err != nil {
		return nil, err
	}
	p.ctx, p.end = context.WithCancelCause(context.Background())
	return p, nil
}

// retain counts a user in, unless the pool was retired.
func (p *pool) retain() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.retired {
		return false
	}
	p.users++
	return true
}

// release counts a user out. The last one of a retired pool closes it.
func (p *pool) release() {
	p.mu.Lock()
	p.users--
	last := p.users == 0 && p.retired
	p.mu.Unlock()
	if last {
		p.close()
	}
}

// retire lets nobody in any more. The pool closes with its last user, at once when there is none.
func (p *pool) retire() {
	p.mu.Lock()
	last := p.users == 0 && !p.retired
	p.retired = true
	p.mu.Unlock()
	if last {
		p.close()
	}
}

func (p *pool) close() {
	p.once.Do(func() {
		defer close(p.closed)
		p.err = p.db.Close()
		p.end(ErrClosed)
		p.wait()
	})
}

// shut retires the pool and returns when it is closed. When ctx ends first, what runs on it is cancelled, and what
// is still held then has no connection any more.
func (p *pool) shut(ctx context.Context) error {
	p.retire()
	select {
	case <-p.closed:
	case <-ctx.Done():
		p.end(ErrClosed)
		p.close()
	}
	<-p.closed
	return p.err
}

// bind returns a context that ends with ctx and with the pool.
func (p *pool) bind(ctx context.Context) (context.Context, context.CancelFunc) {
	return merge(ctx, p.ctx)
}

// merge returns a context that ends with each of two, for the reason that one had.
func merge(ctx, other context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	if other.Err() != nil {
		cancel(context.Cause(other))
	}
	stop := context.AfterFunc(other, func() { cancel(context.Cause(other)) })
	return ctx, func() { stop(); cancel(nil) }
}
