// SPDX-License-Identifier: Apache-2.0

package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/json"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/lua/background"
	"github.com/wippyrun/kit/wippy/lua/stream"
	"github.com/wippyrun/kit/wippy/system/exchange"
)

const (
	bodyID dispatch.CommandID = 80
	roomID dispatch.CommandID = 81
)

// bodyCommand reads the body; its outcome is what consume makes of it.
type bodyCommand struct {
	request *request
	consume func(io.Reader) (any, error)
}

// CommandID identifies the command.
func (*bodyCommand) CommandID() dispatch.CommandID { return bodyID }

// roomCommand waits until the client has taken what was written.
type roomCommand struct{ x *exchange.Exchange }

// CommandID identifies the command.
func (*roomCommand) CommandID() dispatch.CommandID { return roomID }

// Register adds the handlers that read bodies, each on a goroutine of its own, and that
// wait for the client: a slow one holds up its own call only.
func Register(d *dispatch.Registry) {
	d.Register("http", bodyID, dispatch.HandlerFunc(
		func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			c := cmd.(*bodyCommand)
			if c.request.x.Request.ContentLength > c.request.maxBody {
				return errTooLarge
			}
			body := c.request.x.TakeBody()
			if body == nil {
				return errTaken
			}
			background.Complete(r, tag, func() (any, error) { return c.request.read(body, c.consume) })
			return nil
		}))
	d.Register("http", roomID, dispatch.HandlerFunc(
		func(_ context.Context, cmd dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			cmd.(*roomCommand).x.Wait(func(err error) { r.CompleteYield(tag, nil, err) })
			return nil
		}))
}

// errTaken is what a second read of a body gets.
var errTaken = engine.NewError(engine.KindInternal, "the request body was read already")

// errTooLarge is what a body above the limit of its request gets.
var errTooLarge = invalid("request body too large")

// limited fails, instead of ending, when there is more than was allowed.
type limited struct {
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if int64(len(p)) > l.left+1 {
		p = p[:l.left+1]
	}
	n, err := l.r.Read(p)
	l.left -= int64(n)
	if l.left < 0 {
		return n - 1, errTooLarge
	}
	return n, err
}

// read lets consume read the body within the limits of the request. When the time is up
// the connection ends the read, so that nobody is left behind who waits for the client.
func (r *request) read(body io.Reader, consume func(io.Reader) (any, error)) (any, error) {
	var v any
	err := r.inTime(func() (err error) {
		v, err = consume(&limited{body, r.maxBody})
		return err
	})
	var known *engine.Error
	switch {
	case err == nil:
		return v, nil
	case errors.Is(err, errTooLarge): // parsers say more about it
		return nil, errTooLarge
	case errors.Is(err, exchange.ErrEnded):
		return nil, engine.NewError(engine.KindCanceled, err.Error())
	case errors.As(err, &known):
		return nil, known
	}
	return nil, engine.NewError(engine.KindInternal, err.Error()).WithCause(err)
}

// inTime interrupts f when it takes longer than the request may.
func (r *request) inTime(f func() error) error {
	interrupted := make(chan struct{})
	timer := time.AfterFunc(r.timeout, func() {
		defer close(interrupted)
		r.x.InterruptBody()
	})
	err := f()
	late := !timer.Stop()
	if late {
		<-interrupted // the request may end when this has
	}
	if err != nil && late {
		return engine.NewError(engine.KindInternal, fmt.Sprintf("request timeout after %dms", r.timeout.Milliseconds())).WithCause(err)
	}
	return err
}

// bodyStream is a body that is read piece by piece. The time limit of the request is one of
// each piece: a long upload that moves is all right.
type bodyStream struct {
	request *request
	from    io.Reader
}

func (s bodyStream) Read(p []byte) (n int, err error) {
	end := false
	err = s.request.inTime(func() (err error) {
		n, err = s.from.Read(p)
		if end = errors.Is(err, io.EOF); end {
			return nil
		}
		return err
	})
	if end {
		err = io.EOF
	}
	return n, err
}

// stream hands the body out as a stream. The answer may begin before it is read.
func (m *module) stream(L *lua.LState) int {
	r := check(L)
	if r.x.Request.ContentLength > r.maxBody {
		return engine.PushError(L, errTooLarge)
	}
	body := r.x.TakeBody()
	if body == nil {
		return engine.PushError(L, errTaken)
	}
	r.x.Duplex()
	value := bodyStream{r, &limited{body, r.maxBody}}
	L.Push(m.streams.New(engine.From(L), value, r.x.Request.ContentLength, stream.Interrupt(r.x.InterruptBody)))
	L.Push(lua.LNil)
	return 2
}

// reading is a method that waits for the body and makes the results of it.
func reading(L *lua.LState, r *request, consume func(io.Reader) (any, error), result func(any) (lua.LValue, error)) int {
	return engine.Yield(L, &bodyCommand{r, consume}, func(_ *lua.LState, data any, err error) []lua.LValue {
		var v lua.LValue
		if err == nil {
			v, err = result(data)
		}
		if err != nil {
			return []lua.LValue{lua.LNil, engine.ErrorValue(err)}
		}
		return []lua.LValue{v}
	})
}

// whole is a body that is read at once.
func whole(L *lua.LState, r *request, result func(any) (lua.LValue, error)) int {
	return reading(L, r, func(body io.Reader) (any, error) {
		data, err := io.ReadAll(body)
		return data, err
	}, result)
}

func asText(data any) (lua.LValue, error) { return lua.LString(data.([]byte)), nil }

func asJSON(data any) (lua.LValue, error) {
	v, err := json.Decode(string(data.([]byte)))
	if err != nil {
		return nil, engine.NewError(engine.KindInvalid, err.Error()).WithCause(err)
	}
	return v, nil
}
