// SPDX-License-Identifier: Apache-2.0

package topology_test

import (
	"errors"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/topology"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func pid(uniq string) relay.PID { return relay.NewPID("", "app:h", uniq) }

// sent is what a recorder keeps of one message: messages themselves go back to the pool.
type sent struct {
	From, To relay.PID
	Kind     string
	About    relay.PID
	Err      error
}

// recorder is the send function of a topology under test.
type recorder struct {
	mu   sync.Mutex
	got  []sent
	fail map[relay.PID]bool
	hook func(*relay.Message)
}

var errGone = errors.New("gone")

func (r *recorder) send(m *relay.Message) error {
	if r.hook != nil {
		r.hook(m)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fail[m.To] {
		return errGone
	}
	ev := topology.EventOf(m)
	r.got = append(r.got, sent{From: m.From, To: m.To, Kind: ev.Kind, About: ev.From, Err: ev.Result.Err})
	m.Release()
	return nil
}

func (r *recorder) all() []sent {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.got)
}

// newTopology returns a topology in which the given processes live.
func newTopology(t testing.TB, r *recorder, pids ...relay.PID) *topology.Topology {
	t.Helper()
	topo := topology.New(r.send)
	for _, p := range pids {
		if err := topo.Register(p); err != nil {
			t.Fatal(err)
		}
	}
	return topo
}

func TestRegistration(t *testing.T) {
	a := pid("1")
	topo := newTopology(t, &recorder{}, a)
	if err := topo.Register(a); !errors.Is(err, topology.ErrAlreadyRegistered) {
		t.Errorf("second Register: %v", err)
	}
	if !topo.Registered(a) || topo.Registered(pid("2")) || topo.Len() != 1 {
		t.Error("Registered or Len is wrong")
	}
	if !topo.Complete(a, topology.Result{}) || topo.Complete(a, topology.Result{}) {
		t.Error("Complete must report true exactly once")
	}
	if topo.Registered(a) || topo.Len() != 0 {
		t.Error("a completed process is still registered")
	}
}

func TestMonitorErrors(t *testing.T) {
	a, b, gone := pid("1"), pid("2"), pid("3")
	topo := newTopology(t, &recorder{}, a, b)
	err := topo.Monitor(a, gone)
	if !errors.Is(err, topology.ErrNotRegistered) || fault.KindOf(err) != fault.NotFound || err.Error() != "pid not registered" {
		t.Errorf("unknown target: %v", err)
	}
	if err := topo.Monitor(a, b); err != nil {
		t.Fatal(err)
	}
	if err := topo.Monitor(a, b); !errors.Is(err, topology.ErrAlreadyMonitoring) || err.Error() != "already monitoring pid" {
		t.Errorf("twice: %v", err)
	}
	topo.Unmonitor(a, b)
	topo.Unmonitor(a, b)
	topo.Unmonitor(gone, gone)
	if err := topo.Monitor(a, b); err != nil {
		t.Errorf("after Unmonitor: %v", err)
	}
}

func TestLinkErrors(t *testing.T) {
	a, b, gone := pid("1"), pid("2"), pid("3")
	topo := newTopology(t, &recorder{}, a, b)
	for _, pair := range [][2]relay.PID{{a, gone}, {gone, a}, {gone, gone}} {
		if err := topo.Link(pair[0], pair[1]); !errors.Is(err, topology.ErrNotRegistered) {
			t.Errorf("Link(%s, %s): %v", pair[0], pair[1], err)
		}
	}
	for range 2 {
		if err := topo.Link(a, b); err != nil {
			t.Errorf("Link: %v", err)
		}
	}
	if err := topo.Link(a, a); err != nil {
		t.Errorf("Link with itself: %v", err)
	}
	topo.Unlink(b, a)
	topo.Unlink(b, a)
	topo.Unlink(gone, a)
	if info, ok := topo.Info(a); !ok || len(info.Links) != 0 {
		t.Errorf("after Unlink: %+v, %v", info, ok)
	}
}

func TestEventsOfAnEnding(t *testing.T) {
	failure := errors.New("boom")
	for _, tc := range []struct {
		name   string
		result topology.Result
		want   []sent
	}{
		{"normal", topology.Result{Value: payload.New(1)}, []sent{
			{From: pid("1"), To: pid("2"), Kind: "pid.exit", About: pid("1")},
		}},
		{"failed", topology.Result{Err: failure}, []sent{
			{From: pid("1"), To: pid("2"), Kind: "pid.exit", About: pid("1"), Err: failure},
			{From: topology.Sender, To: pid("2"), Kind: "pid.link.down", About: pid("1"), Err: failure},
			{From: topology.Sender, To: pid("3"), Kind: "pid.link.down", About: pid("1"), Err: failure},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			rec := &recorder{}
			topo := newTopology(t, rec, pid("1"), pid("2"), pid("3"))
			for _, err := range []error{
				topo.Monitor(pid("2"), pid("1")), topo.Link(pid("2"), pid("1")), topo.Link(pid("1"), pid("3")),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			topo.Complete(pid("1"), tc.result)
			if got := rec.all(); !reflect.DeepEqual(got, tc.want) {
				t.Errorf("events %+v\nwant   %+v", got, tc.want)
			}
			for _, p := range []relay.PID{pid("2"), pid("3")} {
				if info, ok := topo.Info(p); !ok || !reflect.DeepEqual(info, topology.Info{}) {
					t.Errorf("%s keeps %+v", p, info)
				}
			}
		})
	}
	if topology.Sender.String() != "{|topology}" {
		t.Errorf("Sender is %s", topology.Sender)
	}
}

func TestEventCarriesTimeAndValue(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var got *topology.Event
	topo := topology.New(func(m *relay.Message) error {
		if m.Payloads[0].Format != payload.Go {
			t.Errorf("format %s", m.Payloads[0].Format)
		}
		got = topology.EventOf(m)
		return nil
	}, topology.WithNow(func() time.Time { return at }))
	_ = topo.Register(pid("1"))
	if err := topo.Monitor(pid("outsider"), pid("1")); err != nil {
		t.Fatalf("a caller that is no process may monitor: %v", err)
	}
	topo.Complete(pid("1"), topology.Result{Value: payload.New("v")})
	if got == nil || !got.At.Equal(at) || got.Result.Value.Data != "v" {
		t.Errorf("event %+v", got)
	}
}

func TestCancelMessage(t *testing.T) {
	m := topology.NewCancel(pid("1"), pid("2"), "enough")
	ev := topology.EventOf(m)
	if m.From != pid("1") || m.To != pid("2") || m.Topic != "@pid/events" || ev == nil ||
		ev.Kind != "pid.cancel" || ev.From != pid("1") || ev.Reason != "enough" || ev.Result != nil || ev.At.IsZero() {
		t.Errorf("message %+v, event %+v", m, ev)
	}
	if topology.EventOf(relay.NewMessage(pid("1"), pid("2"), "other")) != nil ||
		topology.EventOf(relay.NewMessage(pid("1"), pid("2"), topology.TopicEvents)) != nil {
		t.Error("EventOf must be nil for other messages")
	}
}

func TestNamesAreFreeBeforeEventsAreSent(t *testing.T) {
	rec := &recorder{}
	topo := newTopology(t, rec, pid("1"), pid("2"))
	calls := 0
	check := func() {
		calls++
		if err := topo.RegisterName("accounts", pid("2")); err != nil {
			t.Errorf("taking over the name from inside an event: %v", err)
		}
		if topo.Registered(pid("1")) {
			t.Error("the ended process is registered while its events are sent")
		}
	}
	rec.hook = func(*relay.Message) { check() }
	if err := topo.RegisterName("accounts", pid("1")); err != nil {
		t.Fatal(err)
	}
	if _, err := topo.Watch(pid("1"), func(topology.Result) { check() }); err != nil {
		t.Fatal(err)
	}
	_ = topo.Monitor(pid("2"), pid("1"))
	_ = topo.Link(pid("2"), pid("1"))
	topo.Complete(pid("1"), topology.Result{Err: errGone})
	if calls != 3 {
		t.Errorf("%d calls, want 3", calls)
	}
}

func TestUnreachableWatcherIsSkipped(t *testing.T) {
	rec := &recorder{fail: map[relay.PID]bool{pid("2"): true}}
	topo := newTopology(t, rec, pid("1"), pid("2"), pid("3"))
	_ = topo.Monitor(pid("2"), pid("1"))
	_ = topo.Monitor(pid("3"), pid("1"))
	topo.Complete(pid("1"), topology.Result{})
	if got := rec.all(); len(got) != 1 || got[0].To != pid("3") {
		t.Errorf("events %+v", got)
	}
}

func TestWatchCallsOnceAndCanBeTakenBack(t *testing.T) {
	topo := newTopology(t, &recorder{}, pid("1"))
	var first, second int
	cancel1, err := topo.Watch(pid("1"), func(topology.Result) { first++ })
	if err != nil {
		t.Fatal(err)
	}
	cancel2, err := topo.Watch(pid("1"), func(topology.Result) { second++ })
	if err != nil {
		t.Fatal(err)
	}
	cancel1()
	cancel1()
	topo.Complete(pid("1"), topology.Result{})
	cancel2()
	if first != 0 || second != 1 {
		t.Errorf("calls %d and %d, want 0 and 1", first, second)
	}
	if _, err := topo.Watch(pid("1"), func(topology.Result) {}); !errors.Is(err, topology.ErrNotRegistered) {
		t.Errorf("Watch of an ended process: %v", err)
	}
}

func TestNames(t *testing.T) {
	a, b := pid("1"), pid("2")
	topo := newTopology(t, &recorder{}, a, b)
	if err := topo.RegisterName("x", a); err != nil {
		t.Fatal(err)
	}
	if err := topo.RegisterName("x", a); err != nil {
		t.Errorf("same pair again: %v", err)
	}
	if n := topo.Reregistrations(); n != 1 {
		t.Errorf("%d names registered again", n)
	}
	err := topo.RegisterName("x", b)
	if !errors.Is(err, topology.ErrNameTaken) || err.Error() != "name already registered" ||
		fault.DetailsOf(err)["existing_pid"] != a.String() {
		t.Errorf("taken: %v %v", err, fault.DetailsOf(err))
	}
	if err := topo.RegisterName("", a); !errors.Is(err, topology.ErrEmptyName) {
		t.Errorf("empty: %v", err)
	}
	if err := topo.RegisterName("y", pid("3")); !errors.Is(err, topology.ErrNotRegistered) {
		t.Errorf("unknown process: %v", err)
	}
	if _, ok := topo.LookupName("y"); ok {
		t.Error("a refused name can be looked up")
	}
	_ = topo.RegisterName("z", a)
	if info, _ := topo.Info(a); !slices.Equal(info.Names, []string{"x", "z"}) {
		t.Errorf("names %v", info.Names)
	}
	if !topo.UnregisterName("x") || topo.UnregisterName("x") {
		t.Error("UnregisterName must report whether there was one")
	}
	if err := topo.RegisterName("x", b); err != nil {
		t.Errorf("freed name: %v", err)
	}
	topo.Complete(a, topology.Result{})
	if _, ok := topo.LookupName("z"); ok {
		t.Error("name of an ended process can be looked up")
	}
	if got, ok := topo.LookupName("x"); !ok || got != b {
		t.Errorf("x is %s, %v", got, ok)
	}
}

func TestResolve(t *testing.T) {
	topo := newTopology(t, &recorder{}, pid("1"))
	_ = topo.RegisterName("accounts", pid("1"))
	_ = topo.RegisterName("{odd", pid("1"))
	for _, tc := range []struct {
		dest string
		want relay.PID
	}{
		{"{app:h|1}", pid("1")},
		{"{node@app:h|7}", relay.NewPID("node", "app:h", "7")},
		{"accounts", pid("1")},
		{"{odd", pid("1")},
	} {
		if got, err := topo.Resolve(tc.dest); err != nil || got != tc.want {
			t.Errorf("Resolve(%q) = %s, %v", tc.dest, got, err)
		}
	}
	for _, dest := range []string{"", "nobody", "{|}"} {
		_, err := topo.Resolve(dest)
		if err == nil || err.Error() != "could not resolve '"+dest+"' as PID or registered name" || fault.KindOf(err) != fault.NotFound {
			t.Errorf("Resolve(%q): %v", dest, err)
		}
	}
}
