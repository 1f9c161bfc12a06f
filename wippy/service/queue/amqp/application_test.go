// SPDX-License-Identifier: Apache-2.0

package amqp_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/wippyrun/kit/wippy"
	"github.com/wippyrun/kit/wippy/system/fault"
)

const application = `version: "1.0"
namespace: app
entries:
  - {name: os, kind: env.storage.os}
  - {name: url, kind: env.variable, variable: BROKER_URL, storage: "app:os"}
  - {name: driver, kind: queue.driver.amqp, url: "${env:BROKER_URL}", tls: {ca: "file://ca.pem"}, lifecycle: {auto_start: true}}
  - {name: seen, kind: store.memory, lifecycle: {auto_start: true}}
  - {name: dead, kind: queue.queue, driver: driver, queue_name: application.dead}
  - {name: jobs, kind: queue.queue, driver: driver, queue_name: application.jobs, dead_letter: {queue: dead, max_attempts: 2}}
  - {name: handle, kind: function.lua, source: "file://program.lua", method: handle, modules: [queue, store]}
  - {name: bury, kind: function.lua, source: "file://program.lua", method: bury, modules: [queue, store]}
  - {name: publish, kind: function.lua, source: "file://program.lua", method: publish, modules: [queue]}
  - {name: result, kind: function.lua, source: "file://program.lua", method: result, modules: [queue, store, time]}
  - {name: worker, kind: queue.consumer, queue: jobs, func: handle, concurrency: 20, retry: {initial_delay: 5ms}, lifecycle: {auto_start: true}}
  - {name: clerk, kind: queue.consumer, queue: dead, func: bury, lifecycle: {auto_start: true}}
`

const program = `
local M = {}

function M.publish(case)
    return queue.publish("app:jobs", {case = case, list = {1, 2.5, "three"}, empty = {x = {}}}, {correlation_id = "c-" .. case})
end

function M.handle(body)
    local msg = queue.message()
    local attempt = msg:header("attempts") or 1
    assert(body.list[2] == 2.5 and body.list[3] == "three" and msg:header("correlation_id") == "c-" .. body.case)
    assert(type(msg:header("timestamp")) == "number")
    if body.case == "nack" and attempt == 1 then
        assert(msg:nack())
        local _, err = msg:ack()
        assert(err:message() == "queue.Message already settled")
        return
    end
    if body.case == "ack" then assert(msg:ack()) end
    if body.case == "false" then return false end
    store.get("app:seen"):set(body.case, attempt)
end

function M.bury(body)
    local msg = queue.message()
    store.get("app:seen"):set(body.case, "dead after " .. msg:header("attempts") .. " in " .. msg:header("x_original_queue"))
end

function M.result(case)
    local s = store.get("app:seen")
    while not s:has(case) do time.sleep("5ms") end
    local info, err = queue.info("app:jobs")
    assert(err == nil and info.consumer_count == 1 and info.message_count and info.in_flight == nil)
    return s:get(case)
end

return M
`

func TestApplication(t *testing.T) {
	b := startBroker(t)
	if b == nil {
		return
	}
	for name, url := range map[string]string{"plain": b.url(), "TLS": b.secureURL()} {
		t.Run(name, func(t *testing.T) { testApplication(t, url, b.certificates.ca) })
	}
}

func testApplication(t *testing.T, url, ca string) {
	t.Setenv("BROKER_URL", url)
	dir := t.TempDir()
	for name, text := range map[string]string{"_index.yaml": application, "program.lua": program, "ca.pem": ca} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	app, err := wippy.New(wippy.Dir(dir), wippy.Logs(wippy.LogNothing), wippy.Streams(strings.NewReader(""), io.Discard, io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Stop)
	if err := app.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for _, c := range []struct {
		id   string
		want any
	}{{"plain", 1.0}, {"ack", 1.0}, {"nack", 2.0}, {"false", "dead after 2 in app:jobs"}} {
		for {
			_, err := app.Call(ctx, "app:publish", c.id)
			if fault.KindOf(err) == fault.Unavailable { // the driver starts after Start returns
				runtime.Gosched()
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if got, err := app.Call(ctx, "app:result", c.id); err != nil || got != c.want {
			t.Errorf("%s: %v, %v, want %v", c.id, got, err, c.want)
		}
	}
}
