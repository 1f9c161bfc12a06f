// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/topology"
)

func hostEntry(workers, queue float64, autoStart bool) registry.Entry {
	return registry.Entry{ID: registry.ParseID("app:h"), Kind: host.KindHost, Data: map[string]any{
		"host":      map[string]any{"workers": workers, "queue_size": queue},
		"lifecycle": map[string]any{"auto_start": autoStart},
	}}
}

// occupied is a running host with one patient process on it.
func occupied(t *testing.T) (f *fixture, e registry.Entry, ended chan topology.Result) {
	t.Helper()
	f, e = newFixture(t), hostEntry(1, 64, true)
	f.program("app:p", patient)
	f.transaction(func() {
		if err := f.hosts.Create(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	})
	ended = make(chan topology.Result, 1)
	if err := f.spawn(func(r topology.Result) { ended <- r }); err != nil {
		t.Fatal(err)
	}
	return f, e, ended
}

func (f *fixture) spawn(onExit func(topology.Result)) error {
	_, err := f.processes.Start(f.t.Context(), processes.Spawn{Host: "app:h", Source: "app:p", OnExit: onExit})
	return err
}

func TestWorkersOfARunningHostChangeWithoutTouchingProcesses(t *testing.T) {
	f, e, ended := occupied(t)
	f.transaction(func() {
		if err := f.hosts.Update(t.Context(), e, hostEntry(3, 64, true)); err != nil {
			t.Fatal(err)
		}
	})
	if err := f.spawn(nil); err != nil {
		t.Fatal(err)
	}
	if len(ended) != 0 {
		t.Errorf("the process ended: %v", <-ended)
	}
}

func TestWhatAHostIsMadeOfCannotChange(t *testing.T) {
	f, e, _ := occupied(t)
	for want, changed := range map[string]registry.Entry{
		"host.queue_size of an existing host cannot be changed": hostEntry(1, 65, true),
		"lifecycle of an existing host cannot be changed":       hostEntry(1, 64, false),
		"workers must be greater than 0":                        hostEntry(-1, 64, true),
	} {
		f.transaction(func() {
			if err := f.hosts.Update(t.Context(), e, changed); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("err = %v, want %q", err, want)
			}
		})
	}
	if err := f.spawn(nil); err != nil {
		t.Errorf("after refused changes: %v", err)
	}
}

func TestHostOutlivesATransactionThatFails(t *testing.T) {
	f, e, ended := occupied(t)
	fresh := e
	fresh.ID = registry.ParseID("app:fresh")
	if err := f.super.Begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{
		f.hosts.Begin(t.Context()),
		f.hosts.Delete(t.Context(), e),
		f.hosts.Create(t.Context(), fresh),
		// Then something else is refused, and the inverse operations follow.
		f.hosts.Delete(t.Context(), fresh),
		f.hosts.Create(t.Context(), e),
		f.hosts.Discard(t.Context()),
		f.super.Discard(t.Context()),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := f.spawn(nil); err != nil {
		t.Errorf("the host is gone: %v", err)
	}
	if len(ended) != 0 {
		t.Errorf("the process ended: %v", <-ended)
	}
	if _, there := f.runtime.Node.Host("app:fresh"); there {
		t.Error("a host that never was is still there")
	}
}

func TestHostCanBeReplacedInOneTransaction(t *testing.T) {
	f, e, ended := occupied(t)
	f.transaction(func() {
		if err := f.hosts.Delete(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		if err := f.hosts.Create(t.Context(), hostEntry(2, 128, true)); err != nil {
			t.Fatal(err)
		}
	})
	if r := <-ended; r.Value.Data != "scheduler shutdown" {
		t.Errorf("the process ended with %v", r)
	}
	if err := f.spawn(nil); err != nil {
		t.Errorf("the new host takes no processes: %v", err)
	}
}

func TestDeletedHostIsUnknown(t *testing.T) {
	f, e, ended := occupied(t)
	f.transaction(func() {
		if err := f.hosts.Delete(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	})
	<-ended
	if err := f.spawn(nil); err == nil || !strings.Contains(err.Error(), "host not found") {
		t.Errorf("err = %v", err)
	}
}
