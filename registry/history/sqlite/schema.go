// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/cespare/xxhash/v2"
)

// schemaVersion is the version of the tables this package writes.
const schemaVersion = 2

// applicationID marks the file as one of ours ("wreg"), for file(1) and for Open.
const applicationID = 0x77726567

// object is a table, view or trigger of the schema.
type object struct{ kind, name, sql string }

// schema is what a database of the present version consists of; Open compares.
var schema = schemaV2

// The view appended exists for its trigger: one INSERT into it writes all rows of a version in one
// automatic transaction, which saves the statements BEGIN, two INSERTs and COMMIT. The
// trigger checks the parent itself: foreign keys would check every row twice. The view
// log is for people.
var schemaV2 = []object{
	{"table", "metadata", `CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID`},
	{"table", "versions", `CREATE TABLE versions (id INTEGER PRIMARY KEY, parent_id INTEGER, time TEXT NOT NULL, author TEXT NOT NULL, comment TEXT NOT NULL, summary TEXT NOT NULL)`},
	{"table", "changesets", `CREATE TABLE changesets (version_id INTEGER PRIMARY KEY, data BLOB NOT NULL, checksum INTEGER NOT NULL)`},
	{"view", "log", `CREATE VIEW log AS SELECT id, parent_id AS parent, time, author, comment, summary,
	id = (SELECT CAST(value AS INTEGER) FROM metadata WHERE key = 'head') AS head FROM versions ORDER BY id`},
	{"view", "appended", `CREATE VIEW appended AS SELECT v.id, v.parent_id, v.time, v.author, v.comment, v.summary, c.data, c.checksum, 0 AS head_checksum
	FROM versions v JOIN changesets c ON c.version_id = v.id`},
	{"trigger", "append_version", `CREATE TRIGGER append_version INSTEAD OF INSERT ON appended BEGIN
	SELECT RAISE(ABORT, 'unknown parent') WHERE NOT EXISTS (SELECT 1 FROM versions WHERE id = NEW.parent_id);
	INSERT INTO versions (id, parent_id, time, author, comment, summary) VALUES (NEW.id, NEW.parent_id, NEW.time, NEW.author, NEW.comment, NEW.summary);
	INSERT INTO changesets (version_id, data, checksum) VALUES (NEW.id, NEW.data, NEW.checksum);
	UPDATE metadata SET value = NEW.id, checksum = NEW.head_checksum WHERE key = 'head';
END`},
}

// migrations[i] leads from schema version i to i+1. They are written for the databases of
// that time and never change.
var migrations = []func(context.Context, *sql.Tx) error{createV1, migrateV2}

func createV1(ctx context.Context, tx *sql.Tx) error {
	data, err := encode(nil)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE versions (id INTEGER PRIMARY KEY, parent_id INTEGER);
CREATE TABLE changesets (version_id INTEGER PRIMARY KEY, data BLOB NOT NULL, checksum INTEGER NOT NULL);
INSERT INTO metadata (key, value) VALUES ('schema_version', '1'), ('head', '0');
INSERT INTO versions (id, parent_id) VALUES (0, NULL);
INSERT INTO changesets (version_id, data, checksum) VALUES (0, ?, ?)`, data, sumV1(0, 0, data))
	return err
}

// sumV1 is the checksum of a changeset in schema version 1.
func sumV1(id, parent uint64, data []byte) int64 {
	head := binary.LittleEndian.AppendUint64(nil, id)
	head = binary.LittleEndian.AppendUint64(head, parent)
	return int64(xxhash.Sum64(append(head, data...)))
}

// migrateV2 adds time, author, comment and summary to versions, and puts them and the
// head under checksums.
func migrateV2(ctx context.Context, tx *sql.Tx) error {
	rows, err := readV1(ctx, tx)
	if err != nil {
		return err
	}
	var head string
	switch err := tx.QueryRowContext(ctx, `SELECT m.value FROM metadata m JOIN versions v ON v.id = CAST(m.value AS INTEGER) WHERE m.key = 'head'`).Scan(&head); {
	case errors.Is(err, sql.ErrNoRows):
		return damage(errNoHead)
	case err != nil:
		return fmt.Errorf("read head: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
DROP VIEW IF EXISTS appended;
DROP TABLE metadata; DROP TABLE versions; DROP TABLE changesets;
PRAGMA application_id = `+strconv.Itoa(applicationID)); err != nil {
		return err
	}
	for _, o := range schemaV2 {
		if _, err := tx.ExecContext(ctx, o.sql); err != nil {
			return fmt.Errorf("create %s: %w", o.name, err)
		}
	}
	for key, value := range map[string]string{"head": head, "schema_version": "2"} {
		if _, err := tx.ExecContext(ctx, `INSERT INTO metadata (key, value, checksum) VALUES (?, ?, ?)`,
			key, value, metadataSum(key, value)); err != nil {
			return err
		}
	}
	for _, w := range rows {
		if err := w.store(ctx, tx); err != nil {
			return err
		}
	}
	return nil
}

