// SPDX-License-Identifier: Apache-2.0

package http

import (
	"compress/gzip"
	"net/http"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzhttp"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// newCompress sends bodies that are worth it as gzip, to clients that take it. What is
// flushed goes out at once, so that event streams work.
func newCompress(s settings) (middleware, error) {
	levels := map[string]int{"fastest": gzip.BestSpeed, "default": gzip.DefaultCompression, "best": gzip.BestCompression}
	text := s.get("compress.level", "level", "default")
	level, ok := levels[text]
	if !ok {
		return nil, fault.New(fault.Invalid, "compress.level: "+text+" is not fastest, default or best")
	}
	least, err := strconv.Atoi(s.get("compress.min.length", "min_length", "1024"))
	if err != nil || least < 0 {
		return nil, fault.New(fault.Invalid, "compress.min.length must be a number of bytes")
	}
	wrap, err := gzhttp.NewWrapper(gzhttp.MinSize(least), gzhttp.CompressionLevel(level), gzhttp.ContentTypeFilter(compressible))
	if err != nil {
		return nil, err
	}
	return func(next http.Handler) http.Handler { return wrap(next) }, nil
}

// packed begin the types of what is compressed already, beside those that the library knows.
var packed = []string{"image/png", "image/gif", "image/webp", "image/avif", "font/woff"}

// compressible tells whether a body of that type may become smaller.
func compressible(contentType string) bool {
	for _, prefix := range packed {
		if strings.HasPrefix(contentType, prefix) {
			return false
		}
	}
	return gzhttp.DefaultContentTypeFilter(contentType)
}
