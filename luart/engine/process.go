// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// ProcessOptions says what a process runs and how it is tied to its host.
type ProcessOptions struct {
	// Program is what runs, in a fresh instance. Instance runs it in an existing
	// one instead; exactly one of the two is set.
	Program  *Program
	Instance *Instance
	// PID is the address of the process.
	PID relay.PID
	// Addressed makes the address instead, when somebody first asks for it: most calls
	// of functions end before.
	Addressed Addressed
	// OnControl is called for each message with the topic ControlTopic. It may
	// let the message through to process.events(), drop it, or fail the process.
	// nil lets everything through.
	OnControl func(p *Process, m *relay.Message) (deliver bool, err error)
	// Messages are delivered before all others: what an earlier incarnation of
	// the process left unread (see TakeMessages). The process owns them.
	Messages []*relay.Message
	// Value is the host's own; Process.Value returns it.
	Value any
}

// Addressed makes the address of a process. Address is called within the process, at most
// once.
type Addressed interface{ Address() relay.PID }

// ControlTopic is the topic of control events: exits, cancellation, links.
const ControlTopic = "@pid/events"

// Process runs one method of a program. It implements scheduler.Process. Unless
// a method says otherwise it may be called only from within the process: by
// module functions, by the callbacks of Yield and Start, and by OnControl.
type Process struct {
	engine     *Engine
	inst       *Instance
	onControl  func(p *Process, m *relay.Message) (deliver bool, err error)
	hostValue  any
	pid        relay.PID
	addressed  Addressed // makes pid; nil once it has
	ctx        context.Context
	main       coroutine
	current    *coroutine
	head, last *coroutine // run queue
	driver     *driver    // only during Init and Step
	ops        []op
	routes     []route
	inbox      *feed
	rest       *processRest
	stop       error  // why it must end now
	seq        uint32 // messages seen
	pressed    uint32 // the epoch of the memory pressure it was measured in
	freeOp     int32  // 1 + index of a free op, 0 for none
	openOps    int32
	waits      int32 // coroutines waiting on channels
	nest       int16
	done       bool
	ownInst    bool
}

// processRest is what few processes need.
type processRest struct {
	backlog    []parked // messages no channel takes yet
	coroutines []*coroutine
	locals     map[any]any
	cleanup    []func()
	trace      []StackFrame
	traced     lua.LValue
	advice     string // what may help against it
	upgrade    *upgrade
	index      map[string]int32 // topic to index in routes, when there are many
	measureAt  uint64           // live bytes in the heap below which it need not be measured
}

// NewProcess makes a process. It runs nothing yet.
func (e *Engine) NewProcess(opts ProcessOptions) *Process {
	p := &Process{engine: e, inst: opts.Instance, pid: opts.PID, addressed: opts.Addressed, onControl: opts.OnControl, hostValue: opts.Value}
	if p.inst == nil {
		p.inst = e.NewInstance(opts.Program)
		p.ownInst = true
	}
	p.main.p = p
	for _, m := range opts.Messages {
		p.park(m)
	}
	return p
}

// From returns the process that runs L. It costs a few nanoseconds. Outside a
// process it raises an error.
func From(L *lua.LState) *Process { return coroutineOf(L).p }

// PID returns the address of the process.
func (p *Process) PID() relay.PID {
	if p.addressed != nil {
		p.pid, p.addressed = p.addressed.Address(), nil
	}
	return p.pid
}

// SourceID returns the entry id of the running program.
func (p *Process) SourceID() string { return p.inst.program.ID() }

// Program returns the running program.
func (p *Process) Program() *Program { return p.inst.program }

// Context returns the context given to Init. It ends with the process. Values of
// the call are found in it.
func (p *Process) Context() context.Context { return p.ctx }

// Engine returns the engine that runs the process.
func (p *Process) Engine() *Engine { return p.engine }

// Value returns ProcessOptions.Value.
func (p *Process) Value() any { return p.hostValue }

// Output returns the output of the running Step, for scheduler.Ref.SendFrom. It
// is nil during Init and must not be kept.
func (p *Process) Output() *scheduler.Output {
	if p.driver == nil {
		return nil
	}
	return p.driver.out
}

// Local returns the value a module keeps in the process under a key, nil when
// there is none.
func (p *Process) Local(key any) any {
	if p.rest == nil {
		return nil
	}
	return p.rest.locals[key]
}

// SetLocal keeps a value in the process.
func (p *Process) SetLocal(key, value any) {
	r := p.more()
	if r.locals == nil {
		r.locals = make(map[any]any, 1)
	}
	r.locals[key] = value
}

// Defer registers a function that runs when the process ends, however it ends.
// The last one registered runs first.
func (p *Process) Defer(fn func()) { r := p.more(); r.cleanup = append(r.cleanup, fn) }

func (p *Process) more() *processRest {
	if p.rest == nil {
		p.rest = new(processRest)
	}
	return p.rest
}

// Init implements scheduler.Process. It loads the instance, if it is not loaded,
// and looks the method up: "" is the program's own method. input is nil or
// a []payload.Payload with the arguments, or a pointer to one, which costs its maker
// no allocation when it is part of something else.
func (p *Process) Init(ctx context.Context, method string, input any) (err error) {
	p.ctx = ctx
	p.driver = p.engine.newDriver(nil)
	defer func() {
		if err != nil {
			p.Close()
		}
	}()
	defer p.leave()
	fn, err := p.inst.method(p, method)
	if err != nil {
		return err
	}
	args, err := p.arguments(input)
	if err != nil {
		return err
	}
	p.main.sched = true
	p.main.start(fn)
	if len(args) == 1 {
		p.main.give1(args[0])
	} else {
		p.main.give(slices.Clone(args))
	}
	p.ready(&p.main)
	return nil
}

