// SPDX-License-Identifier: Apache-2.0

// Command compare measures how many requests a Lua function of the wippy program answers,
// beside a bare net/http server and Node's http module that give the same answer, each as
// a program of its own and each in turn, with wrk:
//
//	cd benchmarks && go run ./http/compare -duration 5s
//
// It prints a table of requests per second, the latencies at the median and at the 99th
// percentile, the processor time that the server used for a request (where the system
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
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// answer is what every server gives for /hello.
const answer = `{"list":[1,2,3],"message":"hello"}`

var options struct {
	duration    time.Duration
	rounds      int
	connections string
	bare        string
}

func main() {
	flag.DurationVar(&options.duration, "duration", 5*time.Second, "how long each measurement takes")
	flag.IntVar(&options.rounds, "rounds", 3, "measurements of each server, of which the median counts")
	flag.StringVar(&options.connections, "connections", "1,64,256", "numbers of connections")
	flag.StringVar(&options.bare, "bare", "", "serve net/http at this address, for use by the program itself")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if options.bare != "" {
		err = serveBare(options.bare)
	} else {
		err = compare(ctx, os.Stdout)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

func serveBare(addr string) error {
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
}

func compare(ctx context.Context, w io.Writer) error {
	wrk, err := exec.LookPath("wrk")
	if err != nil {
		return errors.New("wrk is absent (Debian: apt-get install wrk)")
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
			fmt.Fprintf(w, "| %d | %s | %.0f | %s | %s | %.0f %% | %s |\n", n, s.name, r.rate, r.p50, r.p99, 100*r.rate/base.rate, r.cpu)
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
	add := func(name string, command func(addr string) (*exec.Cmd, error)) error {
		addr, err := freeAddress()
		if err != nil {
			return err
		}
		s := &server{name: name, addr: addr}
		all = append(all, s)
		s.cmd, err = command(addr)
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
	if err := add("net/http", func(addr string) (*exec.Cmd, error) { return exec.Command(self, "-bare", addr), nil }); err != nil {
		return all, err
	}
	if err := add("wippy", func(addr string) (*exec.Cmd, error) {
		program := filepath.Join(dir, "wippy")
		module, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/wippyrun/kit/wippy").Output()
		if err != nil {
			return nil, fmt.Errorf("find the module of wippy: %w", err)
		}
		build := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/wippy")
		build.Dir, build.Stderr = strings.TrimSpace(string(module)), os.Stderr
		if err := build.Run(); err != nil {
			return nil, fmt.Errorf("build wippy: %w", err)
		}
		app := filepath.Join(dir, "app")
		if err := os.Mkdir(app, 0o755); err != nil {
			return nil, err
		}
		_, port, _ := net.SplitHostPort(addr)
		for name, text := range map[string]string{"_index.yaml": fmt.Sprintf(index, "127.0.0.1:"+port), "hello.lua": hello} {
			if err := os.WriteFile(filepath.Join(app, name), []byte(text), 0o644); err != nil {
				return nil, err
			}
		}
		cmd := exec.Command(program, "run", "-s")
		cmd.Dir = app
		return cmd, nil
	}); err != nil {
		return all, err
	}
	return all, add("node", func(addr string) (*exec.Cmd, error) {
		node, err := exec.LookPath("node")
		if err != nil {
			return nil, err
		}
		_, port, _ := net.SplitHostPort(addr)
		return exec.Command(node, "-e", fmt.Sprintf(script, port)), nil
	})
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
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
	if s.cmd == nil {
		return
	}
	_ = s.cmd.Process.Signal(os.Interrupt)
	ended := make(chan struct{})
	go func() {
		_ = s.cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		_ = s.cmd.Process.Kill()
		<-ended
	}
}

// result is what wrk says.
type result struct {
	rate     float64
	p50, p99 string
	requests int64
	cpu      time.Duration // per request, 0 when it is not known
}

var (
	rateLine   = regexp.MustCompile(`(?m)^Requests/sec:\s+([\d.]+)`)
	countLine  = regexp.MustCompile(`(?m)^\s*(\d+) requests in`)
	p50Line    = regexp.MustCompile(`(?m)^\s+50%\s+(\S+)`)
	p99Line    = regexp.MustCompile(`(?m)^\s+99%\s+(\S+)`)
	errorLines = regexp.MustCompile(`(?m)^\s*(Socket errors|Non-2xx).*$`)
)

func measure(ctx context.Context, wrk string, s *server, connections int) (result, error) {
	before := s.used()
	out, err := exec.CommandContext(ctx, wrk, "-t", "1", "-c", strconv.Itoa(connections), "-d", options.duration.String(), "--latency", s.url()).CombinedOutput()
	if err != nil {
		return result{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	r, err := parse(string(out))
	if err == nil && before >= 0 && r.requests > 0 {
		r.cpu = ((s.used() - before) / time.Duration(r.requests)).Round(100 * time.Nanosecond)
	}
	return r, err
}

// used is the processor time that the server has used so far, negative when the system
// does not tell.
func (s *server) used() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return -1
	}
	_, rest, _ := strings.Cut(string(stat), ") ") // the name may hold anything
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return -1
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond // the kernel's tick for programs
}

func parse(out string) (result, error) {
	if m := errorLines.FindString(out); m != "" {
		return result{}, errors.New(strings.TrimSpace(m))
	}
	field := func(line *regexp.Regexp) string {
		if m := line.FindStringSubmatch(out); m != nil {
			return m[1]
		}
		return ""
	}
	rate, err := strconv.ParseFloat(field(rateLine), 64)
	r := result{rate: rate, p50: field(p50Line), p99: field(p99Line)}
	r.requests, _ = strconv.ParseInt(field(countLine), 10, 64)
	if err != nil || r.p50 == "" || r.p99 == "" {
		return result{}, fmt.Errorf("wrk says nothing of use:\n%s", out)
	}
	return r, nil
}

func median(all []result) result {
	all = slices.SortedFunc(slices.Values(all), func(a, b result) int {
		switch {
		case a.rate < b.rate:
			return -1
		case a.rate > b.rate:
			return 1
		}
		return 0
	})
	return all[len(all)/2]
}
