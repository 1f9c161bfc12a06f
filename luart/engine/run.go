// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// driver resumes threads. There is one per running Step, not one per process.
type driver struct {
	engine *Engine
	L      *lua.LState       // resumes the others; without a context between two uses
	out    *scheduler.Output // of the Step, nil during Init
	req    request
	deep   lua.LValue   // deep.go: what the next call really calls
	args   []lua.LValue // scratch
	few    []lua.LValue // scratch of results

	result payload.Payload // of the process, when it is done
	why    string          // what a synchronous run is for
}

// request says why a thread suspended itself.
type request struct {
	kind    requestKind
	nret    int16
	frame   frameKind // reqCall
	handler lua.LValue
	target  *coroutine // reqResume
	cmd     dispatch.Command
	resume  Resume
}

type requestKind uint8

const (
	reqNone    requestKind = iota
	reqCall                // call the first value with the others on a new thread
	reqYield               // coroutine.yield
	reqResume              // coroutine.resume
	reqCommand             // Yield
	reqWait                // a channel operation, queued already
	reqUpgrade             // the process is replaced
)

// newDriver returns the driver for a Step, which its worker keeps for the next one, or, with
// nil, for an Init.
func (e *Engine) newDriver(out *scheduler.Output) *driver {
	var d *driver
	if out != nil {
		if d, _ = (*out.Scratch()).(*driver); d != nil && d.engine == e {
			d.out = out
			return d
		}
	}
	d, _ = e.drivers.Get().(*driver)
	if d == nil {
		th, _ := e.threads.sizes[len(registrySizes)-1].template.NewThread()
		g := *th.G
		g.MainThread, g.CurrentThread = th, th
		th.G = &g
		d = &driver{engine: e, L: th, args: make([]lua.LValue, 0, 16)}
	}
	d.out = out
	return d
}

// free gives a driver back. It is clean but for what is reset here.
func (d *driver) free() {
	d.deep, d.result = nil, payload.Payload{}
	clear(d.few)
	if d.out != nil {
		switch place := d.out.Scratch(); *place {
		case any(d):
			d.out = nil
			return
		case nil:
			*place, d.out = d, nil
			return
		}
	}
	d.out = nil
	d.engine.drivers.Put(d)
}

// results returns room for n values.
func (d *driver) results(n int) []lua.LValue {
	clear(d.few)
	d.few = slices.Grow(d.few[:0], n)[:n]
	return d.few
}

// drop forgets a driver that was interrupted by a panic.
func (d *driver) drop() {
	if d.out == nil {
		return
	}
	if place := d.out.Scratch(); *place == any(d) {
		*place = nil
	}
}

// suspend makes the calling function return to the engine with its arguments,
// from index first on, as the values of the request. Use: return suspend(L, …).
func suspend(L *lua.LState, c *coroutine, req request) int {
	wanted, nested := c.place(L)
	if nested {
		L.RaiseError("attempt to yield across a metamethod/Go callback boundary (%s)", callName(L))
	}
	if c.p.nest > 0 && req.kind >= reqCommand {
		L.RaiseError("attempt to yield while %s (%s)", c.p.nestReason(), callName(L))
	}
	if req.kind == reqCall && len(c.frames) >= c.p.maxFrames() {
		L.RaiseError(msgOverflow)
	}
	req.nret = int16(wanted)
	c.p.driver.req = req
	return -1
}

// outcome is how a synchronous run ended.
type outcome struct {
	values []lua.LValue
	fault  lua.LValue // nil unless it failed
	ended  bool       // false after a yield
}

// run runs c, and whatever it resumes, until it waits, ends or, when c is
// synchronous, yields.
func (p *Process) run(c *coroutine) outcome {
	d := p.driver
	for {
		var values []lua.LValue
		var fault lua.LValue
		if c.tail {
			// The suspended call was the thread's last: it has ended.
			c.tail = false
			if c.raise {
				fault = c.takeFault()
			} else {
				values = c.take(nil)
			}
		} else {
			p.current = c
			c.state = coRunning
			state, value, results := d.resume(c)
			req := d.req
			d.req = request{}
			if p.failed() {
				return outcome{fault: lua.LNil, ended: true}
			}
			if state != lua.ResumeError && (req.kind != reqNone || state == lua.ResumeYield) {
				c.tail = state == lua.ResumeOK
				c.nret = req.nret
				if req.kind == reqNone {
					req.kind, c.nret = reqYield, lua.MultRet
				}
				next, out, done := p.serve(c, req, results)
				if done {
					return out
				}
				c = next
				continue
			}
			values, fault = results, value
		}
		next, out, done := p.finish(c, values, fault)
		if done {
			return out
		}
		c = next
	}
}

