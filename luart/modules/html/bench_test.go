// SPDX-License-Identifier: Apache-2.0

package html_test

import (
	"strings"
	"testing"

	"github.com/microcosm-cc/bluemonday"

	"github.com/wippyrun/kit/luart/modules/html"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

var page = strings.Repeat(`<p class="x">Hello <b>world</b>, <a href="https://example.com/a?b=c">link</a> &amp; more</p><script>x()</script>`, 20)

// BenchmarkSanitize is a hundred calls of one program, next to the library's own.
func BenchmarkSanitize(b *testing.B) {
	bench := moduletest.New(b, html.Module())
	program := bench.Link(`local p, text = html.sanitize.ugc_policy(), ... for i = 1, 100 do p:sanitize(text) end`)
	input := moduletest.Input(page)
	b.SetBytes(int64(100 * len(page)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bench.Exec(program, input); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPeerSanitize(b *testing.B) {
	b.SetBytes(int64(100 * len(page)))
	b.ReportAllocs()
	for b.Loop() {
		p := bluemonday.UGCPolicy()
		for range 100 {
			p.Sanitize(page)
		}
	}
}
