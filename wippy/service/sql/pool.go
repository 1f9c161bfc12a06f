// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"context"
	"database/sql"
	"errors"
	"sync"
)

// pool is the connections to one place. It closes once it was retired and nothing uses it any more. Who needs a
// connection waits here for its turn and not in the driver's pool, so that a pool that is retired can send it on to the
// one that takes its place.
type pool struct {
	db  *sql.DB
	ctx context.Context // of everything that runs on it
	end context.CancelCauseFunc
	// wait returns when nothing of the driver goes on behind a closed pool.
	wait func()

	mu      sync.Mutex // guards all below
	users   int        // operations, transactions and statements
	retired bool
	queue   queue // for connections

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
	p.limit(c.pool)
	return p, nil
}

// limit sets the limits of the pool, which may be in use.
func (p *pool) limit(l limits) {
	p.db.SetMaxOpenConns(l.maxOpen)
	p.db.SetMaxIdleConns(l.maxIdle)
	p.db.SetConnMaxLifetime(l.maxLifetime)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue.limit = l.maxOpen
	p.users += p.queue.admit()
}

// stats returns the figures of the pool.
func (p *pool) stats() sql.DBStats {
	s := p.db.Stats()
	p.mu.Lock()
	defer p.mu.Unlock()
	s.WaitCount += p.queue.count
	s.WaitDuration += p.queue.duration
	return s
}

// enter counts a user in that has one connection until it leaves. It waits for its turn; the error is errRetired or
// the context's. A user that stays is served by a retired pool too: it has been counted in before.
func (p *pool) enter(ctx context.Context, stay bool) error {
	p.mu.Lock()
	if p.retired && !stay {
		p.mu.Unlock()
		return errRetired
	}
	t, served := p.queue.ask(stay)
	if served {
		p.users++
	}
	p.mu.Unlock()
	if served {
		return nil
	}
	select {
	case <-t.called:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue.waited(t)
	switch {
	case t.served:
		return nil
	case t.gone:
		return errRetired
	}
	p.queue.forget(t)
	return ctx.Err()
}

// park takes its connection from a user that remains one.
func (p *pool) park() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue.taken--
	p.users += p.queue.admit()
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
func (p *pool) release() { p.count(0) }

// leave counts a user out that had a connection.
func (p *pool) leave() { p.count(1) }

// count counts a user out and its connections.
func (p *pool) count(connections int) {
	p.mu.Lock()
	p.queue.taken -= connections
	p.users += p.queue.admit() - 1
	last := p.users == 0 && p.retired
	p.mu.Unlock()
	if last {
		p.close()
	}
}

// retire lets nobody in any more and sends away who waits. The pool closes with its last user, at once when there is
// none.
func (p *pool) retire() {
	p.mu.Lock()
	last := p.users == 0 && !p.retired
	p.retired = true
	p.queue.dismiss()
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
