// SPDX-License-Identifier: Apache-2.0

package boot_test

import (
	"flag"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/wippy/boot"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

var (
	chaosFor      = flag.Duration("chaos.for", 2*time.Second, "how long services crash in TestServicesThatCrashAtRandom")
	chaosServices = flag.Int("chaos.services", 200, "how many of them there are")
)

// chaosHang is when a test of services that crash has waited in vain.
const chaosHang = 2 * time.Minute

// chaosKinds are the ways in which services of the test end, with what their policy allows.
var chaosKinds = []struct {
	name, restart string
	starts        int // at most; 0 for any number
	end           supervisor.State
}{
	{"crash", "{initial_delay: 5ms, max_delay: 40ms}", 0, ""},
	{"raise", "{initial_delay: 5ms, max_delay: 40ms}", 0, ""},
	{"crash", "{initial_delay: 5ms, max_delay: 20ms, max_attempts: 5}", 5, supervisor.Failed},
	{"leave", "{initial_delay: 5ms}", 1, supervisor.Exited},
	{"refuse", "{initial_delay: 5ms}", 1, supervisor.Exited},
	{"killed", "{initial_delay: 5ms, max_delay: 40ms}", 0, ""},
}

const chaosWorker = `
local function main(n, how, total)
    process.registry.register("w" .. n)
    local other = process.registry.lookup("w" .. math.random(total))
    if other then process.monitor(other) end
    process.send("w" .. math.random(total), "noise", {n = n})
    time.sleep(math.random(1, 40) .. "ms")
    if how == "crash" then
        return nil, errors.new({message = "crash", kind = errors.UNAVAILABLE, retryable = true})
    elseif how == "raise" then
        error("raised by " .. n)
    elseif how == "refuse" then
        return nil, errors.new({message = "never again", kind = errors.INVALID, retryable = false})
    elseif how == "killed" then
        process.terminate(process.pid())
        channel.new():receive()
    end
end
return {main = main}
`

// TestServicesThatCrashAtRandom lets many services fail all the time, each in its way,
// and checks every change of state against the policy of the service: which changes there
// may be, how often it starts, how long it waits. In the end nothing may be left of
// anybody. For longer: -chaos.for=5m -chaos.services=1000.
func TestServicesThatCrashAtRandom(t *testing.T) {
	var entries strings.Builder
	entries.WriteString("  - {name: processes, kind: process.host, lifecycle: {auto_start: true}}\n" +
		"  - {name: worker, kind: process.lua, source: \"file://worker.lua\", method: main, modules: [time]}\n")
	for n := 1; n <= *chaosServices; n++ {
		k := chaosKinds[n%len(chaosKinds)]
		fmt.Fprintf(&entries, "  - {name: s%d, kind: process.service, process: app:worker, host: app:processes, input: [%d, %s, %d], "+
			"lifecycle: {auto_start: true, startup: optional, stable_threshold: 1h, restart: %s}}\n", n, n, k.name, *chaosServices, k.restart)
	}
	dir := write(t, entries.String(), map[string]string{"src/worker.lua": chaosWorker})
	a := &app{t: t, stdout: &output{}, stderr: &output{}}
	var err error
	if a.runtime, err = boot.New(boot.Options{Dir: dir, Silent: true, Stdin: strings.NewReader(""), Stdout: a.stdout, Stderr: a.stderr}); err != nil {
		t.Fatal(err)
	}
	defer a.runtime.Shutdown()
	dict := appctx.From(a.runtime.Context())
	watch := &chaosWatch{t: t, services: map[string]*chaosService{}}
	if _, err := boot.KeyBus.MustGet(dict).Subscribe(t.Context(), eventbus.Pattern{System: supervisor.System, Kind: supervisor.KindUpdate}, watch.update); err != nil {
		t.Fatal(err)
	}
	if err := a.runtime.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	hang := time.After(chaosHang)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for behind := watch.behind(); behind != ""; behind = watch.behind() {
		select {
		case <-tick.C:
		case <-hang:
			t.Fatal(behind)
		}
	}
	early := heapInUse()
	<-time.After(*chaosFor)
	hang = time.After(chaosHang)
	late := heapInUse()
	for late > early+early/2 { // what waits to be handled on a busy machine goes away again, what leaks does not
		select {
		case <-tick.C:
			late = heapInUse()
		case <-hang:
			t.Fatalf("the heap has grown from %d to %d KB", early>>10, late>>10)
		}
	}
	states := boot.KeySupervisor.MustGet(dict).States()
	a.runtime.Shutdown()
	watch.verify(states)
	if n := boot.KeyTopology.MustGet(dict).Len(); n != 0 {
		t.Errorf("%d processes are left", n)
	}
	for n := 1; n <= *chaosServices; n++ {
		if pid, ok := boot.KeyTopology.MustGet(dict).LookupName(fmt.Sprintf("w%d", n)); ok {
			t.Errorf("the name w%d still means %s", n, pid)
		}
	}
	t.Logf("%d starts, %d changes of state; heap %d KB, then %d KB", watch.starts, watch.changes, early>>10, late>>10)
}

// heapInUse is how many bytes of the heap are reachable.
func heapInUse() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers and pools held
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// chaosAllowed says which state may follow which.
var chaosAllowed = map[supervisor.State][]supervisor.State{
	"":                  {supervisor.Starting},
	supervisor.Starting: {supervisor.Running, supervisor.Failed, supervisor.Exited, supervisor.Stopping},
	supervisor.Running:  {supervisor.Running, supervisor.Failed, supervisor.Exited, supervisor.Stopping},
	supervisor.Failed:   {supervisor.Failed, supervisor.Starting, supervisor.Stopped, supervisor.Stopping},
	supervisor.Exited:   {supervisor.Exited, supervisor.Stopped, supervisor.Stopping},
	supervisor.Stopping: {supervisor.Stopped, supervisor.Failed, supervisor.Exited},
	supervisor.Stopped:  {supervisor.Stopped},
}

type chaosService struct {
	last   supervisor.State
	since  time.Time
	starts int
}

// chaosWatch follows all services. Its fields are guarded by mu.
type chaosWatch struct {
	t               *testing.T
	mu              sync.Mutex
	services        map[string]*chaosService
	starts, changes int
}

func (w *chaosWatch) update(e eventbus.Event) {
	var n int
	if _, err := fmt.Sscanf(e.Path, "app:s%d", &n); err != nil {
		return // a host
	}
	u := e.Data.(supervisor.Update)
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.services[e.Path]
	if s == nil {
		s = &chaosService{}
		w.services[e.Path] = s
	}
	w.changes++
	allowed := false
	for _, next := range chaosAllowed[s.last] {
		allowed = allowed || next == u.State
	}
	if !allowed {
		w.t.Errorf("%s goes from %q to %q (%v)", e.Path, s.last, u.State, u.Details)
	}
	if u.State == supervisor.Starting {
		w.starts++
		s.starts++
		if k := chaosKinds[n%len(chaosKinds)]; k.starts > 0 && s.starts > k.starts {
			w.t.Errorf("%s (%s) starts for the %d. time", e.Path, k.name, s.starts)
		}
		// Jitter takes a tenth off the delay at most.
		if wait := u.LastUpdate.Sub(s.since); s.last == supervisor.Failed && wait < 4*time.Millisecond {
			w.t.Errorf("%s waits %v before it starts again", e.Path, wait)
		}
	}
	s.last, s.since = u.State, u.LastUpdate
}

// behind names a service that has not come as far as it has to, "" when all have.
func (w *chaosWatch) behind() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	for n := 1; n <= *chaosServices; n++ {
		id := fmt.Sprintf("app:s%d", n)
		k, s := chaosKinds[n%len(chaosKinds)], w.services[id]
		switch {
		case s == nil:
			return id + " was never seen"
		case k.end != "" && s.last != k.end:
			return fmt.Sprintf("%s (%s) is %s after %d starts, want %s", id, k.name, s.last, s.starts, k.end)
		case k.starts == 0 && s.starts < 3:
			return fmt.Sprintf("%s (%s) started %d times only", id, k.name, s.starts)
		}
	}
	return ""
}

// verify looks at where the services have got to.
func (w *chaosWatch) verify(states []supervisor.Status) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range states {
		var n int
		if _, err := fmt.Sscanf(s.ID, "app:s%d", &n); err != nil {
			continue
		}
		k := chaosKinds[n%len(chaosKinds)]
		seen := w.services[s.ID]
		switch {
		case seen == nil:
			w.t.Errorf("%s was never seen", s.ID)
		case k.end != "" && s.State != k.end:
			w.t.Errorf("%s (%s) is %s after %d starts, want %s: %v", s.ID, k.name, s.State, seen.starts, k.end, s.Details)
		case k.starts > 0 && seen.starts != k.starts:
			w.t.Errorf("%s (%s) started %d times, want %d", s.ID, k.name, seen.starts, k.starts)
		}
	}
}
