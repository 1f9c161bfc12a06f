// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/wippyrun/kit/registry"
)

// Synchronous says how much a version survives once it was reported.
type Synchronous string

// The settings of PRAGMA synchronous that make sense for a history.
const (
	// Full survives a power cut. Every Append waits for the disk.
	Full Synchronous = "FULL"
	// Normal survives the death of the process; a power cut may lose the last versions.
	Normal Synchronous = "NORMAL"
)

type config struct {
	busy  time.Duration
	sync  Synchronous
	check bool
}

// Option configures Open.
type Option interface {
	fmt.Stringer
	apply(config) config
}

type option struct {
	name string
	f    func(config) config
}

func (o option) apply(c config) config { return o.f(c) }
func (o option) String() string        { return o.name }

// WithSynchronous sets the durability. Default: Full.
func WithSynchronous(s Synchronous) Option {
	return option{fmt.Sprintf("WithSynchronous(%s)", s), func(c config) config { c.sync = s; return c }}
}

// WithBusyTimeout bounds how long a statement waits for another process that has the
// database locked. Default: 5 s.
func WithBusyTimeout(d time.Duration) Option {
	return option{fmt.Sprintf("WithBusyTimeout(%v)", d), func(c config) config { c.busy = d; return c }}
}

// WithoutCheck skips the check of the whole file in Open, which reads every page (about
// 1 ms per MB). Changesets are still checked when they are read.
func WithoutCheck() Option {
	return option{"WithoutCheck()", func(c config) config { c.check = false; return c }}
}

// History is a registry.History in a database. All methods may be called concurrently.
type History struct {
	path    string
	db      *sql.DB
	append  *sql.Stmt
	setHead *sql.Stmt
	read    *sql.Stmt
}

var _ registry.History = (*History)(nil)

// Open opens the database at path and creates it, with its directory, when it does not
// exist. It returns a CorruptError when the file is damaged or no database.
func Open(ctx context.Context, path string, opts ...Option) (*History, error) {
	c := config{busy: 5 * time.Second, sync: Full, check: true}
	for _, o := range opts {
		c = o.apply(c)
	}
	if c.sync != Full && c.sync != Normal {
		return nil, fmt.Errorf("sqlite history: unknown synchronous setting %q", c.sync)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("sqlite history: %w", err)
	}
	h := &History{path: path}
	if err := h.open(ctx, c); err != nil {
		if h.db != nil {
			err = errors.Join(err, h.db.Close())
		}
		return nil, err
	}
	return h, nil
}

// dsn carries the pragmas, since they belong to a connection and the pool may open
// several.
func dsn(path string, c config) string {
	q := url.Values{}
	for _, p := range []string{
		"busy_timeout(" + strconv.FormatInt(c.busy.Milliseconds(), 10) + ")",
		"journal_mode(WAL)", "synchronous(" + string(c.sync) + ")",
	} {
		q.Add("_pragma", p)
	}
	q.Set("_txlock", "immediate")
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: q.Encode()}
	return u.String()
}

func (h *History) open(ctx context.Context, c config) error {
	db, err := sql.Open("sqlite", dsn(h.path, c))
	if err != nil {
		return fmt.Errorf("sqlite history: %w", err)
	}
	h.db = db
	db.SetMaxIdleConns(2) // a writer and a reader
	if c.check {
		if err := h.check(ctx); err != nil {
			return err
		}
	}
	if err := migrate(ctx, db); err != nil {
		return h.fault("open", err)
	}
	for _, s := range []struct {
		to  **sql.Stmt
		sql string
	}{
		{&h.append, `INSERT INTO appended (id, parent_id, data, checksum) VALUES (?, ?, ?, ?)`},
		{&h.setHead, `UPDATE metadata SET value = ?1 WHERE key = 'head' AND EXISTS (SELECT 1 FROM versions WHERE id = ?1)`},
		{&h.read, `SELECT coalesce(parent_id, 0), data, checksum FROM appended WHERE id = ?`},
	} {
		if *s.to, err = db.PrepareContext(ctx, s.sql); err != nil {
			return h.fault("open", err)
		}
	}
	if _, err := h.Head(ctx); err != nil {
		return err
	}
	return nil
}

