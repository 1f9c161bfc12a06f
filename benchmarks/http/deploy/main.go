// SPDX-License-Identifier: Apache-2.0

// Command deploy changes a program while it serves, and fails when a single request notices:
//
//	cd benchmarks && go run ./http/deploy -duration 20s -updates 200
//
// It starts the wippy program with an endpoint that a Lua function answers, and drives that with wrk.
// Meanwhile it makes, through the registry of the program, one change after the other: an endpoint is added,
// the source of the function that wrk calls is replaced, the new endpoint moves, and is removed. After each it
// looks whether the change is live.
//
// It wants of wrk: no answer but 2xx, no connection that failed; of the program's own count: as many answers as
// wrk has got, all with status 200; of a client of its own, which asks all the time: each answer whole, of the
// source of the moment, and never of an older one than the answer before.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"sync"
	"sync/atomic"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/web"
)

var options struct {
	duration             time.Duration
	updates, connections int
}

func main() {
	flag.DurationVar(&options.duration, "duration", 20*time.Second, "how long wrk asks; the changes are spread over nine tenths of it")
	flag.IntVar(&options.updates, "updates", 200, "changes of the registry")
	flag.IntVar(&options.connections, "connections", 64, "connections of wrk")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "deploy:", err)
		os.Exit(1)
	}
}

const index = `version: "1.0"
namespace: app
entries:
  - {name: server, kind: http.service, addr: "%s", lifecycle: {auto_start: true}}
  - {name: api, kind: http.router, meta: {server: server}, post_middleware: [metrics]}
  - {name: hello, kind: function.lua, source: %q, method: main, modules: [http]}
  - {name: extra, kind: function.lua, source: %q, method: main, modules: [http]}
  - {name: hello.get, kind: http.endpoint, meta: {router: api}, method: GET, path: /hello, func: hello}
  - {name: control, kind: http.service, addr: "%s", lifecycle: {auto_start: true}}
  - {name: changes, kind: http.router, meta: {server: control}}
  - {name: change, kind: function.lua, source: "file://change.lua", method: main, modules: [http, registry]}
  - {name: change.post, kind: http.endpoint, meta: {router: changes}, method: POST, path: /change, func: change}
`

// change applies one operation and answers when it is live.
const change = `return {main = function()
    local body = assert(http.request():body_json())
    local changes = registry.snapshot():changes()
    if body.op == "delete" then
        changes:delete(body.id)
    else
        changes[body.op](changes, body.entry)
    end
    assert(changes:apply())
    http.response():write_json({done = body.op})
end}
`

// source is that of the function that wrk calls, in some version of it.
func source(version int) string {
	return fmt.Sprintf(`return {main = function() http.response():write_json({version = %d, list = {1, 2, 3}}) end}`, version)
}

// deployment is a program that is changed while it serves.
type deployment struct {
	address, control, metrics string
	client                    *http.Client
	live                      atomic.Int64 // the version of the source that was applied last
	asked                     atomic.Int64 // requests for /hello of this program
}

