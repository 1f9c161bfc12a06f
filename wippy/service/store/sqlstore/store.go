// SPDX-License-Identifier: Apache-2.0

// Package sqlstore keeps values by key in a table of a database: the entry kind `store.sql`.
//
// # Basics
//
// The table is the application's own and must exist:
//
//	CREATE TABLE kv (key VARCHAR(255) PRIMARY KEY, value BYTEA, expires_at TIMESTAMP NULL)
//
// Values are JSON text. Times are in UTC; NULL is for ever. A row whose time has come is absent for every operation;
// it goes when its key is written or when the store cleans up.
//
// # Guarantees
//
//   - Keys are listed in the order of their bytes, whatever the database sorts by (TestStoreOnEveryKind).
//   - Keys and values are bound, names of tables and columns are checked (TestBadEntriesNameTheField).
//   - Of two writers that find a key absent both succeed, and the later value stays (TestConcurrentWritersOfOneKey).
//
// # Caveats
//
// There are no versions and no conditional writes. How exactly a life time is kept is up to the type of the column:
// a DATETIME of MySQL has whole seconds. What the database takes for the same key is the same key: MySQL, unless told
// otherwise, ignores case.
package sqlstore

import (
	"context"
	stdsql "database/sql"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/sql"
	"github.com/wippyrun/kit/wippy/service/store"
)

// Columns are the names of a table and its columns.
type Columns struct{ Table, Key, Value, Expires string }

// Store is one table. It implements store.Store; all methods may be called concurrently.
type Store struct {
	db         *sql.Database
	transcoder *payload.Transcoder
	text       statements
}

// New makes the store of a table. The names must have been checked: they are part of statements.
func New(db *sql.Database, transcoder *payload.Transcoder, c Columns) *Store {
	return &Store{db, transcoder, newStatements(db.Type(), c)}
}

// statements are the texts for one table.
type statements struct {
	get, has, there, insert, update, remove, list, sweep string
	dialect                                              string
}

func newStatements(dialect string, c Columns) statements {
	quote := func(name string) string {
		switch dialect {
		case sql.MySQL:
			return "`" + name + "`"
		case sql.SQLite:
			return `"` + name + `"`
		}
		return name // quoting would turn the case of letters into a part of the name
	}
	table, key, value, expires := quote(c.Table), quote(c.Key), quote(c.Value), quote(c.Expires)
	binary := map[string]string{
		sql.SQLite: key + " COLLATE BINARY", sql.Postgres: key + ` COLLATE "C"`, sql.MySQL: "BINARY " + key,
	}[dialect]
	live := "(" + expires + " IS NULL OR " + expires + " > ?)"
	s := statements{dialect: dialect}
	for target, text := range map[*string]string{
		&s.get:    "SELECT " + value + " FROM " + table + " WHERE " + key + " = ? AND " + live,
		&s.has:    "SELECT 1 FROM " + table + " WHERE " + key + " = ? AND " + live,
		&s.there:  "SELECT 1 FROM " + table + " WHERE " + key + " = ?",
		&s.insert: "INSERT INTO " + table + " (" + value + ", " + expires + ", " + key + ") VALUES (?, ?, ?)",
		&s.update: "UPDATE " + table + " SET " + value + " = ?, " + expires + " = ? WHERE " + key + " = ?",
		&s.remove: "DELETE FROM " + table + " WHERE " + key + " = ? AND " + live,
		&s.sweep:  "DELETE FROM " + table + " WHERE " + expires + " <= ?",
		&s.list: "SELECT " + key + ", " + value + " FROM " + table + " WHERE " + live + " AND " + binary + " > ? AND " +
			binary + " >= ? AND " + binary + " < ? ORDER BY " + binary + " LIMIT ?",
	} {
		*target = numbered(dialect, text)
	}
	return s
}

// numbered gives the parameters of a statement the form that PostgreSQL wants. There is no question mark but theirs.
func numbered(dialect, text string) string {
	if dialect != sql.Postgres {
		return text
	}
	var b strings.Builder
	for n := 1; ; n++ {
		before, after, found := strings.Cut(text, "?")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("$" + strconv.Itoa(n))
		text = after
	}
}

// moment is how the database takes an instant. SQLite has no type for it: texts of one form compare like times.
func (s *Store) moment(t time.Time) any {
	if s.text.dialect == sql.SQLite {
		return t.UTC().Format("2006-01-02 15:04:05.000000000")
	}
	return t.UTC()
}

func (s *Store) now() any { return s.moment(time.Now()) }

