// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"context"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

const (
	operationID dispatch.CommandID = 50
	awaitID     dispatch.CommandID = 51
)

// operation is something to do in a lane of a stream.
type operation struct {
	lane *lane
	run  func(done func(data any, err error))
}

// CommandID identifies the command.
func (*operation) CommandID() dispatch.CommandID { return operationID }

// await is something to do on a goroutine of its own.
type await struct{ run func() (any, error) }

// CommandID identifies the command.
func (*await) CommandID() dispatch.CommandID { return awaitID }

// Register adds the handlers of streams. Every module that makes streams needs them; they are registered once.
func Register(d *dispatch.Registry) {
	d.Register("stream", operationID, dispatch.HandlerFunc(
		func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			o := cmd.(*operation)
			done := func(data any, err error) { r.CompleteYield(tag, data, err) }
			if o.lane == nil {
				o.run(done)
			} else {
				o.lane.submit(func() { o.run(done) })
			}
			return nil
		}))
	d.Register("stream", awaitID, dispatch.HandlerFunc(
		func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			go func() {
				var data any
				err := contained(func() (err error) {
					data, err = cmd.(*await).run()
					return err
				})
				r.CompleteYield(tag, data, err)
			}()
			return nil
		}))
}

// Await suspends the calling coroutine while run works on a goroutine of its own, for module functions that copy from or
// to a stream. run must end when the streams it uses are closed, which the end of the process does. Use it as
// [engine.Yield]: return stream.Await(…).
func Await(L *lua.LState, run func() (any, error), results engine.Resume) int {
	return engine.Yield(L, &await{run}, results)
}
