// SPDX-License-Identifier: Apache-2.0

package appctx_test

import (
	"context"
	"sync"
	"testing"

	"github.com/wippyrun/kit/appctx"
)

// components is how many references the dictionary of a running system holds.
const components = 40

type service struct{ name string }

type key int

// BenchmarkGet looks up one component of forty.
func BenchmarkGet(b *testing.B) {
	d := appctx.New()
	var k appctx.Key[*service]
	var m sync.Map
	ctx := context.Background()
	for i := range components {
		s := &service{name: "component"}
		ck := appctx.NewKey[*service]("component")
		ck.Set(d, s)
		m.Store(key(i), s)
		ctx = context.WithValue(ctx, key(i), s)
		if i == components/2 {
			k = ck
		}
	}
	d.Seal()
	// Keys are kept as interfaces, as careful users of the peers do.
	wanted := any(key(components / 2))

	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := k.Get(d); !ok {
				b.Fatal("missing")
			}
		}
	})
	b.Run("sync.Map", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			v, _ := m.Load(wanted)
			if _, ok := v.(*service); !ok {
				b.Fatal("missing")
			}
		}
	})
	b.Run("context.Value", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, ok := ctx.Value(wanted).(*service); !ok {
				b.Fatal("missing")
			}
		}
	})
}

var actor = appctx.NewFrameKey[string]("actor", appctx.Inherit())

// BenchmarkCallValues makes the values of a call from those of its caller, reads one and
// gives them up.
func BenchmarkCallValues(b *testing.B) {
	b.Run("ours", func(b *testing.B) {
		parent := appctx.NewFrame()
		if err := actor.Set(parent, "alice"); err != nil {
			b.Fatal(err)
		}
		b.ReportAllocs()
		for b.Loop() {
			child := parent.Fork()
			if _, ok := actor.Get(child); !ok {
				b.Fatal("missing")
			}
			if err := child.Release(); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("context.WithValue", func(b *testing.B) {
		parent := context.Background()
		b.ReportAllocs()
		for b.Loop() {
			child := context.WithValue(parent, key(1), "alice")
			if _, ok := child.Value(key(1)).(string); !ok {
				b.Fatal("missing")
			}
		}
	})
}
