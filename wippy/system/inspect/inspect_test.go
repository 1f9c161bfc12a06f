// SPDX-License-Identifier: Apache-2.0

package inspect_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/system/inspect"
	"github.com/wippyrun/kit/wippy/system/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hosted is a host with a scheduler.
type hosted struct{ s *scheduler.Scheduler }

func (h hosted) Scheduler() *scheduler.Scheduler { return h.s }
func (hosted) Receive(*relay.Message) error      { return nil }

// deaf is a process that waits for ever and never tells its memory.
type deaf struct{}

func (deaf) Init(context.Context, string, any) error         { return nil }
func (deaf) Step([]scheduler.Event, *scheduler.Output) error { return nil }
func (deaf) Close()                                          {}

// about is the value of a process.
type about inspect.Description

func (a about) Describe() inspect.Description { return inspect.Description(a) }

func newScheduler(t *testing.T) *scheduler.Scheduler {
	t.Helper()
	s, err := scheduler.New(scheduler.Config{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		ended, cancel := context.WithCancel(context.Background())
		cancel()
		_ = s.Stop(ended)
	})
	return s
}

func submit(t *testing.T, s *scheduler.Scheduler, p scheduler.Process, value any) *scheduler.Ref {
	t.Helper()
	ref, err := s.Submit(t.Context(), p, scheduler.SubmitOptions{Value: value, Method: "main"})
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func TestProcessesAreChosenAndOrdered(t *testing.T) { synctest.Test(t, testProcesses) }

func testProcesses(t *testing.T) {
	node := relay.NewNode("n")
	topo := topology.New(func(*relay.Message) error { return nil })
	hosts, calls := newScheduler(t), newScheduler(t)
	if err := node.Register("app:processes", hosted{hosts}); err != nil {
		t.Fatal(err)
	}
	if err := node.Register("app:stopped", hosted{}); err != nil {
		t.Fatal(err)
	}
	i := &inspect.Inspector{Node: node, Calls: calls, Topology: topo}

	e := engine.New()
	e.Seal()
	program, err := e.Link(engine.ProgramSpec{ID: "app:lua", Source: `return { main = function()
		local t = {}
		for n = 1, 5000 do t[n] = "text " .. n end
		channel.new():receive()
		return t
	end }`})
	if err != nil {
		t.Fatal(err)
	}
	for n := range 3 {
		pid := relay.NewPID("n", "app:processes", fmt.Sprintf("0x%05x", n+1))
		if err := topo.Register(pid); err != nil {
			t.Fatal(err)
		}
		submit(t, hosts, deaf{}, about{Kind: inspect.KindProcess, Entry: "app:deaf", PID: pid, Parent: pid})
	}
	if err := topo.RegisterName("the second", relay.NewPID("n", "app:processes", "0x00002")); err != nil {
		t.Fatal(err)
	}
	lua := submit(t, hosts, e.NewProcess(engine.ProcessOptions{Program: program}), about{Kind: inspect.KindProcess, Entry: "app:lua"})
	<-time.After(time.Second) // two schedulers know the time to within milliseconds
	submit(t, calls, deaf{}, about{Kind: inspect.KindCall, Entry: "app:function"})
	submit(t, hosts, deaf{}, "a process of somebody else")

	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		q     inspect.Query
		total int
		want  string
	}{
		{inspect.Query{}, 5, "app:deaf app:deaf app:deaf app:lua app:function"},
		{inspect.Query{Limit: 2}, 5, "app:deaf app:deaf"},
		{inspect.Query{Match: "app:func"}, 1, "app:function"},
		{inspect.Query{Match: "functions"}, 1, "app:function"},
		{inspect.Query{Match: "second"}, 1, "app:deaf"},
		{inspect.Query{Match: "0x00003"}, 1, "app:deaf"},
		{inspect.Query{Match: "none"}, 0, ""},
	} {
		list, total, err := i.Processes(impatient, tt.q)
		var entries []string
		for _, p := range list {
			entries = append(entries, p.Entry)
		}
		if got := strings.Join(entries, " "); err != nil || total != tt.total || got != tt.want {
			t.Errorf("%+v: %d, %q, %v; want %d, %q", tt.q, total, got, err, tt.total, tt.want)
		}
	}

	if synctest.Wait(); lua.Info().State != scheduler.Idle { // it has to have its table
		t.Error("the Lua process goes on")
	}
	list, _, err := i.Processes(t.Context(), inspect.Query{Match: "app:lua", Memory: true})
	if err != nil || len(list) != 1 || list[0].Memory == nil || *list[0].Memory < 100_000 || *list[0].Memory > 10_000_000 {
		t.Errorf("memory of a Lua process: %+v, %v", list, err)
	}
	list, _, err = i.Processes(impatient, inspect.Query{Match: "app:deaf", Memory: true})
	if err != nil || len(list) != 3 || list[0].Memory != nil {
		t.Errorf("memory of one that does not answer: %+v, %v", list, err)
	}
	if _, _, err := i.Processes(t.Context(), inspect.Query{Order: "colour"}); err == nil {
		t.Error("an unknown order is accepted")
	}

	info := i.Info()
	if info.Name != "n" || info.Processes != 6 || len(info.Schedulers) != 2 || info.Schedulers[0].Processes != 5 || info.HeapBytes == 0 {
		t.Errorf("node is %+v", info)
	}
}
