// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"bytes"
	"database/sql"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/history/sqlite"
	"github.com/wippyrun/kit/registry/historytest"
)

func open(t testing.TB, path string, opts ...sqlite.Option) *sqlite.History {
	t.Helper()
	h, err := sqlite.Open(t.Context(), path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestContract(t *testing.T) {
	var path string
	historytest.Run(t, func(t *testing.T) registry.History {
		path = filepath.Join(t.TempDir(), "sub dir", "re?gistry#1%.db")
		return open(t, path)
	}, func(t *testing.T) registry.History { return open(t, path) })
}

func TestNormalSynchronousKeepsTheContract(t *testing.T) {
	historytest.Run(t, func(t *testing.T) registry.History {
		return open(t, filepath.Join(t.TempDir(), "r.db"), sqlite.WithSynchronous(sqlite.Normal), sqlite.WithBusyTimeout(time.Second), sqlite.WithoutCheck())
	}, nil)
	if _, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "r.db"), sqlite.WithSynchronous("OFF")); err == nil {
		t.Error("synchronous=OFF was accepted")
	}
}

func execSQL(t *testing.T, path, query string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatal(err)
	}
}

func filled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "r.db")
	h := open(t, path)
	for i := uint64(1); i <= 50; i++ {
		if err := h.Append(t.Context(), historytest.SampleRecord(i, i-1), historytest.Sample(int(i))); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func wantCorrupt(t *testing.T, err error, text string) {
	t.Helper()
	var c *sqlite.CorruptError
	if !errors.As(err, &c) || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), "restore a backup") {
		t.Errorf("error %v, want a CorruptError with %q", err, text)
	}
}

func TestOpenReportsADamagedFile(t *testing.T) {
	path := filled(t)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "other.db")
	for text, damaged := range map[string][]byte{
		"not a database": bytes.Repeat([]byte("no database "), 100),
		"database":       append(append(bytes.Clone(raw[:4096]), bytes.Repeat([]byte{0xff}, 4096*2)...), raw[4096*3:]...),
		"":               raw[:len(raw)/2/1024*1024],
	} {
		if err := os.WriteFile(other, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := sqlite.Open(t.Context(), other)
		wantCorrupt(t, err, text)
	}
}

