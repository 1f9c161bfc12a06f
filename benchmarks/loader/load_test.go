// SPDX-License-Identifier: Apache-2.0

package loader_test

import (
	"context"
	"fmt"
	"testing"

	"go.uber.org/fx"
	"golang.org/x/sync/errgroup"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
	"github.com/wippyrun/kit/loader"
)

// shape is a graph of levels of equal size; each component depends on two of the
// level below.
type shape struct{ levels, width int }

var shapes = []shape{
	{levels: 8, width: 6}, // an application
	{levels: 10, width: 100},
}

func (s shape) String() string { return fmt.Sprintf("components=%d", s.levels*s.width) }

// name returns the name of a component and, above the lowest level, of the two that
// it depends on.
func (s shape) name(level, i int) (name string, deps []string) {
	if level > 0 {
		deps = []string{label(level-1, i), label(level-1, (i+1)%s.width)}
	}
	return label(level, i), deps
}

func label(level, i int) string { return fmt.Sprintf("c%d.%d", level, i) }

func nothing(context.Context) error { return nil }

func (s shape) components() []loader.Component {
	var all []loader.Component
	for level := range s.levels {
		for i := range s.width {
			name, deps := s.name(level, i)
			all = append(all, loader.Component{
				Name:      name,
				DependsOn: deps,
				Load:      func(ctx context.Context) (context.Context, error) { return ctx, nil },
				Start:     nothing,
				Stop:      nothing,
			})
		}
	}
	return all
}

// BenchmarkLoad checks and sorts a graph and loads components that do nothing. The
// peer gets the levels for nothing and runs a goroutine per component.
func BenchmarkLoad(b *testing.B) {
	for _, s := range shapes {
		components := s.components()
		b.Run(s.String(), func(b *testing.B) {
			b.Run("ours", func(b *testing.B) {
				measure.Items(b, 1, func() {
					l, err := loader.New(components...)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := l.Load(b.Context()); err != nil {
						b.Fatal(err)
					}
				})
			})
			b.Run("errgroup", func(b *testing.B) {
				measure.Items(b, 1, func() {
					for level := range s.levels {
						g, ctx := errgroup.WithContext(b.Context())
						for _, c := range components[level*s.width : (level+1)*s.width] {
							g.Go(func() error {
								_, err := c.Load(ctx)
								return err
							})
						}
						if err := g.Wait(); err != nil {
							b.Fatal(err)
						}
					}
				})
			})
		})
	}
}

// part is what a constructor of the fx graph makes.
type part struct{ name string }

// options is the graph as fx is given it: a constructor per component, told apart by
// names, and an invocation that asks for the highest level and so for all.
func (s shape) options() fx.Option {
	options := []fx.Option{fx.NopLogger}
	hook := fx.Hook{OnStart: nothing, OnStop: nothing}
	tag := func(name string) string { return fmt.Sprintf(`name:%q`, name) }
	for level := range s.levels {
		for i := range s.width {
			name, deps := s.name(level, i)
			var constructor any = func(lc fx.Lifecycle) *part { lc.Append(hook); return &part{name} }
			annotations := []fx.Annotation{fx.ResultTags(tag(name))}
			if deps != nil {
				constructor = func(lc fx.Lifecycle, _, _ *part) *part { lc.Append(hook); return &part{name} }
				annotations = append(annotations, fx.ParamTags("", tag(deps[0]), tag(deps[1])))
			}
			options = append(options, fx.Provide(fx.Annotate(constructor, annotations...)))
		}
	}
	for i := range s.width {
		options = append(options, fx.Invoke(fx.Annotate(func(*part) {}, fx.ParamTags(tag(label(s.levels-1, i))))))
	}
	return fx.Options(options...)
}

// BenchmarkLife takes a graph from its description through start to stop. The peer
// constructs by reflection, one after another; what is equal is the graph, and that
// each component is constructed, started and stopped.
func BenchmarkLife(b *testing.B) {
	for _, s := range shapes {
		b.Run(s.String(), func(b *testing.B) {
			b.Run("ours", func(b *testing.B) {
				components := s.components()
				measure.Items(b, 1, func() {
					l, err := loader.New(components...)
					if err != nil {
						b.Fatal(err)
					}
					ctx, err := l.Load(b.Context())
					if err != nil {
						b.Fatal(err)
					}
					if err := l.Start(ctx); err != nil {
						b.Fatal(err)
					}
					if err := l.Stop(ctx); err != nil {
						b.Fatal(err)
					}
				})
			})
			b.Run("fx", func(b *testing.B) {
				options := s.options()
				measure.Items(b, 1, func() {
					app := fx.New(options)
					if err := app.Start(b.Context()); err != nil {
						b.Fatal(err)
					}
					if err := app.Stop(b.Context()); err != nil {
						b.Fatal(err)
					}
				})
			})
		})
	}
}
