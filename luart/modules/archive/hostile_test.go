// SPDX-License-Identifier: Apache-2.0

package archive_test

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/archive"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

// tarOf makes a tar archive of headers; a file contains text.
func tarOf(tb testing.TB, text string, headers ...tar.Header) string {
	tb.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, h := range headers {
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(text))
		}
		if h.Mode == 0 {
			h.Mode = 0o644
		}
		if err := w.WriteHeader(&h); err != nil {
			tb.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			if _, err := io.WriteString(w, text); err != nil {
				tb.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

// zipOf makes a zip archive of headers; a file contains text.
func zipOf(tb testing.TB, text string, headers ...zip.FileHeader) string {
	tb.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for _, h := range headers {
		f, err := w.CreateHeader(&h)
		if err == nil && !strings.HasSuffix(h.Name, "/") {
			_, err = io.WriteString(f, text)
		}
		if err != nil {
			tb.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

func TestUnsafeNames(t *testing.T) {
	b, m := newBench(t)
	var zips []zip.FileHeader
	var tars []tar.Header
	for _, name := range []string{
		"/abs", "//abs", `\abs`, "C:x", `c:\x`, "..", "../x", `..\x`, "a/../../x", `a\..\..\x`, ".", "./", "a/..", "../", "/", "x/../..", "good/../../../etc/passwd",
	} {
		if !strings.HasSuffix(name, "/") { // archive/tar and archive/zip make it a directory
			tars = append(tars, tar.Header{Name: name, Typeflag: tar.TypeReg})
		} else {
			tars = append(tars, tar.Header{Name: name, Typeflag: tar.TypeDir})
		}
		zips = append(zips, zip.FileHeader{Name: name, Method: zip.Deflate})
	}
	for _, name := range []string{"good", "./dir/good", `back\slash`, "a/../kept", "...", "a..b"} {
		zips = append(zips, zip.FileHeader{Name: name, Method: zip.Deflate})
		tars = append(tars, tar.Header{Name: name, Typeflag: tar.TypeReg})
	}
	const want = `...=t a..b=t back/ back/slash=t dir/ dir/good=t good=t kept=t`
	for name, text := range map[string]string{"zip": zipOf(t, "t", zips...), "tar": tarOf(t, "t", tars...)} {
		for _, how := range []string{"open", "scan"} {
			clear(m.files)
			clear(m.dirs)
			b.Check(t, helpers+`
				local how, text, want = ...
				eq(assert(archive[how](text)):extract_all(device.fs()), 6)
				eq(device.list(), want)`, how, text, want)
		}
		b.Check(t, helpers+`
			local r, unsafe = archive.open(...), 0
			for e in r:entries() do
				if not e.is_dir then
					local ok, err = r:extract(e.name, device.fs())
					if not ok then
						unsafe = unsafe + 1
						eq(err:kind(), "Invalid")
						eq(err:message(), "unsafe entry path: " .. e.name)
					end
				end
			end
			assert(unsafe >= 13, unsafe)`, text)
		if len(m.files) != 6 {
			t.Errorf("%s: %s", name, m.list())
		}
	}
}

func TestLinksAreNotExtracted(t *testing.T) {
	b, m := newBench(t)
	symlink := zip.FileHeader{Name: "link"}
	symlink.SetMode(0o777 | 1<<27) // fs.ModeSymlink
	for name, text := range map[string]string{
		"tar": tarOf(t, "t", tar.Header{Name: "link", Typeflag: tar.TypeSymlink, Linkname: "/etc"}, tar.Header{Name: "hard", Typeflag: tar.TypeLink, Linkname: "link"},
			tar.Header{Name: "pipe", Typeflag: tar.TypeFifo}, tar.Header{Name: "device", Typeflag: tar.TypeChar}, tar.Header{Name: "file", Typeflag: tar.TypeReg}),
		"zip": zipOf(t, "t", symlink, zip.FileHeader{Name: "file"}),
	} {
		b.Check(t, helpers+`
			device.clear()
			local r = archive.open(...)
			eq(r:stat("link").type, "symlink")
			eq(r:extract_all(device.fs()), 1)
			eq(device.list(), "file=t")
			local ok, err = r:extract("link", device.fs())
			assert(not ok and err:kind() == "Invalid" and err:message() == "entry is not a file: link", tostring(err))
			local v, err = r:read("link")
			assert(not v and err:kind() == "Invalid")`, text)
		if name == "tar" {
			b.Check(t, helpers+`
				device.clear()
				local types = {}
				for e, entry in archive.scan(...):walk() do types[#types + 1] = e.type assert((entry ~= nil) == (e.type == "file")) end
				eq(table.concat(types, " "), "symlink symlink other other file")
				eq(archive.scan(...):extract_all(device.fs()), 1)`, text)
		}
	}
	if got := m.list(); got != "file=t" {
		t.Error(got)
	}
}

// liar makes a zip archive with one entry of zeros that says it has size bytes.
func liar(tb testing.TB, zeros int, size uint32) string {
	tb.Helper()
	var body bytes.Buffer
	w, err := flate.NewWriter(&body, 9)
	if err == nil {
		_, err = w.Write(make([]byte, zeros))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return rawZip(8, 0, crc32.ChecksumIEEE(make([]byte, zeros)), uint32(body.Len()), size, body.Bytes())
}

// rawZip makes a zip archive with one entry "a".
func rawZip(method, flags uint16, crc, compressed, size uint32, body []byte) string {
	le := binary.LittleEndian
	common := le.AppendUint16(nil, 20)
	for _, v := range []uint16{flags, method, 0, 0x21} {
		common = le.AppendUint16(common, v)
	}
	for _, v := range []uint32{crc, compressed, size} {
		common = le.AppendUint32(common, v)
	}
	common = le.AppendUint16(common, 1) // length of the name
	common = le.AppendUint16(common, 0)
	out := append([]byte("PK\x03\x04"), common...)
	out = append(append(out, 'a'), body...)
	at := len(out)
	out = append(append(append(out, "PK\x01\x02"...), 20, 0), common...)
	out = append(append(out, make([]byte, 14)...), 'a')
	length := len(out) - at
	out = append(out, "PK\x05\x06\x00\x00\x00\x00\x01\x00\x01\x00"...)
	out = le.AppendUint32(out, uint32(length))
	out = le.AppendUint32(out, uint32(at))
	return string(append(out, 0, 0))
}

func gzipped(tb testing.TB, text string) string {
	tb.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, err := io.WriteString(w, text)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		tb.Fatal(err)
	}
	return out.String()
}

func zstandard(tb testing.TB, text string) string {
	tb.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		tb.Fatal(err)
	}
	defer w.Close()
	return string(w.EncodeAll([]byte(text), nil))
}

func TestBombs(t *testing.T) {
	b, m := newBench(t)
	const mega = 1 << 20
	zeros := tarOf(t, strings.Repeat("\x00", mega), tar.Header{Name: "a", Typeflag: tar.TypeReg}, tar.Header{Name: "b", Typeflag: tar.TypeReg})
	many := tarOf(t, "", make([]tar.Header, 11)...)
	lies := liar(t, mega, 10)
	descriptor := zipOf(t, strings.Repeat("\x00", mega), zip.FileHeader{Name: "a", Method: zip.Deflate}, zip.FileHeader{Name: "b", Method: zip.Deflate})
	for name, c := range map[string]struct{ text, body, want string }{
		"an entry that lies, read":            {lies, `archive.open(text):read("a")`, "zip"},
		"an entry that lies, streamed":        {lies, `all(archive.open(text):stream("a"))`, ""},
		"an entry that lies, scanned":         {lies, `archive.scan(text, {max_file_bytes = 1000}):extract_all(fs)`, "max_file_bytes (1000)"},
		"a large entry":                       {descriptor, `archive.open(text, {max_file_bytes = 1000}):stream("a")`, "entry exceeds max_file_bytes (1000): a"},
		"a large entry, extracted":            {descriptor, `archive.open(text, {max_file_bytes = 1000}):extract_all(fs)`, "max_file_bytes (1000)"},
		"a large entry of unknown size":       {descriptor, `archive.scan(text, {max_file_bytes = 1000}):extract_all(fs)`, "max_file_bytes (1000)"},
		"large entries together":              {descriptor, `archive.open(text, {max_total_bytes = 1500000}):extract_all(fs)`, "max_total_bytes (1500000)"},
		"large entries together, scanned":     {descriptor, `archive.scan(text, {max_total_bytes = 1500000}):extract_all(fs)`, "max_total_bytes (1500000)"},
		"a large entry of a tar":              {zeros, `archive.open(text, {max_file_bytes = 1000}):read("a")`, "max_file_bytes (1000)"},
		"a large entry of a tar.gz":           {gzipped(t, zeros), `archive.scan(text, {max_total_bytes = 1000}):extract_all(fs)`, "max_total_bytes (1000)"},
		"a large entry of a tar.zst":          {zstandard(t, zeros), `archive.scan(text, {max_total_bytes = 1000}):extract_all(fs)`, "max_total_bytes (1000)"},
		"many entries":                        {zipOf(t, "", make([]zip.FileHeader, 11)...), `archive.open(text, {max_entries = 10})`, "archive has more than max_entries (10) entries"},
		"many entries of a tar":               {many, `archive.open(text, {max_entries = 10})`, "archive has more than max_entries (10) entries"},
		"many entries of a tar.gz":            {gzipped(t, many), `archive.scan(text, {max_entries = 10}):extract_all(fs)`, "archive has more than max_entries (10) entries"},
		"a directory that is long":            {zipOf(t, "", longComments(100)...), `archive.open(text, {max_entries = 10})`, "the directory of the archive is too long"},
		"many entries that are only said":     {zip64Count(1 << 40), `archive.open(text)`, "archive has more than max_entries (100000) entries"},
		"names that are long":                 {tarOf(t, "", longNames(5)...), `archive.open(text, {max_entries = 10})`, "the names of the archive are too long"},
		"stored data of unknown size":         {rawZip(0, 8, 0, 0, 0, []byte("x")), `archive.scan(text):extract_all(fs)`, "cannot be scanned: a"},
		"encrypted data":                      {rawZip(8, 1, 0, 1, 1, []byte("x")), `archive.open(text):read("a")`, "entry is encrypted: a"},
		"encrypted data, scanned":             {rawZip(8, 1, 0, 1, 1, []byte("x")), `archive.scan(text):extract_all(fs)`, "entry is encrypted: a"},
		"an unknown method":                   {rawZip(12, 0, 0, 1, 1, []byte("x")), `archive.open(text):read("a")`, "unsupported compression algorithm"},
		"an unknown method, scanned":          {rawZip(12, 0, 0, 1, 1, []byte("x")), `archive.scan(text):extract_all(fs)`, "entry has an unknown method: a"},
		"a wrong checksum":                    {rawZip(0, 0, 5, 1, 1, []byte("x")), `archive.open(text):read("a")`, "checksum"},
		"a wrong checksum, scanned":           {rawZip(0, 0, 5, 1, 1, []byte("x")), `archive.scan(text):extract_all(fs)`, "checksum"},
		"a wrong size, scanned":               {rawZip(0, 0, crc32.ChecksumIEEE([]byte("x")), 1, 2, []byte("x")), `archive.scan(text):extract_all(fs)`, "unexpected EOF"},
		"a size beyond the end":               {rawZip(0, 0, 0, 1000, 1000, []byte("x")), `archive.scan(text):extract_all(fs)`, "unexpected EOF"},
		"a size beyond the end of a tar":      {zeros[:700], `archive.open(text)`, "unexpected EOF"},
		"a sparse file that is huge":          {sparse(1 << 40), `archive.scan(text):extract_all(fs)`, "max_file_bytes"},
		"a damaged gzip":                      {gzipped(t, zeros)[:1000], `archive.scan(text):extract_all(fs)`, "unexpected EOF"},
		"a damaged zstd":                      {zstandard(t, zeros)[:60], `archive.scan(text):extract_all(fs)`, ""},
		"a prefix that is no archive":         {"no archive " + descriptor, `archive.open(text)`, "unknown archive format"},
		"a prefix that is no archive, forced": {"no archive " + descriptor, `archive.scan(text, {format = "zip"}):extract_all(fs)`, "not a valid zip file"},
	} {
		t.Run(name, func(t *testing.T) {
			clear(m.files)
			b.Check(t, helpers+`
				local text, want = ...
				local fs = device.fs()
				local v, err = `+c.body+`
				assert(v == nil and err, "no error")
				assert(string.find(err:message(), want, 1, true), err:message())
				assert(err:kind() == "Invalid" or want == "" and err:kind() == "Internal", err:kind())`, c.text, c.want)
			total := 0
			for _, data := range m.files {
				total += len(data)
			}
			if total > 2*mega {
				t.Errorf("%d bytes were written", total)
			}
		})
	}
	b.Check(t, helpers+`eq(#archive.open(..., {format = "zip"}):read("a"), 1048576)`, "no archive "+descriptor)
	b.Check(t, helpers+`
		local text = ...
		local ok, err = pcall(function() for e in archive.scan(text):walk() do end end)
		assert(not ok and err:kind() == "Invalid" and err:message() == "unexpected EOF", tostring(err))`, zeros[:1000])
}

func longComments(n int) []zip.FileHeader {
	list := make([]zip.FileHeader, n)
	for i := range list {
		list[i].Comment = strings.Repeat("x", 1<<16-1)
	}
	return list
}

func longNames(n int) []tar.Header {
	list := make([]tar.Header, n)
	for i := range list {
		list[i].Name, list[i].Typeflag = strings.Repeat("x", 1<<20-100), tar.TypeReg
	}
	return list
}

// zip64Count makes the end of a zip archive that says it has n entries.
func zip64Count(n uint64) string {
	le := binary.LittleEndian
	out := []byte("PK\x03\x04")
	at := len(out)
	out = le.AppendUint64(append(out, "PK\x06\x06"...), 44)
	out = append(out, 20, 0, 20, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	for _, v := range []uint64{n, n, 0, uint64(at)} {
		out = le.AppendUint64(out, v)
	}
	out = append(out, "PK\x06\x07\x00\x00\x00\x00"...)
	out = append(le.AppendUint64(out, uint64(at)), 1, 0, 0, 0)
	out = append(out, "PK\x05\x06\x00\x00\x00\x00"...)
	return string(append(out, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0, 0))
}

// sparse makes a tar archive with a file of size bytes, all of them a hole.
func sparse(size int64) string {
	block := make([]byte, 512)
	copy(block, "hole")
	copy(block[100:], "0000644\x000000000\x000000000\x0000000000000\x0000000000000\x00")
	block[156] = 'S'
	copy(block[257:], "ustar  \x00")
	octal := func(at int, v int64) {
		for i := 11; i >= 0; i-- {
			block[at+i] = '0' + byte(v&7)
			v >>= 3
		}
	}
	// One empty part at the end, and the size with the holes.
	octal(386, min(size, 1<<33-1))
	octal(398, 0)
	binary.BigEndian.PutUint64(block[483+4:], uint64(size))
	block[483] = 0x80 // a binary number
	copy(block[386:398], append([]byte{0x80, 0, 0, 0}, binary.BigEndian.AppendUint64(nil, uint64(size))...))
	copy(block[148:], "        ")
	sum := int64(0)
	for _, c := range block {
		sum += int64(c)
	}
	copy(block[148:], []byte{'0' + byte(sum>>15&7), '0' + byte(sum>>12&7), '0' + byte(sum>>9&7), '0' + byte(sum>>6&7), '0' + byte(sum>>3&7), '0' + byte(sum&7), 0, ' '})
	return string(append(block, make([]byte, 1024)...))
}

func TestSparseFilesAreRead(t *testing.T) {
	b, _ := newBench(t)
	b.Check(t, helpers+`
		local r = assert(archive.open(...))
		eq(r:read("hole"), string.rep("\0", 100000))
		for e, entry in archive.scan(...):walk() do eq(all(entry), string.rep("\0", 100000)) end`, sparse(100000))
}

// endless is a source that never ends and cancels a context when it is read.
type endless struct{ cancel func() }

func (e endless) Read(p []byte) (int, error) {
	e.cancel()
	clear(p)
	return len(p), nil
}

func TestCopyingEndsWithTheProcess(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	source := engine.Module{Name: "source", Build: func(b *engine.Builder) error {
		file := b.Type("File", nil, nil)
		b.Func("endless", func(L *lua.LState) int { L.Push(file.New(endless{cancel})); return 1 })
		return nil
	}}
	m := newMemory()
	b := moduletest.New(t, archive.Module(archive.Config{}), device(m), source)
	program := b.Link(`
		local w = archive.create(device.fs(), "a.zip")
		w:add("first", "x")
		while true do w:add("a", source.endless()) end`)
	if _, err := b.ExecIn(ctx, program, nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	// What was begun is brought to its end, so that the file is an archive.
	b.Check(t, helpers+`eq(archive.open(device.fs(), "a.zip"):read("first"), "x")`)
	if m.open != 0 {
		t.Errorf("%d files open", m.open)
	}
}
