package host_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/system/factory"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/lifecycle"
	"github.com/wippyrun/kit/wippy/system/pidgen"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/supervisor"
	"github.com/wippyrun/kit/wippy/system/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a system without boot: one node, its processes and a supervisor.
type fixture struct {
	t         *testing.T
	runtime   host.Runtime
	topology  *topology.Topology
	processes *processes.Manager
	super     *supervisor.Supervisor
	hosts     *host.HostListener
	services  *host.ServiceListener
}

func newFixture(t *testing.T) *fixture {
	t.Helper()
	node := relay.NewNode("")
	topo := topology.New(node.Send)
	d := dispatch.NewRegistry()
	d.Freeze()
	f := &fixture{t: t, topology: topo}
	f.runtime = host.Runtime{
		Node: node, Dispatch: d, Factories: factory.New(), Lifecycle: lifecycle.New(topo, nil),
		Context: context.Background(), Log: slog.New(slog.DiscardHandler),
	}
	f.processes = processes.New(node, pidgen.New(""), topo)
	f.super = supervisor.New()
	ignore := func(registry.Entry, []fields.Warning) {}
	f.hosts = host.NewHostListener(f.runtime, f.super, ignore)
	f.services = host.NewServiceListener(f.processes, node.Send, f.super, ignore)
	t.Cleanup(func() {
		if err := f.super.Shutdown(context.Background()); err != nil {
			t.Errorf("shutdown: %v", err)
		}
	})
	return f
}

