// SPDX-License-Identifier: Apache-2.0

package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/history/sqlite"
)

var crashRounds = flag.Int("crash.rounds", 12, "how often the writer is killed")

const crashEnv = "REGISTRY_CRASH_DB"

func TestMain(m *testing.M) {
	if path := os.Getenv(crashEnv); path != "" {
		if err := crashWriter(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

func openRegistry(path string) (*registry.Registry, error) {
	h, err := sqlite.Open(context.Background(), path)
	if err != nil {
		return nil, err
	}
	r, err := registry.New(registry.WithHistory(h))
	if err != nil {
		return nil, errors.Join(err, h.Close())
	}
	return r, r.LoadState(context.Background(), nil)
}

// crashState is what a version holds: the counter, and the numbers of the versions that
// created the other entries, in order.
type crashState struct {
	counter uint64
	entries []uint64
}

// next returns the state after version n was made from this one: it creates one entry,
// moves the counter and deletes the oldest of more than three entries, all of which must
// be there or none.
func (s crashState) next(n uint64) crashState {
	entries := append(slices.Clone(s.entries), n)
	if len(entries) > 3 {
		entries = entries[1:]
	}
	return crashState{counter: n, entries: entries}
}

func crashEntry(name string, n uint64) registry.Entry {
	filler := strings.Repeat("x", int(n%7)*900)
	return registry.Entry{ID: registry.NewID("app", name), Kind: "registry.entry", Data: map[string]any{"n": float64(n), "filler": filler}}
}

func entryName(n uint64) string { return "e" + strconv.FormatUint(n, 10) }

// crashChange leads from a state to the next.
func crashChange(s crashState, n uint64) registry.Changeset {
	var c registry.Changeset
	c.CreateEntry(crashEntry(entryName(n), n))
	if s.counter == 0 {
		c.CreateEntry(crashEntry("counter", n))
	} else {
		c.UpdateEntry(crashEntry("counter", n))
	}
	if len(s.entries) == 3 {
		c.DeleteEntry(registry.NewID("app", entryName(s.entries[0])))
	}
	return c
}

// readState returns what a registry holds.
func readState(s registry.Snapshot) (crashState, error) {
	var out crashState
	for e := range s.All() {
		n := e.Data.(map[string]any)["n"].(float64)
		if want := crashEntry(e.ID.Name, uint64(n)); !e.Equal(want) {
			return out, fmt.Errorf("%v is %v", e.ID, e)
		}
		if e.ID.Name == "counter" {
			out.counter = uint64(n)
		} else {
			out.entries = append(out.entries, uint64(n))
		}
	}
	slices.Sort(out.entries)
	return out, nil
}

// goesBack tells whether the writer returns two versions after making this one.
func goesBack(n uint64) bool { return n%5 == 0 }

// crashWriter makes versions, and returns to earlier ones, until it is killed. It reports
// each with where it is then.
func crashWriter(path string) error {
	ctx := context.Background()
	r, err := openRegistry(path)
	if err != nil {
		return err
	}
	for {
		versions, err := r.Versions()
		if err != nil {
			return err
		}
		state, err := readState(r.Snapshot())
		if err != nil {
			return err
		}
		n := versions[len(versions)-1].ID + 1
		v, err := r.Apply(ctx, crashChange(state, n), registry.Author("writer"), registry.Comment(entryName(n)))
		if err != nil {
			return err
		}
		fmt.Println(v.ID, v.ID)
		if goesBack(n) {
			if err := r.ApplyVersion(ctx, registry.Version{ID: n - 2}); err != nil {
				return err
			}
			fmt.Println(v.ID, n-2)
		}
	}
}

// report is what a writer said last: the newest version and the head.
type report struct{ last, head uint64 }

func TestKilledWriterLosesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var path string
	var at report
	versions := uint64(0)
	for round := range *crashRounds {
		if round%50 == 0 { // every database is read in every round, and they grow
			path, at = filepath.Join(t.TempDir(), "r.db"), report{}
		}
		before := at.last
		at = verify(t, path, killedRound(t, path, rng, at))
		versions += at.last - before
	}
	if versions < uint64(*crashRounds) {
		t.Errorf("only %d versions were written", versions)
	}
	t.Logf("%d rounds, %d versions", *crashRounds, versions)
}

// killedRound runs a writer, kills it at a random instant and returns what it reported
// last, or what was found before it started.
func killedRound(t *testing.T, path string, rng *rand.Rand, at report) report {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), crashEnv+"="+path)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// Some rounds are killed while the writer starts, the others after some versions and
	// a part of another.
	acks := rng.IntN(15)
	delay := time.Duration(rng.IntN(3000)) * time.Microsecond
	if acks == 0 {
		delay *= 20
	}
	in := bufio.NewScanner(out)
	read := func() bool {
		if !in.Scan() {
			return false
		}
		if _, err := fmt.Sscan(in.Text(), &at.last, &at.head); err != nil {
			t.Fatalf("writer said %q", in.Text())
		}
		return true
	}
	for range acks {
		if !read() {
			break
		}
	}
	timer := time.AfterFunc(delay, func() { _ = cmd.Process.Kill() })
	defer timer.Stop()
	for read() {
	}
	if _, err := io.Copy(io.Discard, out); err != nil && !errors.Is(err, os.ErrClosed) {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || stderr.Len() > 0 {
		t.Fatalf("writer ended by itself: %v %s", err, stderr.String())
	}
	return at
}

// verify checks that the database opens, is where the writer said last or one step
// further, and that every version holds exactly what it has to. It returns what it found.
func verify(t *testing.T, path string, said report) report {
	t.Helper()
	r, err := openRegistry(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	records, err := r.Log(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	found := report{last: records[len(records)-1].ID, head: r.Current().ID}
	further := []report{said, {said.last + 1, said.last + 1}}
	if goesBack(said.last) && said.head == said.last && said.last > 0 {
		further = append(further, report{said.last, said.last - 2})
	}
	if !slices.Contains(further, found) {
		t.Fatalf("found %+v, reported %+v", found, said)
	}
	states := map[uint64]crashState{0: {}}
	for i, rec := range records {
		if rec.ID != uint64(i) || i > 0 && (rec.Author != "writer" || rec.Comment != entryName(rec.ID) || rec.Time.IsZero()) {
			t.Fatalf("record %d is %+v", i, rec)
		}
		parent, known := states[rec.Parent]
		if !known || i > 0 && rec.Parent+1 != rec.ID && !(goesBack(rec.ID-1) && rec.Parent+3 == rec.ID) {
			t.Fatalf("record %d is %+v", i, rec)
		}
		if i > 0 {
			states[rec.ID] = parent.next(rec.ID)
		}
	}
	for id := max(found.last, 10) - 10; id <= found.last; id++ {
		s, err := r.SnapshotAt(registry.Version{ID: id})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := readState(s); err != nil || got.counter != states[id].counter || !slices.Equal(got.entries, states[id].entries) {
			t.Fatalf("v%d is %+v, %v, want %+v", id, got, err, states[id])
		}
	}
	if got, err := readState(r.Snapshot()); err != nil || got.counter != states[found.head].counter || !slices.Equal(got.entries, states[found.head].entries) {
		t.Fatalf("the head v%d is %+v, %v, want %+v", found.head, got, err, states[found.head])
	}
	return found
}
