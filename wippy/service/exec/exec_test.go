// SPDX-License-Identifier: Apache-2.0

//go:build unix

package exec_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/exec"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/fault"
)

const id = "app:exec"

// executor makes an executor that is stopped with the test.
func executor(t *testing.T, c exec.Config) *exec.Executor {
	t.Helper()
	all := exec.New()
	t.Cleanup(func() {
		if err := all.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := all.Add(id, c); err != nil {
		t.Fatal(err)
	}
	e, err := all.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func command(t *testing.T, e *exec.Executor, line string, o exec.Options) *exec.Process {
	t.Helper()
	p, err := e.Command(line, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.End)
	return p
}

func start(t *testing.T, e *exec.Executor, line string) (*exec.Process, *bufio.Reader) {
	t.Helper()
	p := command(t, e, line, exec.Options{})
	out, err := p.Stdout()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	return p, bufio.NewReader(out)
}

// output runs a command to its end.
func output(t *testing.T, p *exec.Process) (stdout, stderr string, code int) {
	t.Helper()
	out, err := p.Stdout()
	if err != nil {
		t.Fatal(err)
	}
	errs, err := p.Stderr()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	a, _ := io.ReadAll(out)
	b, _ := io.ReadAll(errs)
	code, err = p.Wait()
	if err != nil {
		t.Fatal(err)
	}
	return string(a), string(b), code
}

func write(p *exec.Process, text string) error {
	done := make(chan error, 1)
	p.Write([]byte(text), func(err error) { done <- err })
	return <-done
}

func TestCommandsRun(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	e := executor(t, exec.Config{Dir: dir, Env: map[string]string{"A": "1", "B": "2"}})
	for _, c := range []struct {
		line           string
		o              exec.Options
		stdout, stderr string
		code           int
	}{
		{line: "echo a  b 'c  d'", stdout: "a b c  d\n"},
		{line: "echo ; id $(id) `id` | cat > x && y", stdout: "; id $(id) `id` | cat > x && y\n"},
		{line: "echo '; touch " + dir + "/owned'", stdout: "; touch " + dir + "/owned\n"},
		{line: "sh -c 'exit 42'", code: 42},
		{line: "sh -c 'echo out; echo err >&2'", stdout: "out\n", stderr: "err\n"},
		{line: "pwd", stdout: dir + "\n"},
		{line: "pwd", o: exec.Options{Dir: "sub"}, stdout: dir + "/sub\n"},
		{line: "pwd", o: exec.Options{Dir: dir + "/sub/.."}, stdout: dir + "\n"},
		{line: `sh -c 'echo $A $B $C'`, o: exec.Options{Env: map[string]string{"B": "x y", "C": "3"}}, stdout: "1 x y 3\n"},
		{line: "sh -c 'kill -9 $$'", code: -1},
	} {
		stdout, stderr, code := output(t, command(t, e, c.line, c.o))
		if stdout != c.stdout || stderr != c.stderr || code != c.code {
			t.Errorf("%s: %q, %q, %d; want %q, %q, %d", c.line, stdout, stderr, code, c.stdout, c.stderr, c.code)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "owned")); err == nil {
		t.Error("a command line was given to a shell")
	}
}

func TestEnvironmentIsClean(t *testing.T) {
	t.Setenv("WIPPY_SECRET", "s3cret")
	e := executor(t, exec.Config{Env: map[string]string{"X": "1"}})
	if stdout, _, _ := output(t, command(t, e, "env", exec.Options{Env: map[string]string{"Y": ""}})); stdout != "X=1\nY=\n" {
		t.Errorf("environment %q", stdout)
	}
}

func TestCommandRefuses(t *testing.T) {
	e := executor(t, exec.Config{Whitelist: []string{"echo a", "  "}})
	for _, c := range []struct {
		line string
		env  map[string]string
		kind fault.Kind
		text string
	}{
		{"echo b", nil, fault.PermissionDenied, "command not allowed"},
		{"echo a ", nil, fault.PermissionDenied, "command not allowed"},
		{"echo a; id", nil, fault.PermissionDenied, "command not allowed"},
		{"  ", nil, fault.Invalid, "command is required"},
		{"echo a", map[string]string{"": "x"}, fault.Invalid, "invalid environment variable: "},
		{"echo a", map[string]string{"A=B": "x"}, fault.Invalid, "invalid environment variable: A=B"},
		{"echo a", map[string]string{"A": "x\x00B=1"}, fault.Invalid, "invalid environment variable: A"},
	} {
		_, err := e.Command(c.line, exec.Options{Env: c.env})
		if fault.KindOf(err) != c.kind || err.Error() != c.text {
			t.Errorf("%q %v: %v", c.line, c.env, err)
		}
	}
	if _, err := e.Command("echo b", exec.Options{}); fault.DetailsOf(err)["command"] != "echo b" {
		t.Errorf("details %v", fault.DetailsOf(err))
	}
}

func TestStartFails(t *testing.T) {
	e := executor(t, exec.Config{})
	for _, c := range []struct {
		line, text string
		o          exec.Options
	}{
		{"/nowhere/program", "no such file", exec.Options{}},
		{"no-such-program-here", "not found", exec.Options{}},
		{`"" x`, "", exec.Options{}},
		{"pwd", "work directory: stat /nowhere: no such file", exec.Options{Dir: "/nowhere"}},
		{"pwd", "work directory: /etc/passwd is not a directory", exec.Options{Dir: "/etc/passwd"}},
		{"echo 'a\x00b'", "invalid argument", exec.Options{}},
	} {
		p := command(t, e, c.line, c.o)
		if err := p.Start(); err == nil || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%q: %v", c.line, err)
		}
		if _, err := p.Wait(); !errors.Is(err, exec.ErrNotStarted) {
			t.Errorf("%q: wait: %v", c.line, err)
		}
	}
}

func TestStates(t *testing.T) {
	p := command(t, executor(t, exec.Config{}), "cat", exec.Options{})
	for what, err := range map[string]error{"write": write(p, "x"), "close": write(p, ""), "signal": p.Signal(syscall.SIGTERM)} {
		if !errors.Is(err, exec.ErrNotStarted) {
			t.Errorf("%s before start: %v", what, err)
		}
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); !errors.Is(err, exec.ErrStarted) {
		t.Errorf("second start: %v", err)
	}
	if err := write(p, ""); err != nil {
		t.Error(err)
	}
	if err := write(p, ""); err != nil {
		t.Errorf("second close: %v", err)
	}
	if err := write(p, "x"); !errors.Is(err, exec.ErrNoPipe) {
		t.Errorf("write after close: %v", err)
	}
	if code, err := p.Wait(); code != 0 || err != nil {
		t.Errorf("wait: %d, %v", code, err)
	}
	if code, err := p.Wait(); code != 0 || err != nil {
		t.Errorf("second wait: %d, %v", code, err)
	}
	if err := p.Signal(syscall.SIGTERM); !errors.Is(err, exec.ErrNotRunning) {
		t.Errorf("signal after the end: %v", err)
	}
	if _, err := p.Stdout(); err != nil {
		t.Errorf("stdout after the end: %v", err)
	}
	p.Discard()
	if _, err := p.Stdout(); err != nil {
		t.Errorf("stdout was taken: %v", err)
	}
	if _, err := p.Stderr(); !errors.Is(err, exec.ErrNoPipe) {
		t.Errorf("stderr was given up: %v", err)
	}
	p.Kill(true)
	p.End()
	p.End()
}

func TestInputReachesTheCommand(t *testing.T) {
	p, out := start(t, executor(t, exec.Config{}), "cat")
	for _, text := range []string{"one\n", "two\n"} {
		if err := write(p, text); err != nil {
			t.Fatal(err)
		}
		if line, err := out.ReadString('\n'); line != text {
			t.Fatalf("%q, %v", line, err)
		}
	}
}

func TestSignal(t *testing.T) {
	p, _ := start(t, executor(t, exec.Config{}), "sleep 60")
	if err := p.Signal(syscall.Signal(1000)); err == nil {
		t.Error("signal 1000 was sent")
	}
	if err := p.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, err := p.Wait(); code != -1 || err != nil {
		t.Errorf("%d, %v", code, err)
	}
}

func TestSignalsCanBeHandled(t *testing.T) {
	p, out := start(t, executor(t, exec.Config{}), `sh -c 'trap "echo got; exit 3" USR1; echo ready; while :; do sleep 0.01; done'`)
	if line, err := out.ReadString('\n'); line != "ready\n" {
		t.Fatal(line, err)
	}
	if err := p.Signal(syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	if line, err := out.ReadString('\n'); line != "got\n" {
		t.Error(line, err)
	}
	if code, _ := p.Wait(); code != 3 {
		t.Error(code)
	}
}

// alive reports whether a process of that id runs; one that ended and was not collected does not.
func alive(t *testing.T, pid int) bool {
	t.Helper()
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return false
	}
	_, rest, _ := strings.Cut(string(stat), ") ")
	return !strings.HasPrefix(rest, "Z")
}

// gone waits until a process has ended.
func gone(t *testing.T, pid int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for alive(t, pid) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("process %d lives", pid)
		}
	}
}

