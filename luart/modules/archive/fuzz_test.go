// SPDX-License-Identifier: Apache-2.0

package archive_test

import (
	"archive/tar"
	"archive/zip"
	"path"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

func seed(f *testing.F) {
	headers := []zip.FileHeader{{Name: "d/"}, {Name: "d/a", Method: zip.Deflate}, {Name: "../x", Method: zip.Deflate}, {Name: "stored"}}
	tape := tarOf(f, "text", tar.Header{Name: "d/", Typeflag: tar.TypeDir}, tar.Header{Name: "d/a", Typeflag: tar.TypeReg},
		tar.Header{Name: strings.Repeat("long/", 60) + "x", Typeflag: tar.TypeReg}, tar.Header{Name: "l", Typeflag: tar.TypeSymlink, Linkname: "/"})
	for _, text := range []string{
		zipOf(f, "text", headers...), zipOf(f, "text", headers[:3]...), tape, gzipped(f, tape), zstandard(f, tape), sparse(1000), liar(f, 1000, 10), zip64Count(1),
		rawZip(0, 0, 0, 1, 1, []byte("x")),
	} {
		f.Add([]byte(text))
	}
}

// FuzzOpen opens any bytes and does with them what can be done. FuzzScan walks over them. Whatever they are, there are
// no failures but error objects of the kinds that the module has, and nothing is written above the root.
func FuzzOpen(f *testing.F) {
	seed(f)
	fuzz(f, `
		local r, err = archive.open(text, {max_entries = 100, max_file_bytes = 100000, max_total_bytes = 1000000, max_inline_bytes = 1000})
		if not r then return known(err) end
		for e in r:entries() do
			local v, err = r:read(e.name)
			if not v then known(err) end
			v, err = r:extract(e.name, fs)
			if not v then known(err) end
			local s = r:stream(e.name)
			if s then s:read(10) end
		end
		local n, err = r:extract_all(fs, {strip = 1, prefix = "p"})
		if not n then known(err) end
		r:close()`)
}

func FuzzScan(f *testing.F) {
	seed(f)
	fuzz(f, `
		local s, err = archive.scan(text, {max_entries = 100, max_file_bytes = 100000, max_total_bytes = 1000000})
		if not s then return known(err) end
		local ok, err = pcall(function()
			local n = 0
			for e, entry in s:walk() do
				n = n + 1
				if n % 3 == 0 and entry then entry:read(5) end
				if n % 3 == 1 and entry then while entry:read() do end end
				if n == 5 then break end
			end
		end)
		if not ok then known(err) end
		local n, err = s:extract_all(fs)
		if not n then known(err) end
		s:close()`)
}

func fuzz(f *testing.F, body string) {
	b, m := newBench(f)
	program := b.Link(`
		local text, fs = ..., device.fs()
		local function known(err) assert(err:kind() == "Invalid" or err:kind() == "Internal" or err:kind() == "Unavailable", err:kind() .. ": " .. tostring(err)) end
		` + body)
	f.Fuzz(func(t *testing.T, data []byte) {
		clear(m.files)
		clear(m.dirs)
		if _, err := b.Exec(program, moduletest.Input(string(data))); err != nil {
			t.Fatal(err)
		}
		for name := range m.files {
			if name != path.Clean(name) || strings.HasPrefix(name, "/") || strings.HasPrefix(name+"/", "../") {
				t.Errorf("%q was written", name)
			}
		}
		if m.open != 0 {
			t.Errorf("%d files open", m.open)
		}
	})
}
