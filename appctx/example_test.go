package appctx_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/wippyrun/kit/appctx"
)

// Greeter is a component that other packages use.
type Greeter struct{ word string }

// Greet greets.
func (g *Greeter) Greet(name string) string { return g.word + ", " + name }

var greeterKey = appctx.NewKey[*Greeter]("greeter")

func Example() {
	// While the application boots, components are put under their keys.
	dict := appctx.New()
	greeterKey.Set(dict, &Greeter{word: "Hello"})
	dict.Seal() // from here on a write panics

	// Everything that runs later finds them through the context.
	ctx := appctx.With(context.Background(), dict)
	if g, ok := greeterKey.Get(appctx.From(ctx)); ok {
		fmt.Println(g.Greet("world"))
	}
	// Output: Hello, world
}

func ExampleFrame() {
	actor := appctx.NewFrameKey[string]("actor", appctx.Inherit())
	attempt := appctx.NewFrameKey[int]("attempt")

	call := appctx.NewFrame()
	defer func() { _ = call.Release() }()
	if err := call.SetAll(actor.To("alice"), attempt.To(1)); err != nil {
		fmt.Println(err)
	}

	callee := call.Fork() // call is read-only from here on
	defer func() { _ = callee.Release() }()
	who, _ := actor.Get(callee)
	_, inherited := attempt.Get(callee)
	fmt.Println(who, inherited)
	fmt.Println(attempt.Set(call, 2))
	// Output:
	// alice false
	// cannot set key in sealed frame: attempt
}

func ExampleFrameError() {
	limit := appctx.NewFrameKey[int]("limit")
	call := appctx.NewFrame()
	defer func() { _ = call.Release() }()
	call.Seal()

	err := limit.Set(call, 10)
	if e, ok := errors.AsType[*appctx.FrameError](err); ok {
		fmt.Println(e.Op, e.Key, errors.Is(e.Err, appctx.ErrFrameSealed), e.Kind())
	}
	// Output: set limit true Invalid
}

// basket is a value that every call has to itself.
type basket struct{ items []string }

// Clone gives a call a basket of its own.
func (b *basket) Clone() *basket { return &basket{append([]string(nil), b.items...)} }

var _ appctx.Cloner[*basket] = (*basket)(nil)

func ExampleCloner() {
	key := appctx.NewFrameKey[*basket]("basket", appctx.Inherit())
	call := appctx.NewFrame()
	defer func() { _ = call.Release() }()
	mine := &basket{items: []string{"apple"}}
	if err := key.Set(call, mine); err != nil {
		fmt.Println(err)
	}

	callee := call.Fork()
	defer func() { _ = callee.Release() }()
	theirs, _ := key.Get(callee)
	theirs.items[0] = "pear"
	fmt.Println(mine.items, theirs.items)
	// Output: [apple] [pear]
}