func readPID(t *testing.T, out *bufio.Reader) int {
	t.Helper()
	line, err := out.ReadString('\n')
	pid, convErr := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || convErr != nil {
		t.Fatalf("%q, %v", line, err)
	}
	return pid
}

func TestEndEndsTheWholeGroup(t *testing.T) {
	for name, line := range map[string]string{
		"child of a shell":   `sh -c 'sleep 60 & echo $!; wait'`,
		"orphan of a leader": `sh -c 'sleep 60 & echo $!'`,
	} {
		t.Run(name, func(t *testing.T) {
			p, out := start(t, executor(t, exec.Config{}), line)
			child := readPID(t, out)
			if strings.HasPrefix(name, "orphan") {
				if code, err := p.Wait(); code != 0 || err != nil {
					t.Fatal(code, err)
				}
				if p.Ended() || !alive(t, child) {
					t.Fatal("the orphan ended with its parent")
				}
			}
			p.End()
			gone(t, child)
			if _, err := p.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEndKillsWhatIgnoresIt(t *testing.T) {
	all := exec.New()
	if err := all.Add(id, exec.Config{}); err != nil {
		t.Fatal(err)
	}
	e, _ := all.Get(id)
	p, out := start(t, e, `sh -c 'trap "" TERM; echo $$; while :; do sleep 0.05; done'`)
	pid := readPID(t, out)
	p.Kill(false)
	p.End()
	if err := all.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if code, err := p.Wait(); code != -1 || err != nil {
		t.Errorf("%d, %v", code, err)
	}
	gone(t, pid)
}

func TestStopEndsEverything(t *testing.T) {
	all := exec.New()
	if err := all.Add(id, exec.Config{}); err != nil {
		t.Fatal(err)
	}
	e, _ := all.Get(id)
	var pids []int
	for range 3 {
		_, out := start(t, e, `sh -c 'sleep 60 & echo $!; exec sleep 60'`)
		pids = append(pids, readPID(t, out))
	}
	_, out := start(t, e, `sh -c 'sleep 60 & echo $!'`)
	pids = append(pids, readPID(t, out))
	if err := all.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, pid := range pids {
		gone(t, pid)
	}
	if err := command(t, e, "true", exec.Options{}).Start(); !errors.Is(err, exec.ErrStopped) {
		t.Errorf("started after the stop: %v", err)
	}
}

// TestAttackCommandsWithoutEnd starts commands, and opens streams of others, until that is refused; when some end there
// is room again.
func TestAttackCommandsWithoutEnd(t *testing.T) {
	all := exec.New(exec.WithLimit(20))
	t.Cleanup(func() {
		if err := all.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	if err := all.Add(id, exec.Config{}); err != nil {
		t.Fatal(err)
	}
	e, _ := all.Get(id)
	var holding []*exec.Process
	for i := range 100 {
		p := command(t, e, "sleep 60", exec.Options{})
		var err error
		if i%2 == 0 {
			err = p.Start()
		} else {
			_, err = p.Stderr()
		}
		if err == nil {
			holding = append(holding, p)
		} else if !errors.Is(err, exec.ErrTooMany) || fault.KindOf(err) != fault.RateLimited {
			t.Fatal(err)
		}
	}
	if len(holding) != 20 {
		t.Errorf("%d commands", len(holding))
	}
	for _, p := range holding[:2] {
		p.Kill(true)
		if p.Started() {
			if _, err := p.Wait(); err != nil {
				t.Error(err)
			}
		}
		p.End()
	}
	for range 2 {
		if err := command(t, e, "true", exec.Options{}).Start(); err != nil {
			t.Errorf("no room: %v", err)
		}
	}
}

func TestProcessesAreReaped(t *testing.T) {
	p, out := start(t, executor(t, exec.Config{}), `sh -c 'echo $$'`)
	pid := readPID(t, out)
	ended := make(chan int, 1)
	if err := p.OnExit(func(code int) { ended <- code }); err != nil {
		t.Fatal(err)
	}
	<-ended
	if err := syscall.Kill(pid, 0); err == nil {
		t.Error("nobody collected the process")
	}
	if !p.Ended() {
		t.Error("something is left")
	}
}

func TestOutputOutlivesTheProcess(t *testing.T) {
	p, out := start(t, executor(t, exec.Config{}), "sh -c 'echo one; echo two'")
	if _, err := p.Wait(); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(out); string(text) != "one\ntwo\n" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
}

func TestEndReleasesReadersAndWriters(t *testing.T) {
	p, out := start(t, executor(t, exec.Config{}), "sleep 60")
	done := make(chan error, 3)
	go func() {
		_, err := out.ReadByte()
		done <- err
	}()
	p.Write(make([]byte, 1<<20), func(err error) { done <- err }) // more than a pipe holds
	p.Write(nil, func(err error) { done <- err })
	p.End()
	failed := 0
	for range 3 {
		if <-done != nil {
			failed++
		}
	}
	if failed < 2 { // the input ended anyway
		t.Error("no error")
	}
}

func TestWritesKeepTheirOrder(t *testing.T) {
	p, out := start(t, executor(t, exec.Config{}), "cat")
	var want strings.Builder
	done := make(chan error, 101)
	for i := range 100 {
		text := strings.Repeat(strconv.Itoa(i), 1000) + "\n"
		want.WriteString(text)
		p.Write([]byte(text), func(err error) { done <- err })
	}
	p.Write(nil, func(err error) { done <- err })
	if got, err := io.ReadAll(out); string(got) != want.String() || err != nil {
		t.Errorf("%d bytes of %d, %v", len(got), want.Len(), err)
	}
	for range 101 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
}

func TestLargeOutput(t *testing.T) {
	p, out := start(t, executor(t, exec.Config{}), "head -c 3000000 /dev/zero")
	n, err := io.Copy(io.Discard, out)
	if n != 3000000 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if code, _ := p.Wait(); code != 0 {
		t.Error(code)
	}
}

func TestExecutorsFollowTheirEntries(t *testing.T) {
	dir := t.TempDir()
	all := exec.New()
	var unknown []string
	l := exec.NewListener(all, func(_ registry.Entry, w []fields.Warning) {
		for _, f := range w {
			unknown = append(unknown, f.Path)
		}
	})
	l.Dir = dir
	entry := func(data map[string]any) registry.Entry {
		return registry.Entry{ID: registry.ParseID(id), Kind: exec.KindNative, Data: data}
	}
	first := entry(map[string]any{"default_env": map[string]any{"A": "x", "N": 8080, "F": true}, "lifecycle": map[string]any{}, "image": "x"})
	if err := l.Create(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	if err := l.Create(t.Context(), first); !errors.Is(err, exec.ErrExists) {
		t.Errorf("created twice: %v", err)
	}
	old, err := all.Get(id)
	if err != nil {
		t.Fatal(err)
	}
	if stdout, _, _ := output(t, command(t, old, "env", exec.Options{})); stdout != "A=x\nF=true\nN=8080\n" {
		t.Errorf("environment %q", stdout)
	}
	if unknown[0] != "data.image" {
		t.Errorf("unknown %v", unknown)
	}
	second := entry(map[string]any{"default_work_dir": "./x/../y", "command_whitelist": []any{"pwd"}})
	if err := os.Mkdir(filepath.Join(dir, "y"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := l.Update(t.Context(), first, second); err != nil {
		t.Fatal(err)
	}
	next, _ := all.Get(id)
	if stdout, _, _ := output(t, command(t, next, "pwd", exec.Options{})); !strings.HasSuffix(stdout, "/y\n") {
		t.Errorf("directory %q", stdout)
	}
	if _, err := old.Command("env", exec.Options{}); err != nil {
		t.Errorf("the executor in use changed: %v", err)
	}
	if err := l.Delete(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	_, err = all.Get(id)
	for what, err := range map[string]error{"get": err, "delete": l.Delete(t.Context(), second), "update": l.Update(t.Context(), second, first)} {
		if !errors.Is(err, exec.ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for field, value := range map[string]any{"default_work_dir": 1, "command_whitelist": []any{1}, "default_env": map[string]any{"A=B": "x"}} {
		var bad *fields.Error
		if err := l.Create(t.Context(), entry(map[string]any{field: value})); !errors.As(err, &bad) || !strings.HasPrefix(bad.Path, "data."+field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
