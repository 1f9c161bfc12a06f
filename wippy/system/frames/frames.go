// SPDX-License-Identifier: Apache-2.0

// Package frames holds the keys of the values that travel with calls and processes, where several packages need
// them: the values a program hands down to what it calls.
package frames

import (
	"maps"

	"github.com/wippyrun/kit/appctx"
)

// Values are the values a program attached to a call or a spawn, by name. They flow from call to call, from
// call to process and back. The map is never changed once it is in a frame; use [Add].
var Values = appctx.NewFrameKey[map[string]any]("values", appctx.Inherit())

// Fork returns a frame for a callee: a child of parent, or an empty frame when parent is nil.
func Fork(parent *appctx.Frame) *appctx.Frame {
	if parent == nil {
		return appctx.NewFrame()
	}
	return parent.Fork()
}

// Propagate returns a frame for another process: what of parent crosses over, or an empty frame when parent is
// nil.
func Propagate(parent *appctx.Frame) *appctx.Frame {
	if parent == nil {
		return appctx.NewFrame()
	}
	return parent.Propagate()
}

// Add gives an open frame more values, over those it has.
func Add(f *appctx.Frame, more map[string]any) error {
	have, _ := Values.Get(f)
	return Values.Set(f, Merge(have, more))
}

// Merge returns the union of both maps, those of more winning. It changes neither and may return one of them.
func Merge(have, more map[string]any) map[string]any {
	if len(have) == 0 {
		return more
	}
	if len(more) == 0 {
		return have
	}
	all := make(map[string]any, len(have)+len(more))
	maps.Copy(all, have)
	maps.Copy(all, more)
	return all
}
