// SPDX-License-Identifier: Apache-2.0

package templates_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/templates"
)

// library makes a library with the set app:views.
func library(tb testing.TB, sources map[string]string) *templates.Library {
	tb.Helper()
	o := templates.Defaults()
	o.Globals = map[string]any{"site": "Example", "menu": []any{"home", "about"}, "limits": map[string]any{"max": 3.0}}
	l := templates.NewLibrary()
	if err := l.Add("app:views", o); err != nil {
		tb.Fatal(err)
	}
	set, err := l.Set("app:views")
	if err != nil {
		tb.Fatal(err)
	}
	for name, source := range sources {
		if err := set.Add(name, source); err != nil {
			tb.Fatal(err)
		}
	}
	return l
}

const prelude = `
	local set = assert(templates.get("app:views"))
	local function eq(got, want) if got ~= want then error("got " .. tostring(got) .. "\nwant " .. tostring(want), 2) end end
`

// Acceptance fact 32.
func TestFact32Render(t *testing.T) {
	l := library(t, map[string]string{"greeting": "Hello, {{ name }}!"})
	moduletest.New(t, templates.Module(l, nil)).Check(t, prelude+`
		eq(tostring(set), "template.Set{}")
		local text, err = set:render("greeting", {name = "<b>"})
		eq(text, "Hello, &lt;b&gt;!")
		assert(err == nil)
		text, err = set:render("none")
		assert(text == nil and err:kind() == "NotFound" and err:message() == "template not found")
		text, err = set:render("")
		assert(text == nil and err:kind() == "Invalid" and err:message() == "template name is required")
		assert(set:release() == true and set:release() == true)
		text, err = set:render("greeting", {name = "x"})
		assert(text == nil and err:kind() == "Internal" and err:message() == "template set is released")
		eq(tostring(set), "template.Set{released}")
		assert(templates.get("app:views"):render("greeting", {name = "x"}))`)
}

// Acceptance fact 33, the part that belongs to sets.
func TestFact33LayoutsAndGlobals(t *testing.T) {
	l := library(t, map[string]string{
		"layout": `<title>{{ yield title() }}</title><body>{{ yield body() }}</body>`,
		"home":   `{{ extends "layout" }} dropped {{ block title() }}Home of {{ site }}{{ end }}{{ block body() }}<b>{{ "<b>" }}</b>{{ end }}`,
	})
	moduletest.New(t, templates.Module(l, nil)).Check(t, prelude+`
		eq(set:render("home"), "<title>Home of Example</title><body><b>&lt;b&gt;</b></body>")
		local text, err = set:render("layout")
		assert(text == nil and err:kind() == "Internal" and string.find(err:message(), "unresolved block", 1, true), tostring(err))`)
}

func TestFailures(t *testing.T) {
	l := library(t, map[string]string{
		"name": "{{ name }}", "broken": "{{ if }}", "missing": `{{ include "none" }}`, "context": "{{ . }}", "panics": `{{ x := "a"; x.y.z }}`,
	})
	denied := func(_ *engine.Process, action, resource string) bool {
		return action != "template.get" || !strings.HasPrefix(resource, "secret:")
	}
	moduletest.New(t, templates.Module(l, denied)).CheckFailures(t, []moduletest.Failure{
		{Call: `templates.get("")`, Kind: "Invalid", Text: "resource id is required"},
		{Call: `templates.get("secret:views")`, Kind: "PermissionDenied", Text: "not allowed to access template: secret:views"},
		{Call: `templates.get("app:none")`, Kind: "Internal", Text: "template set not found"},
		{Call: `templates.get("app:views"):render("name")`, Kind: "Internal", Text: `identifier "name" not available`},
		{Call: `templates.get("app:views"):render("name", {})`, Kind: "Internal", Text: `identifier "name" not available`},
		{Call: `templates.get("app:views"):render("name", {"name"})`, Kind: "Internal", Text: `identifier "name" not available`},
		{Call: `templates.get("app:views"):render("name", {1, name = 2})`, Kind: "Internal", Text: "mixed-key"},
		{Call: `templates.get("app:views"):render("name", {name = {[1] = 1, [3] = 3}})`, Kind: "Internal", Text: "sparse"},
		{Call: `templates.get("app:views"):render("broken")`, Kind: "Internal", Text: "broken:1"},
		{Call: `templates.get("app:views"):render("missing")`, Kind: "Internal", Text: "none could not be found"},
		{Call: `templates.get("app:views"):render("panics")`, Kind: "Internal", Text: ""},
	})
}

