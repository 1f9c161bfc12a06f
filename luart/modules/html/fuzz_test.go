// SPDX-License-Identifier: Apache-2.0

package html_test

import (
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/modules/html"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

// FuzzSanitize checks that no text makes a policy fail, that text-only output holds no tag, and that cleaning what is
// clean changes nothing.
func FuzzSanitize(f *testing.F) {
	for _, s := range []string{
		"", "<p>a</p>", `<a href="javascript:x">b</a>`, "<script>x", "<!-- <p> -->", `<img src=x onerror="y">`, "<<p>>", "&lt;b&gt;",
		"<svg><style><img></style>", `<a href="//x" target=_blank>`, "<p\x00>", "<plaintext>x", "]]><![CDATA[x]]>", "<b/<i>",
	} {
		f.Add(s)
	}
	b := moduletest.New(f, html.Module())
	program := b.Link(`
		local text = ...
		local ugc = html.sanitize.ugc_policy()
		local once = ugc:sanitize(text)
		return {html.sanitize.strict_policy():sanitize(text), once, ugc:sanitize(once)}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := b.Exec(program, moduletest.Input(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		list := v.(*lua.LTable)
		if strict := list.RawGetInt(1).String(); strings.ContainsAny(strict, "<>") {
			t.Errorf("%q: text with a tag: %q", text, strict)
		}
		once, twice := list.RawGetInt(2).String(), list.RawGetInt(3).String()
		if once != twice {
			t.Errorf("%q: cleaned once %q, twice %q", text, once, twice)
		}
		if strings.Contains(once, "<script") || strings.Contains(once, "javascript:") && strings.Contains(once, "href=\"javascript:") {
			t.Errorf("%q: %q", text, once)
		}
	})
}
