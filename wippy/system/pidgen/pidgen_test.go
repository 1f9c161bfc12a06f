// SPDX-License-Identifier: Apache-2.0

package pidgen_test

import (
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/system/pidgen"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestUniqWidths(t *testing.T) {
	for _, tc := range []struct {
		n    uint64
		want string
	}{
		{1, "0x00001"},
		{0xabc, "0x00abc"},
		{0xfffff, "0xfffff"},
		{0x100000, "0x100000"},
		{0xffffff, "0xffffff"},
		{0x1000000, "0x01000000"},
		{0xffffffff, "0xffffffff"},
		{0x100000000, "0x0000000100000000"},
		{1<<64 - 1, "0xffffffffffffffff"},
	} {
		g := pidgen.New("")
		g.StartAt(tc.n)
		if got := g.Next("app:h").Uniq(); got != tc.want {
			t.Errorf("id %#x: uniq %q, want %q", tc.n, got, tc.want)
		}
	}
}

func TestNodePartOfIDs(t *testing.T) {
	for _, tc := range []struct{ node, want string }{
		{"", "{app:processes|0x00001}"},
		{"local", "{app:processes|0x00001}"},
		{"n1", "{n1@app:processes|0x00001}"},
	} {
		if got := pidgen.New(tc.node).Next("app:processes").String(); got != tc.want {
			t.Errorf("node %q: %s, want %s", tc.node, got, tc.want)
		}
	}
}

func TestUniqIsTheCounterInHexadecimal(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64Min(1).Draw(t, "n")
		g := pidgen.New("node")
		g.StartAt(n)
		pid := g.Next("h")
		back, err := strconv.ParseUint(pid.Uniq()[2:], 16, 64)
		if err != nil || back != n {
			t.Fatalf("uniq %q reads as %d, %v; want %d", pid.Uniq(), back, err, n)
		}
		if parsed, err := relay.ParsePID(pid.String()); err != nil || parsed != pid {
			t.Fatalf("%s does not parse back: %v, %v", pid, parsed, err)
		}
	})
}

func TestIDsAreUniqueConcurrentSafe(t *testing.T) {
	const workers, each = 8, 2000
	g := pidgen.New("")
	ids := make([][]relay.PID, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for range each {
				ids[w] = append(ids[w], g.Next("app:h"))
			}
		})
	}
	wg.Wait()
	seen := map[relay.PID]bool{}
	for _, list := range ids {
		for _, pid := range list {
			if seen[pid] {
				t.Fatalf("%s handed out twice", pid)
			}
			seen[pid] = true
		}
	}
	if g.Count() != workers*each {
		t.Errorf("Count() = %d", g.Count())
	}
}

func TestNextAllocatesOnlyTheText(t *testing.T) {
	g := pidgen.New("")
	if n := testing.AllocsPerRun(1000, func() { g.Next("app:processes") }); n > 1 {
		t.Errorf("Next allocates %v times, want 1", n)
	}
}

func TestNodeNameSources(t *testing.T) {
	env := func(pairs map[string]string) func(string) string { return func(k string) string { return pairs[k] } }
	machine := func() string { return "machine-1" }
	dir := func(d string) func() (string, error) { return func() (string, error) { return d, nil } }
	both := map[string]string{"WIPPY_NODE_ID": "id", "WIPPY_RELAY_NODE_NAME": "relay"}
	for _, tc := range []struct {
		name string
		o    pidgen.NodeOptions
		want string
	}{
		{"configured wins", pidgen.NodeOptions{Configured: "cfg", Getenv: env(both)}, "cfg"},
		{"node id", pidgen.NodeOptions{Getenv: env(both)}, "id"},
		{"relay name", pidgen.NodeOptions{Getenv: env(map[string]string{"WIPPY_RELAY_NODE_NAME": " relay\n"})}, "relay"},
		{"single node", pidgen.NodeOptions{Getenv: env(nil)}, "local"},
		{"clustered", pidgen.NodeOptions{Clustered: true, Getenv: env(nil), MachineID: machine, WorkDir: dir("/srv/a")},
			pidgen.UUID5("wippy-node:machine-1\x00/srv/a")},
		{"clustered without directory", pidgen.NodeOptions{Clustered: true, Getenv: env(nil), MachineID: machine,
			WorkDir: func() (string, error) { return "", errors.New("gone") }}, pidgen.UUID5("wippy-node:machine-1\x00")},
	} {
		if got := pidgen.NodeName(tc.o); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
	derived := pidgen.NodeName(pidgen.NodeOptions{Clustered: true, Getenv: env(nil)})
	if len(derived) != 36 || derived != pidgen.NodeName(pidgen.NodeOptions{Clustered: true, Getenv: env(nil)}) {
		t.Errorf("derived name %q is not a stable UUID", derived)
	}
}

// TestUUID5MatchesPublishedVector uses a value computed with Python's uuid.uuid5(uuid.NAMESPACE_OID, name).
func TestUUID5MatchesPublishedVector(t *testing.T) {
	if got := pidgen.UUID5("wippy-node:m\x00/d"); got != uuidVector {
		t.Errorf("UUID %s, want %s", got, uuidVector)
	}
}

const uuidVector = "ea43e179-753f-560c-bb07-c5864665be59"

func ExampleGenerator() {
	gen := pidgen.New("local")
	fmt.Println(gen.Next("app:processes"))
	fmt.Println(gen.Next("app:terminal"))
	// Output:
	// {app:processes|0x00001}
	// {app:terminal|0x00002}
}

func BenchmarkNext(b *testing.B) {
	g := pidgen.New("")
	b.ReportAllocs()
	for b.Loop() {
		g.Next("app:processes")
	}
}