func TestWrongArgumentsRaise(t *testing.T) {
	b := moduletest.New(t, templates.Module(library(t, map[string]string{"a": "a"}), nil))
	for _, call := range []string{`templates.get()`, `templates.get({})`, `set:render()`, `set:render("a", "x")`, `set.render({}, "a")`} {
		t.Run(call, func(t *testing.T) {
			b.Check(t, prelude+`local ok, err = pcall(function() `+call+` end)
				assert(not ok and string.find(tostring(err), "bad argument", 1, true), tostring(err))`)
		})
	}
}

// wrongResource is a host with resources of other types.
type wrongResource struct{}

func (wrongResource) TemplateSet(*engine.Process, string) (*templates.Set, error) {
	return nil, errors.New("resource is not a template set: app:db")
}

func TestAnotherResource(t *testing.T) {
	moduletest.New(t, templates.Module(wrongResource{}, nil)).CheckFailures(t, []moduletest.Failure{
		{Call: `templates.get("app:db")`, Kind: "Internal", Text: "resource is not a template set: app:db"},
	})
}

// TestJetBehaviour renders one template for each thing that applications rely on.
func TestJetBehaviour(t *testing.T) {
	for name, c := range map[string]struct{ source, data, want string }{
		"whole numbers":              {`{{ a }} {{ b }} {{ c }} {{ d }}`, `{a = 3, b = 1700000000, c = 2.5, d = -7}`, `3 1700000000 2.5 -7`},
		"functions are null":         {`[{{ f }}]`, `{f = print}`, `[]`},
		"escaping":                   {`{{ s }}`, `{s = "<a href=\"x\">'&'</a>"}`, `&lt;a href=&#34;x&#34;&gt;&#39;&amp;&#39;&lt;/a&gt;`},
		"raw":                        {`{{ s | raw }}{{ s | unsafe }}{{ raw: s }}`, `{s = "<b>"}`, `<b><b><b>`},
		"unknown field":              {`[{{ user.none }}]`, `{user = {name = "x"}}`, `[]`},
		"isset":                      {`{{ isset(user.name) }} {{ isset(user.none) }} {{ isset(none) }}`, `{user = {name = "x"}}`, `true false false`},
		"index":                      {`{{ items[0] }}{{ items[1] }} {{ user["name"] }}`, `{items = {"a", "b"}, user = {name = "x"}}`, `ab x`},
		"if":                         {`{{ if n > 2 }}more{{ else if n == 2 }}two{{ else }}less{{ end }}`, `{n = 2}`, `two`},
		"range with index":           {`{{ range i, v := items }}{{ i }}{{ v }},{{ end }}`, `{items = {"a", "b"}}`, `0a,1b,`},
		"range sets the context":     {`{{ range items }}{{ . }},{{ end }}`, `{items = {"a", "b"}}`, `a,b,`},
		"range over a map":           {`{{ range k, v := user }}{{ k }}={{ v }}{{ end }}`, `{user = {name = "x"}}`, `name=x`},
		"range else":                 {`{{ range items }}x{{ else }}none{{ end }}`, `{items = {}}`, `none`},
		"lower upper":                {`{{ lower("A") }}{{ "a" | upper }}`, `{}`, `aA`},
		"prefixes":                   {`{{ hasPrefix("abc", "a") }}{{ hasSuffix("abc", "a") }}`, `{}`, `truefalse`},
		"repeat replace":             {`{{ repeat("a", 3) }}{{ replace("aXbX", "X", "-", 1) }}{{ replace("aXbX", "X", "-", -1) }}`, `{}`, `aaaa-bXa-b-`},
		"split trim len":             {`{{ range split("a,b", ",") }}[{{ . }}]{{ end }}{{ trimSpace(" a ") }}{{ len("abc") }}`, `{}`, `[a][b]a3`},
		"html url":                   {`{{ html("<") | raw }} {{ url("a b") }}`, `{}`, `&lt; a+b`},
		"safe writers":               {`{{ "<" | safeHtml }}{{ "'" | safeJs }}`, `{}`, `&lt;\'`},
		"json":                       {`{{ writeJson(user) }}`, `{user = {name = "x"}}`, "{\"name\":\"x\"}\n"},
		"map slice array":            {`{{ map("a", 1).a }}{{ slice(1, 2)[1] }}{{ len(array(1, 2)) }}`, `{}`, `122`},
		"ints":                       {`{{ range ints(1, 4) }}{{ . }}{{ end }}`, `{}`, `123`},
		"ints with a value":          {`{{ range i, v := ints(1, 4) }}{{ i }}{{ v }},{{ end }}`, `{}`, `01,12,23,`},
		"ternary":                    {`{{ n > 1 ? "a" : "b" }}`, `{n = 2}`, `a`},
		"arithmetic":                 {`{{ n + 1 }} {{ n * 2 }} {{ n / 4 }} {{ 7 % 4 }}`, `{n = 3}`, `4 6 0.75 3`},
		"variables":                  {`{{ x := 1 }}{{ x = x + 1 }}{{ x }}`, `{}`, `2`},
		"comments":                   {`a{* {{ none }} *}b`, `{}`, `ab`},
		"trimming":                   {"a  {{- \"b\" -}}  c", `{}`, `abc`},
		"include next to it":         {`{{ include "parts/page" }}`, `{}`, `head body`},
		"include from the root":      {`{{ include "/parts/head" }}`, `{}`, `head`},
		"include with an extension":  {`{{ include "mail" }}`, `{}`, `mail!`},
		"include with a context":     {`{{ include "dot" user }}`, `{user = {name = "x"}}`, `x`},
		"include sees variables":     {`{{ include "name" }}`, `{name = "x"}`, `x`},
		"include by a variable":      {`{{ include page }}`, `{page = "parts/head"}`, `head`},
		"includeIfExists":            {`{{ includeIfExists("none") }}{{ includeIfExists("parts/head") }}`, `{}`, `head`},
		"exec":                       {`{{ exec("two") }}`, `{}`, `2`},
		"import":                     {`{{ import "macros" }}{{ yield field(name="a") }}`, `{}`, `<input a>`},
		"a block with a default":     {`{{ block b(x="d") }}[{{ x }}]{{ end }}{{ yield b(x="e") }}`, `{}`, `[d][e]`},
		"content of a block":         {`{{ block b() }}<{{ yield content }}>{{ content }}d{{ end }}{{ yield b() content }}c{{ end }}`, `{}`, `<d><c>`},
		"content in an include":      {`{{ block b() }}<{{ include "content" }}>{{ content }}d{{ end }}`, `{}`, `<[d]>`},
		"content outside of a block": {`<{{ yield content }}>`, `{}`, `<>`},
		"extends twice":              {`{{ extends "middle" }}{{ block body() }}x{{ end }}`, `{}`, `(m:x)`},
		"try":                        {`{{ try }}a{{ none }}{{ catch err }}caught{{ end }}`, `{}`, `caught`},
		"globals":                    {`{{ site }} {{ menu[1] }} {{ limits.max }}`, `{}`, `Example about 3`},
		"data hides globals":         {`{{ site }}`, `{site = "x"}`, `x`},
		"data hides functions":       {`{{ lower }}`, `{lower = "x"}`, `x`},
		"dump":                       {`{{ range items }}{{ x := 1 }}{{ len(dump("x")) > 0 }}{{ end }}`, `{items = {1}}`, `true`},
		"no data":                    {`x`, `nil`, `x`},
	} {
		t.Run(name, func(t *testing.T) {
			l := library(t, map[string]string{
				"test": c.source, "parts/page": `{{ include "head" }} body`, "parts/head": `head`, "mail.jet": `mail!`, "dot": `{{ .name }}`,
				"name": `{{ name }}`, "macros": `{{ block field(name) }}<input {{ name }}>{{ end }}`, "two": `x{{ return 2 }}`,
				"content": `[{{ yield content }}]`, "base": `({{ yield main() }})`, "middle": `{{ extends "base" }}{{ block main() }}m:{{ yield body() }}{{ end }}`,
			})
			moduletest.New(t, templates.Module(l, nil)).Check(t, prelude+`
				local text, err = set:render("test", `+c.data+`)
				assert(text, tostring(err))
				eq(text, ...)`, c.want)
		})
	}
}
