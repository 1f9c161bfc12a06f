// SPDX-License-Identifier: Apache-2.0

// Package sqltest runs real database servers for tests: PostgreSQL and MariaDB, each in a temporary directory, on a
// port of the loopback interface, as a user without privileges. They start when a test first asks for one and
// end with the test binary, however that ends.
package sqltest

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/wippy/internal/porttest"
)

// Server is a database server with one user and one database. Its methods are for one goroutine.
type Server struct {
	Kind               string // of entries for it: db.sql.postgres or db.sql.mysql
	Host               string
	Port               int
	User, Password     string
	Database           string
	dir, ready, signal string
	owner              *syscall.SysProcAttr
	command            []string
	program            *exec.Cmd
	stdin              io.Closer
	output             *output
}

// patience bounds the start of a server. It is only reached when something is broken.
const patience = 3 * time.Minute

// The servers of this test binary.
var (
	postgres = sync.OnceValues(newPostgres)
	mariadb  = sync.OnceValues(newMariaDB)
	mu       sync.Mutex
	running  []*Server // guarded by mu; all that were made
)

// errMissing says that a program is not there.
var errMissing = errors.New("is not installed")

// Postgres returns the PostgreSQL server of this test binary. Where the program is not installed the test gets the
// attribute left-out and nil; in CI it fails.
func Postgres(tb testing.TB) *Server { tb.Helper(); return get(tb, "PostgreSQL", postgres) }

// MariaDB is Postgres for a MariaDB server.
func MariaDB(tb testing.TB) *Server { tb.Helper(); return get(tb, "MariaDB", mariadb) }

func get(tb testing.TB, name string, server func() (*Server, error)) *Server {
	tb.Helper()
	s, err := server()
	switch {
	case errors.Is(err, errMissing) && os.Getenv("CI") == "":
		tb.Attr("left-out", fmt.Sprintf("%s %v", name, errMissing))
		return nil
	case err != nil:
		tb.Fatalf("%s: %v", name, err)
	}
	return s
}

// Main runs the tests of a package, stops the servers and fails when a goroutine is left. Call it from TestMain.
func Main(m *testing.M) { goleak.VerifyTestMain(stopping{m}) }

type stopping struct{ m *testing.M }

// Run implements goleak.TestingM.
func (s stopping) Run() int {
	code := s.m.Run()
	mu.Lock()
	defer mu.Unlock()
	for _, server := range running {
		server.Kill()
		_ = os.RemoveAll(server.dir)
	}
	return code
}

// Data is the data of an entry for the server.
func (s *Server) Data(more map[string]any) map[string]any {
	data := map[string]any{
		"host": s.Host, "port": s.Port, "username": s.User, "password": s.Password, "database": s.Database,
		"pool": map[string]any{"max_open": 8, "max_idle": 4},
	}
	for k, v := range more {
		data[k] = v
	}
	return data
}

// newServer makes a directory for a server that runs as one of the users named.
func newServer(kind string, names ...string) (*Server, error) {
	dir, err := os.MkdirTemp("", "sqltest")
	if err != nil {
		return nil, err
	}
	s := &Server{
		Kind: kind, Host: porttest.Host, User: "wippy", Password: `it's a \secret/:@?#`, Database: "wippy",
		dir: dir, owner: &syscall.SysProcAttr{Setpgid: true}, output: &output{},
	}
	mu.Lock()
	running = append(running, s) // to be cleaned up, whether or not it ever starts
	mu.Unlock()
	if os.Geteuid() == 0 {
		for _, name := range append(names, "nobody") {
			u, err := user.Lookup(name)
			if err != nil {
				continue
			}
			uid, _ := strconv.Atoi(u.Uid)
			gid, _ := strconv.Atoi(u.Gid)
			if err := os.Chown(dir, uid, gid); err != nil {
				return nil, err
			}
			s.owner.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
			break
		}
	}
	if s.Port, _, err = porttest.Keep(); err != nil { // as long as the test binary runs
		return nil, err
	}
	return s, nil
}

// file writes a file the server reads.
func (s *Server) file(name, text string) (string, error) {
	path := filepath.Join(s.dir, name)
	return path, os.WriteFile(path, []byte(text), 0o644)
}

// environment gives each server temporary files of its own: MariaDB, when it starts, deletes those of others.
func (s *Server) environment() []string { return append(os.Environ(), "TMPDIR="+s.dir, "HOME="+s.dir) }

// run runs a program as the user of the server.
func (s *Server) run(program string, args ...string) error {
	cmd := exec.Command(program, args...)
	cmd.SysProcAttr, cmd.Dir, cmd.Env = s.owner, s.dir, s.environment()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w\n%s", program, err, out)
	}
	return nil
}

// launch starts the server for the first time.
func (s *Server) launch() (*Server, error) {
	return s, s.start()
}

// guard runs a program and kills it when the standard input ends, which it does with the test binary.
const guard = `signal=$1; shift; "$@" </dev/null & program=$!; read line; kill -$signal $program; wait $program`

func (s *Server) start() error {
	cmd := exec.Command("/bin/sh", append([]string{"-c", guard, "sh", s.signal}, s.command...)...)
	cmd.SysProcAttr, cmd.Dir, cmd.Env = s.owner, s.dir, s.environment()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	ready := s.output.expect(s.ready)
	cmd.Stdout, cmd.Stderr = s.output, s.output
	if err := cmd.Start(); err != nil {
		return err
	}
	s.program, s.stdin = cmd, stdin
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-ready:
		return nil
	case <-timer.C:
		s.Kill()
		return fmt.Errorf("does not start:\n%s", s.output)
	}
}

// Kill ends the server at once, without a goodbye to its clients. Without a server that runs it does nothing.
func (s *Server) Kill() {
	if s.program == nil {
		return
	}
	_ = s.stdin.Close()
	_ = s.program.Wait()
	s.program = nil
}

// Restart starts a server that was killed, with what it had stored, on the same port.
func (s *Server) Restart(tb testing.TB) {
	tb.Helper()
	s.Kill()
	if err := s.start(); err != nil {
		tb.Fatal(err)
	}
}

// output keeps what a server writes and looks for a text.
type output struct {
	mu    sync.Mutex
	text  strings.Builder
	from  int // where text is that nobody has looked at
	want  string
	found chan struct{}
}

// expect returns a channel that is closed when the text comes, in one piece or in several.
func (o *output) expect(text string) <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.from, o.want, o.found = o.text.Len(), text, make(chan struct{})
	return o.found
}

// Write implements io.Writer.
func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.text.Write(p)
	if o.found != nil && strings.Contains(o.text.String()[o.from:], o.want) {
		close(o.found)
		o.found = nil
	}
	return len(p), nil
}

// String returns what was written.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
