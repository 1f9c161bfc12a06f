// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"bytes"
	"database/sql"
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
		if err := h.Append(t.Context(), registry.Version{ID: i, Parent: i - 1}, historytest.Sample(int(i))); err != nil {
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
	if !errors.As(err, &c) || !strings.Contains(err.Error(), text) || !strings.Contains(err.Error(), ".recover") {
		t.Errorf("error %v, want a CorruptError with %q", err, text)
	}
}

func TestTablesAreAsDocumented(t *testing.T) {
	path := filled(t)
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for query, want := range map[string]string{
		`SELECT value FROM metadata WHERE key = 'schema_version'`:                   "1",
		`SELECT value FROM metadata WHERE key = 'head'`:                             "50",
		`SELECT count(*) FROM versions`:                                             "51",
		`SELECT parent_id FROM versions WHERE id = 50`:                              "49",
		`SELECT count(*) FROM changesets WHERE version_id = 0 AND length(data) = 1`: "1",
		`PRAGMA journal_mode`:                                                       "wal",
	} {
		var got string
		if err := db.QueryRow(query).Scan(&got); err != nil || got != want {
			t.Errorf("%s: %q, %v, want %q", query, got, err, want)
		}
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
		"malformed":      append(append(bytes.Clone(raw[:4096]), bytes.Repeat([]byte{0xff}, 4096*2)...), raw[4096*3:]...),
		"":               raw[:len(raw)/2/4096*4096],
	} {
		if err := os.WriteFile(other, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := sqlite.Open(t.Context(), other)
		wantCorrupt(t, err, text)
	}
}

func TestChangedBytesAreNoticed(t *testing.T) {
	path := filled(t)
	execSQL(t, path, `UPDATE changesets SET data = (SELECT data FROM changesets WHERE version_id = 4) WHERE version_id = 3`)
	execSQL(t, path, `UPDATE versions SET parent_id = 1 WHERE id = 7`)
	h := open(t, path)
	defer h.Close()
	for _, id := range []uint64{3, 7} {
		_, err := h.Changeset(t.Context(), id)
		wantCorrupt(t, err, "does not match its checksum")
	}
	if _, err := h.Changeset(t.Context(), 5); err != nil {
		t.Error(err)
	}
}

func TestHeadWithoutVersionIsDamage(t *testing.T) {
	path := filled(t)
	execSQL(t, path, `UPDATE metadata SET value = '999' WHERE key = 'head'`)
	_, err := sqlite.Open(t.Context(), path)
	wantCorrupt(t, err, "the head names no stored version")
}

func TestNewerSchemaIsRefused(t *testing.T) {
	path := filled(t)
	execSQL(t, path, `UPDATE metadata SET value = '2' WHERE key = 'schema_version'`)
	_, err := sqlite.Open(t.Context(), path)
	if err == nil || !strings.Contains(err.Error(), "schema version 2, this program knows 1") {
		t.Errorf("error %v", err)
	}
}

func TestSecondWriterNotices(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	a, b := open(t, path), open(t, path)
	defer a.Close()
	defer b.Close()
	v := registry.Version{ID: 1}
	if err := a.Append(t.Context(), v, nil); err != nil {
		t.Fatal(err)
	}
	err := b.Append(t.Context(), v, nil)
	var c *sqlite.ConflictError
	if !errors.As(err, &c) || c.Version != v {
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
