// SPDX-License-Identifier: Apache-2.0

// Package wippy runs applications made of YAML and Lua inside a Go program, which may
// add entry kinds, Lua modules and components of its own.
//
//	app, err := wippy.New(wippy.Dir("shop"), wippy.Module(prices), wippy.Kind("shop.rule", rules))
//	if err != nil {
//		return err
//	}
//	return app.Run(ctx)
//
// Run boots the application and serves until the context ends. A program that wants to
// do things in between uses Start, Call, Send and Stop:
//
//	if err := app.Start(ctx); err != nil {
//		return err
//	}
//	defer app.Stop()
//	total, err := app.Call(ctx, "shop:total", map[string]any{"cart": 7})
//
// # Guarantees
//
//   - Nothing is left running when New or Start fails, or when Stop has returned.
//     TestNothingIsLeftBehind
//   - A failed start tells all that is wrong, each with its place. The errors are those
//     the wippy program prints. TestStartReportsEveryProblem
//   - Several applications can run in one process; they share nothing.
//     TestApplicationsShareNothing
//   - A panic in a Lua module, a listener or a component of the embedding program is an
//     error of the call, the change or the start. TestPanicsAreContained
//
// # Threading
//
// All methods of App may be called concurrently. What the embedding program adds is
// called as its own contract says: a Lua module on the worker that runs the process (see
// luart/engine), a listener by one change at a time (see registry), a component by the
// loader.
package wippy