// Get returns what is kept under key, or store.ErrNotFound.
func (s *Store) Get(ctx context.Context, key string) (store.Entry, error) {
	e := store.Entry{Key: key}
	found := false
	err := s.db.Query(ctx, s.text.get, []any{key, s.now()}, func(rows *stdsql.Rows) error {
		for rows.Next() {
			var text []byte
			if err := rows.Scan(&text); err != nil {
				return err
			}
			found = true
			e.Value = payload.Payload{Format: payload.JSON, Data: text}
		}
		return nil
	})
	if err == nil && !found {
		err = store.ErrNotFound
	}
	return e, err
}

// Has tells whether there is something under key.
func (s *Store) Has(ctx context.Context, key string) (bool, error) {
	return s.any(ctx, s.text.has, key, s.now())
}

func (s *Store) any(ctx context.Context, text string, args ...any) (found bool, err error) {
	err = s.db.Query(ctx, text, args, func(rows *stdsql.Rows) error {
		found = rows.Next()
		return nil
	})
	return found, err
}

// Put writes a value. Conditions are store.ErrNotSupported.
func (s *Store) Put(ctx context.Context, key string, value payload.Payload, o store.PutOptions) (uint64, error) {
	if err := o.Check(); err != nil {
		return 0, err
	}
	if o.OnlyIfAbsent || o.IfVersion != 0 {
		return 0, store.ErrNotSupported
	}
	text, err := s.encode(value)
	if err != nil {
		return 0, err
	}
	var expires any
	if o.TTL > 0 {
		expires = s.moment(time.Now().Add(o.TTL))
	}
	args := []any{text, expires, key}
	there, err := s.any(ctx, s.text.there, key)
	if err != nil {
		return 0, err
	}
	if !there {
		_, err = s.db.Exec(ctx, s.text.insert, args)
		if err == nil {
			return 0, nil
		}
		// Somebody else may have written it meanwhile: then this value replaces theirs.
		if there, lookup := s.any(ctx, s.text.there, key); lookup != nil || !there {
			return 0, err
		}
	}
	_, err = s.db.Exec(ctx, s.text.update, args)
	return 0, err
}

// encode makes JSON text of a value.
func (s *Store) encode(value payload.Payload) ([]byte, error) {
	p, err := s.transcoder.Transcode(value, payload.JSON)
	if err != nil {
		return nil, err
	}
	if text, ok := p.Data.(string); ok {
		return []byte(text), nil
	}
	text, _ := p.Data.([]byte)
	return text, nil
}

// Delete removes a key, or returns store.ErrNotFound.
func (s *Store) Delete(ctx context.Context, key string) error {
	r, err := s.db.Exec(ctx, s.text.remove, []any{key, s.now()})
	if err == nil && r.RowsAffected == 0 {
		err = store.ErrNotFound
	}
	return err
}

// List returns keys in ascending order of their bytes.
func (s *Store) List(ctx context.Context, o store.ListOptions) (store.Page, error) {
	size := o.Size()
	var items []store.Entry
	err := s.db.Query(ctx, s.text.list, []any{s.now(), o.After, o.Prefix, behind(o.Prefix), int64(size + 1)}, func(rows *stdsql.Rows) error {
		for rows.Next() {
			var key string
			var text []byte
			if err := rows.Scan(&key, &text); err != nil {
				return err
			}
			items = append(items, store.Entry{Key: key, Value: payload.Payload{Format: payload.JSON, Data: text}})
		}
		return nil
	})
	if err != nil {
		return store.Page{}, err
	}
	return store.NewPage(items, size), nil
}

// behind is the first text behind all that begin with prefix.
func behind(prefix string) string {
	for prefix != "" {
		r, n := utf8.DecodeLastRuneInString(prefix)
		prefix = prefix[:len(prefix)-n]
		switch {
		case r == utf8.RuneError && n == 1: // no text of its own: whatever is behind what precedes it
		case r == 0xD7FF: // surrogates follow, which are no text
			return prefix + "\uE000"
		case r < utf8.MaxRune:
			return prefix + string(r+1)
		}
	}
	return string(utf8.MaxRune)
}

// Sweep deletes what has expired.
func (s *Store) Sweep(ctx context.Context) error {
	_, err := s.db.Exec(ctx, s.text.sweep, []any{s.now()})
	return err
}

// Info says what the store can do.
func (s *Store) Info() store.Info {
	return store.Info{Backend: store.BackendSQL, Consistency: store.Local, Durable: true, List: true, TTL: true}
}
