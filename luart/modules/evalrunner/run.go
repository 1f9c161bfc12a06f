// SPDX-License-Identifier: Apache-2.0

package evalrunner

import (
	"context"
	"errors"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// run implements eval_runner.run(config).
func (r *Runner) run(L *lua.LState) int {
	p, t := engine.From(L), engine.Unwrap(L.CheckTable(1))
	if err := r.check(p, "eval.run", "", nil); err != nil {
		return engine.PushError(L, err)
	}
	source, _ := t.RawGetString("source").(lua.LString)
	if source == "" {
		return call.Invalid(L, "source is required")
	}
	q := &request{source: string(source)}
	err := q.readRun(L, t)
	if err == nil {
		err = r.permit(p, q)
	}
	if err != nil {
		return engine.PushError(L, plain(err))
	}
	l, err := r.link(p, q)
	if err != nil {
		return engine.PushError(L, failure("", err))
	}
	return engine.Yield(L, &command{caller: p, request: q, linked: l}, returned)
}

// plain keeps the error objects of this module as they are.
func plain(err error) error {
	if e, ok := errors.AsType[*engine.Error](err); ok {
		return e
	}
	return engine.NewError(engine.KindInvalid, err.Error()).WithCause(err)
}

// evaluation makes the process of a command.
func (r *Runner) evaluation(c *command) (*evaluation, context.Context, error) {
	q, l := c.request, c.linked
	var setting Setting
	if r.config.Prepare != nil {
		var err error
		if setting, err = r.config.Prepare(c.caller, q.context); err != nil {
			return nil, nil, err
		}
	}
	options := setting.Process
	options.Program, options.Instance = l.program, nil
	st := &state{method: q.method, custom: q.custom, grants: map[string]map[string]bool{}}
	for _, ref := range q.imports {
		st.grants[ref.alias] = map[string]bool{}
		for _, name := range ref.modules {
			st.grants[ref.alias][name] = true
		}
	}
	process := l.engine.NewProcess(options)
	process.SetLocal(processKey{}, st)
	e := &evaluation{process: process, state: st, reachable: setting.Reachable, release: setting.Release}
	for _, v := range q.args {
		e.input = append(e.input, payload.Payload{Format: payload.Lua, Data: v})
	}
	if yields := r.config.Yields; yields != nil {
		e.allowed = func(cmd dispatch.Command) bool { return yields(l.modules, cmd) }
	}
	return e, setting.Context, nil
}

// returned makes the results of run.
func returned(_ *lua.LState, data any, err error) []lua.LValue {
	if err != nil {
		return []lua.LValue{lua.LNil, engine.ErrorValue(outcome(err))}
	}
	result, _ := data.(payload.Payload)
	v, ok := result.Data.(lua.LValue)
	if !ok {
		v = engine.ToLua(result.Data)
	}
	return []lua.LValue{v, lua.LNil}
}

// outcome makes the error of a call from that of its process.
func outcome(err error) *engine.Error {
	if e, ok := err.(*engine.Error); ok && e.Kind() == engine.KindInternal {
		return e
	}
	return failure("", err)
}
