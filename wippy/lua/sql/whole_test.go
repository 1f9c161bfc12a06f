// SPDX-License-Identifier: Apache-2.0

package sql_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/wippy"
	"github.com/wippyrun/kit/wippy/internal/porttest"
	"github.com/wippyrun/kit/wippy/service/sql"
)

const siteIndex = `version: "1.0"
namespace: app
entries:
  - {name: processes, kind: process.host, lifecycle: {auto_start: true}}
  - {name: web, kind: http.service, addr: %q, lifecycle: {auto_start: true}}
  - {name: all, kind: http.router, meta: {server: web}}
  - {name: sleep, kind: http.endpoint, meta: {router: all}, method: GET, path: /sleep, func: sleeps}
  - {name: sleeps, kind: function.lua, source: "file://sleeps.lua", method: main, modules: [funcs]}
  - {name: naps, kind: function.lua, source: "file://naps.lua", method: main, modules: [sql]}
  - {name: count, kind: http.endpoint, meta: {router: all}, method: GET, path: /count, func: counts}
  - {name: counts, kind: function.lua, source: "file://counts.lua", method: main, modules: [sql, http]}
  - name: db
    kind: %s
    host: %s
    port: %d
    username: %q
    password: '%s'
    database: %s
    pool: {max_open: 4, max_idle: 2}
    lifecycle: {auto_start: true}
`

// A client that gives up ends the statement of the function that the endpoint's function calls.
func TestClientThatLeavesCancelsTheStatement(t *testing.T) {
	for _, e := range servers(t) {
		t.Run(dialect(e), func(t *testing.T) {
			address := porttest.Address(t)
			d, dir := e.Data.(map[string]any), t.TempDir()
			sleep, count := "SELECT pg_sleep(61)", "SELECT COUNT(*) AS n FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep(61)'"
			if e.Kind == sql.KindMySQL {
				sleep, count = "SELECT SLEEP(61)", "SELECT COUNT(*) AS n FROM information_schema.processlist WHERE info LIKE '%SLEEP(61)'"
			}
			for name, text := range map[string]string{
				"_index.yaml": fmt.Sprintf(siteIndex, address, e.Kind, d["host"], d["port"], d["username"],
					strings.ReplaceAll(d["password"].(string), "'", "''"), d["database"]),
				"sleeps.lua": `return {main = function() return require("funcs").call("app:naps") end}`,
				"naps.lua":   `return {main = function() local sql = require("sql") return assert(sql.get("app:db")):query("` + sleep + `") end}`,
				"counts.lua": `return {main = function()
					local sql, http = require("sql"), require("http")
					http.response():write(tostring(assert(assert(sql.get("app:db")):query([[` + count + `]]))[1].n))
				end}`,
			} {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			app, err := wippy.New(wippy.Dir(dir), wippy.Streams(strings.NewReader(""), io.Discard, io.Discard))
			if err != nil {
				t.Fatal(err)
			}
			if err := app.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer app.Stop()
			client := &http.Client{Timeout: 2 * time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
			asleep := func() string {
				r, err := client.Get("http://" + address + "/count")
				if err != nil {
					return err.Error() // it does not listen yet
				}
				defer r.Body.Close()
				text, err := io.ReadAll(r.Body)
				if err != nil || r.StatusCode != http.StatusOK {
					t.Fatalf("%d %s %v", r.StatusCode, text, err)
				}
				return string(text)
			}
			until(t, "the site answers", func() bool { return asleep() == "0" })
			ctx, leave := context.WithCancel(t.Context())
			request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/sleep", nil)
			if err != nil {
				t.Fatal(err)
			}
			left := make(chan error, 1)
			go func() {
				r, err := client.Do(request)
				if err == nil {
					r.Body.Close()
				}
				left <- err
			}()
			until(t, "the statement runs", func() bool { return asleep() == "1" })
			leave()
			if err := <-left; err == nil {
				t.Error("the request was answered")
			}
			until(t, "the statement ends", func() bool { return asleep() == "0" })
		})
	}
}