func readV1(ctx context.Context, tx *sql.Tx) ([]row, error) {
	rows, err := tx.QueryContext(ctx, `SELECT id, coalesce(parent_id, 0), data, checksum FROM versions LEFT JOIN changesets ON version_id = id ORDER BY id`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []row
	for rows.Next() {
		var w row
		if err := rows.Scan(&w.id, &w.parent, &w.data, &w.checksum); err != nil {
			return nil, err
		}
		if sumV1(w.id, w.parent, w.data) != w.checksum {
			return nil, damage(fmt.Errorf("v%d does not match its checksum", w.id))
		}
		c, err := decode(w.data)
		if err != nil {
			return nil, damage(fmt.Errorf("changeset of v%d: %w", w.id, err))
		}
		w.summary = summary(c)
		w.checksum = w.sum()
		out = append(out, w)
	}
	return out, rows.Err()
}

func (w *row) store(ctx context.Context, tx *sql.Tx) error {
	var parent any
	if w.id != 0 {
		parent = int64(w.parent)
	}
	if _, err := tx.ExecContext(ctx, `INSERT INTO versions (id, parent_id, time, author, comment, summary) VALUES (?, ?, ?, ?, ?, ?)`,
		int64(w.id), parent, w.time, w.author, w.comment, w.summary); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO changesets (version_id, data, checksum) VALUES (?, ?, ?)`, int64(w.id), w.data, w.checksum)
	return err
}

// migrate brings the database to the present schema, in one transaction.
func migrate(ctx context.Context, db *sql.DB) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // a no-op after Commit
	at, err := currentSchema(ctx, tx)
	if err != nil {
		return err
	}
	if at == schemaVersion {
		return nil
	}
	for _, step := range migrations[at:] {
		if err := step(ctx, tx); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// queryer is a database or a transaction.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// currentSchema returns the schema version of a database, 0 for one with nothing in it.
func currentSchema(ctx context.Context, q queryer) (int, error) {
	var all, ours int
	err := q.QueryRowContext(ctx, `SELECT count(*), count(*) FILTER (WHERE type = 'table' AND name IN ('metadata', 'versions', 'changesets')) FROM sqlite_master`).Scan(&all, &ours)
	switch {
	case err != nil || all == 0:
		return 0, err
	case ours != 3:
		return 0, errForeign
	}
	var text string
	err = q.QueryRowContext(ctx, `SELECT value FROM metadata WHERE key = 'schema_version'`).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, damage(errors.New("schema_version is missing"))
	}
	if err != nil {
		return 0, err
	}
	at, err := strconv.Atoi(text)
	if err != nil || at < 1 {
		return 0, damage(fmt.Errorf("schema_version is %q", text))
	}
	if at > 1 {
		var sum int64
		err := q.QueryRowContext(ctx, `SELECT checksum FROM metadata WHERE key = 'schema_version'`).Scan(&sum)
		if err == nil && sum != metadataSum("schema_version", text) {
			return 0, damage(errors.New("schema_version does not match its checksum"))
		}
	}
	if at > schemaVersion {
		return 0, fmt.Errorf("the database has schema version %d, this program knows %d: use a newer program", at, schemaVersion)
	}
	return at, nil
}

var errNoHead = errors.New("the head names no stored version")

// errForeign is returned for a database that has tables, but not those of a history.
var errForeign = errors.New("this is the database of another program")
