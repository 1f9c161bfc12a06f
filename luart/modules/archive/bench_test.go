// SPDX-License-Identifier: Apache-2.0

package archive_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

func hundred(b *testing.B) string {
	headers := make([]zip.FileHeader, 100)
	for i := range headers {
		headers[i] = zip.FileHeader{Name: fmt.Sprintf("dir/file%d.txt", i), Method: zip.Deflate}
	}
	return zipOf(b, strings.Repeat("some text that is not very long\n", 100), headers...)
}

// BenchmarkReadZip opens a zip archive of a hundred entries and reads them all, next to archive/zip alone.
func BenchmarkReadZip(b *testing.B) {
	bench, _ := newBench(b)
	program := bench.Link(`local r, n = archive.open(...), 0 for e in r:entries() do n = n + #r:read(e.name) end assert(n == 320000)`)
	input := moduletest.Input(hundred(b))
	b.SetBytes(320_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bench.Exec(program, input); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkScanZip(b *testing.B) {
	bench, _ := newBench(b)
	program := bench.Link(`local n = 0 for e, entry in archive.scan(...):walk() do n = n + #entry:read(1e6) end assert(n == 320000, n)`)
	input := moduletest.Input(hundred(b))
	b.SetBytes(320_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bench.Exec(program, input); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPeerReadZip(b *testing.B) {
	text := hundred(b)
	b.SetBytes(320_000)
	b.ReportAllocs()
	for b.Loop() {
		r, err := zip.NewReader(strings.NewReader(text), int64(len(text)))
		if err != nil {
			b.Fatal(err)
		}
		for _, f := range r.File {
			c, err := f.Open()
			if err != nil {
				b.Fatal(err)
			}
			var out bytes.Buffer
			if _, err := io.Copy(&out, c); err != nil {
				b.Fatal(err)
			}
			c.Close()
		}
	}
}
