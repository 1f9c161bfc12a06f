// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"context"
	"errors"
	"net"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/network"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func dial(context.Context, string, string) (net.Conn, error) { return nil, errors.New("dialed") }

func missing(t *testing.T, err error, id string) {
	t.Helper()
	if fault.KindOf(err) != fault.NotFound || err.Error() != "overlay network not found: "+id {
		t.Errorf("error %v", err)
	}
}

func TestDirectory(t *testing.T) {
	d := network.New("")
	_, err := d.Get("app:vpn")
	missing(t, err, "app:vpn")
	d.Put("app:vpn", dial)
	one, err := d.Get("app:vpn")
	if err != nil || one.ID != "app:vpn" {
		t.Fatal(one, err)
	}
	d.Put("app:vpn", dial)
	two, _ := d.Get("app:vpn")
	if one == two {
		t.Error("a network that was replaced is the same")
	}
	if _, err := one.Dial(t.Context(), "tcp", "x:1"); err == nil || err.Error() != "dialed" {
		t.Error(err)
	}
	d.Remove("app:vpn")
	_, err = d.Get("app:vpn")
	missing(t, err, "app:vpn")
}

// What is named comes before what was chosen, and that before the default.
func TestChoice(t *testing.T) {
	d := network.New("app:default")
	for _, id := range []string{"app:default", "app:chosen", "app:named"} {
		d.Put(id, dial)
	}
	chosen := appctx.NewFrame()
	if err := network.Select(chosen, map[string]any{"network": "app:chosen"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		f        *appctx.Frame
		id, want string
	}{
		{nil, "", "app:default"}, {appctx.NewFrame(), "", "app:default"}, {chosen, "", "app:chosen"}, {chosen.Fork(), "", "app:chosen"},
		{chosen.Propagate(), "", "app:chosen"}, {chosen, "app:named", "app:named"}, {nil, "app:named", "app:named"},
	} {
		if n, err := d.For(c.f, c.id); err != nil || n.ID != c.want {
			t.Errorf("%q: %v, %v, want %s", c.id, n, err, c.want)
		}
	}
	if n, err := network.New("").For(nil, ""); n != nil || err != nil {
		t.Errorf("%v, %v, want a direct connection", n, err)
	}
	var none *network.Directory
	if n, err := none.For(nil, ""); n != nil || err != nil {
		t.Errorf("%v, %v, want a direct connection", n, err)
	}
	_, err := none.For(chosen, "")
	missing(t, err, "app:chosen")
	for _, options := range []map[string]any{nil, {"network": ""}, {"network": 7}} {
		f := appctx.NewFrame()
		if err := network.Select(f, options); err != nil {
			t.Error(err)
		}
		if id, ok := network.Selected.Get(f); ok {
			t.Errorf("%v selects %s", options, id)
		}
	}
}

func TestCalls(t *testing.T) {
	d := network.New("")
	d.Put("app:vpn", dial)
	r := functions.New()
	if err := r.Intercept(d.Calls()); err != nil {
		t.Fatal(err)
	}
	call := func(ctx context.Context, task functions.Task, done functions.Done) func() {
		id := ""
		if task.Frame != nil {
			id, _ = network.Selected.Get(task.Frame)
		}
		done(payload.New(id), nil)
		return func() {}
	}
	r.Register("app:plain", call, nil)
	r.Register("app:private", call, map[string]any{"network": "app:vpn"})
	parent := appctx.NewFrame()
	if err := network.Select(parent, map[string]any{"network": "app:parent"}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		task functions.Task
		want string
	}{
		{functions.Task{ID: "app:plain"}, ""},
		{functions.Task{ID: "app:plain", Frame: parent}, "app:parent"},
		{functions.Task{ID: "app:plain", Options: map[string]any{"network": "app:vpn"}}, "app:vpn"},
		{functions.Task{ID: "app:plain", Frame: parent, Options: map[string]any{"network": "app:vpn"}}, "app:vpn"},
		{functions.Task{ID: "app:private", Frame: parent}, "app:vpn"},
	} {
		r.CallAsync(t.Context(), c.task, func(v payload.Payload, err error) {
			if err != nil || v.Data != c.want {
				t.Errorf("%s %v: %v, %v, want %s", c.task.ID, c.task.Options, v.Data, err, c.want)
			}
		})
	}
	r.CallAsync(t.Context(), functions.Task{ID: "app:plain", Options: map[string]any{"network": "app:none"}}, func(_ payload.Payload, err error) {
		missing(t, err, "app:none")
	})()
}
