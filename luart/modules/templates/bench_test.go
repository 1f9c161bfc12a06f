// SPDX-License-Identifier: Apache-2.0

package templates_test

import (
	"io"
	"reflect"
	"testing"

	"github.com/CloudyKit/jet/v6"

	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/templates"
)

var pageSources = map[string]string{
	"layout": `<html><title>{{ yield title() }}</title><body>{{ yield body() }}</body></html>`,
	"row":    `<tr><td>{{ .sku }}</td><td>{{ .count }}</td><td>{{ .price }}</td></tr>`,
	"page":   `{{ extends "layout" }}{{ block title() }}{{ title }}{{ end }}{{ block body() }}<table>{{ range rows }}{{ include "row" . }}{{ end }}</table>{{ end }}`,
}

// BenchmarkRender renders a page of a hundred rows: ten times from Lua, from Go, and with Jet alone.
func BenchmarkRender(b *testing.B) {
	bench := moduletest.New(b, templates.Module(library(b, pageSources), nil))
	program := bench.Link(`
		local set, rows = templates.get("app:views"), {}
		for i = 1, 100 do rows[i] = {sku = "x-" .. i, count = i, price = i + 0.5} end
		for i = 1, 10 do assert(set:render("page", {title = "Orders", rows = rows})) end`)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := bench.Exec(program, nil); err != nil {
			b.Fatal(err)
		}
	}
}

func pageData() map[string]any {
	rows := make([]any, 100)
	for i := range rows {
		rows[i] = map[string]any{"sku": "x", "count": float64(i), "price": float64(i) + 0.5}
	}
	return map[string]any{"title": "Orders", "rows": rows}
}

func BenchmarkRenderFromGo(b *testing.B) {
	s, data := newSet(b, templates.Defaults(), pageSources), pageData()
	b.ReportAllocs()
	for b.Loop() {
		for range 10 {
			render(b, s, "page", data)
		}
	}
}

func BenchmarkPeerRender(b *testing.B) {
	loader := jet.NewInMemLoader()
	for name, source := range pageSources {
		loader.Set(name, source)
	}
	set, vars := jet.NewSet(loader), jet.VarMap{}
	for name, v := range pageData() {
		vars[name] = reflect.ValueOf(v)
	}
	b.ReportAllocs()
	for b.Loop() {
		for range 10 {
			t, err := set.GetTemplate("page")
			if err == nil {
				err = t.Execute(io.Discard, vars, nil)
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
