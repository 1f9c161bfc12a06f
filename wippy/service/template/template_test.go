// SPDX-License-Identifier: Apache-2.0

package template_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/wippyrun/kit/luart/modules/templates"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/template"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func entry(id, kind string, data, meta map[string]any) registry.Entry {
	return registry.Entry{ID: registry.ParseID(id), Kind: kind, Data: data, Meta: meta}
}

func TestTemplatesFollowTheirEntries(t *testing.T) {
	library := templates.NewLibrary()
	l := template.NewListener(library, func(registry.Entry, []fields.Warning) {})
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	shows := func(set, name, want string) {
		t.Helper()
		s, err := library.Set(set)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := s.Render(t.Context(), name, nil); err != nil || got != want {
			t.Errorf("%s/%s: %q %v, want %q", set, name, got, err, want)
		}
	}
	set := func(id string) registry.Entry { return entry(id, template.KindSet, map[string]any{}, nil) }
	page := func(set, source, name string) registry.Entry {
		return entry("app:page", template.KindJet, map[string]any{"set": set, "source": source}, map[string]any{"name": name})
	}
	if err := l.Create(t.Context(), page("one", "x", "")); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown set: %v", err)
	}
	do(l.Create(t.Context(), set("app:one")))
	do(l.Create(t.Context(), set("app:two")))
	do(l.Create(t.Context(), page("one", "first", "")))
	shows("app:one", "page", "first")
	do(l.Update(t.Context(), page("one", "first", ""), page("one", "second", "home")))
	shows("app:one", "home", "second")
	do(l.Update(t.Context(), page("one", "second", "home"), page("app:two", "third", "home")))
	shows("app:two", "home", "third")
	do(l.Delete(t.Context(), set("app:one")))
	if err := l.Delete(t.Context(), set("app:two")); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a set that is not empty: %v", err)
	}
	do(l.Delete(t.Context(), page("app:two", "third", "home")))
	do(l.Delete(t.Context(), set("app:two")))
}

func TestWrongEntries(t *testing.T) {
	l := template.NewListener(templates.NewLibrary(), func(registry.Entry, []fields.Warning) {})
	for _, e := range []registry.Entry{
		entry("app:a", template.KindJet, map[string]any{"source": "x"}, nil),
		entry("app:a", template.KindJet, map[string]any{"set": "s"}, nil),
		entry("app:a", template.KindSet, map[string]any{"engine": map[string]any{"globals": []any{1}}}, nil),
		entry("app:a", template.KindSet, map[string]any{"engine": map[string]any{"delimiters": map[string]any{"left": "{*"}}}, nil),
	} {
		err := l.Create(t.Context(), e)
		var field interface{ Field() string }
		if fault.KindOf(err) != fault.Invalid || !errors.As(err, &field) {
			t.Errorf("%v: %v", e.Data, err)
		}
	}
}

// Templates that do not parse are told when the transaction is done, not those that needed what came after them.
func TestBrokenTemplatesAreTold(t *testing.T) {
	l := template.NewListener(templates.NewLibrary(), func(registry.Entry, []fields.Warning) {})
	var told []string
	l.OnBroken(func(e registry.Entry, line int, err error) {
		told = append(told, fmt.Sprint(e.ID, " ", line, " ", err))
	})
	jet := func(id, source string) registry.Entry {
		return entry(id, template.KindJet, map[string]any{"set": "views", "source": source}, nil)
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	do(l.Create(t.Context(), entry("app:views", template.KindSet, map[string]any{}, nil)))
	do(l.Create(t.Context(), jet("app:page", `{{ extends "layout" }}{{ block body() }}x{{ end }}`)))
	do(l.Create(t.Context(), jet("app:open", "one\n{{ if x }}\nthree")))
	do(l.Create(t.Context(), jet("app:lost", `{{ extends "nowhere" }}`)))
	do(l.Create(t.Context(), jet("app:layout", "{{ yield body() }}")))
	do(l.Commit(t.Context()))
	if len(told) > 0 {
		t.Errorf("too early: %q", told)
	}
	l.Committed(t.Context())
	want := []string{"app:lost 1 template: /lost:1: template /nowhere could not be found", "app:open 3 template: /open:3: unexpected EOF"}
	if !slices.Equal(told, want) {
		t.Errorf("%q, want %q", told, want)
	}
	told = nil
	do(l.Update(t.Context(), jet("app:open", "x"), jet("app:open", "{{")))
	do(l.Discard(t.Context()))
	l.Committed(t.Context())
	if len(told) > 0 {
		t.Errorf("of a transaction that was discarded: %q", told)
	}
}
