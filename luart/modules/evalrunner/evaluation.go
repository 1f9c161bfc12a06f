// SPDX-License-Identifier: Apache-2.0

package evalrunner

import (
	"context"
	"errors"
	"strings"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// maxSteps is how often an evaluation is resumed.
const maxSteps = 10000

var (
	errIdle    = errors.New("process became idle")
	errSteps   = errors.New("eval exceeded maximum step limit")
	errEmpty   = errors.New("process completed with no result")
	errUpgrade = errors.New("an evaluation cannot be upgraded")
	errYield   = engine.NewError(engine.KindPermissionDenied, "yield command is not allowed in eval context")
)

// evaluation is the process of an evaluation: one of Lua, watched. It implements scheduler.Process.
type evaluation struct {
	process   *engine.Process
	state     *state
	input     []payload.Payload
	allowed   func(cmd dispatch.Command) bool // nil: all
	reachable bool
	release   func() // nil: nothing

	ctx   context.Context
	begun bool // process is initialised, and must be closed
	out   scheduler.Output
	open  int // commands that have not completed
	steps int
}

// Init implements scheduler.Process. The Lua process is initialised with the first step, where a chunk that runs for
// long holds up nobody.
func (e *evaluation) Init(ctx context.Context, _ string, _ any) error {
	e.ctx = ctx
	return nil
}

// Step implements scheduler.Process.
func (e *evaluation) Step(events []scheduler.Event, out *scheduler.Output) error {
	if !e.begun {
		if err := e.process.Init(e.ctx, "", e.input); err != nil {
			return initError(err)
		}
		e.begun, e.input = true, nil
	}
	for _, ev := range events {
		if ev.Kind == scheduler.YieldComplete {
			e.open--
		}
	}
	for {
		if e.steps += max(1, len(events)); e.steps > maxSteps {
			return &stageError{"run failed: ", errSteps}
		}
		e.out.Reset()
		if err := e.process.Step(events, &e.out); err != nil {
			return &stageError{"run failed: ", err}
		}
		if events = e.yields(out); len(events) == 0 {
			break
		}
	}
	switch e.out.Status() {
	case scheduler.StatusDone:
		if e.state.empty {
			return errEmpty
		}
		out.Done(e.out.Result())
	case scheduler.StatusContinue:
		out.Continue()
	case scheduler.StatusUpgrade:
		return &stageError{"run failed: ", errUpgrade}
	default:
		if e.open == 0 && !e.reachable {
			return errIdle
		}
	}
	return nil
}

// yields passes the commands of the Lua process on, and returns the outcome of those that it may not yield.
func (e *evaluation) yields(out *scheduler.Output) []scheduler.Event {
	var refused []scheduler.Event
	for _, y := range e.out.Yields() {
		if e.allowed != nil && !e.allowed(y.Command) {
			refused = append(refused, scheduler.Event{Kind: scheduler.YieldComplete, Tag: y.Tag, Err: errYield})
			continue
		}
		e.open++
		out.Yield(y.Command, y.Tag)
	}
	return refused
}

// Close implements scheduler.Process. It may be called again, and before Init.
func (e *evaluation) Close() {
	if e.begun {
		e.begun = false
		e.process.Close()
	}
	if e.release != nil {
		e.release()
		e.release = nil
	}
}

// initError says what failed when the sources were executed: the evaluated one, or a library.
func initError(err error) error {
	text := err.Error()
	if own := errors.Unwrap(err); own != nil && strings.HasPrefix(text, "failed to load dependency "+evalID+": ") {
		return &stageError{"run failed: ", own}
	}
	return &stageError{"failed to create process: ", err}
}
