// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// The application of both nodes: b echoes, a asks b as long as it can, and prints what it sees.
const (
	echoEntries = `version: "1.0"
namespace: app
entries:
  - {name: processes, kind: process.host, lifecycle: {auto_start: true}}
  - {name: main, kind: process.lua, source: "file://main.lua", modules: [time]}
  - {name: service, kind: process.service, process: main, host: "app:processes", lifecycle: {auto_start: true}}
`
	echoLua = `return { main = function()
    process.set_options({ trap_links = true }) -- outlives the partition, as the linked process of a seems to fail
    local inbox = process.inbox()
    print("ready: " .. process.pid())
    while true do
        local m = inbox:receive()
        process.send(m:from(), "answer", m:payload():data())
    end
end }
`
	askLua = `local time = require("time")
local target = "{b@app:processes|0x00001}"
return { main = function()
    process.set_options({ trap_links = true })
    local answers, events = process.listen("answer"), process.events()
    local n, seen = 0, {}
    while true do
        local ok = process.monitor(target)
        if ok then ok = process.link(target) end
        local watching, printed = ok, false
        if not ok then time.sleep("20ms") end
        while watching do
            n = n + 1
            process.send(target, "ask", { number = n, text = "\255x" })
            local waiting = true
            while waiting and watching do
                local r = channel.select { answers:case_receive(), events:case_receive() }
                if r.channel == events then
                    print(r.value.kind .. ": " .. tostring(r.value.result.error))
                    watching = r.value.kind ~= "pid.link.down"
                else
                    local got = r.value.number
                    if seen[got] then print("TWICE " .. got) end
                    seen[got] = true
                    waiting = got ~= n
                    if r.value.text ~= "\255x" then print("CHANGED") end
                    if not printed then print("answered") printed = true end
                end
            end
        end
    end
end }
`
)

// lines are what a program printed, one at a time.
type lines chan string

// await returns the first line that contains a text, and fails when it does not come or something that must
// not happen comes before.
func (l lines) await(t *testing.T, text string) string {
	t.Helper()
	limit := time.After(runLimit)
	var before []string
	for {
		select {
		case line, ok := <-l:
			before = append(before, line)
			if strings.Contains(line, "TWICE") || strings.Contains(line, "CHANGED") {
				t.Fatal(line)
			}
			if strings.Contains(line, text) {
				return line
			}
			if !ok {
				t.Fatalf("ended without %q:\n%s", text, strings.Join(before, "\n"))
			}
		case <-limit:
			t.Fatalf("waited in vain for %q:\n%s", text, strings.Join(before, "\n"))
		}
	}
}

// echoNode writes the project of a node. Settings are lines of the section relay.
func echoNode(t *testing.T, name, program string, settings ...string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	config := "version: \"1.0\"\nrelay:\n  node_name: " + name + "\n  secret: 0123456789abcdef\n  heartbeat: 100ms\n"
	for _, s := range settings {
		config += "  " + s + "\n"
	}
	for file, text := range map[string]string{".wippy.yaml": config, "src/_index.yaml": echoEntries, "src/main.lua": program} {
		file = filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// startNode runs a project, with words in front of the command; kill ends it at once.
func startNode(t *testing.T, dir string, prefix ...string) (out lines, kill func()) {
	t.Helper()
	args := append(prefix, "wippy", "run")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GORACE="+raceOptions)
	r, w := io.Pipe()
	cmd.Stdout, cmd.Stderr = w, w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out = make(lines, 10_000)
	var running sync.WaitGroup
	running.Go(func() {
		defer close(out)
		for s := bufio.NewScanner(r); s.Scan(); {
			out <- s.Text()
		}
	})
	kill = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = w.Close()
		running.Wait()
	})
	t.Cleanup(kill)
	return out, kill
}

// freeAddress is one that stays free while the program that listens there is started again.
func freeAddress(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "linux" { // all of 127.0.0.0/8 is this machine, and nobody is given a port of it at random
		return fmt.Sprintf("127.213.%d.%d:7950", os.Getpid()>>8&0xff, os.Getpid()&0xff)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// TestTwoNodes kills one of two programs that talk: monitor and link on the other fire within the bound, nothing
// arrives twice, and the next run is talked to again.
func TestTwoNodes(t *testing.T) {
	address := freeAddress(t)
	b := echoNode(t, "b", echoLua, fmt.Sprintf("listen: %q", address), `peers: {a: ""}`, "patience: 1s")
	a := echoNode(t, "a", askLua, fmt.Sprintf("peers: {b: %q}", address), "patience: 1s")
	outB, killB := startNode(t, b)
	outB.await(t, "ready: {b@app:processes|0x00001}")
	outA, _ := startNode(t, a)
	outA.await(t, "answered")
	for range 2 {
		killed := time.Now()
		killB()
		outA.await(t, "pid.exit: node lost: b")
		outA.await(t, "pid.link.down: node lost: b")
		if took := time.Since(killed); took > 10*time.Second { // patience 1 s, and a busy machine
			t.Errorf("noticed after %v", took)
		}
		outB, killB = startNode(t, b)
		outB.await(t, "ready: ")
		outA.await(t, "answered")
	}
}
