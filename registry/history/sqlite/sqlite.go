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
	"runtime"
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
	busy      time.Duration
	sync      Synchronous
	check     bool
	exclusive bool
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

// WithoutCheck skips the check of the whole database in Open, which reads every page and
// every version (40 ms for 10 000 versions in 1.7 MB, BenchmarkOpen). Versions are still
// checked when they are read.
func WithoutCheck() Option {
	return option{"WithoutCheck()", func(c config) config { c.check = false; return c }}
}

// WithExclusive makes Open fail with ErrInUse when anybody else has the database open,
// and keeps everybody else out until Close. It uses the locks of the operating system, so
// that a process that died is not in the way. The busy time-out is how long Open waits.
func WithExclusive() Option {
	return option{"WithExclusive()", func(c config) config { c.exclusive = true; return c }}
}

func newConfig(opts []Option) config {
	c := config{busy: 5 * time.Second, sync: Full, check: true}
	for _, o := range opts {
		c = o.apply(c)
	}
	return c
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
	c := newConfig(opts)
	if c.sync != Full && c.sync != Normal {
		return nil, fmt.Errorf("sqlite history: unknown synchronous setting %q", c.sync)
	}
	if err := makeDir(filepath.Dir(path)); err != nil {
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

// makeDir makes a directory that survives a power cut as well as the files in it, which
// SQLite takes care of.
func makeDir(dir string) error {
	if _, err := os.Stat(dir); err == nil || runtime.GOOS == "windows" { // has no fsync of directories
		return os.MkdirAll(dir, 0o755)
	}
	if err := makeDir(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	parent, err := os.Open(filepath.Dir(dir))
	if err != nil {
		return err
	}
	return errors.Join(parent.Sync(), parent.Close())
}

// pageSize is that of databases made from now on; an existing one keeps its own. A commit
// writes a page of each of three tables, most of which is not new, so a quarter of SQLite's
// default is a quarter to wait for (TestVersionAddsLittleToTheLog, BenchmarkCommit).
const pageSize = 1024

// dsn carries the pragmas, since they belong to a connection and the pool may open
// several.
func dsn(path string, c config, readOnly bool) string {
	q := url.Values{}
	q.Add("_pragma", "busy_timeout("+strconv.FormatInt(c.busy.Milliseconds(), 10)+")")
	if readOnly {
		q.Set("mode", "ro")
	} else {
		if c.exclusive { // before the journal mode: that is when the lock is taken
			q.Add("_pragma", "locking_mode(EXCLUSIVE)")
		}
		// The driver runs pragmas in the order of their texts. The page size is settled by
		// the journal mode, so the quotes put it in front.
		q.Add("_pragma", `"page_size"(`+strconv.Itoa(pageSize)+`)`)
		q.Add("_pragma", "journal_mode(WAL)")
		q.Add("_pragma", "synchronous("+string(c.sync)+")")
		q.Set("_txlock", "immediate")
	}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: q.Encode()}
	return u.String()
}

func (h *History) open(ctx context.Context, c config) error {
	if c.check {
		if err := h.verify(ctx, c); err != nil {
			return err
		}
	}
	db, err := sql.Open("sqlite", dsn(h.path, c, false))
	if err != nil {
		return fmt.Errorf("sqlite history: %w", err)
	}
	h.db = db
	db.SetMaxIdleConns(2) // a writer and a reader
	if c.exclusive {
		db.SetMaxOpenConns(1) // a second one would be somebody else
	}
	if err := migrate(ctx, db); err != nil {
		return h.fault("open", err)
	}
	for _, s := range []struct {
		to  **sql.Stmt
		sql string
	}{
		{&h.append, `INSERT INTO appended (id, parent_id, time, author, comment, summary, data, checksum, head_checksum) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`},
		{&h.setHead, `UPDATE metadata SET value = ?1, checksum = ?2 WHERE key = 'head' AND EXISTS (SELECT 1 FROM versions WHERE id = ?1)`},
		{&h.read, selectRows + ` WHERE v.id = ?`},
	} {
		if *s.to, err = db.PrepareContext(ctx, s.sql); err != nil {
			return h.fault("open", err)
		}
	}
	_, err = h.Head(ctx)
	return err
}

// Records implements registry.History.
func (h *History) Records(ctx context.Context) ([]registry.Record, error) {
	rows, err := h.db.QueryContext(ctx, selectRows+` ORDER BY v.id`)
	if err != nil {
		return nil, h.fault("list versions", err)
	}
	defer rows.Close()
	var out []registry.Record
	for rows.Next() {
		w, err := scanRow(rows)
		if err != nil {
			return nil, h.fault("list versions", err)
		}
		r, err := w.record()
		if err != nil {
			return nil, h.fault("list versions", damage(err))
		}
		out = append(out, r)
	}
	return out, h.fault("list versions", rows.Err())
}

// Head implements registry.History.
func (h *History) Head(ctx context.Context) (registry.Version, error) {
	v, err := readHead(ctx, h.db)
	return v, h.fault("read head", err)
}

// Changeset implements registry.History.
func (h *History) Changeset(ctx context.Context, id uint64) (registry.Changeset, error) {
	w, err := scanRow(h.read.QueryRowContext(ctx, int64(id)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("v%d: %w", id, registry.ErrVersionNotFound)
	}
	if err != nil {
		return nil, h.fault("read changeset", err)
	}
	c, err := decode(w.data)
	if err != nil {
		return nil, h.fault("read changeset", damage(fmt.Errorf("changeset of v%d: %w", id, err)))
	}
	return c, nil
}

// Append implements registry.History.
func (h *History) Append(ctx context.Context, r registry.Record, c registry.Changeset) error {
	w, err := newRow(r, c)
	if err != nil {
		return fmt.Errorf("sqlite history: %w", err)
	}
	_, err = h.append.ExecContext(ctx, int64(w.id), int64(w.parent), w.time, w.author, w.comment, w.summary, w.data, w.checksum, headSum(w.id))
	var se *sqlite.Error
	if errors.As(err, &se) {
		switch {
		case se.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
			return &ConflictError{Version: r.Version, Err: err}
		case strings.Contains(se.Error(), "unknown parent"):
			return fmt.Errorf("v%d: %w", r.Parent, registry.ErrVersionNotFound)
		}
	}
	return h.fault("append "+r.Version.String(), err)
}

// SetHead implements registry.History.
func (h *History) SetHead(ctx context.Context, v registry.Version) error {
	res, err := h.setHead.ExecContext(ctx, int64(v.ID), headSum(v.ID))
	if err != nil {
		return h.fault("set head", err)
	}
	n, err := res.RowsAffected()
	if err == nil && n == 0 {
		return fmt.Errorf("%v: %w", v, registry.ErrVersionNotFound)
	}
	return h.fault("set head", err)
}

func headSum(id uint64) int64 { return metadataSum("head", strconv.FormatUint(id, 10)) }

// Close implements registry.History.
func (h *History) Close() error {
	return errors.Join(h.append.Close(), h.setHead.Close(), h.read.Close(), h.db.Close())
}
