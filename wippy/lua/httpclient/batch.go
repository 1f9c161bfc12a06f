// SPDX-License-Identifier: Apache-2.0

package httpclient

import (
	"slices"
	"strings"
	"sync"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// batchCommand sends several requests at once; its outcome is []outcome, by position. An error is one that nothing
// was sent for.
type batchCommand struct{ calls []*call }

// outcome is that of one request of a batch.
type outcome struct {
	response *response
	err      error
}

// CommandID identifies the command.
func (*batchCommand) CommandID() dispatch.CommandID { return batchID }

// do checks all requests, then sends them.
func (b *batchCommand) do() ([]outcome, error) {
	errs := make([]error, len(b.calls))
	b.each(func(i int, c *call) { errs[i] = c.check() })
	for _, err := range errs {
		if err != nil {
			return nil, err
		}
	}
	out := make([]outcome, len(b.calls))
	b.each(func(i int, c *call) { out[i].response, out[i].err = c.send(c.options.timeout) })
	return out, nil
}

// each calls f for all requests at the same time.
func (b *batchCommand) each(f func(i int, c *call)) {
	var all sync.WaitGroup
	for i, c := range b.calls {
		all.Go(func() { f(i, c) })
	}
	all.Wait()
}

// batch implements http_client.request_batch(requests).
func (m *module) batch(L *lua.LState) int {
	list := engine.Unwrap(L.CheckTable(1))
	if list.Len() == 0 {
		L.ArgError(1, "requests must not be empty")
	}
	p := engine.From(L)
	cmd := &batchCommand{}
	for i := 1; i <= list.Len(); i++ {
		c, err := m.element(p, list.RawGetInt(i))
		if err != nil {
			return engine.PushError(L, err)
		}
		cmd.calls = append(cmd.calls, c)
	}
	for _, c := range cmd.calls {
		c.own(p)
	}
	return engine.Yield(L, cmd, func(_ *lua.LState, data any, err error) []lua.LValue {
		for _, c := range cmd.calls {
			c.disown()
		}
		if err != nil {
			return []lua.LValue{lua.LNil, engine.ErrorValue(err)}
		}
		responses, errs, failed := engine.NewArray(len(cmd.calls)), engine.NewArray(0), false
		for i, o := range data.([]outcome) {
			if o.err != nil {
				failed = true
				errs.RawSetInt(i+1, engine.ErrorValue(o.err))
			} else {
				responses.RawSetInt(i+1, o.response.table())
			}
		}
		if failed {
			return []lua.LValue{responses, errs}
		}
		return []lua.LValue{responses, lua.LNil}
	})
}

// element makes the call of one element of a batch, {method, url, options}.
func (m *module) element(p *engine.Process, v lua.LValue) (*call, error) {
	invalid := func(text string) (*call, error) { return nil, engine.NewError(engine.KindInvalid, text) }
	t, ok := v.(*lua.LTable)
	if !ok {
		return invalid("each request must be a table")
	}
	t = engine.Unwrap(t)
	method, ok := t.RawGetInt(1).(lua.LString)
	if !ok {
		return invalid("method must be a string")
	}
	address, ok := t.RawGetInt(2).(lua.LString)
	if !ok {
		return invalid("URL must be a string")
	}
	given, _ := t.RawGetInt(3).(*lua.LTable)
	o := readOptions(given)
	if o.stream {
		return invalid("streaming not supported in batch requests")
	}
	o.files = slices.DeleteFunc(o.files, func(f file) bool { return f.reader != nil })
	if err := m.allowed(p, string(address), o, true); err != nil {
		return nil, err
	}
	return m.newCall(p, strings.ToUpper(string(method)), string(address), o), nil
}
