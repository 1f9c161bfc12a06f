// SPDX-License-Identifier: Apache-2.0

package appctx_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/puzpuzpuz/xsync/v3"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/benchmarks/internal/measure"
)

const (
	components = 50  // references in the dictionary of a running system
	rounds     = 200 // of looking all of them up in a batch, so that the clock is not what is measured
)

type service struct{ name string }

// number is a key of the cheapest kind to hash that cannot be confused with others.
type number int

// lookups is the same set of components in everything that is compared. Keys are kept in
// the form in which they are looked up: a conversion to an interface for each look-up
// would allocate.
type lookups struct {
	dict *appctx.Dict
	keys []appctx.Key[*service]

	byNumber, byName sync.Map
	numbers, names   []any

	typed      *xsync.MapOf[string, *service]
	typedNames []string

	chain context.Context // a context per component, as context.WithValue makes them

	plain []*service // what all of them come down to in the best case
}

func newLookups() *lookups {
	l := &lookups{dict: appctx.New(), typed: xsync.NewMapOf[string, *service](), chain: context.Background()}
	for i := range components {
		s := &service{name: fmt.Sprint("component.", i)}
		k := appctx.NewKey[*service](s.name)
		k.Set(l.dict, s)
		l.keys = append(l.keys, k)
		l.byNumber.Store(number(i), s)
		l.numbers = append(l.numbers, number(i))
		l.byName.Store(s.name, s)
		l.names = append(l.names, s.name)
		l.typed.Store(s.name, s)
		l.typedNames = append(l.typedNames, s.name)
		l.chain = context.WithValue(l.chain, number(i), s)
		l.plain = append(l.plain, s)
	}
	l.dict.Seal()
	return l
}

// BenchmarkGet looks up each of fifty components in turn; the time is that of one
// look-up, with its part of the loop around them, which is about that of slice. (One
// look-up per round of the benchmark would take less time than the round.) The two kinds
// of keys of sync.Map are the cheapest there is and the one that people use.
func BenchmarkGet(b *testing.B) {
	l := newLookups()
	measured := func(name string, all func() (last *service, found int)) {
		b.Run(name, func(b *testing.B) {
			measure.Items(b, rounds*components, func() {
				for range rounds {
					if last, found := all(); last == nil || found != components {
						b.Fatal("missing")
					}
				}
			})
		})
	}
	measured("ours", func() (last *service, found int) {
		d := l.dict
		for _, k := range l.keys {
			if s, ok := k.Get(d); ok {
				last = s
				found++
			}
		}
		return last, found
	})
	measured("slice", func() (last *service, found int) {
		for _, s := range l.plain {
			if s != nil {
				last = s
				found++
			}
		}
		return last, found
	})
	measured("sync.Map-numbers", func() (last *service, found int) {
		for _, k := range l.numbers {
			v, _ := l.byNumber.Load(k)
			if s, ok := v.(*service); ok {
				last = s
				found++
			}
		}
		return last, found
	})
	measured("sync.Map-names", func() (last *service, found int) {
		for _, k := range l.names {
			v, _ := l.byName.Load(k)
			if s, ok := v.(*service); ok {
				last = s
				found++
			}
		}
		return last, found
	})
	measured("xsync.MapOf-names", func() (last *service, found int) {
		for _, k := range l.typedNames {
			if s, ok := l.typed.Load(k); ok {
				last = s
				found++
			}
		}
		return last, found
	})
	measured("context.Value", func() (last *service, found int) {
		for _, k := range l.numbers {
			if s, ok := l.chain.Value(k).(*service); ok {
				last = s
				found++
			}
		}
		return last, found
	})
}

var actor = appctx.NewFrameKey[string]("actor", appctx.Inherit())

// BenchmarkCallValues makes the values of a call from those of its caller, reads one and
// gives them up. The peer neither counts nor closes nor keeps some values back.
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
			child := context.WithValue(parent, number(1), "alice")
			if _, ok := child.Value(number(1)).(string); !ok {
				b.Fatal("missing")
			}
		}
	})
}
