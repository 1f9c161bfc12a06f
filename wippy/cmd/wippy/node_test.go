// SPDX-License-Identifier: Apache-2.0

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/wippy/service/control"
)

const watchedEntries = `version: "1.0"
namespace: app
entries:
  - {name: processes, kind: process.host, host: {workers: 2}, lifecycle: {auto_start: true}}
  - {name: idle, kind: process.lua, source: "file://idle.lua", modules: [time, funcs, events]}
  - {name: slow, kind: function.lua, source: "file://slow.lua", method: main, modules: [time]}
  - {name: idle.service, kind: process.service, process: idle, host: "app:processes", lifecycle: {auto_start: true}}
`

const watchedLua = `return { main = function()
    process.registry.register("sleeper")
    local kept = {}
    for i = 1, 2000 do kept[i] = "text number " .. i end
    local f = funcs.async("app:slow")
    print("ready")
    local control = process.events()
    while true do
        local r = channel.select{control:case_receive(), time.after("50ms"):case_receive()}
        if r.channel == control then return #kept end
        events.send("app", "tick.tock", "path", {n = 1})
    end
end }
`

// wippyCommand runs a command of the program and returns what it prints.
func wippyCommand(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command("wippy", args...)
	cmd.Env = append(os.Environ(), "GORACE="+raceOptions)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	limit := time.AfterFunc(runLimit, func() { _ = cmd.Process.Kill() })
	defer limit.Stop()
	_ = cmd.Wait() // the exit code says it
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// eventually calls f until it has nothing to complain about: what is looked at goes on meanwhile.
func eventually(t *testing.T, what string, f func() (problem string)) {
	t.Helper()
	limit := time.Now().Add(runLimit)
	for problem := f(); problem != ""; problem = f() {
		if time.Now().After(limit) {
			t.Fatalf("%s: %s", what, problem)
		}
	}
}

// TestLookingAtANode starts a node and uses everything that shows it.
func TestLookingAtANode(t *testing.T) {
	sockets := t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", sockets)
	dir := t.TempDir()
	for file, text := range map[string]string{
		"src/_index.yaml": watchedEntries,
		"src/idle.lua":    watchedLua,
		"src/slow.lua":    `return { main = function() time.sleep("1h") end }`,
	} {
		file = filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	_, stderr, code := wippyCommand(t, "ps")
	if code != 1 || !strings.Contains(stderr, "no node runs") || !strings.Contains(stderr, "wippy run") {
		t.Errorf("without a node: exit %d, %s", code, stderr)
	}

	out, kill := startNode(t, dir)
	out.await(t, "ready")

	for _, tt := range []struct {
		name string
		args []string
		want []string // regular expressions
	}{
		{"ps", []string{"ps", "-C", dir}, []string{
			`(?m)^\{app:processes\|0x00001\}  app:idle +(idle|blocked|ready|running) .* - .*sleeper$`,
			`(?m)^\(call\) +app:slow +blocked +0 +1 `,
			`2 processes`,
		}},
		{"without a directory", []string{"ps", "sleeper", "-M"}, []string{`(?m)^\{app:processes\|0x00001\}  .* \d+K +\d`, `1 process\b`}},
		{"sorted by memory", []string{"ps", "-n", "1", "--sort", "memory"}, []string{`app:idle`, `1 of 2 processes`}},
		{"top", []string{"top", "--times", "2", "-d", "100ms"}, []string{
			`node local +pid \d+ +up .*` + regexp.QuoteMeta(dir),
			`(?m)^app:processes +2 +\d+ +1 `, `(?m)^functions +\d+ +\d+ +1 `, `STEPS/S`,
		}},
		{"services", []string{"services"}, []string{`(?m)^app:idle\.service +running +running +0 `, `(?m)^app:processes +running`}},
		{"events", []string{"events", "app", "tick.*", "-n", "2"}, []string{`(?m)^\d\d:\d\d:\d\d\.\d{3}  app +tick\.tock +path \{"n":1\}$`}},
		{"stop a service", []string{"services", "stop", "app:idle.service"}, []string{`app:idle.service is stopped`}},
		{"start it again", []string{"services", "start", "app:idle.service"}, []string{`app:idle.service is running`}},
	} {
		eventually(t, tt.name, func() string {
			stdout, stderr, code := wippyCommand(t, tt.args...)
			switch {
			case strings.Contains(stderr, "no node runs"): // it took too long to answer
				return stderr
			case code != 0:
				t.Fatalf("%s: exit %d, %s", tt.name, code, stderr)
			}
			for _, want := range tt.want {
				if !regexp.MustCompile(want).MatchString(stdout) {
					return "no match for " + want + " in\n" + stdout + stderr
				}
			}
			return ""
		})
	}

	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"ps", "--sort", "size"}, `unknown order "size"; there is time, memory`},
		{[]string{"services", "stop", "app:none"}, "cannot stop app:none: service not found"},
		{[]string{"ps", "-C", t.TempDir()}, "choose one with -C or --pid"},
		{[]string{"ps", "--pid", "1"}, "no node has the process id 1"},
		{[]string{"top", "-d", "1ms"}, "--interval must be 100ms at least"},
	} {
		eventually(t, tt.want, func() string {
			_, stderr, code := wippyCommand(t, tt.args...)
			if code != 1 || !strings.Contains(stderr, tt.want) {
				return fmt.Sprintf("%v: exit %d, want %q in %s", tt.args, code, tt.want, stderr)
			}
			return ""
		})
	}

	// The service has been started again, and its process may not have come far.
	eventually(t, "ps --json", func() string {
		stdout, stderr, code := wippyCommand(t, "ps", "--json")
		if code != 0 {
			return stderr
		}
		var list control.Processes
		if err := json.Unmarshal([]byte(stdout), &list); err != nil {
			t.Fatalf("%v, %s%s", err, stdout, stderr)
		}
		if list.Total != 2 || len(list.Processes) != 2 {
			return stdout
		}
		for _, p := range list.Processes {
			if p.Memory == nil || *p.Memory == 0 {
				return "no memory is told of " + p.Entry
			}
		}
		return ""
	})

	// What a killed node leaves behind is nobody's node any more, and removed.
	kill()
	if _, stderr, code := wippyCommand(t, "ps"); code != 1 || !strings.Contains(stderr, "no node runs") {
		t.Errorf("after the end: exit %d, %s", code, stderr)
	}
	if left, _ := filepath.Glob(filepath.Join(sockets, "wippy", "*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
