// SPDX-License-Identifier: Apache-2.0

package html_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/modules/html"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

// policies makes the policies the tests use.
const policies = `
	local new, ugc, strict = html.sanitize.new_policy, html.sanitize.ugc_policy, html.sanitize.strict_policy
	local function eq(got, want) if got ~= want then error("got " .. tostring(got) .. "\nwant " .. tostring(want), 2) end end
`

// Acceptance fact 31.
func TestFact31StrictUGCAndBadPatterns(t *testing.T) {
	moduletest.New(t, html.Module()).Check(t, policies+`
		eq(strict():sanitize('<p>Hello <b>world</b>!</p>'), "Hello world!")
		eq(ugc():sanitize('<p>a</p><script>alert("x")</script>b'), "<p>a</p>b")
		local b, err = new():allow_attrs("class"):matching("[invalid")
		assert(b == nil and err:kind() == "Invalid", tostring(b))
		assert(string.find(err:message(), "error parsing regexp:", 1, true) == 1, err:message())`)
}

func TestPolicies(t *testing.T) {
	b := moduletest.New(t, html.Module())
	for name, body := range map[string]string{
		"nothing is allowed at first":    `eq(new():sanitize('<p class="x">a<i>b</i></p>'), "ab")`,
		"script and style vanish":        `eq(strict():sanitize("<style>p{}</style>a<script>b</script>c"), "ac")`,
		"text is escaped":                `eq(strict():sanitize([["a" & 'b']]), "&#34;a&#34; &amp; &#39;b&#39;")`,
		"numbers are text":               `eq(strict():sanitize(12), "12")`,
		"empty text":                     `eq(strict():sanitize(""), "")`,
		"elements":                       `eq(new():allow_elements("p", "b"):sanitize("<p><b>x</b><i>y</i></p>"), "<p><b>x</b>y</p>")`,
		"the policy is returned":         `local p = new() assert(p == p:allow_elements("p") and p == p:allow_attrs("id"):globally())`,
		"attributes of elements":         `eq(new():allow_attrs("class"):on_elements("p"):sanitize('<p class="a" id="b">x</p><b class="a">y</b>'), '<p class="a">x</p>y')`,
		"attributes everywhere":          `eq(new():allow_elements("p", "b"):allow_attrs("class"):globally():sanitize('<p class="a">x</p><b class="b">y</b>'), '<p class="a">x</p><b class="b">y</b>')`,
		"attributes by value":            `local p = new() local a, err = p:allow_attrs("class"):matching("^[a-z]+$") assert(err == nil) a:on_elements("p") eq(p:sanitize('<p class="ok">x</p><p class="1">y</p>'), '<p class="ok">x</p><p>y</p>')`,
		"a bare link is removed":         `eq(new():allow_attrs("href"):on_elements("a"):allow_url_schemes("https", "mailto"):sanitize('<a href="javascript:alert(1)">X</a>'), "X")`,
		"a good link stays":              `eq(new():allow_attrs("href"):on_elements("a"):allow_url_schemes("https"):sanitize('<a href="https://a.b/c">X</a>'), '<a href="https://a.b/c">X</a>')`,
		"schemes exclude relative links": `eq(new():allow_attrs("href"):on_elements("a"):allow_url_schemes("https"):sanitize('<a href="/c">X</a>'), "X")`,
		"relative links":                 `eq(new():allow_attrs("href"):on_elements("a"):allow_url_schemes("https"):allow_relative_urls(true):sanitize('<a href="/c">X</a>'), '<a href="/c">X</a>')`,
		"unparsed links":                 `eq(new():allow_attrs("href"):on_elements("a"):require_parseable_urls(false):sanitize('<a href="x:y">X</a>'), '<a href="x:y">X</a>')`,
		"user content links":             `eq(ugc():sanitize('<a href="/a">x</a><img src="b.png"/>'), '<a href="/a" rel="nofollow">x</a><img src="b.png"/>')`,
		"user content events":            `eq(ugc():sanitize('<p onclick="x()">a</p>'), '<p>a</p>')`,
		"standard URLs imply nofollow":   `local p = new() p:allow_standard_urls() p:allow_attrs("href"):on_elements("a") eq(p:sanitize('<a href="https://a.b">x</a>'), '<a href="https://a.b" rel="nofollow">x</a>')`,
		"noreferrer":                     `local p = new():allow_standard_urls() p:require_noreferrer_on_links(true) p:allow_attrs("href"):on_elements("a") eq(p:sanitize('<a href="https://a.b">x</a>'), '<a href="https://a.b" rel="nofollow noreferrer">x</a>')`,
		"no nofollow":                    `local p = new():allow_standard_urls():require_nofollow_on_links(false) p:allow_attrs("href"):on_elements("a") eq(p:sanitize('<a href="https://a.b">x</a>'), '<a href="https://a.b">x</a>')`,
		"target blank":                   `local p = new():allow_standard_urls():add_target_blank_to_fully_qualified_links(true) p:allow_attrs("href"):on_elements("a") eq(p:sanitize('<a href="https://a.b">x</a>'), '<a href="https://a.b" rel="nofollow noopener" target="_blank">x</a>')`,
		"standard attributes":            `eq(new():allow_elements("p"):allow_standard_attributes():sanitize('<p id="a" title="b" dir="ltr" lang="en" class="c">x</p>'), '<p id="a" title="b" dir="ltr" lang="en">x</p>')`,
		"images":                         `eq(new():allow_standard_urls():allow_images():sanitize('<img src="https://a.b/c.png" onerror="x()">'), '<img src="https://a.b/c.png">')`,
		"data images":                    `local p = new():allow_attrs("src"):on_elements("img"):allow_data_uri_images() local data = '<img src="data:image/png;base64,aGk=">' eq(p:sanitize(data), data) eq(p:sanitize('<img src="https://a.b/c.png">'), "") eq(p:sanitize('<img src="data:text/html;base64,aGk=">'), "")`,
		"data images and others":         `local p = new():allow_images():allow_data_uri_images() for _, s in ipairs({"data:image/png;base64,aGk=", "https://a.b/c.png"}) do eq(p:sanitize('<img src="' .. s .. '">'), '<img src="' .. s .. '">') end`,
		"lists":                          `eq(new():allow_lists():sanitize('<ul onclick="x"><li value="2">a</li></ul>'), '<ul><li value="2">a</li></ul>')`,
		"tables":                         `eq(new():allow_tables():sanitize('<table><tr><td colspan="2" style="x">a</td></tr></table>'), '<table><tr><td colspan="2">a</td></tr></table>')`,
		"module is read-only":            `assert(not pcall(function() html.sanitize.new_policy = nil end))`,
	} {
		t.Run(name, func(t *testing.T) { b.Check(t, policies+body) })
	}
}

func TestWrongArgumentsRaise(t *testing.T) {
	b := moduletest.New(t, html.Module())
	for name, call := range map[string]string{
		"a missing flag":          `new():allow_relative_urls()`,
		"a flag that is a string": `new():require_parseable_urls("yes")`,
		"an element by table":     `new():allow_elements({})`,
		"text by table":           `new():sanitize({})`,
		"no text":                 `new():sanitize()`,
		"a pattern by table":      `new():allow_attrs("a"):matching({})`,
		"another self":            `new().sanitize(new():allow_attrs("a"), "x")`,
		"a builder from a policy": `new():allow_attrs("a").globally(new())`,
	} {
		t.Run(name, func(t *testing.T) {
			b.Check(t, policies+`local ok, err = pcall(function() `+call+` end)
				assert(not ok, "no error")
				assert(string.find(tostring(err), "bad argument", 1, true), tostring(err))`)
		})
	}
}

func TestAPolicyDoesNotLeaveItsProcess(t *testing.T) {
	v, err := moduletest.New(t, html.Module()).Run(`return {html.sanitize.ugc_policy()}`)
	if err != nil {
		t.Fatal(err)
	}
	if got := v.String(); got == "" {
		t.Error("no table")
	}
}
