// SPDX-License-Identifier: Apache-2.0

package stage_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/source"
	"github.com/wippyrun/kit/registry/stage"
)

// counter is a listener that accepts and counts.
type counter struct{ created atomic.Int64 }

func (c *counter) Create(context.Context, registry.Entry) error        { c.created.Add(1); return nil }
func (c *counter) Update(_ context.Context, _, _ registry.Entry) error { return nil }
func (c *counter) Delete(context.Context, registry.Entry) error        { return nil }

// project returns a tree of so many files with per entries each, and a requirement.
func project(files, per int) fstest.MapFS {
	tree := fstest.MapFS{"lib/main.lua": {Data: []byte("return 1")}}
	for f := range files {
		var b strings.Builder
		fmt.Fprintf(&b, "version: \"1.0\"\nnamespace: app.n%d\nmeta: {group: g%d}\nentries:\n", f, f%7)
		for i := range per {
			fmt.Fprintf(&b, "  - name: e%d\n    kind: function.lua\n    meta: {n: %d}\n    source: file:///lib/main.lua\n    method: main\n    pool: {size: %d}\n", i, i, i%8)
		}
		tree[fmt.Sprintf("d%d/n%d/_index.yaml", f%10, f)] = &fstest.MapFile{Data: []byte(b.String())}
	}
	tree["link.yaml"] = &fstest.MapFile{Data: []byte("namespace: app.n1\nentries:\n  - name: size\n    kind: ns.requirement\n    default: 99\n    targets: [{entry: e0, path: pool.size}]\n")}
	return tree
}

// boot goes the way from files to an active registry.
func boot(t *testing.T, tree fstest.MapFS) (*registry.Registry, *counter, error) {
	t.Helper()
	r, err := registry.New(registry.WithLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	c := &counter{}
	if err := r.Listen("function.lua", c); err != nil {
		t.Fatal(err)
	}
	es, err := source.LoadFS(t.Context(), tree, "src", source.Options{})
	if err != nil {
		return r, c, err
	}
	es, err = stage.NewPipeline(override(m{"app.n0:e0:pool.size": 7}),
		stage.Disable(stage.DisableConfig{Entries: []string{"app.n5:e0"}}), stage.Link(stage.LinkOptions{})).Run(t.Context(), es)
	if err != nil {
		return r, c, err
	}
	return r, c, r.LoadState(t.Context(), es)
}

func TestProjectOfManyFilesBecomesActive(t *testing.T) {
	r, c, err := boot(t, project(projectSize, 1))
	if err != nil {
		t.Fatal(err)
	}
	if n, total := c.created.Load(), r.Snapshot().Len(); n != projectSize-1 || total != projectSize { // one is disabled, one the requirement
		t.Errorf("%d entries accepted, %d in all", n, total)
	}
	for id, want := range map[string]float64{"app.n0:e0": 7, "app.n1:e0": 99} {
		e, err := r.Get(registry.ParseID(id))
		if v, _ := e.Field("data.pool.size"); err != nil || v != want {
			t.Errorf("size of %s is %v, %v", id, v, err)
		}
	}
}

// One mistake among 10 000 entries is told with its place, and nothing starts.
func TestOneBrokenFileAmongManyKeepsAllFromStarting(t *testing.T) {
	const file = "d7/n77/_index.yaml"
	for _, c := range []struct {
		per            int
		old, new, want string
	}{
		{projectSize / 100, "    pool: {size: 3}\n", "    pool: {size: 3\n", "src/d7/n77/_index.yaml:29:5: bad YAML: did not find expected ',' or '}'"},
		{5, "    kind: function.lua\n    meta: {n: 3}", "    knd: function.lua\n    meta: {n: 3}", `src/d7/n77/_index.yaml:23:5: entry[3].kind: kind is required and must be a non-empty string ("knd": did you mean "kind"?)`},
		{5, "source: file:///lib/main.lua\n    method: main\n    pool: {size: 3}", "source: file://mian.lua\n    pool: {size: 3}", "src/d7/n77/_index.yaml:26:13: entries[3].source: interpolation failed: failed to read file src/d7/n77/mian.lua"},
		{5, "- name: e3\n", "- name: e2\n", "src/d7/n77/_index.yaml:23:5: duplicate entry app.n77:e2, first defined at src/d7/n77/_index.yaml:17:5"},
		{5, "    kind: function.lua\n    meta: {n: 3}", "    kind: fnction.lua\n    meta: {n: 3}", "src/d7/n77/_index.yaml:24:11: app.n77:e3: unknown kind"},
	} {
		tree := project(100, c.per)
		text := string(tree[file].Data)
		broken := strings.Replace(text, c.old, c.new, 1)
		if broken == text {
			t.Fatalf("no %q in the file", c.old)
		}
		tree[file] = &fstest.MapFile{Data: []byte(broken)}
		r, count, err := boot(t, tree)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want %s", err, c.want)
		}
		var ps source.Problems
		if errors.As(err, &ps) && (len(ps) != 1 || count.created.Load() != 0) {
			t.Errorf("%d problems, %d entries accepted", len(ps), count.created.Load())
		}
		if n := r.Snapshot().Len(); n != 0 {
			t.Errorf("%d entries are active", n)
		}
	}
}
