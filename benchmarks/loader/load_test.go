// SPDX-License-Identifier: Apache-2.0

package loader_test

import (
	"context"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/wippyrun/kit/loader"
)

const (
	levels   = 10
	perLevel = 100
)

func graph() []loader.Component {
	var all []loader.Component
	for level := range levels {
		for i := range perLevel {
			c := loader.Component{
				Name: fmt.Sprintf("c%d.%d", level, i),
				Load: func(ctx context.Context) (context.Context, error) { return ctx, nil },
			}
			if level > 0 {
				c.DependsOn = []string{fmt.Sprintf("c%d.%d", level-1, i), fmt.Sprintf("c%d.%d", level-1, (i+1)%perLevel)}
			}
			all = append(all, c)
		}
	}
	return all
}

// BenchmarkLoad1000 checks, sorts and loads 1000 components in 10 levels. The peer gets
// the levels for nothing and runs a goroutine per component.
func BenchmarkLoad1000(b *testing.B) {
	components := graph()
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			l, err := loader.New(components...)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := l.Load(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("errgroup", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			for level := range levels {
				g, ctx := errgroup.WithContext(b.Context())
				for _, c := range components[level*perLevel : (level+1)*perLevel] {
					g.Go(func() error {
						_, err := c.Load(ctx)
						return err
					})
				}
				if err := g.Wait(); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}
