// SPDX-License-Identifier: Apache-2.0

package boot_test

import (
	"context"
	"maps"
	"strings"
	"testing"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/boot"
)

// TestServicesWorkForWhomTheirEntrySays starts a service, changes its entry and its policy, and starts it again.
func TestServicesWorkForWhomTheirEntrySays(t *testing.T) {
	dir := write(t, `  - {name: processes, kind: process.host, lifecycle: {auto_start: true}}
  - {name: variables, kind: env.storage.static, values: {ROBOT: robot}}
  - {name: robot, kind: env.variable, variable: ROBOT, storage: "app:variables"}
  - {name: first, kind: security.policy, policy: {actions: events.send, resources: test, effect: allow}}
  - {name: second, kind: security.policy, policy: {actions: events.send, resources: test, effect: allow}, groups: [more]}
  - {name: who, kind: process.lua, source: "file://who.lua", method: main, modules: [security, events]}
  - name: work
    kind: process.service
    process: who
    host: processes
    lifecycle: {auto_start: true, security: {actor: {id: "${env:ROBOT}"}, policies: [first]}}
`, map[string]string{"src/who.lua": `return {main = function()
	local ids = {}
	for i, p in ipairs(security.scope():policies()) do ids[i] = p:id() end
	assert(events.send("test", "who", security.actor():id() .. " " .. table.concat(ids, " ")))
	process.events():receive()
end}`})
	o := boot.Options{Dir: dir, Silent: true, Stdin: strings.NewReader(""), Stdout: &output{}, Stderr: &output{}}
	r, err := boot.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Shutdown)
	dict := appctx.From(r.Context())
	seen := make(chan string, 10)
	_, err = boot.KeyBus.MustGet(dict).Subscribe(context.Background(), eventbus.Pattern{System: "test"}, func(e eventbus.Event) { seen <- e.Path })
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != "robot app:first" {
		t.Errorf("at the start: %s", got)
	}

	e, _ := r.Registry().Get(registry.ParseID("app:work"))
	data := maps.Clone(e.Data.(map[string]any))
	data["lifecycle"] = map[string]any{"auto_start": true, "security": map[string]any{
		"actor": map[string]any{"id": "clerk"}, "groups": "more", "policies": []any{"app:first"}}}
	e.Data = data
	var c registry.Changeset
	c.UpdateEntry(e)
	if _, err := r.Registry().Apply(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	s := boot.KeySupervisor.MustGet(dict)
	if err := s.Stop(t.Context(), "app:work"); err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context(), "app:work"); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != "clerk app:first app:second" {
		t.Errorf("after the change: %s", got)
	}
}
