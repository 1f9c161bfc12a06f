package loader_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/wippyrun/kit/loader"
)

type dbKey struct{}

func Example() {
	ctx := context.Background()
	l, err := loader.New(
		loader.Component{
			Name:      "http",
			DependsOn: []string{"database", "templates"},
			Start: func(ctx context.Context) error {
				fmt.Println("serving from", ctx.Value(dbKey{}))
				return nil
			},
			Stop: func(context.Context) error {
				fmt.Println("http stopped")
				return nil
			},
		},
		loader.Component{
			Name: "database",
			Load: func(ctx context.Context) (context.Context, error) {
				return context.WithValue(ctx, dbKey{}, "postgres"), nil
			},
		},
		loader.Component{Name: "templates"},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(l.Plan())
	ctx, err = l.Load(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := l.Start(ctx); err != nil {
		fmt.Println(err)
	}
	if err := l.Stop(ctx); err != nil {
		fmt.Println(err)
	}
	// Output:
	// [[database templates] [http]]
	// serving from postgres
	// http stopped
}

func ExampleNew_problems() {
	_, err := loader.New(
		loader.Component{Name: "a", DependsOn: []string{"b"}},
		loader.Component{Name: "b", DependsOn: []string{"c"}},
		loader.Component{Name: "c", DependsOn: []string{"a", "typo"}},
	)
	fmt.Println(err)
	// Output:
	// dependency resolution failed: 2 problems
	//   component c depends on typo, which is not registered
	//   dependency cycle: a → b → c → a
}

func ExampleComponentError() {
	l, err := loader.New(
		loader.Component{
			Name: "cache",
			Load: func(ctx context.Context) (context.Context, error) { return ctx, nil },
			Stop: func(context.Context) error { fmt.Println("cache stopped"); return nil },
		},
		loader.Component{
			Name:      "search",
			DependsOn: []string{"cache"},
			Timeout:   time.Millisecond,
			Load: func(ctx context.Context) (context.Context, error) {
				<-ctx.Done() // the index never arrives
				return nil, ctx.Err()
			},
		},
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = l.Load(context.Background())
	if failure, ok := errors.AsType[*loader.ComponentError](err); ok {
		fmt.Println(failure.Component, failure.Phase, errors.Is(failure, loader.ErrTimeout))
	}
	// Output:
	// cache stopped
	// search load true
}
