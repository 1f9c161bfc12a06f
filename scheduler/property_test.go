// SPDX-License-Identifier: Apache-2.0

package scheduler_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/scheduler/schedulertest"
)

// actor follows instructions and checks what it gets: the messages of each
// sender are numbered without a gap, and every completion is for an open tag.
type actor struct {
	t        *rapid.T
	self     *scheduler.Ref
	got      map[*actor]int // last number per sender; nil is the test
	sent     map[*actor]int // last number per receiver
	open     map[dispatch.Tag]bool
	commands []*command
	nextTag  dispatch.Tag
	handled  int
	inStep   bool
	closed   bool
	ended    bool
	wantErr  error
	deferred []instruction
}

// command remembers what became of it.
type command struct {
	id        dispatch.CommandID
	tag       dispatch.Tag
	completed bool
	cancelled int
}

func (c *command) CommandID() dispatch.CommandID { return c.id }
func (c *command) Cancel()                       { c.cancelled++ }

type note struct {
	from *actor
	seq  int
	todo []instruction
}

type instruction struct {
	verb string
	peer *actor
}

func (a *actor) Init(context.Context, string, any) error { return nil }

func (a *actor) Close() {
	if a.closed || a.inStep {
		a.t.Fatal("closed twice, or inside Step")
	}
	a.closed = true
}

func (a *actor) Step(events []scheduler.Event, out *scheduler.Output) error {
	if a.closed || a.inStep {
		a.t.Fatal("Step after Close, or inside Step")
	}
	a.inStep = true
	defer func() { a.inStep = false }()
	todo := a.deferred
	a.deferred = nil
	issued := len(a.commands)
	for _, ev := range events {
		a.handled++
		switch ev.Kind {
		case scheduler.MessageEvent:
			n := ev.Data.(note)
			if n.seq != a.got[n.from]+1 {
				a.t.Fatalf("message %d of a sender after message %d", n.seq, a.got[n.from])
			}
			a.got[n.from] = n.seq
			todo = append(todo, n.todo...)
		case scheduler.YieldComplete:
			if !a.open[ev.Tag] {
				a.t.Fatalf("tag %d completed twice", ev.Tag)
			}
			delete(a.open, ev.Tag)
		default:
			a.t.Fatalf("event %+v", ev)
		}
	}
	for i, ins := range todo {
		switch ins.verb {
		case "tell":
			a.tell(ins.peer, func(n note) error { return out.Send(ins.peer.self, n) })
		case "tell plainly":
			a.tell(ins.peer, func(n note) error { return ins.peer.self.Send(n) })
		case "yield", "yield now":
			a.nextTag++
			a.open[a.nextTag] = true
			id := heldID
			if ins.verb == "yield now" {
				id = nowID
			}
			cmd := &command{id: id, tag: a.nextTag, completed: id == nowID}
			a.commands = append(a.commands, cmd)
			out.Yield(cmd, a.nextTag)
		case "continue":
			a.deferred = todo[i+1:]
			out.Continue()
			return nil
		case "done":
			a.ended = true
			out.Done(a)
			return nil
		case "fail":
			a.ended, a.wantErr = true, errBoom
			a.commands = a.commands[:issued] // a Step that fails issues nothing
			return errBoom
		case "panic":
			a.ended, a.wantErr = true, errBoom
			a.commands = a.commands[:issued]
			panic(errBoom)
		}
	}
	return nil
}

func (a *actor) tell(peer *actor, send func(note) error) {
	n := note{from: a, seq: a.sent[peer] + 1}
	if err := send(n); err == nil {
		a.sent[peer]++
	} else if !errors.Is(err, scheduler.ErrProcessClosed) || !peer.ended {
		a.t.Fatalf("send: %v", err)
	}
}

const (
	heldID dispatch.CommandID = 1
	nowID  dispatch.CommandID = 1000
)

