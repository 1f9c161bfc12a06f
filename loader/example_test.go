package loader_test

import (
	"context"
	"fmt"

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