// Everything a version consists of is under its checksum.
func TestChangedContentIsNoticedByOpenAndWhenItIsRead(t *testing.T) {
	for _, change := range []string{
		`UPDATE changesets SET data = (SELECT data FROM changesets WHERE version_id = 4) WHERE version_id = 3`,
		`UPDATE versions SET parent_id = 1 WHERE id = 3`,
		`UPDATE versions SET time = '2026-01-01T00:00:00.000Z' WHERE id = 3`,
		`UPDATE versions SET author = author || comment, comment = '' WHERE id = 3`,
		`UPDATE versions SET summary = '' WHERE id = 3`,
		`UPDATE changesets SET checksum = checksum + 1 WHERE version_id = 3`,
		`UPDATE versions SET time = x'00' WHERE id = 3`,
	} {
		path := filled(t)
		execSQL(t, path, change)
		_, err := sqlite.Open(t.Context(), path)
		wantCorrupt(t, err, "v3")
		h := open(t, path, sqlite.WithoutCheck())
		_, err = h.Changeset(t.Context(), 3)
		wantCorrupt(t, err, "v3")
		_, err = h.Records(t.Context())
		wantCorrupt(t, err, "v3")
		if _, err := h.Changeset(t.Context(), 5); err != nil {
			t.Error(err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenNoticesWhatIsMissingOrChanged(t *testing.T) {
	for change, text := range map[string]string{
		`DELETE FROM changesets WHERE version_id = 50`:                 "v50 has no parent or no changeset",
		`DELETE FROM versions WHERE id = 20`:                           "v21 has the parent v20, which does not exist",
		`DELETE FROM versions WHERE id = 50`:                           "51 changesets for 50 versions",
		`DELETE FROM versions WHERE id = 0`:                            "v1 has the parent v0",
		`DELETE FROM metadata WHERE key = 'head'`:                      "the head names no stored version",
		`UPDATE metadata SET value = '999' WHERE key = 'head'`:         "the head names no stored version",
		`UPDATE metadata SET value = '49' WHERE key = 'head'`:          "the head does not match its checksum",
		`UPDATE metadata SET value = '1' WHERE key = 'schema_version'`: "v0 does not match its checksum",
		`UPDATE metadata SET value = '3' WHERE key = 'schema_version'`: "schema_version does not match its checksum",
		`UPDATE metadata SET value = 'x' WHERE key = 'schema_version'`: `schema_version is "x"`,
		`DELETE FROM metadata WHERE key = 'schema_version'`:            "schema_version is missing",
		`DROP TRIGGER append_version`:                                  "the trigger append_version is missing or changed",
		`DROP VIEW log; CREATE VIEW log AS SELECT 1 AS id`:             "the view log is missing or changed",
		`PRAGMA writable_schema = 1; UPDATE sqlite_master SET sql = replace(sql, 'NEW.summary', 'NEW.comment') WHERE name = 'append_version'`: "append_version is missing or changed",
	} {
		path := filled(t)
		execSQL(t, path, change)
		_, err := sqlite.Open(t.Context(), path)
		wantCorrupt(t, err, text)
	}
}

func TestOpenLeavesADamagedDatabaseAsItIs(t *testing.T) {
	path := filled(t)
	execSQL(t, path, `UPDATE versions SET comment = 'forged' WHERE id = 3`)
	before := read(t, path)
	_, err := sqlite.Open(t.Context(), path)
	wantCorrupt(t, err, "v3")
	if !bytes.Equal(read(t, path), before) {
		t.Error("the file was changed")
	}
}

func TestDatabaseOfAnotherProgramIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.db")
	execSQL(t, path, `CREATE TABLE versions (n); CREATE TABLE mine (n)`)
	for _, opts := range [][]sqlite.Option{nil, {sqlite.WithoutCheck()}} {
		_, err := sqlite.Open(t.Context(), path, opts...)
		var c *sqlite.CorruptError
		if err == nil || errors.As(err, &c) || !strings.Contains(err.Error(), "another program") {
			t.Errorf("error %v", err)
		}
	}
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filled(t)
	execSQL(t, path, `ALTER TABLE metadata RENAME COLUMN checksum TO something_else; UPDATE metadata SET value = '3' WHERE key = 'schema_version'`)
	_, err := sqlite.Open(t.Context(), path)
	if err == nil || !strings.Contains(err.Error(), "schema version 3, this program knows 2") {
		t.Errorf("error %v", err)
	}
}

func TestSecondWriterNotices(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	a, b := open(t, path), open(t, path)
	defer a.Close()
	defer b.Close()
	v := historytest.SampleRecord(1, 0)
	if err := a.Append(t.Context(), v, nil); err != nil {
		t.Fatal(err)
	}
	err := b.Append(t.Context(), v, nil)
	var c *sqlite.ConflictError
	if !errors.As(err, &c) || c.Version != v.Version {
		t.Errorf("error %v", err)
	}
}

func TestRegistryRestartsWhereItWas(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	id := registry.ParseID("app:x")
	for round := 1; round <= 3; round++ {
		r, err := registry.New(registry.WithHistory(open(t, path)))
		if err != nil {
			t.Fatal(err)
		}
		if err := r.LoadState(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		e := registry.Entry{ID: id, Kind: "registry.entry", Data: float64(round)}
		c := registry.Changeset{{Kind: registry.Update, Entry: e}}
		if round == 1 {
			c[0].Kind = registry.Create
		} else if old, err := r.Get(id); err != nil || old.Data != float64(round-1) {
			t.Errorf("round %d: %v, %v", round, old, err)
		}
		v, err := r.Apply(t.Context(), c)
		if err != nil || v.ID != uint64(round) {
			t.Errorf("round %d: %v, %v", round, v, err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Databases that were made with pages of another size keep them, and versions larger than
// many pages fit in either.
func TestPagesOfAnySize(t *testing.T) {
	size := func(path string) int {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return int(binary.BigEndian.Uint16(raw[16:])) // https://www.sqlite.org/fileformat2.html#the_database_header
	}
	for _, want := range []int{1024, 4096} {
		path := filepath.Join(t.TempDir(), "r.db")
		if want != 1024 {
			execSQL(t, path, "PRAGMA page_size = 4096; VACUUM")
		}
		large := registry.Entry{ID: registry.ParseID("app:large"), Kind: "k", Data: map[string]any{"text": strings.Repeat("x", 100_000)}}
		h := open(t, path)
		for id := range uint64(3) {
			change := registry.Changeset{{Kind: registry.Update, Entry: large}}
			if err := h.Append(t.Context(), registry.Record{Version: registry.Version{ID: id + 1, Parent: id}}, change); err != nil {
				t.Fatal(err)
			}
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		h = open(t, path)
		c, err := h.Changeset(t.Context(), 3)
		if err != nil || len(c) != 1 || c[0].Entry.Data.(map[string]any)["text"] != strings.Repeat("x", 100_000) {
			t.Errorf("version 3: %d operations, %v", len(c), err)
		}
		if err := h.Close(); err != nil {
			t.Fatal(err)
		}
		if got := size(path); got != want {
			t.Errorf("pages of %d bytes, want %d", got, want)
		}
	}
}

// What a commit waits for is what it adds to the log.
func TestVersionAddsLittleToTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	h := open(t, path)
	t.Cleanup(func() { _ = h.Close() })
	logged := func() int64 {
		info, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	const versions = 100
	before := logged()
	for id := range uint64(versions) {
		if err := h.Append(t.Context(), historytest.SampleRecord(id+1, id), benchChange(int(id))); err != nil {
			t.Fatal(err)
		}
	}
	if each := (logged() - before) / versions; each <= 0 || each > 5*1024 {
		t.Errorf("%d bytes for each version", each)
	}
}