// check reads the whole file.
func (h *History) check(ctx context.Context) error {
	rows, err := h.db.QueryContext(ctx, `PRAGMA quick_check(3)`)
	if err != nil {
		return h.fault("check", err)
	}
	defer rows.Close()
	var found []string
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			return h.fault("check", err)
		}
		if text != "ok" {
			found = append(found, text)
		}
	}
	if err := rows.Err(); err != nil {
		return h.fault("check", err)
	}
	if len(found) > 0 {
		return &CorruptError{Path: h.path, Err: errors.New(strings.Join(found, "; "))}
	}
	return nil
}

// Versions implements registry.History.
func (h *History) Versions(ctx context.Context) ([]registry.Version, error) {
	rows, err := h.db.QueryContext(ctx, `SELECT id, coalesce(parent_id, 0) FROM versions ORDER BY id`)
	if err != nil {
		return nil, h.fault("list versions", err)
	}
	defer rows.Close()
	var out []registry.Version
	for rows.Next() {
		var v registry.Version
		if err := rows.Scan(&v.ID, &v.Parent); err != nil {
			return nil, h.fault("list versions", err)
		}
		out = append(out, v)
	}
	return out, h.fault("list versions", rows.Err())
}

// Head implements registry.History.
func (h *History) Head(ctx context.Context) (registry.Version, error) {
	var v registry.Version
	err := h.db.QueryRowContext(ctx, `SELECT v.id, coalesce(v.parent_id, 0) FROM metadata m
		JOIN versions v ON v.id = CAST(m.value AS INTEGER) WHERE m.key = 'head'`).Scan(&v.ID, &v.Parent)
	if errors.Is(err, sql.ErrNoRows) {
		return v, &CorruptError{Path: h.path, Err: errors.New("the head names no stored version")}
	}
	return v, h.fault("read head", err)
}

// Changeset implements registry.History.
func (h *History) Changeset(ctx context.Context, id uint64) (registry.Changeset, error) {
	var parent uint64
	var data []byte
	var sum int64
	err := h.read.QueryRowContext(ctx, int64(id)).Scan(&parent, &data, &sum)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("v%d: %w", id, registry.ErrVersionNotFound)
	}
	if err != nil {
		return nil, h.fault("read changeset", err)
	}
	if checksum(id, parent, data) != sum {
		return nil, &CorruptError{Path: h.path, Err: fmt.Errorf("changeset of v%d does not match its checksum", id)}
	}
	c, err := decode(data)
	if err != nil {
		return nil, &CorruptError{Path: h.path, Err: fmt.Errorf("changeset of v%d: %w", id, err)}
	}
	return c, nil
}

// Append implements registry.History.
func (h *History) Append(ctx context.Context, v registry.Version, c registry.Changeset) error {
	data, err := encode(c)
	if err != nil {
		return fmt.Errorf("sqlite history: encode changeset of %v: %w", v, err)
	}
	_, err = h.append.ExecContext(ctx, int64(v.ID), int64(v.Parent), data, checksum(v.ID, v.Parent, data))
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch {
		case se.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
			return &ConflictError{Version: v, Err: err}
		case strings.Contains(se.Error(), "unknown parent"):
			return fmt.Errorf("v%d: %w", v.Parent, registry.ErrVersionNotFound)
		}
	}
	return h.fault("append "+v.String(), err)
}

// SetHead implements registry.History.
func (h *History) SetHead(ctx context.Context, v registry.Version) error {
	res, err := h.setHead.ExecContext(ctx, int64(v.ID))
	if err != nil {
		return h.fault("set head", err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return fmt.Errorf("%v: %w", v, registry.ErrVersionNotFound)
	}
	return h.fault("set head", err)
}

// Close implements registry.History.
func (h *History) Close() error {
	return errors.Join(h.append.Close(), h.setHead.Close(), h.read.Close(), h.db.Close())
}

// fault names the operation and the file, and recognises damage.
func (h *History) fault(op string, err error) error {
	if err == nil {
		return nil
	}
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch se.Code() & 0xff {
		case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
			return &CorruptError{Path: h.path, Err: err}
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
			return fmt.Errorf("sqlite history: %s %s: another process holds the database: %w", op, h.path, err)
		}
	}
	return fmt.Errorf("sqlite history: %s %s: %w", op, h.path, err)
}