// transaction runs change between begin and commit and waits for the services.
func (f *fixture) transaction(change func()) {
	f.t.Helper()
	if err := f.super.Begin(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	change()
	f.hosts.Committed(f.t.Context())
	if err := f.super.Commit(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
	if err := f.super.Settled(f.t.Context()); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) addHost(id string, data map[string]any) error {
	var err error
	f.transaction(func() {
		err = f.hosts.Create(f.t.Context(), registry.Entry{ID: registry.ParseID(id), Kind: host.KindHost, Data: data})
	})
	return err
}

var running = map[string]any{"lifecycle": map[string]any{"auto_start": true}}

// script is a process made of a function that sees every step.
type script func(events []scheduler.Event, out *scheduler.Output) error

func (s script) Init(context.Context, string, any) error { return nil }
func (s script) Step(events []scheduler.Event, out *scheduler.Output) error {
	return s(events, out)
}
func (s script) Close() {}

func (f *fixture) program(id string, make func() script) {
	f.runtime.Factories.Register(id, func(context.Context, factory.Request) (scheduler.Process, string, error) {
		return make(), "main", nil
	})
}

// patient ends when it is asked to.
func patient() script {
	return func(events []scheduler.Event, out *scheduler.Output) error {
		for _, e := range events {
			if ev := topology.EventOf(e.Data.(*relay.Message)); ev != nil && ev.Kind == topology.KindCancel {
				out.Done(payload.Payload{Format: payload.Go, Data: ev.Reason})
			}
		}
		return nil
	}
}

func TestSpawnOnARunningHostReachesTheProcessByItsPID(t *testing.T) {
	f := newFixture(t)
	if err := f.addHost("app:h", running); err != nil {
		t.Fatal(err)
	}
	got := make(chan string, 2)
	f.program("app:p", func() script {
		return func(events []scheduler.Event, out *scheduler.Output) error {
			for _, e := range events {
				got <- e.Data.(*relay.Message).Topic
			}
			return nil
		}
	})
	queued := relay.NewMessage(relay.PID{}, relay.PID{}, "first")
	pid, err := f.processes.Start(t.Context(), processes.Spawn{Host: "app:h", Source: "app:p", Messages: []*relay.Message{queued}})
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(pid.String(), "{app:h|0x") {
		t.Errorf("pid %s", pid)
	}
	if err := f.runtime.Node.Send(relay.NewMessage(relay.PID{}, pid, "second")); err != nil {
		t.Fatal(err)
	}
	if a, b := <-got, <-got; a != "first" || b != "second" {
		t.Errorf("messages %s, %s", a, b)
	}
	ended := make(chan topology.Result, 1)
	if _, err := f.topology.Watch(pid, func(r topology.Result) { ended <- r }); err != nil {
		t.Fatal(err)
	}
	if err := f.processes.Terminate(pid); err != nil {
		t.Fatal(err)
	}
	if r := <-ended; r.Err == nil || r.Err.Error() != "process terminated" {
		t.Errorf("ended with %v", r.Err)
	}
	if err := f.runtime.Node.Send(relay.NewMessage(relay.PID{}, pid, "late")); fault.KindOf(err) != fault.NotFound {
		t.Errorf("send to an ended process: %v", err)
	}
}

func TestSpawnNeedsAHostThatRuns(t *testing.T) {
	f := newFixture(t)
	f.program("app:p", patient)
	if err := f.addHost("app:h", nil); err != nil {
		t.Fatal(err)
	}
	_, err := f.processes.Start(t.Context(), processes.Spawn{Host: "app:h", Source: "app:p"})
	if fault.KindOf(err) != fault.Unavailable || !strings.Contains(err.Error(), "host is not running") {
		t.Errorf("host that does not run: %v", err)
	}
	if _, err := f.processes.Start(t.Context(), processes.Spawn{Host: "app:none", Source: "app:p"}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown host: %v", err)
	}
	if err := f.super.Start(t.Context(), "app:h"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.processes.Start(t.Context(), processes.Spawn{Host: "app:h", Source: "app:nope"}); fault.KindOf(err) != fault.NotFound {
		t.Errorf("unknown process: %v", err)
	}
}

func TestStoppingAHostAsksItsProcessesToEnd(t *testing.T) {
	f := newFixture(t)
	f.program("app:p", patient)
	if err := f.addHost("app:h", running); err != nil {
		t.Fatal(err)
	}
	ended := make(chan topology.Result, 1)
	_, err := f.processes.Start(t.Context(), processes.Spawn{Host: "app:h", Source: "app:p", OnExit: func(r topology.Result) { ended <- r }})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.super.Stop(t.Context(), "app:h"); err != nil {
		t.Fatal(err)
	}
	if r := <-ended; r.Err != nil || r.Value.Data != "scheduler shutdown" {
		t.Errorf("ended with %v, %v", r.Value.Data, r.Err)
	}
}

func TestBadHostsNameTheField(t *testing.T) {
	f := newFixture(t)
	for want, data := range map[string]map[string]any{
		"workers must be greater than 0":          {"host": map[string]any{"workers": -1.0}},
		"queue size must be greater than 0":       {"host": map[string]any{"queue_size": -1.0}},
		"local queue size must be greater than 0": {"host": map[string]any{"local_queue_size": -5.0}},
		"host must be a map":                      {"host": "x"},
		"lifecycle.start_timeout":                 {"lifecycle": map[string]any{"start_timeout": "soon"}},
	} {
		if err := f.addHost("app:x", data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: err = %v, want %q", data, err, want)
		}
	}
}

func (f *fixture) addService(data map[string]any) error {
	var err error
	f.transaction(func() {
		err = f.services.Create(f.t.Context(), registry.Entry{ID: registry.ParseID("app:s"), Kind: host.KindService, Data: data})
	})
	return err
}

func TestServiceIsRestartedWhenItsProcessFailsAndNotWhenItEnds(t *testing.T) {
	f := newFixture(t)
	if err := f.addHost("app:h", running); err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	runs := 0
	finished := make(chan struct{})
	f.program("app:p", func() script {
		return func(_ []scheduler.Event, out *scheduler.Output) error {
			mu.Lock()
			defer mu.Unlock()
			if runs++; runs < 3 {
				return errors.New("boom")
			}
			out.Done(payload.Payload{})
			close(finished)
			return nil
		}
	})
	err := f.addService(map[string]any{
		"process": "p", "host": "h", // bare names mean the service's own namespace
		"lifecycle": map[string]any{"auto_start": true, "restart": map[string]any{"initial_delay": "1ms", "max_delay": "2ms"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	<-finished
	if err := f.super.Settled(t.Context()); err != nil {
		t.Fatal(err)
	}
	if runs != 3 {
		t.Errorf("%d runs", runs)
	}
}

func TestStoppingAServiceCancelsItsProcess(t *testing.T) {
	f := newFixture(t)
	if err := f.addHost("app:h", running); err != nil {
		t.Fatal(err)
	}
	reason := make(chan string, 1)
	f.program("app:p", func() script {
		p := patient()
		return func(events []scheduler.Event, out *scheduler.Output) error {
			err := p(events, out)
			if out.Status() == scheduler.StatusDone {
				reason <- out.Result().(payload.Payload).Data.(string)
			}
			return err
		}
	})
	if err := f.addService(map[string]any{"process": "app:p", "host": "app:h", "lifecycle": map[string]any{"auto_start": true}}); err != nil {
		t.Fatal(err)
	}
	if err := f.super.Stop(t.Context(), "app:s"); err != nil {
		t.Fatal(err)
	}
	if got := <-reason; got != "service stopping" {
		t.Errorf("reason %q", got)
	}
}

func TestServiceWhoseSpawnFailsEndsForGood(t *testing.T) {
	f := newFixture(t)
	if err := f.addService(map[string]any{"process": "app:p", "host": "app:none", "lifecycle": map[string]any{"auto_start": true}}); err != nil {
		t.Fatal(err)
	}
	state, err := f.super.State("app:s")
	if err != nil || state.State != supervisor.Exited {
		t.Errorf("state %+v, %v", state, err)
	}
}

func TestBadServicesNameTheField(t *testing.T) {
	f := newFixture(t)
	for want, data := range map[string]map[string]any{
		"process is required":        {"host": "app:h"},
		"host is required":           {"process": "app:p"},
		"invalid host: node:control": {"process": "app:p", "host": "node:control"},
		"input must be a list":       {"process": "app:p", "host": "app:h", "input": "x"},
	} {
		if err := f.addService(data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: err = %v, want %q", data, err, want)
		}
	}
}

// records keeps the levels of what is logged.
type records struct {
	slog.Handler
	mu     sync.Mutex
	levels []slog.Level
}

func (r *records) Enabled(context.Context, slog.Level) bool { return true }
func (r *records) Handle(_ context.Context, rec slog.Record) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.levels = append(r.levels, rec.Level)
	return nil
}

func TestFailureNobodyHearsOfIsAnErrorInTheLog(t *testing.T) {
	log := &records{}
	f := newFixture(t)
	f.runtime.Log = slog.New(log)
	f.hosts = host.NewHostListener(f.runtime, f.super, func(registry.Entry, []fields.Warning) {})
	if err := f.addHost("app:h", running); err != nil {
		t.Fatal(err)
	}
	f.program("app:p", func() script {
		return func([]scheduler.Event, *scheduler.Output) error { return errors.New("boom") }
	})
	for _, watched := range []bool{false, true} {
		ended := make(chan struct{})
		spawn := processes.Spawn{Host: "app:h", Source: "app:p"}
		if watched {
			spawn.OnExit = func(topology.Result) { close(ended) }
		}
		pid, err := f.processes.Start(t.Context(), spawn)
		if err != nil {
			t.Fatal(err)
		}
		if !watched {
			if _, err := f.topology.Watch(pid, func(topology.Result) { close(ended) }); err != nil {
				close(ended) // it has ended already
			}
		}
		<-ended
	}
	if err := f.super.Stop(t.Context(), "app:h"); err != nil { // the log is complete then
		t.Fatal(err)
	}
	slices.Sort(log.levels) // an ending is logged after it is announced
	if !slices.Equal(log.levels, []slog.Level{slog.LevelWarn, slog.LevelError}) {
		t.Errorf("levels %v", log.levels)
	}
}
