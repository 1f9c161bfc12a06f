// SPDX-License-Identifier: Apache-2.0

// Command compare measures how many requests a Lua function of the wippy program answers,
// beside a bare net/http server and Node's http module that give the same answer, each as
// a program of its own and each in turn, with wrk:
//
//	cd benchmarks && go run ./http/compare -duration 5s
//
// or, to see what a request costs where, by profiles that are taken meanwhile:
//
//	cd benchmarks && go run ./http/compare -profile -duration 10s -connections 64
//
// The first prints a table of requests per second, the latencies at the median and at the
// 99th percentile, the processor time that the server used for a request (where the system
// tells: Linux), and the ratio to net/http. The client shares the machine with the servers,
// so only the ratio means something; processor time means something on a busy machine too.
// Programs that are not installed are named as absent.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wippyrun/kit/benchmarks/internal/web"
)

// answer is what every server gives for /hello.
const answer = `{"list":[1,2,3],"message":"hello"}`

var options struct {
	duration    time.Duration
	rounds      int
	connections string
	bare        string
	profile     bool
	profiler    string
}

func main() {
	flag.DurationVar(&options.duration, "duration", 5*time.Second, "how long each measurement takes")
	flag.IntVar(&options.rounds, "rounds", 3, "measurements of each server, of which the median counts")
	flag.StringVar(&options.connections, "connections", "1,64,256", "numbers of connections")
	flag.StringVar(&options.bare, "bare", "", "serve net/http at this address, for use by the program itself")
	flag.BoolVar(&options.profile, "profile", false, "print what a request costs, by parts of the program")
	flag.StringVar(&options.profiler, "profiler", "", "serve profiles at this address too, with -bare")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if options.bare != "" {
		err = serveBare(options.bare, options.profiler)
	} else {
		err = compare(ctx, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func serveBare(addr, profiler string) error {
	if profiler != "" {
		mux := http.NewServeMux()
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		go func() { fmt.Fprintln(os.Stderr, "compare:", http.ListenAndServe(profiler, mux)) }()
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /hello", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, answer)
	})
	return http.ListenAndServe(addr, mux)
}

// server is one of those that are measured.
type server struct {
	name   string
	addr   string
	absent string // why it is not measured
	cmd    *exec.Cmd

	profiler string // address, "" without -profile
}

func compare(ctx context.Context, w io.Writer) error {
	wrk, err := web.Wrk()
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "compare-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	servers, err := start(ctx, dir)
	defer func() {
		for _, s := range servers {
			s.stop()
		}
	}()
	if err != nil {
		return err
	}
	if options.profile {
		return split(ctx, w, wrk, servers)
	}
	fmt.Fprintf(w, "%s, %d CPUs, %s each, median of %d rounds\n\n", runtime.Version(), runtime.NumCPU(), options.duration, options.rounds)
	fmt.Fprintln(w, "| connections | server | requests/s | p50 | p99 | of net/http | CPU per request |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|")
	for text := range strings.SplitSeq(options.connections, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return fmt.Errorf("connections: %q is no number above 0", text)
		}
		results := map[*server][]result{}
		for range options.rounds { // in turn, so that what else the machine does meets all of them
			for _, s := range servers {
				if s.absent != "" {
					continue
				}
				r, err := measure(ctx, wrk, s, n)
				if err != nil {
					return fmt.Errorf("%s: %w", s.name, err)
				}
				results[s] = append(results[s], r)
			}
		}
		base := median(results[servers[0]])
		for _, s := range servers {
			if s.absent != "" {
				fmt.Fprintf(w, "| %d | %s | absent: %s | | | | |\n", n, s.name, s.absent)
				continue
			}
			r := median(results[s])
			fmt.Fprintf(w, "| %d | %s | %.0f | %s | %s | %.0f %% | %s |\n", n, s.name, r.Rate, r.P50, r.P99, 100*r.Rate/base.Rate, r.cpu)
		}
	}
	return nil
}

const index = `version: "1.0"
namespace: app
entries:
  - {name: server, kind: http.service, addr: "%s", lifecycle: {auto_start: true}}
  - {name: api, kind: http.router, meta: {server: server}}
  - {name: hello, kind: function.lua, source: "file://hello.lua", method: main, modules: [http]}
  - {name: hello.get, kind: http.endpoint, meta: {router: api}, method: GET, path: /hello, func: hello}
`

const hello = `return {main = function()
    http.response():write_json({message = "hello", list = {1, 2, 3}})
end}
`

const script = `require("http").createServer((req, res) => {
  const body = JSON.stringify({list: [1, 2, 3], message: "hello"});
  res.writeHead(200, {"Content-Type": "application/json", "Content-Length": Buffer.byteLength(body)});
  res.end(body);
}).listen(%s, "127.0.0.1");
`

// start starts the servers, net/http first.
func start(ctx context.Context, dir string) ([]*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	var all []*server
	add := func(name string, command func(s *server) (*exec.Cmd, error)) error {
		addr, err := web.FreeAddress()
		if err != nil {
			return err
		}
		s := &server{name: name, addr: addr}
		if options.profile {
			if s.profiler, err = web.FreeAddress(); err != nil {
				return err
			}
		}
		all = append(all, s)
		s.cmd, err = command(s)
		if errors.Is(err, exec.ErrNotFound) {
			s.absent = err.Error()
			s.cmd = nil
			return nil
		}
		if err != nil {
			return err
		}
		s.cmd.Stderr = os.Stderr
		if err := s.cmd.Start(); err != nil {
			s.cmd = nil
			return err
		}
		return s.ready(ctx)
	}
	if err := add("net/http", func(s *server) (*exec.Cmd, error) {
		return exec.Command(self, "-bare", s.addr, "-profiler", s.profiler), nil
	}); err != nil {
		return all, err
	}
	if err := add("wippy", func(s *server) (*exec.Cmd, error) {
		var args []string
		if s.profiler != "" {
			args = []string{"-p", "--set", "profiler.address=" + s.profiler}
		}
		return web.Wippy(ctx, dir, map[string]string{"_index.yaml": fmt.Sprintf(index, s.addr), "hello.lua": hello}, args...)
	}); err != nil {
		return all, err
	}
	if options.profile {
		return all, nil // the profiles are Go's
	}
	return all, add("node", func(s *server) (*exec.Cmd, error) {
		node, err := exec.LookPath("node")
		if err != nil {
			return nil, err
		}
		_, port, _ := net.SplitHostPort(s.addr)
		return exec.Command(node, "-e", fmt.Sprintf(script, port)), nil
	})
}

func (s *server) url() string { return "http://" + s.addr + "/hello" }

// ready waits for the right answer.
func (s *server) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url(), nil)
		if err != nil {
			return err
		}
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			body, err := io.ReadAll(res.Body)
			res.Body.Close()
			if err != nil || string(body) != answer {
				return fmt.Errorf("%s answers %q, %v", s.name, body, err)
			}
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w", s.name, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (s *server) stop() {
	if s.cmd != nil {
		web.Stop(s.cmd)
	}
}

// result is what wrk says, and what the server used meanwhile.
type result struct {
	web.Result
	cpu time.Duration // per request, 0 when it is not known
}

func measure(ctx context.Context, wrk string, s *server, connections int) (result, error) {
	before := web.Used(s.cmd.Process.Pid)
	r, err := web.Drive(ctx, wrk, s.url(), connections, options.duration)
	if err != nil {
		return result{}, err
	}
	all := result{Result: r}
	if before >= 0 && r.Requests > 0 {
		all.cpu = ((web.Used(s.cmd.Process.Pid) - before) / time.Duration(r.Requests)).Round(100 * time.Nanosecond)
	}
	return all, nil
}

func median(all []result) result {
	all = slices.SortedFunc(slices.Values(all), func(a, b result) int {
		switch {
		case a.Rate < b.Rate:
			return -1
		case a.Rate > b.Rate:
			return 1
		}
		return 0
	})
	return all[len(all)/2]
}