// TestPropertyStateMachine drives random programs of actors through random
// schedules and compares every observable fact with a model.
func TestPropertyStateMachine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		held := &schedulertest.Held{}
		reg := dispatch.NewRegistry()
		reg.Register("held", heldID, held)
		reg.Register("now", nowID, dispatch.HandlerFunc(func(_ context.Context, _ dispatch.Command, tag dispatch.Tag, r dispatch.Receiver) error {
			r.CompleteYield(tag, nil, nil)
			return nil
		}))
		reg.Freeze()
		exits := map[*scheduler.Ref]int{}
		sim := schedulertest.New(t, func(n int) int { return rapid.IntRange(0, n-1).Draw(t, "choice") }, scheduler.Config{
			Workers:        rapid.IntRange(1, 3).Draw(t, "workers"),
			LocalQueueSize: 1, QueueSize: 1,
			Dispatch: reg,
			Lifecycle: &lifecycle{
				onStart: func(context.Context, *scheduler.Ref) error { return nil },
				onExit:  func(r *scheduler.Ref, _ any, _ error) { exits[r]++ },
			},
		})
		var actors []*actor
		outside := map[*actor]int{}
		pick := func(t *rapid.T) *actor { return actors[rapid.IntRange(0, len(actors)-1).Draw(t, "actor")] }
		instructions := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) instruction {
			verb := rapid.SampledFrom([]string{
				"tell", "tell", "tell plainly", "yield", "yield", "yield now", "continue", "continue",
				"done", "fail", "panic",
			}).Draw(t, "verb")
			return instruction{verb: verb, peer: pick(t)}
		}), 0, 6)
		spawn := func(*rapid.T) {
			a := &actor{t: t, got: map[*actor]int{}, sent: map[*actor]int{}, open: map[dispatch.Tag]bool{}}
			actors = append(actors, a)
			a.self = sim.Submit(a, scheduler.SubmitOptions{Value: a})
		}
		spawn(t)
		late := uint64(0)
		t.Repeat(map[string]func(*rapid.T){
			"spawn": spawn,
			"send": func(t *rapid.T) {
				a := pick(t)
				err := a.self.Send(note{seq: outside[a] + 1, todo: instructions.Draw(t, "todo")})
				switch {
				case err == nil:
					outside[a]++
				case !errors.Is(err, scheduler.ErrProcessClosed) || !a.ended:
					t.Fatalf("send: %v", err)
				}
			},
			"step": func(*rapid.T) { sim.Step() },
			"complete": func(t *rapid.T) {
				if held.Len() == 0 {
					return
				}
				y := held.Take(rapid.IntRange(0, held.Len()-1).Draw(t, "yield"))
				if scheduler.RefFrom(y.Context).Info().State == scheduler.Complete {
					late++
				}
				before := sim.Scheduler().Stats().Late
				y.Command.(*command).completed = true
				y.Complete(nil, nil)
				if got := sim.Scheduler().Stats().Late; got < before {
					t.Fatal("late completions uncounted")
				}
			},
			"terminate": func(t *rapid.T) {
				if rapid.IntRange(0, 4).Draw(t, "really") > 0 {
					return
				}
				a := pick(t)
				err := a.self.Terminate()
				if a.self.Info().State == scheduler.Complete {
					if !errors.Is(err, scheduler.ErrProcessClosed) {
						t.Fatalf("terminate: %v", err)
					}
					return
				}
				a.ended, a.wantErr = true, scheduler.ErrTerminated
			},
			"settle": func(t *rapid.T) {
				sim.Run(100_000)
				for i, a := range actors {
					checkSettled(t, i, a, outside[a], exits[a.self])
				}
				if got := sim.Scheduler().Stats().Late; got < late {
					t.Fatalf("%d late completions counted, want at least %d", got, late)
				}
			},
		})
		if err := sim.Stop(); err != nil {
			t.Fatal(err)
		}
		for _, a := range actors {
			if !a.closed || exits[a.self] != 1 {
				t.Fatal("not every process ended exactly once")
			}
		}
	})
}

// checkSettled compares a process with its model when nothing is ready.
func checkSettled(t *rapid.T, i int, a *actor, outside, exits int) {
	info := a.self.Info()
	want := scheduler.Idle
	switch {
	case a.ended:
		want = scheduler.Complete
	case len(a.open) > 0:
		want = scheduler.Blocked
	}
	if info.State != want {
		t.Fatalf("actor %d is %v, want %v", i, info.State, want)
	}
	for _, c := range a.commands {
		checkCommand(t, i, a, c)
	}
	if a.ended {
		_, ok, err := a.self.Outcome()
		if !ok || !errors.Is(err, a.wantErr) || !a.closed || exits != 1 {
			t.Fatalf("actor %d: ended %v with %v, want %v; closed %v, %d exits", i, ok, err, a.wantErr, a.closed, exits)
		}
		return
	}
	if info.QueueLen != 0 || a.got[nil] != outside {
		t.Fatalf("actor %d: %d queued, got %d messages of %d", i, info.QueueLen, a.got[nil], outside)
	}
	for from, n := range a.got {
		if from != nil && from.sent[a] != n {
			t.Fatalf("actor %d: got %d messages of %d", i, n, from.sent[a])
		}
	}
}

// checkCommand checks that a command was cancelled if and only if nobody waits for
// it any more. What completed after the last Step of its process may or may not be.
func checkCommand(t *rapid.T, i int, a *actor, c *command) {
	switch taken := !a.open[c.tag]; {
	case !a.ended || taken:
		if c.cancelled != 0 {
			t.Fatalf("actor %d: command %d cancelled, ended %v, outcome taken %v", i, c.tag, a.ended, taken)
		}
	case c.cancelled > 1 || c.cancelled == 0 && !c.completed:
		t.Fatalf("actor %d: command %d cancelled %d times, completed %v", i, c.tag, c.cancelled, c.completed)
	}
}

// TestSeededScheduleIsRepeatable runs the same program twice with one seed.
func TestSeededScheduleIsRepeatable(t *testing.T) {
	run := func(seed uint64) (trace string) {
		sim := schedulertest.New(t, schedulertest.Seeded(seed), scheduler.Config{Workers: 3})
		refs := make([]*scheduler.Ref, 8)
		for i := range refs {
			refs[i] = sim.Submit(stepFunc(func(events []scheduler.Event, out *scheduler.Output) error {
				trace += fmt.Sprint(i, len(events), " ")
				if n := len(trace); n < 2000 {
					_ = out.Send(refs[(i*5+3)%len(refs)], nil)
					_ = refs[(i*7+1)%len(refs)].Send(nil)
				}
				return nil
			}), scheduler.SubmitOptions{})
		}
		sim.Run(10_000)
		return trace
	}
	first, again, other := run(1), run(1), run(2)
	if first != again {
		t.Error("the same seed gives different schedules")
	}
	if first == other {
		t.Error("different seeds give the same schedule")
	}
}
