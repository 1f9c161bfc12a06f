// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"testing/fstest"

	"gopkg.in/yaml.v3"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/source"
)

// BenchmarkLoad10000 takes 10 000 entries from 100 YAML files to active, one file at a
// time and as many as there are processors. The peer only decodes the same files, one at
// a time.
func BenchmarkLoad10000(b *testing.B) {
	const files, perFile = 100, 100
	tree := fstest.MapFS{}
	for f := range files {
		var text bytes.Buffer
		fmt.Fprintf(&text, "version: \"1.0\"\nnamespace: app.ns%d\n\nentries:\n", f)
		for i := range perFile {
			fmt.Fprintf(&text, `  - name: entry_%d
    kind: test.kind%d
    meta:
      type: t%d
      title: Entry number %d
      tags: [one, two]
    method: main
    modules: [io, time]
    pool:
      size: %d
`, i, i%20, i%50, i, i%8)
		}
		tree[fmt.Sprintf("ns%d/_index.yaml", f)] = &fstest.MapFile{Data: text.Bytes()}
	}
	ours := func(b *testing.B, parallel int) {
		b.ReportAllocs()
		for b.Loop() {
			entries, err := source.LoadFS(context.Background(), tree, "tree", source.Options{Parallel: parallel})
			if err != nil {
				b.Fatal(err)
			}
			r, err := registry.New()
			if err != nil {
				b.Fatal(err)
			}
			if err := r.Listen("test.*", accept{}); err != nil {
				b.Fatal(err)
			}
			if err := r.LoadState(context.Background(), entries); err != nil {
				b.Fatal(err)
			}
			if got := r.Snapshot().Len(); got != files*perFile {
				b.Fatal(got)
			}
		}
	}
	b.Run("ours", func(b *testing.B) { ours(b, 0) })
	b.Run("ours-one-at-a-time", func(b *testing.B) { ours(b, 1) })
	b.Run("yaml.v3-decode", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for _, f := range tree {
				var v map[string]any
				if err := yaml.Unmarshal(f.Data, &v); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