func run(ctx context.Context, w io.Writer) error {
	wrk, err := web.Wrk()
	if err != nil {
		return err
	}
	d := &deployment{client: &http.Client{Timeout: time.Minute}}
	for _, address := range []*string{&d.address, &d.control, &d.metrics} {
		if *address, err = web.FreeAddress(); err != nil {
			return err
		}
	}
	dir, err := os.MkdirTemp("", "deploy-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	extra := `return {main = function() http.response():write("extra") end}`
	cmd, err := web.Wippy(ctx, dir, map[string]string{"_index.yaml": fmt.Sprintf(index, d.address, source(0), extra, d.control), "change.lua": change},
		"--set", "prometheus.enabled=true", "--set", "prometheus.address="+d.metrics)
	if err != nil {
		return err
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	defer web.Stop(cmd)
	if err := d.ready(ctx); err != nil {
		return err
	}
	return d.deploy(ctx, w, wrk, cmd)
}

// driven is what became of wrk.
type driven struct {
	web.Result
	err error
}

func (d *deployment) deploy(ctx context.Context, w io.Writer, wrk string, cmd *exec.Cmd) error {
	begin, used := time.Now(), web.Used(cmd.Process.Pid)
	drive := make(chan driven, 1)
	go func() {
		r, err := web.Drive(ctx, wrk, "http://"+d.address+"/hello", options.connections, options.duration)
		drive <- driven{r, err}
	}()
	watching, stop := context.WithCancel(ctx)
	defer stop()
	var watch sync.WaitGroup
	var watchErr error
	watch.Go(func() { watchErr = d.watch(watching) })

	longest, err := d.update(ctx)
	took := time.Since(begin)
	var during counts
	if err == nil {
		during, err = d.counts()
	}
	if err == nil && during.failed > 0 {
		err = fmt.Errorf("the program counts %d answers that are not 200", during.failed)
	}
	stop()
	watch.Wait()
	var r driven
	select {
	case r = <-drive:
		if err == nil && took > options.duration {
			err = fmt.Errorf("the changes took %v, longer than wrk asked: use a longer -duration", took.Round(time.Millisecond))
		}
	case <-ctx.Done():
		r.err = ctx.Err()
	}
	if err := errors.Join(err, watchErr, r.err); err != nil {
		return err
	}
	after, err := d.counts()
	if err != nil {
		return err
	}
	asked := d.asked.Load()
	fmt.Fprintf(w, "%d changes in %v, the longest %v\n", options.updates, took.Round(time.Millisecond), longest.Round(100*time.Microsecond))
	fmt.Fprintf(w, "wrk: %d requests on %d connections, %.0f/s, p50 %s, p99 %s; no answer but 2xx, no connection failed\n", r.Requests, options.connections, r.Rate, r.P50, r.P99)
	fmt.Fprintf(w, "own client: %d requests, all of the source of the moment\n", asked)
	fmt.Fprintf(w, "the program: %d answers of 200, %d others\n", after.answered, after.failed)
	if used >= 0 {
		fmt.Fprintf(w, "processor time of the program: %v per request, changes included\n", ((web.Used(cmd.Process.Pid) - used) / time.Duration(r.Requests+asked)).Round(100*time.Nanosecond))
	}
	// When its time is up wrk leaves requests behind, one of each connection at most.
	if least, most := r.Requests+asked, r.Requests+asked+int64(options.connections); after.answered+after.failed < least || after.answered+after.failed > most || after.failed > int64(options.connections) {
		return fmt.Errorf("the program counts %d answers of 200 and %d others, its clients %d, and at most %d more that wrk has left behind",
			after.answered, after.failed, least, options.connections)
	}
	return nil
}

// update makes the changes, evenly over time, and returns how long the longest took until it was live.
func (d *deployment) update(ctx context.Context) (longest time.Duration, err error) {
	tick := time.NewTicker(options.duration * 9 / 10 / time.Duration(options.updates))
	defer tick.Stop()
	for i := range options.updates {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return longest, ctx.Err()
		}
		begin := time.Now()
		if err := d.one(ctx, i); err != nil {
			return longest, fmt.Errorf("change %d: %w", i+1, err)
		}
		longest = max(longest, time.Since(begin))
	}
	return longest, nil
}

// one makes change i and looks whether it is live.
func (d *deployment) one(ctx context.Context, i int) error {
	round := i / 4
	path, moved := fmt.Sprintf("/extra/%d", round), fmt.Sprintf("/moved/%d", round)
	route := func(path string) map[string]any {
		return map[string]any{"id": "app:extra.get", "kind": "http.endpoint", "meta": map[string]any{"router": "app:api"},
			"data": map[string]any{"method": "GET", "path": path, "func": "app:extra"}}
	}
	switch i % 4 {
	case 0:
		return errors.Join(d.change(ctx, map[string]any{"op": "create", "entry": route(path)}), d.see(ctx, path, http.StatusOK))
	case 1:
		version := round + 1
		err := d.change(ctx, map[string]any{"op": "update", "entry": map[string]any{"id": "app:hello", "kind": "function.lua",
			"data": map[string]any{"source": source(version), "method": "main", "modules": []string{"http"}}}})
		d.live.Store(int64(version))
		return err // the client that watches sees it
	case 2:
		return errors.Join(d.change(ctx, map[string]any{"op": "update", "entry": route(moved)}), d.see(ctx, path, http.StatusNotFound), d.see(ctx, moved, http.StatusOK))
	}
	return errors.Join(d.change(ctx, map[string]any{"op": "delete", "id": "app:extra.get"}), d.see(ctx, moved, http.StatusNotFound))
}

func (d *deployment) change(ctx context.Context, body map[string]any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	status, answer, err := d.do(ctx, http.MethodPost, "http://"+d.control+"/change", text)
	if err == nil && status != http.StatusOK {
		err = fmt.Errorf("%d %s", status, bytes.TrimSpace(answer))
	}
	return err
}

func (d *deployment) see(ctx context.Context, path string, want int) error {
	status, _, err := d.do(ctx, http.MethodGet, "http://"+d.address+path, nil)
	if err == nil && status != want {
		err = fmt.Errorf("GET %s: %d, want %d", path, status, want)
	}
	return err
}

// watch asks for /hello until ctx ends.
func (d *deployment) watch(ctx context.Context) error {
	last := int64(0)
	for ctx.Err() == nil {
		least := d.live.Load()
		d.asked.Add(1)
		status, body, err := d.do(context.WithoutCancel(ctx), http.MethodGet, "http://"+d.address+"/hello", nil)
		if err != nil {
			return fmt.Errorf("own client: %w", err)
		}
		var got struct {
			Version int64
			List    []int
		}
		if err := json.Unmarshal(body, &got); err != nil || status != http.StatusOK || len(got.List) != 3 {
			return fmt.Errorf("own client: %d %q, %v", status, body, err)
		}
		if got.Version < max(least, last) {
			return fmt.Errorf("own client: version %d answers, after %d", got.Version, max(least, last))
		}
		last = got.Version
	}
	return nil
}

func (d *deployment) do(ctx context.Context, method, url string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	res, err := d.client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, answer, err
}

// ready waits until the program answers.
func (d *deployment) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		d.asked.Add(1)
		status, _, err := d.do(ctx, http.MethodGet, "http://"+d.address+"/hello", nil)
		if err == nil && status == http.StatusOK {
			break
		}
		d.asked.Add(-1)
		select {
		case <-ctx.Done():
			return fmt.Errorf("the program does not answer: %d, %w", status, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
	_, err := d.counts()
	return err
}
