// SPDX-License-Identifier: Apache-2.0

// Embed is a Go program that runs a Lua application and extends it with an entry kind,
// price.list, and a Lua module, prices.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os/signal"
	"sync"
	"syscall"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// lists handles the entries of kind price.list.
type lists struct{ prices sync.Map }

func (l *lists) Create(_ context.Context, e registry.Entry) error {
	all, _ := e.Data.(map[string]any)["prices"].(map[string]any)
	if len(all) == 0 {
		return fault.New(fault.Invalid, "a price list needs prices").With("field", "prices")
	}
	for name, price := range all {
		l.prices.Store(name, price)
	}
	return nil
}

func (l *lists) Update(ctx context.Context, old, next registry.Entry) error {
	return errors.Join(l.Delete(ctx, old), l.Create(ctx, next))
}

func (l *lists) Delete(_ context.Context, e registry.Entry) error {
	for name := range e.Data.(map[string]any)["prices"].(map[string]any) {
		l.prices.Delete(name)
	}
	return nil
}

// module gives Lua prices.of(name).
func (l *lists) module() engine.Module {
	return engine.Module{Name: "prices", Build: func(b *engine.Builder) error {
		b.Func("of", func(L *lua.LState) int {
			price, ok := l.prices.Load(L.CheckString(1))
			if !ok {
				return engine.PushError(L, fault.New(fault.NotFound, "no price for "+L.CheckString(1)))
			}
			L.Push(engine.ToLua(price))
			return 1
		})
		return nil
	}}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	shop := &lists{}
	app, err := wippy.New(wippy.Dir("app"), wippy.Kind("price.list", shop), wippy.Module(shop.module()), wippy.Logs(wippy.LogErrors))
	if err == nil {
		defer app.Stop()
		err = app.Start(ctx)
	}
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(app.Call(ctx, "shop:total", map[string]any{"apples": 3, "pears": 2}))
	_, err = app.Call(ctx, "shop:total", map[string]any{"plums": 1})
	fmt.Println(err)
}
