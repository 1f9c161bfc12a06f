// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry/history/sqlite"
	"github.com/wippyrun/kit/registry/historytest"
)

var damageRounds = flag.Int("damage.rounds", 40, "how many copies of a database are damaged in each way")

// victim is a database as it is left behind by a process that was killed: what was
// written first is in the file, the rest in the write-ahead log only.
type victim struct {
	db, wal  []byte
	versions uint64
	inFile   uint64 // versions in the file itself
}

func newVictim(t *testing.T) victim {
	t.Helper()
	v := victim{versions: 60, inFile: 35}
	path := filepath.Join(t.TempDir(), "r.db")
	h := open(t, path)
	for i := uint64(1); i <= v.versions; i++ {
		if err := h.Append(t.Context(), historytest.SampleRecord(i, parentOf(i)), historytest.Sample(int(i))); err != nil {
			t.Fatal(err)
		}
		if i == v.inFile {
			execSQL(t, path, `PRAGMA wal_checkpoint(TRUNCATE)`)
		}
	}
	v.db, v.wal = read(t, path), read(t, path+"-wal")
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if len(v.wal) < 25*2*1024 {
		t.Fatalf("the write-ahead log has %d bytes only", len(v.wal))
	}
	return v
}

// parentOf makes a tree with a branch at every seventh version.
func parentOf(id uint64) uint64 {
	if id%7 == 0 {
		return id - 2
	}
	return id - 1
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// outcome is what Open made of a damaged copy.
type outcome struct {
	err      error
	versions uint64
}

// examine opens a copy. When that works the history has to be the first versions of the
// victim, each as it was stored, with the last of them as its head.
func (v victim) examine(t *testing.T, what string, db, wal []byte) outcome {
	t.Helper()
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := errors.Join(os.WriteFile(path, db, 0o600), os.WriteFile(path+"-wal", wal, 0o600)); err != nil {
		t.Fatal(err)
	}
	h, err := sqlite.Open(t.Context(), path)
	if err != nil {
		if !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v does not name the file", what, err)
		}
		return outcome{err: err}
	}
	defer h.Close()
	records, err := h.Records(t.Context())
	if err != nil {
		t.Fatalf("%s: opened, but %v", what, err)
	}
	n := uint64(len(records) - 1)
	for i, got := range records[1:] {
		id := uint64(i + 1)
		if want := historytest.SampleRecord(id, parentOf(id)); got != want {
			t.Fatalf("%s: record %+v, want %+v", what, got, want)
		}
		if c, err := h.Changeset(t.Context(), id); err != nil || !historytest.Equal(c, historytest.Sample(i+1)) {
			t.Fatalf("%s: changeset of v%d is %v, %v", what, id, c, err)
		}
	}
	if head, err := h.Head(t.Context()); err != nil || head.ID != n {
		t.Fatalf("%s: head is %v, %v of %d versions", what, head, err, n)
	}
	return outcome{versions: n}
}

// tally counts outcomes for the log of a test.
type tally struct{ whole, prefix, reported int }

func (c *tally) count(o outcome, all uint64) {
	switch {
	case o.err != nil:
		c.reported++
	case o.versions == all:
		c.whole++
	default:
		c.prefix++
	}
}

func (c tally) String() string {
	return fmt.Sprintf("%d whole, %d a prefix, %d reported", c.whole, c.prefix, c.reported)
}

func flipped(raw []byte, rng *rand.Rand, from int) ([]byte, int) {
	at := from + rng.IntN(len(raw)-from)
	out := bytes.Clone(raw)
	out[at] ^= 1 << rng.IntN(8)
	return out, at
}

// A log that is cut off looks like one whose writer was killed. What is left of it has to
// be whole versions.
func TestCutOffLogLeavesAPrefix(t *testing.T) {
	v := newVictim(t)
	rng := rand.New(rand.NewPCG(1, 1))
	var c tally
	for range *damageRounds {
		at := rng.IntN(len(v.wal))
		o := v.examine(t, fmt.Sprintf("log cut at %d", at), v.db, v.wal[:at])
		if o.err != nil || o.versions < v.inFile {
			t.Errorf("log cut at %d: %d versions, %v", at, o.versions, o.err)
		}
		c.count(o, v.versions)
	}
	t.Log(c)
}

// A changed bit in the log may hide the last version, which then looks unfinished, and
// nothing else.
func TestChangedBitInTheLogIsReportedOrTakesTheLastVersion(t *testing.T) {
	v := newVictim(t)
	rng := rand.New(rand.NewPCG(2, 1))
	var c tally
	for range *damageRounds {
		wal, at := flipped(v.wal, rng, 0)
		o := v.examine(t, fmt.Sprintf("log changed at %d", at), v.db, wal)
		if o.err == nil && o.versions < v.versions-1 {
			t.Errorf("log changed at %d: %d versions of %d and no error", at, o.versions, v.versions)
		}
		c.count(o, v.versions)
	}
	t.Log(c)
}

