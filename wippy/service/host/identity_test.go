// SPDX-License-Identifier: Apache-2.0

package host_test

import (
	"context"
	"testing"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/system/factory"
	"github.com/wippyrun/kit/wippy/system/frames"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/security"
)

// TestProcessesOfNobodyActForTheirHost starts processes with frames of all kinds on a host with an actor and without.
func TestProcessesOfNobodyActForTheirHost(t *testing.T) {
	f := newFixture(t)
	if err := f.addHost("app:h", running); err != nil {
		t.Fatal(err)
	}
	var got *appctx.Frame
	f.runtime.Factories.Register("app:p", func(_ context.Context, r factory.Request) (scheduler.Process, string, error) {
		got = r.Frame
		return patient(), "main", nil
	})
	node, _ := f.runtime.Node.Host("app:h")
	h := node.(*host.Host)

	frame := func(actor string, scope *security.Scope, sealed bool) *appctx.Frame {
		f := appctx.NewFrame()
		var a *security.Actor
		if actor != "" {
			a = &security.Actor{ID: actor}
		}
		if err := security.Enter(f, a, scope); err != nil {
			t.Fatal(err)
		}
		if err := frames.Add(f, map[string]any{"k": "v"}); err != nil {
			t.Fatal(err)
		}
		if sealed {
			f.Seal()
		}
		return f
	}
	own := frame("host", security.NewScope(), false)
	for _, c := range []struct {
		name   string
		own    *appctx.Frame
		given  *appctx.Frame
		actor  string
		scoped bool
	}{
		{"nothing at all", nil, nil, "", false},
		{"nobody, no host actor", nil, frame("", nil, false), "", false},
		{"no frame", own, nil, "host", true},
		{"nobody", own, frame("", nil, false), "host", true},
		{"nobody, sealed", own, frame("", nil, true), "host", true},
		{"somebody", own, frame("alice", nil, false), "alice", false},
		{"somebody with a scope", own, frame("alice", security.NewScope(), true), "alice", true},
		{"a scope only", own, frame("", security.NewScope(), false), "", true},
	} {
		h.ActFor(c.own)
		got = nil
		pid, err := f.processes.Start(t.Context(), processes.Spawn{Host: "app:h", Source: "app:p", Frame: c.given})
		if err != nil {
			t.Fatal(err)
		}
		actor := ""
		if a := security.ActorOf(got); a != nil {
			actor = a.ID
		}
		if actor != c.actor || (security.ScopeOf(got) != nil) != c.scoped {
			t.Errorf("%s: acts for %q, scope %v", c.name, actor, security.ScopeOf(got))
		}
		if values, _ := frames.Values.Get(got); c.given != nil && values["k"] != "v" {
			t.Errorf("%s: lost its values", c.name)
		}
		if err := f.processes.Terminate(pid); err != nil {
			t.Fatal(err)
		}
	}
}
