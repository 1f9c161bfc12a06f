// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"database/sql"
	"encoding/binary"
	"errors"
	"path/filepath"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/history/sqlite"
)

// schemaV1 is what a program of that time wrote.
const schemaV1 = `
CREATE TABLE metadata (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE versions (id INTEGER PRIMARY KEY, parent_id INTEGER);
CREATE TABLE changesets (version_id INTEGER PRIMARY KEY, data BLOB NOT NULL, checksum INTEGER NOT NULL);
CREATE VIEW appended AS SELECT v.id AS id, v.parent_id AS parent_id, c.data AS data, c.checksum AS checksum
	FROM versions v JOIN changesets c ON c.version_id = v.id;
CREATE TRIGGER append_version INSTEAD OF INSERT ON appended BEGIN
	INSERT INTO versions (id, parent_id) VALUES (NEW.id, NEW.parent_id);
	INSERT INTO changesets (version_id, data, checksum) VALUES (NEW.id, NEW.data, NEW.checksum);
	UPDATE metadata SET value = NEW.id WHERE key = 'head';
END;
INSERT INTO metadata (key, value) VALUES ('schema_version', '1'), ('head', '0');
PRAGMA journal_mode = WAL`

// databaseV1 writes three versions, of which the second is the head.
func databaseV1(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "v1.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(schemaV1); err != nil {
		t.Fatal(err)
	}
	for id := range uint64(4) {
		ops := []map[string]any{{"op": "entry.create", "id": "app:x", "kind": "k", "data": map[string]any{"n": float64(id)}}}
		var parent any
		if id == 0 {
			ops = nil
		} else {
			parent = id - 1
		}
		data, err := msgpack.Marshal(ops)
		if err != nil {
			t.Fatal(err)
		}
		if id == 0 {
			data = []byte{0x90}
		}
		head := binary.LittleEndian.AppendUint64(nil, id)
		head = binary.LittleEndian.AppendUint64(head, max(id, 1)-1)
		if _, err := db.Exec(`INSERT INTO appended (id, parent_id, data, checksum) VALUES (?, ?, ?, ?)`,
			id, parent, data, int64(xxhash.Sum64(append(head, data...)))); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec(`UPDATE metadata SET value = '2' WHERE key = 'head'`); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOlderSchemaIsMigrated(t *testing.T) {
	for _, opts := range [][]sqlite.Option{nil, {sqlite.WithoutCheck()}} {
		path := databaseV1(t)
		for range 2 { // the second time there is nothing to migrate
			h := open(t, path, opts...)
			if head, err := h.Head(t.Context()); err != nil || head != (registry.Version{ID: 2, Parent: 1}) {
				t.Errorf("head %v, %v", head, err)
			}
			records, err := h.Records(t.Context())
			if err != nil || len(records) != 4 || records[3] != (registry.Record{Version: registry.Version{ID: 3, Parent: 2}}) {
				t.Errorf("records %v, %v", records, err)
			}
			c, err := h.Changeset(t.Context(), 3)
			if err != nil || len(c) != 1 || c[0].String() != "entry.create app:x" {
				t.Errorf("changeset %v, %v", c, err)
			}
			if err := h.Close(); err != nil {
				t.Error(err)
			}
		}
		if got := shell(t, path, `SELECT summary FROM log WHERE head`); got != "+app:x" {
			t.Errorf("summary %q", got)
		}
	}
}

func TestDamagedOlderSchemaIsReportedAndNotMigrated(t *testing.T) {
	path := databaseV1(t)
	execSQL(t, path, `UPDATE versions SET parent_id = 0 WHERE id = 2`)
	_, err := sqlite.Open(t.Context(), path)
	wantCorrupt(t, err, "v2 does not match its checksum")
	if got := shell(t, path, `SELECT value FROM metadata WHERE key = 'schema_version'`); got != "1" {
		t.Errorf("schema version %s", got)
	}
	execSQL(t, path, `DELETE FROM metadata WHERE key = 'head'`)
	execSQL(t, path, `UPDATE versions SET parent_id = 1 WHERE id = 2`)
	var c *sqlite.CorruptError
	if _, err := sqlite.Open(t.Context(), path); !errors.As(err, &c) {
		t.Errorf("without a head: %v", err)
	}
}
