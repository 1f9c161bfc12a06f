// SPDX-License-Identifier: Apache-2.0

package templates_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/modules/templates"
)

func TestRunawayTemplates(t *testing.T) {
	for name, c := range map[string]struct{ source, want string }{
		"an include of itself":           {`{{ include "test" }}`, "nested too deeply"},
		"an include with text":           {`{{ range ints(0, 2) }}x{{ include "test" }}{{ end }}`, "nested too deeply"},
		"an include of the other":        {`{{ include "other" }}`, "nested too deeply"},
		"a block that yields itself":     {`{{ block b() }}x{{ yield b() }}{{ end }}`, "nested too deeply"},
		"content that yields its block":  {`{{ block b() }}{{ yield content }}{{ end }}{{ block c() }}{{ yield b() content }}{{ yield c() }}{{ end }}{{ end }}`, "nested too deeply"},
		"includeIfExists of itself":      {`{{ includeIfExists("test") }}`, "nested too deeply"},
		"exec of itself":                 {`{{ exec("test") }}`, "nested too deeply"},
		"recursion that is caught":       {`{{ try }}{{ include "test" }}{{ catch }}{{ include "test" }}{{ end }}`, "nested too deeply"},
		"a long loop":                    {`{{ range ints(0, 1000000000000) }}{{ end }}`, "more than 100000 includes"},
		"loops in loops":                 {`{{ range ints(0, 10000) }}{{ range ints(0, 10000) }}{{ end }}{{ end }}`, "more than 100000 includes"},
		"loops that catch":               {`{{ range ints(0, 100) }}{{ try }}{{ range ints(0, 100000000) }}{{ end }}{{ catch }}caught{{ end }}{{ end }}`, "more than 100000 includes"},
		"much output":                    {`{{ x := repeat("x", 100000) }}{{ range ints(0, 100) }}{{ x }}{{ end }}`, "output is longer than 1048576 bytes"},
		"much output that is kept apart": {`{{ x := repeat("x", 100000) }}{{ try }}{{ range ints(0, 1000) }}{{ x }}{{ end }}{{ end }}`, "output is longer than 1048576 bytes"},
		"much output that is caught":     {`{{ x := repeat("x", 100000) }}{{ range ints(0, 100) }}{{ try }}{{ x }}{{ catch }}{{ end }}{{ end }}`, "output is longer than 1048576 bytes"},
		"a long text":                    {`{{ repeat("xx", 100000000) }}`, "a text longer than 67108864 bytes"},
		"a text of negative length":      {`{{ repeat("x", -1) }}`, "negative count"},
		"a text that grows":              {`{{ x := repeat("x", 100000) }}{{ replace(x, "x", x, -1) }}`, "a text longer than 67108864 bytes"},
		"no integers":                    {`{{ range ints(2, 1) }}{{ end }}`, "'from' must be smaller than 'to'"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSet(t, templates.Defaults(), map[string]string{"test": c.source, "other": `{{ include "test" }}`})
			s.SetLimits(100_000, 1<<20)
			if text, err := s.Render(t.Context(), "test", nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%d bytes, %v", len(text), err)
			}
		})
	}
}

func TestRenderingEndsWithItsContext(t *testing.T) {
	s := newSet(t, templates.Defaults(), map[string]string{"test": `{{ range ints(0, 1000000000000) }}{{ end }}`})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Render(ctx, "test", nil); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

func TestCirclesAreErrors(t *testing.T) {
	s := newSet(t, templates.Defaults(), map[string]string{
		"self": `{{ extends "self" }}`, "a": `{{ import "b" }}x`, "b": `{{ import "c.jet" }}`, "c.jet": `{{ extends "a" }}`, "d": "fine",
	})
	for _, name := range []string{"self", "a", "b", "c"} {
		if text, err := s.Render(t.Context(), name, nil); err == nil || !strings.Contains(err.Error(), "in a circle") {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	if got := render(t, s, "d", nil); got != "fine" {
		t.Errorf("%q", got)
	}
}

func TestDeepSourcesAreErrors(t *testing.T) {
	deep := func(open, inner, end string, n int) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
	}
	for name, source := range map[string]string{
		"parentheses":   "a\n{{ " + deep("(", "1", ")", 20000) + " }}",
		"negations":     "a\n{{ " + strings.Repeat("!", 20000) + "1 }}",
		"a sum":         "a\n{{ 1" + strings.Repeat("+1", 20000) + " }}",
		"after a quote": `a` + "\n" + `{{ "}}" + ` + deep("(", "1", ")", 20000) + " }}",
		"no end":        "a\n{{ " + strings.Repeat("(", 20000),
	} {
		s := newSet(t, templates.Defaults(), map[string]string{"test": source})
		if text, err := s.Render(t.Context(), "test", nil); err == nil || !strings.Contains(err.Error(), "line 2: an action is longer than 16384 bytes") {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
	for name, source := range map[string]string{
		"conditions":     deep("{{ if 1 }}", "x", "{{ end }}", 20000),
		"tries":          deep("{{ try }}", "x", "{{ end }}", 5000),
		"loops":          deep("{{ range slice(1) }}", "x", "{{ end }}", 2000),
		"parentheses":    "{{ " + deep("(", `"x"`, ")", 8000) + " }}",
		"many actions":   "x" + strings.Repeat(`{{ "" }}`, 10000),
		"long texts":     "x" + strings.Repeat(" ", 1000000) + `{{ "" }}`,
		"long comments":  "x{*" + strings.Repeat("(", 1000000) + "*}",
		"conditions 2":   "{{ if 1 }}x{{ else }}" + deep("{{ if 1 }}", "x", "{{ end }}", 20000) + "{{ end }}",
		"sums of one kB": `{{ x := 1` + strings.Repeat("+1", 500) + ` }}x`,
	} {
		s := newSet(t, templates.Defaults(), map[string]string{"test": source})
		if got := strings.TrimSpace(render(t, s, "test", nil)); got != "x" {
			t.Errorf("%s: %q", name, got)
		}
	}
}
