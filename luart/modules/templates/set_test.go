// SPDX-License-Identifier: Apache-2.0

package templates_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/templates"
)

func newSet(tb testing.TB, o templates.Options, sources map[string]string) *templates.Set {
	tb.Helper()
	s, err := templates.NewSet(o)
	if err != nil {
		tb.Fatal(err)
	}
	for name, source := range sources {
		if err := s.Add(name, source); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

func render(tb testing.TB, s *templates.Set, name string, variables map[string]any) string {
	tb.Helper()
	text, err := s.Render(context.Background(), name, variables)
	if err != nil {
		tb.Fatalf("%s: %v", name, err)
	}
	return text
}

// check fails the test unless err has the kind and the message.
func check(tb testing.TB, err error, kind, message string) {
	tb.Helper()
	e, ok := errors.AsType[*engine.Error](err)
	if !ok || e.Kind() != kind || e.Message() != message {
		tb.Errorf("error %v, want %s %q", err, kind, message)
	}
}

// Acceptance fact 34.
func TestFact34UnknownAndNonEmptySets(t *testing.T) {
	l := library(t, map[string]string{"a": "x"})
	_, err := l.Set("app:none")
	check(t, err, engine.KindNotFound, "template set not found")
	err = l.Remove("app:views")
	check(t, err, engine.KindInvalid, "set is not empty")
	if e, _ := errors.AsType[*engine.Error](err); e.Details()["template_count"] != 1 {
		t.Errorf("details %v", e.Details())
	}
	set, err := l.Set("app:views")
	if err != nil {
		t.Fatal(err)
	}
	if err := set.Remove("a"); err != nil {
		t.Error(err)
	}
	if err := l.Remove("app:views"); err != nil {
		t.Error(err)
	}
	check(t, l.Remove("app:views"), engine.KindNotFound, "template set not found")
}

func TestLibrary(t *testing.T) {
	l := library(t, map[string]string{"a": "<% x %> {{ site }}"})
	check(t, l.Add("app:views", templates.Defaults()), engine.KindAlreadyExists, "template set already exists")
	check(t, l.Update("app:none", templates.Defaults()), engine.KindNotFound, "template set not found")
	check(t, l.Add("app:bad", templates.Options{}), engine.KindInvalid, "delimiters cannot be empty")
	check(t, l.Update("app:views", templates.Options{}), engine.KindInvalid, "delimiters cannot be empty")
	o := templates.Defaults()
	o.Left, o.Right, o.Globals = "<%", "%>", map[string]any{"x": "new"}
	set, err := l.Set("app:views")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Update("app:views", o); err != nil {
		t.Fatal(err)
	}
	if got := render(t, set, "a", nil); got != "new {{ site }}" {
		t.Errorf("%q", got)
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		change func(o *templates.Options)
		want   string
	}{
		{func(o *templates.Options) { o.Right = "" }, "delimiters cannot be empty"},
		{func(o *templates.Options) { o.CommentLeft = "" }, "comment delimiters cannot be empty"},
		{func(o *templates.Options) { o.CommentLeft = "{{" }, "delimiters and comment delimiters cannot be the same"},
		{func(o *templates.Options) { o.CommentRight = "}}" }, "delimiters and comment delimiters cannot be the same"},
		{func(o *templates.Options) { o.Extensions = nil }, "at least one file extension is required"},
	} {
		o := templates.Defaults()
		c.change(&o)
		check(t, o.Validate(), engine.KindInvalid, c.want)
	}
	o := templates.Defaults()
	o.Left, o.Right, o.CommentLeft, o.CommentRight, o.Extensions = "<%", "%>", "#*", "*#", []string{".txt"}
	s := newSet(t, o, map[string]string{
		"a.txt": `{{ x }} {* *}#* <% none %> *#<% include "b" %>#* no action follows *#!`, "b.txt": "b", "c.jet": "c",
		"d": `<p>#* 1 *#</p>#* 2 *#`, "e": `<% "#* x *#" %>#* y`,
	})
	if got := render(t, s, "a", nil); got != "{{ x }} {* *}b!" {
		t.Errorf("%q", got)
	}
	if got := render(t, s, "d", nil); got != "<p></p>" {
		t.Errorf("%q", got)
	}
	if got := render(t, s, "e", nil); got != "#* x *##* y" {
		t.Errorf("%q", got)
	}
	_, err := s.Render(t.Context(), "c", nil)
	check(t, err, engine.KindNotFound, "template not found")
}

func TestNames(t *testing.T) {
	s := newSet(t, templates.Defaults(), map[string]string{"a": "1", "a.jet": "2", "dir/b.html.jet": "3"})
	for name, want := range map[string]string{"a": "1", "/a": "1", "x/../a": "1", "a.jet": "2", "dir/b": "3", "dir/b.html": "3"} {
		if got := render(t, s, name, nil); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	check(t, s.Add("/a", ""), engine.KindAlreadyExists, "template already exists in set")
	check(t, s.Add("", ""), engine.KindInvalid, "template name is required")
	check(t, s.Add("long", strings.Repeat("x", 1<<20+1)), engine.KindInvalid, "template is longer than 1048576 bytes")
	check(t, s.Update("none", "x", ""), engine.KindNotFound, "template not found")
	check(t, s.Update("a", "a.jet", ""), engine.KindAlreadyExists, "template name already exists in set")
	check(t, s.Update("a", "", ""), engine.KindInvalid, "template name is required")
	check(t, s.Remove("none"), engine.KindNotFound, "template not found")
	if n := s.Len(); n != 3 {
		t.Errorf("%d templates", n)
	}
}

func TestChangesAreSeen(t *testing.T) {
	s := newSet(t, templates.Defaults(), map[string]string{
		"layout": "<{{ yield body() }}>", "page": `{{ extends "layout" }}{{ block body() }}{{ include "part" }}{{ end }}`, "part": "1",
	})
	if got := render(t, s, "page", nil); got != "<1>" {
		t.Errorf("%q", got)
	}
	if err := s.Update("part", "part", "2"); err != nil {
		t.Fatal(err)
	}
	if err := s.Update("layout", "layout", "[{{ yield body() }}]"); err != nil {
		t.Fatal(err)
	}
	if got := render(t, s, "page", nil); got != "[2]" {
		t.Errorf("%q", got)
	}
	if err := s.Update("part", "part2", "3"); err != nil {
		t.Fatal(err)
	}
	if text, err := s.Render(t.Context(), "page", nil); err == nil {
		t.Errorf("%q", text)
	}
	if err := s.Remove("layout"); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err == nil || !strings.Contains(err.Error(), "template page: ") {
		t.Error(err)
	}
	if faults := s.Faults(); len(faults) != 1 || faults["page"] == nil {
		t.Errorf("faults %v", faults)
	}
	if err := s.Remove("page"); err != nil {
		t.Fatal(err)
	}
	if err := s.Check(); err != nil {
		t.Error(err)
	}
}

func TestGlobalsAreNotShared(t *testing.T) {
	o := templates.Defaults()
	o.Globals = map[string]any{"m": map[string]any{"list": []any{map[string]any{"n": 1.0}}}, "n": 1.0}
	s := newSet(t, o, map[string]string{
		"write": `{{ m.x = 2 }}{{ m.list[0].n = 5 }}{{ n := 7 }}{{ m.x }}{{ n }}`, "read": `{{ m.x }}{{ m.list[0].n }}{{ n }}`,
	})
	if got := render(t, s, "write", nil); got != "27" {
		t.Errorf("%q", got)
	}
	if got := render(t, s, "read", nil); got != "11" {
		t.Errorf("%q", got)
	}
}

// TestFailedRenderingsLeaveNothingBehind: Jet keeps the content of a block in a pooled runtime when a rendering fails
// inside the block.
func TestFailedRenderingsLeaveNothingBehind(t *testing.T) {
	s := newSet(t, templates.Defaults(), map[string]string{
		"fails": `{{ block b() }}{{ none }}{{ end }}{{ yield b() content }}secret {{ x }}{{ end }}`, "reads": `<{{ yield content }}>`,
	})
	for range 100 {
		if text, err := s.Render(t.Context(), "fails", map[string]any{"x": "y"}); err == nil {
			t.Fatalf("%q", text)
		}
		if got := render(t, s, "reads", nil); got != "<>" {
			t.Fatalf("%q", got)
		}
	}
}

func TestConcurrentRenderAndUpdate(t *testing.T) {
	o := templates.Defaults()
	o.Globals = map[string]any{"m": map[string]any{}}
	s := newSet(t, o, map[string]string{
		"page": `{{ m.x = name }}{{ range items }}{{ include "part" . }},{{ end }}{{ m.x }}`, "part": `1{{ . }}`,
	})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			name := strings.Repeat("x", g+1)
			for range 200 {
				got, err := s.Render(context.Background(), "page", map[string]any{"name": name, "items": []any{"a", "b"}})
				if err != nil || got != "1a,1b,"+name && got != "2a,2b,"+name {
					t.Errorf("%q %v", got, err)
				}
			}
		})
	}
	for i := range 50 {
		if err := s.Update("part", "part", string('1'+rune(i%2))+`{{ . }}`); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
}

func TestConfigureChangesHowTemplatesAreRead(t *testing.T) {
	s := newSet(t, templates.Defaults(), map[string]string{"page": `{{ name }} [[ name ]]`})
	if got := render(t, s, "page", map[string]any{"name": "x"}); got != "x [[ name ]]" {
		t.Errorf("%q", got)
	}
	o := templates.Defaults()
	o.Left, o.Right = "[[", "]]"
	if err := s.Configure(o); err != nil {
		t.Fatal(err)
	}
	if got := render(t, s, "page", map[string]any{"name": "x"}); got != "{{ name }} x" {
		t.Errorf("%q", got)
	}
	o.Right = ""
	if err := s.Configure(o); err == nil {
		t.Error("no right delimiter")
	}
	if got := render(t, s, "page", map[string]any{"name": "x"}); got != "{{ name }} x" {
		t.Errorf("after a refused change: %q", got)
	}
}
