// SPDX-License-Identifier: Apache-2.0

package frames_test

import (
	"maps"
	"testing"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/wippy/system/frames"
)

func TestValuesFlowDown(t *testing.T) {
	call := frames.Fork(nil)
	if err := frames.Add(call, map[string]any{"user": "ada", "tenant": 1}); err != nil {
		t.Fatal(err)
	}
	for name, derive := range map[string]func(*appctx.Frame) *appctx.Frame{"Fork": frames.Fork, "Propagate": frames.Propagate} {
		child := derive(call)
		if err := frames.Add(child, map[string]any{"user": "bob"}); err != nil {
			t.Fatal(err)
		}
		got, _ := frames.Values.Get(child)
		if want := map[string]any{"user": "bob", "tenant": 1}; !maps.Equal(got, want) {
			t.Errorf("%s: child has %v, want %v", name, got, want)
		}
	}
	got, _ := frames.Values.Get(call)
	if want := map[string]any{"user": "ada", "tenant": 1}; !maps.Equal(got, want) {
		t.Errorf("the parent has %v, want %v", got, want)
	}
	if f := frames.Propagate(nil); f == nil || f.Sealed() {
		t.Error("Propagate(nil) is not an open frame")
	}
}

func TestAddToSealedFrame(t *testing.T) {
	f := frames.Fork(nil)
	f.Seal()
	if err := frames.Add(f, map[string]any{"a": 1}); err == nil {
		t.Error("a sealed frame took values")
	}
}