// A database that is cut off is no database, unless the log has all that is missing.
func TestCutOffFileIsReported(t *testing.T) {
	v := newVictim(t)
	rng := rand.New(rand.NewPCG(3, 1))
	var c tally
	for i := range *damageRounds {
		at := rng.IntN(len(v.db))
		if i == 0 {
			at = 0
		}
		o := v.examine(t, fmt.Sprintf("file cut at %d", at), v.db[:at], v.wal)
		if o.err == nil && o.versions != v.versions {
			t.Errorf("file cut at %d: %d versions and no error", at, o.versions)
		}
		c.count(o, v.versions)
	}
	t.Log(c)
}

// A changed bit in the database is reported, unless nothing depends on it.
func TestChangedBitInTheFileIsReportedOrHarmless(t *testing.T) {
	v := newVictim(t)
	rng := rand.New(rand.NewPCG(4, 1))
	var c tally
	for i := range *damageRounds {
		from := 0
		if i%2 == 0 { // the first page has the header and the schema
			from = 1024
		}
		db, at := flipped(v.db, rng, from)
		if i%2 != 0 {
			db, at = flipped(v.db[:1024], rng, 0)
			db = append(db, v.db[1024:]...)
		}
		o := v.examine(t, fmt.Sprintf("file changed at %d", at), db, v.wal)
		if o.err == nil && o.versions != v.versions {
			t.Errorf("file changed at %d: %d versions and no error", at, o.versions)
		}
		c.count(o, v.versions)
	}
	t.Log(c)
}

// What Open reports, Salvage gets the whole versions out of.
func TestSalvageKeepsEveryWholeVersionWithAWayToTheRoot(t *testing.T) {
	v := newVictim(t)
	rng := rand.New(rand.NewPCG(5, 1))
	salvaged := 0
	for range *damageRounds {
		dir := t.TempDir()
		path, to := filepath.Join(dir, "bad.db"), filepath.Join(dir, "good.db")
		db, at := flipped(v.db, rng, 1024)
		wal, inLog := flipped(v.wal, rng, 0)
		if err := errors.Join(os.WriteFile(path, db, 0o600), os.WriteFile(path+"-wal", wal, 0o600)); err != nil {
			t.Fatal(err)
		}
		what := fmt.Sprintf("file changed at %d, log at %d", at, inLog)
		got, err := sqlite.Salvage(t.Context(), path, to)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		if !bytes.Equal(read(t, path), db) || !bytes.Equal(read(t, path+"-wal"), wal) {
			t.Errorf("%s: the damaged database was changed", what)
		}
		h := open(t, to)
		records, err := h.Records(t.Context())
		if err != nil || len(records) != got.Kept+1 {
			t.Errorf("%s: %d versions, %v, reported %d", what, len(records)-1, err, got.Kept)
		}
		for _, r := range records[1:] {
			c, err := h.Changeset(t.Context(), r.ID)
			if err != nil || r != historytest.SampleRecord(r.ID, parentOf(r.ID)) || !historytest.Equal(c, historytest.Sample(int(r.ID))) {
				t.Errorf("%s: v%d is %+v, %v, %v", what, r.ID, r, c, err)
			}
			if slices.Contains(got.Lost, r.ID) {
				t.Errorf("%s: v%d is both lost and kept", what, r.ID)
			}
		}
		if head, err := h.Head(t.Context()); err != nil || head != got.Head {
			t.Errorf("%s: head %v, %v, reported %v", what, head, err, got.Head)
		}
		salvaged += got.Kept
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
	t.Logf("%d of %d versions", salvaged, *damageRounds*int(v.versions))
	if salvaged == 0 {
		t.Error("nothing was ever salvaged")
	}
}

func TestSalvageDropsWhatComesAfterADamagedVersion(t *testing.T) {
	path := filled(t)
	execSQL(t, path, `UPDATE versions SET comment = 'forged' WHERE id = 48`)
	to := filepath.Join(t.TempDir(), "good.db")
	got, err := sqlite.Salvage(t.Context(), path, to)
	if err != nil || got.Kept != 47 || !slices.Equal(got.Lost, []uint64{48, 49, 50}) || got.Head.ID != 47 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := sqlite.Salvage(t.Context(), path, to); err == nil || !strings.Contains(err.Error(), "exists already") {
		t.Errorf("over an existing file: %v", err)
	}
	if _, err := sqlite.Salvage(t.Context(), to+".none", to+".new"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("from nothing: %v", err)
	}
}
