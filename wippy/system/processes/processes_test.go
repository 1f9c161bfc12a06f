// SPDX-License-Identifier: Apache-2.0

package processes_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/lifecycle"
	"github.com/wippyrun/kit/wippy/system/pidgen"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// host runs processes that do nothing but record their messages.
type host struct {
	life *lifecycle.Lifecycle
	err  error          // what Start returns
	ran  chan relay.PID // receives every id started, when there is room

	mu      sync.Mutex
	running map[relay.PID]*lifecycle.Spawned
	inbox   map[relay.PID][]string
	started int
}

func (h *host) Start(ctx context.Context, pid relay.PID, s processes.Spawn) (relay.PID, error) {
	if h.err != nil {
		return relay.PID{}, h.err
	}
	sp := &lifecycle.Spawned{PID: pid, Spawn: s}
	if err := h.life.OnStart(ctx, sp); err != nil {
		return relay.PID{}, err
	}
	h.mu.Lock()
	h.running[pid] = sp
	h.started++
	h.mu.Unlock()
	select {
	case h.ran <- pid:
	default:
	}
	for _, m := range s.Messages {
		m.To = pid
		_ = h.Receive(m)
	}
	return pid, nil
}

func (h *host) Receive(m *relay.Message) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.running[m.To] == nil {
		return fault.New(fault.NotFound, "process not found")
	}
	h.inbox[m.To] = append(h.inbox[m.To], m.Topic)
	m.Release()
	return nil
}

func (h *host) Terminate(pid relay.PID) error {
	return h.end(pid, payload.Payload{}, fault.New(fault.Internal, "process terminated"))
}

func (h *host) end(pid relay.PID, value payload.Payload, err error) error {
	h.mu.Lock()
	s := h.running[pid]
	delete(h.running, pid)
	h.mu.Unlock()
	if s == nil {
		return fault.New(fault.NotFound, "process not found")
	}
	h.life.OnExit(s, value, err)
	return nil
}

func setup(t *testing.T) (*processes.Manager, *host, *topology.Topology) {
	t.Helper()
	node := relay.NewNode("")
	topo := topology.New(node.Send)
	h := &host{life: lifecycle.New(topo, nil), running: map[relay.PID]*lifecycle.Spawned{}, inbox: map[relay.PID][]string{}, ran: make(chan relay.PID, 1)}
	if err := node.Register("app:h", h); err != nil {
		t.Fatal(err)
	}
	if err := node.Register("app:mailbox", relay.HostFunc(func(*relay.Message) error { return nil })); err != nil {
		t.Fatal(err)
	}
	return processes.New(node, pidgen.New("local"), topo), h, topo
}

func message(topic string) *relay.Message { return relay.NewMessage(relay.PID{}, relay.PID{}, topic) }

func TestStartAndTerminate(t *testing.T) {
	m, h, topo := setup(t)
	pid, err := m.Start(t.Context(), processes.Spawn{Host: "app:h", Source: "app:w", Messages: []*relay.Message{message("one"), message("two")}})
	if err != nil || pid.String() != "{app:h|0x00001}" {
		t.Fatalf("Start: %s, %v", pid, err)
	}
	if got := h.inbox[pid]; !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("inbox %v", got)
	}
	if err := m.Terminate(pid); err != nil || topo.Registered(pid) {
		t.Errorf("Terminate: %v", err)
	}
	if err := m.Terminate(pid); err == nil || err.Error() != "process not found" {
		t.Errorf("Terminate of an ended process: %v", err)
	}
}

func TestHostErrors(t *testing.T) {
	m, _, _ := setup(t)
	for _, tc := range []struct {
		host string
		want error
		text string
		kind fault.Kind
	}{
		{"app:none", processes.ErrHostNotFound, "host not found", fault.NotFound},
		{"app:mailbox", processes.ErrNotAHost, "host does not implement process.Host", fault.Internal},
	} {
		_, err := m.Start(t.Context(), processes.Spawn{Host: tc.host})
		for call, err := range map[string]error{"Start": err, "Terminate": m.Terminate(relay.NewPID("", tc.host, "1"))} {
			if !errors.Is(err, tc.want) || err.Error() != tc.text || fault.KindOf(err) != tc.kind || fault.DetailsOf(err)["host_id"] != tc.host {
				t.Errorf("%s on %s: %v %v", call, tc.host, err, fault.DetailsOf(err))
			}
		}
	}
	if err := m.Terminate(relay.NewPID("elsewhere", "app:h", "1")); !errors.Is(err, processes.ErrForeignNode) {
		t.Errorf("Terminate on another node: %v", err)
	}
}

