// SPDX-License-Identifier: Apache-2.0

package stage_test

import (
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/stage"
)

// variables has some of each sort.
func variables(name string) (value string, set, known bool) {
	values := map[string]string{"NAME": "joe", "PORT": "9090", "ON": "true", "RATIO": "0.5", "EMPTY": "", "app.env:key": "k", "LONG": "${NAME|x}"}
	value, set = values[name]
	return value, set, set || name == "UNSET"
}

func TestExpand(t *testing.T) {
	for in, want := range map[string]any{
		"plain":                     "plain",
		"${env:NAME}":               "joe",
		"${env:app.env:key}":        "k",
		"${env:NAME|x}":             "joe",
		"${env:NONE|x}":             "x",
		"${env:UNSET|x}":            "x",
		"${env:EMPTY|x}":            "",
		"${NAME|x}":                 "joe",
		"${NONE|x}":                 "x",
		"${NONE|}":                  "",
		"${NAME}":                   "${NAME}", // not ours
		"${name|x}":                 "${name|x}",
		"${|x}":                     "${|x}",
		"$${env:NAME}":              "${env:NAME}",
		"a $${x} ${env:NAME}":       "a ${x} joe",
		"a ${env:NAME} b ${PORT|1}": "a joe b 9090",
		"${env:PORT}":               "9090", // no default says that it is a number
		"${env:PORT|8080}":          9090.0,
		"${env:NOPE|7}":             7.0,
		"${env:NOPE|-1.5e3}":        -1500.0,
		"${RATIO|1}":                0.5,
		"${env:ON|false}":           true,
		"${env:NOPE|false}":         false,
		":${PORT|8080}":             ":9090",
		"${env:PORT|0x10}":          "9090",
		"${env:PORT|1_000}":         "9090",
		"${env:NONE|inf}":           "inf",
		"${env:NAME":                "${env:NAME",
		"${NAME ${env:NAME}":        "${NAME joe",
		"${env:LONG}":               "${NAME|x}", // values are not expanded
		"${}":                       "${}",
		"$":                         "$",
	} {
		e := entry("app:x", "k", m{"m": in}, m{"a": []any{m{"b": in}, 1.0}, in: true})
		got, err := stage.Expand(e, variables)
		if err != nil || !got.Equal(entry("app:x", "k", m{"m": in}, m{"a": []any{m{"b": want}, 1.0}, in: true})) {
			t.Errorf("%q: %v, %v, want %#v", in, got.Data, err, want)
		}
		if v, _ := e.Field("data.a.0.b"); v != in {
			t.Fatalf("the entry was changed to %v", v)
		}
	}
}

func TestExpandSiblingFields(t *testing.T) {
	e := entry("app:x", "k", nil, m{
		"host": "inline", "host_env": "NAME", "new_env": "app.env:key", "none": "inline", "none_env": "NONE",
		"empty": "inline", "empty_env": "EMPTY", "unset_env": "UNSET", "tls": m{"key_env": "NAME"}, "default_env": m{"A": "NAME"}, "_env": "NAME", "n_env": 1.0,
	})
	got, err := stage.Expand(e, variables)
	want := entry("app:x", "k", nil, m{
		"host": "joe", "new": "k", "none": "inline", "none_env": "NONE",
		"empty": "inline", "tls": m{"key": "joe"}, "default_env": m{"A": "NAME"}, "_env": "NAME", "n_env": 1.0,
	})
	if err != nil || !got.Equal(want) {
		t.Errorf("%v, %v", got.Data, err)
	}
}

func TestExpandReportsEveryStringItCannotExpand(t *testing.T) {
	es := parse(t, `namespace: app
entries:
  - name: x
    kind: k
    a: ${env:NONE}
    b: [1, "x ${env:UNSET}"]
    c: {d: "${env:}", e: "${env:NAME|80}", f: "${env:NAME|true}", g: "${env:NAME}"}
`)
	got, err := stage.Expand(es[0], variables)
	want := []string{
		"src/a.yaml:5:8: app:x: data.a: no variable NONE (declare an entry of kind env.variable, or give a default: ${env:NONE|...})",
		"src/a.yaml:6:12: app:x: data.b.1: variable UNSET has no value (set it, or give a default: ${env:UNSET|...})",
		"src/a.yaml:7:12: app:x: data.c.d: a placeholder names no variable (expected ${env:NAME})",
		`src/a.yaml:7:26: app:x: data.c.e: variable NAME is "joe", not a number like its default 80`,
		`src/a.yaml:7:47: app:x: data.c.f: variable NAME is "joe", not a boolean like its default true`,
	}
	if err == nil || err.Error() != strings.Join(want, "\n") {
		t.Errorf("error\n%v\nwant\n%s", err, strings.Join(want, "\n"))
	}
	if n := len(registry.EntryErrors(err)); n != len(want) {
		t.Errorf("%d entry errors", n)
	}
	if v, _ := got.Field("data.c.g"); v != "joe" {
		t.Errorf("g is %v", v)
	}
}

func TestExpandSharesWhatStaysTheSame(t *testing.T) {
	e := entry("app:x", "k", nil, m{"a": m{"b": []any{1.0, "x"}}, "c": "$", "d": nil})
	e.Data.(m)["e"] = "${env:NAME}"
	got, _ := stage.Expand(e, variables)
	got.Data.(m)["a"].(m)["b"].([]any)[0] = 2.0 // nobody may do that; here it shows the sharing
	if v, _ := e.Field("data.a.b.0"); v != 2.0 {
		t.Error("copied what is the same")
	}
}
