// SPDX-License-Identifier: Apache-2.0

package boot_test

import (
	"flag"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/boot"
	"github.com/wippyrun/kit/wippy/system/functions"
)

var reloads = flag.Int("reloads", 300, "how often TestReloadsReachExactlyTheDependents changes a library")

// TestReloadsReachExactlyTheDependents changes a library again and again while functions
// that use it, directly, through another library and not at all, are called. What a
// function counts in its own state tells whether it was made anew. Without a history the
// heap is as large after the last reload as early on; the history in memory costs each
// version what it changed. For longer: -reloads=10000.
func TestReloadsReachExactlyTheDependents(t *testing.T) {
	t.Run("no history", func(t *testing.T) {
		if grown := reload(t, "version: \"1.0\"\nregistry: {enable_history: false}\n"); grown > 512<<10 {
			t.Errorf("the heap grew by %d KB", grown>>10)
		}
	})
	t.Run("history in memory", func(t *testing.T) {
		if per := reload(t, "version: \"1.0\"\n") / int64(*reloads); per > 3000 {
			t.Errorf("%d bytes are kept per reload", per)
		}
	})
}

// reload makes all the changes and returns by how much the heap grew meanwhile.
func reload(t *testing.T, config string) (grown int64) {
	const source = `local calls = 0 return {main = function() calls = calls + 1 return %s .. "/" .. calls end}`
	dir := write(t, `  - {name: low, kind: library.lua, source: "return {version = 0}"}
  - {name: high, kind: library.lua, source: "return {version = function() return low.version end}", imports: {low: app:low}}
  - {name: direct, kind: function.lua, source: "file://direct.lua", method: main, imports: {low: app:low}, pool: {type: static, workers: 1}}
  - {name: through, kind: function.lua, source: "file://through.lua", method: main, imports: {high: app:high}, pool: {type: static, workers: 1}}
  - {name: apart, kind: function.lua, source: "file://apart.lua", method: main, pool: {type: static, workers: 1}}
`, map[string]string{
		"src/direct.lua":  fmt.Sprintf(source, "low.version"),
		"src/through.lua": fmt.Sprintf(source, "high.version()"),
		"src/apart.lua":   fmt.Sprintf(source, `"apart"`),
		".wippy.yaml":     config,
	})
	a := &app{t: t, stdout: &output{}, stderr: &output{}}
	var err error
	if a.runtime, err = boot.New(boot.Options{Dir: dir, Silent: true, Stdin: strings.NewReader(""), Stdout: a.stdout, Stderr: a.stderr}); err != nil {
		t.Fatal(err)
	}
	defer a.runtime.Shutdown()
	if err := a.runtime.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	dict := appctx.From(a.runtime.Context())
	calls, engine := boot.KeyFunctions.MustGet(dict), boot.KeyEngine.MustGet(dict)
	call := func(name string) string {
		t.Helper()
		result, err := calls.Call(t.Context(), functions.Task{ID: "app:" + name, Input: []payload.Payload{}})
		if err != nil {
			t.Fatal(err)
		}
		v, err := engine.FromPayload(result)
		if err != nil {
			t.Fatal(err)
		}
		return v.String()
	}
	check := func(version, apart int) {
		t.Helper()
		want := fmt.Sprintf("%d/1 %d/1 apart/%d", version, version, apart)
		if got := call("direct") + " " + call("through") + " " + call("apart"); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	check(0, 1)
	r := a.runtime.Registry()
	var early uint64
	for i := 1; i <= *reloads; i++ {
		e, _ := r.Get(registry.ParseID("app:low"))
		data := maps.Clone(e.Data.(map[string]any))
		data["source"] = fmt.Sprintf("return {version = %d}", i)
		e.Data = data
		var c registry.Changeset
		c.UpdateEntry(e)
		if _, err := r.Apply(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		check(i, i+1)
		if i == *reloads/5 {
			early = heapInUse()
		}
	}
	late := heapInUse()
	t.Logf("heap %d KB, then %d KB", early>>10, late>>10)
	return int64(late) - int64(early)
}
