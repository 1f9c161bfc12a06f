// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/wippyrun/kit/wippy/service/otlp/otlptest"
)

// tracedApplication is a shop: a client orders over HTTP, the order is priced by a function, put into a queue, packed
// by a consumer, and announced by a process.
const tracedApplication = `
-- .wippy.yaml --
version: "1.0"
otel: {enabled: true, protocol: grpc, service_name: shop, metrics_enabled: true}
-- _index.yaml --
version: "1.0"
namespace: app
entries:
  - {name: terminal, kind: terminal.host, lifecycle: {auto_start: true}}
  - {name: workers, kind: process.host, lifecycle: {auto_start: true}}
  - {name: gateway, kind: http.service, addr: "127.0.0.1:0", lifecycle: {auto_start: true}}
  - {name: api, kind: http.router, meta: {server: gateway}, post_middleware: [otel, metrics]}
  - {name: order, kind: http.endpoint, meta: {router: api}, method: POST, path: "/orders/{id}", func: handle}
  - {name: stock, kind: http.endpoint, meta: {router: api}, method: GET, path: "/stock", func: count}
  - {name: count, kind: function.lua, source: "return {main = function() return 1 end}", method: main}
  - {name: handle, kind: function.lua, source: "file://shop.lua", method: handle, modules: [http, http_client, funcs, process, queue]}
  - {name: price, kind: function.lua, source: "file://shop.lua", method: price, modules: [http, http_client, funcs, process, queue]}
  - {name: pack, kind: function.lua, source: "file://shop.lua", method: pack, modules: [http, http_client, funcs, process, queue]}
  - {name: announce, kind: process.lua, source: "return {main = function() end}", method: main}
  - {name: memory, kind: queue.driver.memory, lifecycle: {auto_start: true}}
  - {name: orders, kind: queue.queue, driver: memory}
  - {name: packer, kind: queue.consumer, queue: orders, func: pack, lifecycle: {auto_start: true}}
  - {name: client, kind: process.lua, source: "file://client.lua", method: main, modules: [io, http_client, system, metrics]}
-- shop.lua --
return {
    handle = function()
        local id = http.request():param("id")
        local price = assert(funcs.call("app:price", id))
        assert(http_client.get("http://" .. http.request():host() .. "/stock").status_code == 200)
        assert(queue.publish("app:orders", {id = id, reply_to = http.request():header("X-Reply-To")}))
        assert(process.spawn("app:announce", "app:workers"))
        http.response():write(price)
    end,
    price = function(id) return id .. " costs 5" end,
    pack = function(order) process.send(order.reply_to, "packed", order.id) end,
}
-- client.lua --
return { main = function()
    local base = "http://" .. system.supervisor.state("app:gateway").details:match("[%d%.]+:%d+$")
    local res = assert(http_client.post(base .. "/orders/7", { headers = {
        traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", ["X-Reply-To"] = process.pid(),
    } }))
    metrics.counter_inc("orders", { size = "small" })
    local packed = process.listen("packed"):receive()
    io.print(res.body, packed, res.headers.Traceparent:sub(1, 36))
end }
`

// project writes an application into a directory of the test.
func projectOf(t *testing.T, files string) string {
	t.Helper()
	dir := t.TempDir()
	for _, f := range txtar.Parse([]byte(files)).Files {
		if err := os.WriteFile(filepath.Join(dir, f.Name), f.Data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func runTraced(t *testing.T, endpoint string, env ...string) (stdout, stderr string) {
	t.Helper()
	cmd := exec.Command("wippy", "run", "--set", "otel.endpoint="+endpoint, "-x", "app:client")
	cmd.Dir = projectOf(t, tracedApplication)
	cmd.Env = append(append(os.Environ(), "GORACE="+raceOptions), env...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out.String(), errs.String())
	}
	return out.String(), errs.String()
}

// TestTelemetry lets a whole program send its spans and metrics to a collector and looks at how they hang together.
func TestTelemetry(t *testing.T) {
	const remote = "0af7651916cd43dd8448eb211c80319c"
	collector := otlptest.GRPC(t)
	stdout, _ := runTraced(t, collector.Endpoint())
	if want := "7 costs 5\t7\t00-" + remote + "-\n"; stdout != want {
		t.Errorf("printed %q, want %q", stdout, want)
	}
	request := collector.Span("POST app:order")
	if request.TraceID != remote || request.Parent != "b7ad6b7169203331" || request.Kind != "server" || request.Attributes["http.status_code"] != "200" ||
		request.Attributes["url.template"] != "/orders/{id}" || request.Service != "shop" {
		t.Errorf("%+v", request)
	}
	for child, parent := range map[string]string{
		"app:handle": "POST app:order", "app:price": "app:handle", "app:orders.publish": "app:handle", "app:count": "GET app:stock", "app:announce.started": "app:handle",
		"app:announce.terminated": "app:handle", "queue.consume": "app:orders.publish", "app:pack": "queue.consume",
	} {
		s, p := collector.Span(child), collector.Span(parent)
		if s.Parent != p.ID || s.TraceID != remote || s.Status != "ok" {
			t.Errorf("%s is not a child of %s: %+v", child, parent, s)
		}
	}
	if s, p := collector.Span("GET app:stock"), collector.Span("app:handle"); s.Parent != p.ID || s.TraceID != remote {
		t.Errorf("a request of a handler is not its child: %+v", s)
	}
	if s := collector.Span("app:client.started"); s.TraceID == remote || s.Parent != "" {
		t.Errorf("%+v", s)
	}
	collector.Wait("metrics", func(_ []otlptest.Span, m map[string]otlptest.Metric) bool {
		return m["orders"].Values["size=small"] == 1 && m["wippy_http_requests_total"].Values["method=POST,route=app:order,status=200"] == 1 &&
			m["wippy_scheduler_workers"].Kind == "gauge"
	})
}

func TestTelemetryIsSwitchedOffByTheEnvironment(t *testing.T) {
	collector := otlptest.GRPC(t)
	runTracedOff(t, collector.Endpoint())
	if n := collector.Batches(); n != 0 {
		t.Errorf("%d batches were sent", n)
	}
}

func runTracedOff(t *testing.T, endpoint string) {
	t.Helper()
	cmd := exec.Command("wippy", "run", "--set", "otel.endpoint="+endpoint, "-x", "app:announce")
	cmd.Dir = projectOf(t, tracedApplication)
	cmd.Env = append(os.Environ(), "GORACE="+raceOptions, "OTEL_SDK_DISABLED=true")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestUnreachableCollectorDoesNotMatter runs the same application without a collector.
func TestUnreachableCollectorDoesNotMatter(t *testing.T) {
	stdout, stderr := runTraced(t, "127.0.0.1:1")
	if !strings.HasPrefix(stdout, "7 costs 5\t7\t") || stderr != "" {
		t.Errorf("printed %q, %q", stdout, stderr)
	}
}
