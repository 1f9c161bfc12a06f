// SPDX-License-Identifier: Apache-2.0

package http

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/wippyrun/kit/wippy/service/fs"
)

// BenchmarkStatic serves files over a connection, next to net/http serving the same directory.
func BenchmarkStatic(b *testing.B) {
	dir := b.TempDir()
	for _, size := range []int{1 << 10, 1 << 20} {
		name := strconv.Itoa(size)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(strings.Repeat("x", size)), 0o644); err != nil {
			b.Fatal(err)
		}
		d, err := fs.NewDirectory(dir, 0o755, false)
		if err != nil {
			b.Fatal(err)
		}
		for kind, h := range map[string]http.Handler{
			"mount": at(d, staticConfig{}), "spa": at(d, staticConfig{spa: true, index: name}), "net-http": http.FileServer(http.Dir(dir)),
		} {
			b.Run(kind+"/"+name, func(b *testing.B) {
				server := httptest.NewServer(h)
				defer server.Close()
				c := server.Client()
				b.SetBytes(int64(size))
				b.ReportAllocs()
				for b.Loop() {
					res, err := c.Get(server.URL + "/" + name)
					if err != nil {
						b.Fatal(err)
					}
					if n, err := io.Copy(io.Discard, res.Body); n != int64(size) || err != nil {
						b.Fatal(n, err)
					}
					res.Body.Close()
				}
			})
		}
	}
}
