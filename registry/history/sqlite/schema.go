// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
)

// schemaVersion is the version of the tables this package writes.
const schemaVersion = 1

// schema creates the tables. The view exists for its trigger: one INSERT into it writes
// all rows of a version in one automatic transaction, which saves the statements BEGIN,
// two INSERTs and COMMIT. The trigger checks the parent itself: foreign keys would check
// every row twice.
const schema = `
CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE versions (id INTEGER PRIMARY KEY, parent_id INTEGER);
CREATE TABLE changesets (version_id INTEGER PRIMARY KEY, data BLOB NOT NULL, checksum INTEGER NOT NULL);
CREATE VIEW appended AS SELECT v.id AS id, v.parent_id AS parent_id, c.data AS data, c.checksum AS checksum
	FROM versions v JOIN changesets c ON c.version_id = v.id;
CREATE TRIGGER append_version INSTEAD OF INSERT ON appended BEGIN
	SELECT RAISE(ABORT, 'unknown parent') WHERE NOT EXISTS (SELECT 1 FROM versions WHERE id = NEW.parent_id);
	INSERT INTO versions (id, parent_id) VALUES (NEW.id, NEW.parent_id);
	INSERT INTO changesets (version_id, data, checksum) VALUES (NEW.id, NEW.data, NEW.checksum);
	UPDATE metadata SET value = NEW.id WHERE key = 'head';
END;
`

// migrations[i] leads from schema version i to i+1.
var migrations = []func(context.Context, *sql.Tx) error{createSchema}

func createSchema(ctx context.Context, tx *sql.Tx) error {
	if _, err := tx.ExecContext(ctx, schema); err != nil {
		return err
	}
	data, err := encode(nil)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `
INSERT INTO metadata (key, value) VALUES ('schema_version', '1'), ('head', '0');
INSERT INTO versions (id, parent_id) VALUES (0, NULL);
INSERT INTO changesets (version_id, data, checksum) VALUES (0, ?, ?);`, data, checksum(0, 0, data))
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
	if at > schemaVersion {
		return fmt.Errorf("the database has schema version %d, this program knows %d: use a newer program", at, schemaVersion)
	}
	if at == schemaVersion {
		return nil
	}
	for _, step := range migrations[at:] {
		if err := step(ctx, tx); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, `UPDATE metadata SET value = ? WHERE key = 'schema_version'`, strconv.Itoa(schemaVersion)); err != nil {
		return err
	}
	return tx.Commit()
}

func currentSchema(ctx context.Context, tx *sql.Tx) (int, error) {
	var n int
	err := tx.QueryRowContext(ctx, `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'metadata'`).Scan(&n)
	if err != nil || n == 0 {
		return 0, err
	}
	var text string
	if err := tx.QueryRowContext(ctx, `SELECT value FROM metadata WHERE key = 'schema_version'`).Scan(&text); err != nil {
		return 0, fmt.Errorf("read schema_version: %w", err)
	}
	at, err := strconv.Atoi(text)
	if err != nil || at < 1 {
		return 0, fmt.Errorf("schema_version is %q", text)
	}
	return at, nil
}
