// SPDX-License-Identifier: Apache-2.0

package source_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"gopkg.in/yaml.v3"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/source"
)

// project writes files with perFile entries each, and with a first line, and returns
// their directory.
func project(b *testing.B, files, perFile int, head string) string {
	b.Helper()
	dir := b.TempDir()
	for f := range files {
		var s strings.Builder
		s.WriteString(head)
		fmt.Fprintf(&s, "version: \"1.0\"\nnamespace: app.ns%d\nmeta:\n  module_group: g%d\nentries:\n", f, f%7)
		for i := range perFile {
			fmt.Fprintf(&s, `  - name: handler_%d
    kind: function.lua
    meta:
      comment: Handles request number %d
      tags: [http, api, v%d]
    source: |
      local function main(req)
        return {status = 200, body = "%d"}
      end
      return {main = main}
    method: main
    modules: [json, http, time]
    pool:
      type: inline
      size: %d
      max: 16
`, i, i, i%3, i, i%8)
		}
		sub := filepath.Join(dir, fmt.Sprintf("d%d", f%10), fmt.Sprintf("m%d", f))
		if err := os.MkdirAll(sub, 0o755); err != nil {
			b.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sub, "_index.yaml"), []byte(s.String()), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	return dir
}

// decodeAll decodes every file with the library, several at a time.
func decodeAll(b *testing.B, dir string, parallel int) {
	var g errgroup.Group
	g.SetLimit(parallel)
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		g.Go(func() error {
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			var v map[string]any
			return yaml.Unmarshal(raw, &v)
		})
		return nil
	})
	if err := errors.Join(err, g.Wait()); err != nil {
		b.Fatal(err)
	}
}

type accept struct{}

func (accept) Create(context.Context, registry.Entry) error                 { return nil }
func (accept) Update(context.Context, registry.Entry, registry.Entry) error { return nil }
func (accept) Delete(context.Context, registry.Entry) error                 { return nil }

func activate(b *testing.B, dir string, parallel int) (parsed time.Duration) {
	start := time.Now()
	es, err := source.Load(b.Context(), []string{dir}, source.Options{Parallel: parallel})
	if err != nil {
		b.Fatal(err)
	}
	parsed = time.Since(start)
	r, err := registry.New()
	if err != nil {
		b.Fatal(err)
	}
	if err := r.Listen("function.**", accept{}); err != nil {
		b.Fatal(err)
	}
	if err := r.LoadState(b.Context(), es); err != nil {
		b.Fatal(err)
	}
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
	return parsed
}

// BenchmarkActivate compares 10 000 entries from files to active in a registry with
// decoding the same files with yaml.v3 into maps, as many at a time. It does one of each
// in turn and reports medians, and the ratio of the processor time, which other work of the
// machine disturbs less. With anchors the files are beyond the parser of this
// package, and the library parses them for both.
func BenchmarkActivate(b *testing.B) {
	for _, c := range []struct{ name, head string }{{"plain", ""}, {"anchors", "x-anchor: &a 1\n"}} {
		dir := project(b, 200, 50, c.head)
		for _, parallel := range []int{1, 2} {
			b.Run(fmt.Sprintf("%s/parallel=%d", c.name, parallel), func(b *testing.B) {
				var decodes, parses, totals []time.Duration
				var decoding, activating time.Duration
				for b.Loop() {
					t0, c0 := time.Now(), processorTime(b)
					decodeAll(b, dir, parallel)
					t1, c1 := time.Now(), processorTime(b)
					parses = append(parses, activate(b, dir, parallel))
					decodes, totals = append(decodes, t1.Sub(t0)), append(totals, time.Since(t1))
					decoding, activating = decoding+c1-c0, activating+processorTime(b)-c1
				}
				x, y, z := median(decodes), median(totals), median(parses)
				b.ReportMetric(float64(x)/1e6, "yaml-ms")
				b.ReportMetric(float64(y)/1e6, "active-ms")
				b.ReportMetric(float64(z)/1e6, "parse-ms")
				b.ReportMetric(float64(y)/float64(x), "ratio")
				b.ReportMetric(float64(activating)/float64(decoding), "cpu-ratio")
			})
		}
	}
}

// processorTime is what the process has used so far, garbage collection included.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func median(d []time.Duration) time.Duration {
	slices.Sort(d)
	return d[len(d)/2]
}