// arguments returns those of the method, until the driver is used again.
func (p *Process) arguments(input any) ([]lua.LValue, error) {
	var list []payload.Payload
	switch in := input.(type) {
	case nil:
		return nil, nil
	case []payload.Payload:
		list = in
	case *[]payload.Payload:
		list = *in
	case payload.Payload:
		list = []payload.Payload{in}
	default:
		return nil, NewError(KindInvalid, fmt.Sprintf("engine: input of type %T", input))
	}
	args := p.driver.results(len(list))
	for i, pl := range list {
		v, err := p.engine.FromPayload(pl)
		if err != nil {
			return nil, err
		}
		args[i] = v
	}
	return args, nil
}

// Step implements scheduler.Process.
func (p *Process) Step(events []scheduler.Event, out *scheduler.Output) error {
	p.driver = p.engine.newDriver(out)
	defer p.leave()
	for i := range events {
		ev := &events[i]
		switch ev.Kind {
		case scheduler.YieldComplete:
			p.complete(ev.Tag, ev.Data, ev.Err)
		case scheduler.MessageEvent:
			switch m := ev.Data.(type) {
			case *relay.Message:
				if err := p.receive(m); err != nil {
					return err
				}
			case *Measure:
				m.done(p.MemoryUse(m.most))
			}
		}
	}
	if epoch := p.engine.pressure.epoch.Load(); epoch != p.pressed {
		p.checkMemory(epoch) // messages fill it without an instruction
	}
	for budget := p.engine.budget; p.head != nil && !p.done && p.stop == nil && !p.upgrading(); budget-- {
		if budget == 0 {
			out.Continue()
			return nil
		}
		p.run(p.dequeue())
	}
	p.current = nil
	switch {
	case p.stop != nil:
		return p.stop
	case p.done:
		out.Done(boxed(p.driver.result))
	case p.upgrading():
		u := p.rest.upgrade
		out.Upgrade(u.create, u.method, u.input)
	case p.stopping():
		return p.stop
	case p.stuck():
		e := NewError(KindInternal, "deadlock: all coroutines blocked with no pending operations (threads="+
			strconv.Itoa(len(p.spawned())+1)+")")
		return e.withFrames(p.main.trace()).WithHint("channel.select without cases waits forever: give it a case, or default = true")
	}
	return nil
}

// leave gives the driver back. It is deferred; when a panic is under way the
// driver may be in the middle of something and is dropped.
func (p *Process) leave() {
	d := p.driver
	p.driver = nil
	if v := recover(); v != nil {
		d.drop()
		panic(v)
	}
	d.free()
}

func (p *Process) upgrading() bool { return p.rest != nil && p.rest.upgrade != nil }

// stuck reports whether nothing can ever wake the process.
func (p *Process) stuck() bool {
	return p.openOps == 0 && p.waits == 0 && p.inbox == nil && len(p.routes) == 0
}

// stopping reports whether the process was terminated or cancelled.
func (p *Process) stopping() bool {
	if p.stop == nil {
		if err := p.ctx.Err(); err != nil {
			p.stop = err
		}
	}
	return p.stop != nil
}

func (p *Process) failed() bool { return p.stop != nil }

// Close implements scheduler.Process. It drops all coroutines and runs what was
// deferred.
func (p *Process) Close() {
	p.release()
	if p.rest != nil {
		for i := len(p.rest.cleanup) - 1; i >= 0; i-- {
			p.rest.cleanup[i]()
		}
		p.rest.cleanup = nil
	}
}

func (p *Process) release() {
	p.main.drop()
	for _, c := range p.spawned() {
		c.drop()
	}
	p.head, p.last, p.ops, p.routes, p.inbox = nil, nil, nil, nil, nil
	if r := p.rest; r != nil {
		r.coroutines, r.backlog = nil, nil
	}
	p.inst.leave(p)
	if p.ownInst {
		p.inst.Close()
	}
}

// ready puts c at the end of the run queue.
func (p *Process) ready(c *coroutine) {
	c.state = coReady
	c.next = nil
	if p.last == nil {
		p.head = c
	} else {
		p.last.next = c
	}
	p.last = c
}

func (p *Process) dequeue() *coroutine {
	c := p.head
	p.head = c.next
	if p.head == nil {
		p.last = nil
	}
	c.next = nil
	return c
}

// spawned returns the coroutines next to main that have not ended.
func (p *Process) spawned() []*coroutine {
	if p.rest == nil {
		return nil
	}
	return p.rest.coroutines
}

// spawn starts fn as a coroutine of its own.
func (p *Process) spawn(fn lua.LValue) *coroutine {
	c := &coroutine{p: p, sched: true}
	c.start(fn)
	r := p.more()
	r.coroutines = append(r.coroutines, c)
	p.ready(c)
	return c
}

// ended handles the end of a scheduled coroutine.
func (p *Process) ended(c *coroutine, values []lua.LValue, fault lua.LValue) {
	if fault != nil {
		p.stop = p.failure(fault)
		return
	}
	if c != &p.main {
		if i := slices.Index(p.rest.coroutines, c); i >= 0 {
			p.rest.coroutines = slices.Delete(p.rest.coroutines, i, i+1)
		}
		return
	}
	p.done = true
	p.driver.result, p.stop = p.outcomeOf(values)
}

// checked is true when Process still fits the interface it is made for.
var _ scheduler.Process = (*Process)(nil)

// tagOf and splitTag tie a tag to a slot of ops: the generation tells a late
// completion from that of the slot's new owner.
func tagOf(index int, gen uint32) dispatch.Tag {
	return dispatch.Tag(uint64(gen)<<32 | uint64(index))
}

func splitTag(t dispatch.Tag) (index int, gen uint32) {
	return int(uint32(t)), uint32(t >> 32)
}