// resume runs the top thread of c until it suspends itself, ends or fails.
func (d *driver) resume(c *coroutine) (state lua.ResumeState, fault lua.LValue, values []lua.LValue) {
	var fn *lua.LFunction
	args := d.args[:0]
	if c.begin {
		start := c.few[1]
		if f, ok := start.(*lua.LFunction); ok && !f.IsG {
			fn = f
		} else {
			fn = callStub
			args = append(args, start)
		}
		c.begin, c.few[1] = false, nil
		c.pollNext()
		args = c.take(args)
	} else {
		if c.raise {
			c.pollNext()
		} else {
			args = c.take(args)
		}
		// The VM takes what it finds in the registers of the call: missing
		// results must be nil and surplus ones must not be there.
		if n := int(c.nret); n >= 0 {
			for len(args) < n {
				args = append(args, lua.LNil)
			}
			clear(args[n:])
			args = args[:n]
		}
	}
	c.th.G = d.L.G
	state, err, values := d.L.Resume(c.th, fn, args...)
	clear(args)
	d.args = args[:0]
	if state == lua.ResumeError {
		fault = lua.LNil
		if e, ok := err.(*lua.ApiError); ok && e.Object != nil {
			fault = e.Object
		}
		if fault == lua.LString(overflowPanic) {
			fault = lua.LString(msgOverflow)
		}
		return state, fault, nil
	}
	// Resume turns no values into one nil, but only then is the slice made for
	// one value: the success flag.
	if cap(values) == 1 {
		values = nil
	}
	return state, nil, values
}

// serve does what a suspended thread asked for. It returns the coroutine to run
// next, or done.
func (p *Process) serve(c *coroutine, req request, values []lua.LValue) (next *coroutine, out outcome, done bool) {
	switch req.kind {
	case reqCall:
		fn := values[0]
		c.frames = append(c.frames, frame{th: c.th, kind: req.frame, tail: c.tail, nret: c.nret, handler: req.handler})
		c.start(fn)
		c.give(values[1:])
		return c, out, false

	case reqResume:
		t := req.target
		c.state = coNormal
		t.resumer = c
		t.give(values)
		return t, out, false

	case reqYield:
		switch {
		case c.sync:
			c.state = coSuspended
			return nil, outcome{values: values}, true
		case c.resumer != nil:
			r := c.resumer
			c.resumer = nil
			c.state = coSuspended
			if c.wrapped {
				r.give(values)
			} else {
				r.prepend(lua.LTrue, values)
			}
			return r, out, false
		default:
			p.ready(c)
			return nil, out, true
		}

	case reqCommand:
		c.state = coWaiting
		p.issue(req.cmd, op{co: c, resume: req.resume})
		return nil, out, true

	case reqUpgrade:
		c.state = coWaiting
		return nil, out, true

	default: // reqWait
		c.state = coWaiting
		return nil, out, true
	}
}

// finish handles the end of the top thread of c.
func (p *Process) finish(c *coroutine, values []lua.LValue, fault lua.LValue) (next *coroutine, out outcome, done bool) {
	if n := len(c.frames); n > 0 {
		p.endThread(c.th, fault == nil)
		f := c.frames[n-1]
		c.frames[n-1] = frame{}
		c.frames = c.frames[:n-1]
		c.th, c.tail, c.nret = f.th, f.tail, f.nret
		switch {
		case f.kind == framePlain && fault != nil:
			c.raiseIn(fault)
		case f.kind == framePlain:
			c.give(values)
		case f.kind == frameHandler && fault != nil:
			f.kind = frameHandling
			c.frames = append(c.frames, f)
			c.start(f.handler)
			c.give1(fault)
		case fault != nil:
			c.give2(lua.LFalse, fault)
		case f.kind == frameHandling:
			c.prepend(lua.LFalse, values)
		default:
			c.prepend(lua.LTrue, values)
		}
		return c, out, false
	}
	r := c.resumer
	c.resumer = nil
	p.endThread(c.th, fault == nil && !c.visible)
	c.th = nil
	c.state = coDead
	switch {
	case c.sync:
		return nil, outcome{values: values, fault: fault, ended: true}, true
	case r == nil:
		p.ended(c, values, fault)
		return nil, out, true
	case fault != nil && c.wrapped:
		r.raiseIn(fault)
	case fault != nil:
		r.give2(lua.LFalse, fault)
	case c.wrapped:
		r.give(values)
	default:
		r.prepend(lua.LTrue, values)
	}
	return r, out, false
}

// callSync runs fn to its end inside a Go call. Nothing in it may wait.
func (p *Process) callSync(c *coroutine, reason string, fn lua.LValue, args []lua.LValue) outcome {
	c.brief = true
	c.start(fn)
	c.brief = false
	c.give(args)
	return p.runSync(c, reason)
}

// runSync runs c until it yields or ends, from within a Go call.
func (p *Process) runSync(c *coroutine, reason string) outcome {
	current, state, why := p.current, coRunning, p.driver.why
	if current != nil {
		state = current.state
		current.state = coNormal
	}
	p.nest++
	p.driver.why = reason
	c.sync = true
	out := p.run(c)
	c.sync = false
	p.nest--
	p.driver.why = why
	p.current = current
	if current != nil {
		current.state = state
	}
	return out
}

func (p *Process) nestReason() string {
	if p.driver == nil || p.driver.why == "" {
		return "a Go function waits for the result"
	}
	return p.driver.why
}
