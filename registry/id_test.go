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
