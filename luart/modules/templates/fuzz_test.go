// SPDX-License-Identifier: Apache-2.0

package templates_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/modules/templates"
)

// FuzzRender parses and renders any two templates. Whatever they are, there is a text or an error.
func FuzzRender(f *testing.F) {
	for _, s := range []string{
		`Hello {{ name }}!`, `{{ extends "other" }}{{ block b(x="1", y) }}{{ x }}{{ yield content }}{{ content }}c{{ end }}`, `{{ import "other" }}{{ yield b(x=name) }}`,
		`{{ range i, v := list }}{{ i + 1 }}{{ v | upper }}{{ else }}none{{ end }}`, `{{ include "other" user }}{{ .name }}`, `{{ if !name || 1 > 2.5 && user.x == nil }}a{{ else if true }}b{{ end }}`,
		`{{ try }}{{ none }}{{ catch err }}{{ err.Error() }}{{ end }}`, `{{ x, y := list[0], user["a"]; x }}{{ user.a = 5 }}{{ list[1:2] }}`, `{* c *}{{- "a\"b" -}} {{ 'c' }}`,
		`{{ exec("other") }}{{ includeIfExists("other", 1) }}{{ return 1 }}`, `{{ dump(1) }}{{ dump("name") }}{{ json(user) }}`, `{{ map("a", slice(1, array(2)))["a"][1] }}`, `{{ repeat("a", 9) | replace: "a", "b", -1 }}`,
		`{{ range ints(0, 5) }}{{ . % 2 }}{{ end }}`, `{{ -1 * +2 ? "a" : name : "b" }}`, "{{ `raw` }}{{ \"\" | raw }}{{ _ }}",
	} {
		f.Add(s, `<{{ yield b() content }}x{{ end }}{{ block b(x) }}{{ x }}{{ yield content }}{{ end }}>`)
	}
	f.Fuzz(func(t *testing.T, test, other string) {
		s := newSet(t, templates.Defaults(), nil)
		s.SetLimits(10_000, 1<<20)
		for name, source := range map[string]string{"test": test, "other": other} {
			if s.Add(name, source) != nil {
				return
			}
		}
		for _, name := range []string{"test", "other"} {
			text, err := s.Render(t.Context(), name, map[string]any{"name": "<x>", "list": []any{"a", 2.0}, "user": map[string]any{"a": true, "name": "n"}})
			if err == nil && len(text) > 1<<20 {
				t.Errorf("%d bytes", len(text))
			}
		}
	})
}
