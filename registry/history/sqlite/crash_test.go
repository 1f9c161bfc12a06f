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

// crashChange is the change that leads to version n: it creates one entry, moves a
// counter and deletes the entry made three versions before, all of which must be there
// or none.
func crashChange(n uint64) registry.Changeset {
	filler := strings.Repeat("x", int(n%7)*900)
	make := func(name string, v uint64) registry.Entry {
		return registry.Entry{ID: registry.NewID("app", name), Kind: "registry.entry", Data: map[string]any{"n": float64(v), "filler": filler}}
	}
	var c registry.Changeset
	c.CreateEntry(make("e"+strconv.FormatUint(n, 10), n))
	if n == 1 {
		c.CreateEntry(make("counter", n))
	} else {
		c.UpdateEntry(make("counter", n))
	}
	if n > 3 {
		c.DeleteEntry(registry.NewID("app", "e"+strconv.FormatUint(n-3, 10)))
	}
	return c
}

// crashWriter writes versions until it is killed and reports each one.
func crashWriter(path string) error {
	r, err := openRegistry(path)
	if err != nil {
		return err
	}
	for {
		v, err := r.Apply(context.Background(), crashChange(r.Current().ID+1))
		if err != nil {
			return err
		}
		fmt.Println(v.ID)
	}
}

func TestKilledWriterLosesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "r.db")
	rng := rand.New(rand.NewPCG(1, 2))
	last := uint64(0)
	for range *crashRounds {
		last = verify(t, path, last, killedRound(t, path, rng))
	}
	if last == 0 {
		t.Error("no version was written in any round")
	}
	t.Logf("%d rounds, %d versions", *crashRounds, last)
}

// killedRound runs a writer, kills it at a random instant and returns the last version
// it reported.
func killedRound(t *testing.T, path string, rng *rand.Rand) uint64 {
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
	last := uint64(0)
	read := func() bool {
		if !in.Scan() {
			return false
		}
		n, err := strconv.ParseUint(in.Text(), 10, 64)
		if err != nil {
			t.Fatalf("writer said %q", in.Text())
		}
		last = n
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
	return last
}

// verify checks that the database opens, holds at least the versions acknowledged in
// this round and found after the one before, at most one more, and exactly the state
// they lead to. It returns the version found.
func verify(t *testing.T, path string, before, acked uint64) uint64 {
	t.Helper()
	r, err := openRegistry(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := r.Current().ID
	if acked = max(acked, before); n < acked || n > acked+1 {
		t.Fatalf("head is v%d, acknowledged v%d", n, acked)
	}
	if n == 0 {
		return 0
	}
	want := map[string]float64{"counter": float64(n)}
	for i := n; i > 0 && i+3 > n; i-- {
		want["e"+strconv.FormatUint(i, 10)] = float64(i)
	}
	s := r.Snapshot()
	if s.Len() != len(want) {
		t.Fatalf("v%d: %d entries, want %d", n, s.Len(), len(want))
	}
	for name, v := range want {
		e, ok := s.Get(registry.NewID("app", name))
		if !ok || e.Data.(map[string]any)["n"] != v {
			t.Fatalf("v%d: %s is %v", n, name, e)
		}
	}
	return n
}