func TestFailedSpawnReleasesMessages(t *testing.T) {
	m, h, _ := setup(t)
	h.err = errors.New("no room")
	msg := message("one")
	if _, err := m.Start(t.Context(), processes.Spawn{Host: "app:h", Messages: []*relay.Message{msg}}); !errors.Is(err, h.err) {
		t.Errorf("Start: %v", err)
	}
	if msg.Topic != "" {
		t.Error("the message was not released")
	}
	msg = message("two")
	if _, err := m.Exec(t.Context(), processes.Spawn{Messages: []*relay.Message{msg}}); !errors.Is(err, processes.ErrHostRequired) || msg.Topic != "" {
		t.Errorf("Exec without a host: %v, %q", err, msg.Topic)
	}
}

func TestSpawnOrSignal(t *testing.T) {
	m, h, _ := setup(t)
	first, err := m.Start(t.Context(), processes.Spawn{Host: "app:h", Name: "worker"})
	if err != nil {
		t.Fatal(err)
	}
	var end *topology.Result
	second, err := m.Start(t.Context(), processes.Spawn{
		Host: "app:h", Name: "worker", Messages: []*relay.Message{message("hello")},
		OnExit: func(r topology.Result) { end = &r },
	})
	if err != nil || second != first || h.started != 1 {
		t.Errorf("second Start: %s, %v; %d started", second, err, h.started)
	}
	if got := h.inbox[first]; !slices.Equal(got, []string{"hello"}) {
		t.Errorf("inbox %v", got)
	}
	if err := h.end(first, payload.New("done"), nil); err != nil || end == nil || end.Value.Data != "done" {
		t.Errorf("end %+v, %v", end, err)
	}
	third, err := m.Start(t.Context(), processes.Spawn{Host: "app:h", Name: "worker"})
	if err != nil || third == first {
		t.Errorf("after its end: %s, %v", third, err)
	}
}

func TestSpawnOrSignalConcurrentSafe(t *testing.T) {
	m, h, _ := setup(t)
	const spawns = 50
	pids := make([]relay.PID, spawns)
	var wg sync.WaitGroup
	for i := range spawns {
		wg.Go(func() {
			var err error
			pids[i], err = m.Start(t.Context(), processes.Spawn{Host: "app:h", Name: "worker", Messages: []*relay.Message{message("hello")}})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, p := range pids {
		if p != pids[0] {
			t.Errorf("processes %s and %s", p, pids[0])
		}
	}
	// A message may come between the registration of the name and the host's table.
	if n := len(h.inbox[pids[0]]); h.started != 1 || n == 0 || n > spawns {
		t.Errorf("%d started, %d messages", h.started, n)
	}
}

func TestExecReturnsTheResult(t *testing.T) {
	for _, fails := range []error{nil, errors.New("boom")} {
		m, h, _ := setup(t)
		type outcome struct {
			value payload.Payload
			err   error
		}
		done := make(chan outcome, 1)
		started := make(chan relay.PID, 1)
		also := make(chan topology.Result, 1)
		pid, err := m.ExecAsync(t.Context(), processes.Spawn{Host: "app:h", OnExit: func(r topology.Result) { also <- r }},
			func(r topology.Result) { done <- outcome{r.Value, r.Err} })
		if err != nil {
			t.Fatal(err)
		}
		started <- pid
		if err := h.end(<-started, payload.New(42), fails); err != nil {
			t.Fatal(err)
		}
		got := <-done
		if !errors.Is(got.err, fails) || fails == nil && got.value.Data != 42 {
			t.Errorf("outcome %+v", got)
		}
		if r := <-also; !errors.Is(r.Err, fails) {
			t.Errorf("OnExit of the spawn: %+v", r)
		}
	}
}

func TestExecWaitsForTheEnd(t *testing.T) {
	m, h, topo := setup(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	reason := errors.New("caller gone")
	go func() {
		<-h.ran
		cancel(reason)
	}()
	if _, err := m.Exec(ctx, processes.Spawn{Host: "app:h"}); !errors.Is(err, reason) {
		t.Errorf("cancelled Exec: %v", err)
	}
	if topo.Len() != 1 {
		t.Error("cancelling the caller ended the child")
	}

	done := make(chan struct{})
	go func() {
		defer close(done)
		if v, err := m.Exec(context.Background(), processes.Spawn{Host: "app:h"}); err != nil || v.Data != "v" {
			t.Errorf("Exec: %v, %v", v, err)
		}
	}()
	if err := h.end(<-h.ran, payload.New("v"), nil); err != nil {
		t.Error(err)
	}
	<-done
	if _, err := m.Exec(context.Background(), processes.Spawn{Host: "app:none"}); !errors.Is(err, processes.ErrHostNotFound) {
		t.Errorf("Exec on an unknown host: %v", err)
	}
}
