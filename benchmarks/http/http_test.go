// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/wippyrun/kit/benchmarks/internal/measure"
	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/wippy"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

const index = `version: "1.0"
namespace: app
entries:
  - {name: server, kind: http.service, addr: "127.0.0.1:0", lifecycle: {auto_start: true}}
  - {name: api, kind: http.router, meta: {server: server}}
  - {name: hello, kind: function.lua, source: "file://hello.lua", method: main, modules: [http], pool: {type: lazy}}
  - {name: hello.get, kind: http.endpoint, meta: {router: api}, method: GET, path: /hello, func: hello}
`

const hello = `return {main = function()
    http.response():write_json({message = "hello", list = {1, 2, 3}})
end}`

// ours starts an application and returns the address of its endpoint.
func ours(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	for name, text := range map[string]string{"_index.yaml": index, "hello.lua": hello} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	app, err := wippy.New(wippy.Dir(dir), wippy.Logs(wippy.LogNothing), wippy.Streams(strings.NewReader(""), io.Discard, io.Discard))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(app.Stop)
	listening := make(chan string, 1)
	_, err = app.Bus().Subscribe(b.Context(), eventbus.Pattern{System: supervisor.System, Kind: supervisor.KindUpdate}, func(e eventbus.Event) {
		if u, ok := e.Data.(supervisor.Update); ok && e.Path == "app:server" {
			if addr, ok := strings.CutPrefix(fmt.Sprint(u.Details), "service listening on "); ok {
				select {
				case listening <- addr:
				default: // it is known
				}
			}
		}
	})
	if err == nil {
		err = app.Start(b.Context())
	}
	if err != nil {
		b.Fatal(err)
	}
	return "http://" + <-listening + "/hello"
}

// bare is net/http answering the same.
func bare(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"list":[1,2,3],"message":"hello"}`)
	})
	s := &http.Server{Handler: mux}
	go s.Serve(l)
	b.Cleanup(func() { s.Close() })
	return "http://" + l.Addr().String() + "/hello"
}

// BenchmarkRequest is the time per request of a JSON answer, over connections that are
// kept. Client and server share the machine, so that the client is in the time of both.
func BenchmarkRequest(b *testing.B) {
	const requests = 1000
	for _, connections := range []int{1, 64} {
		b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) {
			for _, c := range []struct {
				name  string
				start func(*testing.B) string
			}{{"ours", ours}, {"net-http", bare}} {
				b.Run(c.name, func(b *testing.B) {
					url := c.start(b)
					client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: connections}}
					b.Cleanup(client.CloseIdleConnections)
					measure.Items(b, requests, func() {
						var all sync.WaitGroup
						for range connections {
							all.Go(func() {
								for range requests / connections {
									get(b, client, url)
								}
							})
						}
						all.Wait()
					})
				})
			}
		})
	}
}

func get(b *testing.B, client *http.Client, url string) {
	res, err := client.Get(url)
	if err != nil {
		b.Error(err)
		return
	}
	defer res.Body.Close()
	if body, err := io.ReadAll(res.Body); err != nil || res.StatusCode != 200 || len(body) != 34 {
		b.Errorf("%s %q %v", res.Status, body, err)
	}
}
