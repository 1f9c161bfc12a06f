// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"encoding/json"
	"testing"

	"github.com/wippyrun/kit/registry"
)

func TestIDIsTextInJSON(t *testing.T) {
	in := map[registry.ID]registry.ID{registry.NewID("app.web", "gw"): registry.NewID("", "plain"), {}: registry.NewID("a", "b:c")}
	data, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	if want := `{":":"a:b:c","app.web:gw":":plain"}`; string(data) != want {
		t.Errorf("got %s, want %s", data, want)
	}
	var out map[registry.ID]registry.ID
	if err := json.Unmarshal(data, &out); err != nil {
		t.Fatal(err)
	}
	for k, v := range in {
		if out[k] != v {
			t.Errorf("%v: got %v, want %v", k, out[k], v)
		}
	}
	if text, err := registry.NewID("a", "b").MarshalText(); err != nil || string(text) != "a:b" {
		t.Errorf("MarshalText: %s, %v", text, err)
	}
	var id registry.ID
	if err := id.UnmarshalText([]byte("a:b")); err != nil || id != registry.NewID("a", "b") {
		t.Errorf("UnmarshalText: %v, %v", id, err)
	}
}

func TestIDsAreTextsOrMaps(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
		ok   bool
	}{
		{"app:db", "app:db", true},
		{"db", "db", true},
		{"", "", true},
		{map[string]any{"ns": "app", "name": "db"}, "app:db", true},
		{map[string]any{"name": "db"}, "db", true},
		{map[string]any{"ns": "app"}, "", false},
		{map[string]any{"ns": "app", "name": ""}, "", false},
		{map[string]any{"ns": 1.0, "name": "db"}, "", false},
		{map[string]any{"ns": "app", "name": "db", "more": true}, "", false},
		{map[string]any{"name": "db", "more": "x"}, "", false},
		{[]any{"db"}, "", false},
		{nil, "", false},
	} {
		if got, ok := registry.IDText(c.v); got != c.want || ok != c.ok {
			t.Errorf("%v: %q, %v", c.v, got, ok)
		}
	}
}
