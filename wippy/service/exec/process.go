// SPDX-License-Identifier: Apache-2.0

package exec

import (
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Grace is how long a process group that was asked to end may take before it is killed.
const Grace = 5 * time.Second

// Errors of a [Process].
var (
	// ErrNotStarted is for what needs a process that was started.
	ErrNotStarted = fault.New(fault.Invalid, "process not started").Final()
	// ErrStarted means that Start was called before.
	ErrStarted = fault.New(fault.Invalid, "process already started").Final()
	// ErrNotRunning is for what needs a process that has not ended.
	ErrNotRunning = fault.New(fault.Invalid, "process is not running").Final()
	// ErrNoPipe means that a stream was closed, or given up with its process.
	ErrNoPipe = fault.New(fault.Unavailable, "the stream is closed").Final()
)

// state is how far a process is. It only grows.
type state uint8

const (
	stateFresh   state = iota
	stateRunning       // started
	stateGone          // the leader has ended and is collected
)

// Process is a command. All methods may be called concurrently. Whoever makes one calls End in
// the end.
type Process struct {
	cmd   *exec.Cmd
	group *running
	ended chan struct{} // closed when the leader was collected

	mu             sync.Mutex // guards all below, and the process id against reuse: see watch
	state          state
	code           int  // how the leader ended
	orphans        bool // others of the group are left
	exits          []func(code int)
	stdin          *os.File // nil unless it can be written to
	writes         []write  // under way and waiting
	stdout, stderr pipe
	over           bool // End was called
	kill           *time.Timer
}

// pipe is one output of a process.
type pipe struct {
	r, w  *os.File // our end and the command's
	taken bool     // somebody reads
	shut  bool     // it was given up
}

// Start runs the command. It fails when there is no such program, when the directory does not
// exist, and when the process was started or ended before.
func (p *Process) Start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state != stateFresh || p.over {
		return ErrStarted
	}
	if err := p.group.add(p); err != nil {
		return err
	}
	if err := p.start(); err != nil {
		p.group.remove(p)
		p.shut()
		return err
	}
	p.state = stateRunning
	go p.watch()
	return nil
}

func (p *Process) start() error {
	r, w, err := os.Pipe()
	if err != nil {
		return err
	}
	p.stdin = w
	defer func() { _ = r.Close() }()
	for _, out := range []*pipe{&p.stdout, &p.stderr} {
		if err := out.open(); err != nil {
			return err
		}
	}
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = r, p.stdout.w, p.stderr.w
	if err := p.cmd.Start(); err != nil {
		return p.explain(err)
	}
	p.stdout.closeOther()
	p.stderr.closeOther()
	return nil
}

// explain tells a directory that does not exist from a program that does not.
func (p *Process) explain(err error) error {
	if p.cmd.Dir == "" || p.cmd.Err != nil {
		return err
	}
	info, statErr := os.Stat(p.cmd.Dir)
	switch {
	case statErr != nil:
		return fault.Wrap(fault.Unknown, "work directory", statErr)
	case !info.IsDir():
		return fault.New(fault.Unknown, "work directory: "+p.cmd.Dir+" is not a directory")
	}
	return err
}

// open makes the pipe unless it was made before.
func (p *pipe) open() (err error) {
	if p.shut {
		return ErrNoPipe
	}
	if p.r == nil {
		p.r, p.w, err = os.Pipe()
	}
	return err
}

func (p *pipe) closeOther() {
	if p.w != nil {
		_ = p.w.Close()
		p.w = nil
	}
}

// giveUp closes the pipe for good.
func (p *pipe) giveUp() {
	p.closeOther()
	if p.r != nil {
		_ = p.r.Close()
	}
	p.shut = true
}

// shut gives up all pipes; mu is held.
func (p *Process) shut() {
	p.stdout.giveUp()
	p.stderr.giveUp()
	if p.stdin != nil {
		_ = p.stdin.Close() // a write that waits for room fails
		p.stdin = nil
	}
}

// watch waits for the leader. Until it is collected its id is not given to another process, nor
// is that of its group: that happens under mu, so that who holds mu can signal both.
func (p *Process) watch() {
	state := awaitExit(p.cmd.Process)
	p.mu.Lock()
	if state == nil {
		_ = p.cmd.Wait() // how it ended is in ProcessState
		state = p.cmd.ProcessState
	}
	p.code = -1
	if state != nil {
		p.code = state.ExitCode()
	}
	p.state = stateGone
	p.orphans = groupAlive(p.cmd.Process.Pid)
	if p.stdin != nil {
		_ = p.stdin.Close()
		p.stdin = nil
	}
	if !p.orphans {
		p.finished()
	}
	exits := p.exits
	p.exits = nil
	p.mu.Unlock()
	close(p.ended)
	for _, f := range exits {
		f(p.code)
	}
}

// finished forgets a process of whose group nothing is left; mu is held.
func (p *Process) finished() {
	p.group.remove(p)
	if p.kill != nil {
		p.kill.Stop()
	}
}

// OnExit calls f with the exit code once the process has ended, at once when it has, on any
// goroutine. The code of a process that a signal ended is -1.
func (p *Process) OnExit(f func(code int)) error {
	p.mu.Lock()
	switch {
	case p.state == stateFresh:
		p.mu.Unlock()
		return ErrNotStarted
	case p.state == stateGone:
		p.mu.Unlock()
		f(p.code)
		return nil
	}
	p.exits = append(p.exits, f)
	p.mu.Unlock()
	return nil
}

// Wait waits for the end of the process and returns its exit code.
func (p *Process) Wait() (int, error) {
	code := make(chan int, 1)
	if err := p.OnExit(func(c int) { code <- c }); err != nil {
		return 0, err
	}
	return <-code, nil
}

// Started reports whether the command was started.
func (p *Process) Started() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.state != stateFresh
}

// Signal sends a signal to the process, not to the rest of its group.
func (p *Process) Signal(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch p.state {
	case stateFresh:
		return ErrNotStarted
	case stateGone:
		return ErrNotRunning
	}
	return p.cmd.Process.Signal(s)
}

// Kill ends the process group: with SIGTERM, which its processes may take their time to follow,
// or by force. It does nothing when nothing is left of the group.
func (p *Process) Kill(force bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.signalGroup(force)
}

func (p *Process) signalGroup(force bool) {
	if p.state == stateRunning || p.orphans {
		endGroup(p.cmd.Process, force)
	}
}

// End is for an owner that ends: it closes the streams and ends the process group, by force when
// that takes longer than [Grace]. It does not wait. A process that was not started never will.
func (p *Process) End() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return
	}
	p.over = true
	p.shut()
	if p.state != stateRunning && !p.orphans {
		p.group.remove(p)
		return
	}
	endGroup(p.cmd.Process, false)
	p.kill = time.AfterFunc(Grace, p.force)
	p.recheck()
}

// force kills what is left.
func (p *Process) force() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.signalGroup(true)
	p.orphansGone()
}

// recheck looks whether the orphans are gone; mu is held.
func (p *Process) recheck() {
	if p.state == stateGone && p.orphans && !groupAlive(p.cmd.Process.Pid) {
		p.orphansGone()
	}
}

func (p *Process) orphansGone() {
	if p.state == stateGone {
		p.orphans = false
		p.finished()
	}
}

// Ended reports whether nothing of the process is left: neither itself nor anything in its group.
func (p *Process) Ended() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.recheck()
	return p.state == stateFresh || p.state == stateGone && !p.orphans
}

// Output is what a command writes. Closing it releases a read under way, and so does the end of
// the process's owner, but not the end of the process: what was written can be read then, too.
type Output struct{ file *os.File }

// Read reads what was written; it waits for the first byte. It returns io.EOF when the command,
// and all it started, have closed their end.
func (o Output) Read(p []byte) (int, error) { return o.file.Read(p) }

// Close closes it. A command that goes on writing gets SIGPIPE.
func (o Output) Close() error { return o.file.Close() }

// SetDeadline lets a read under way and those to come fail at that time.
func (o Output) SetDeadline(t time.Time) error { return o.file.SetDeadline(t) }

// Stdout returns what the command writes to its standard output. It may be taken before the
// start, and again: it is the same stream.
func (p *Process) Stdout() (Output, error) { return p.take(&p.stdout) }

// Stderr is Stdout for the standard error.
func (p *Process) Stderr() (Output, error) { return p.take(&p.stderr) }

func (p *Process) take(out *pipe) (Output, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.state == stateFresh && !out.shut {
		if err := p.group.add(p); err != nil {
			return Output{}, err
		}
	}
	if err := out.open(); err != nil {
		return Output{}, err
	}
	out.taken = true
	return Output{out.r}, nil
}

// Discard gives up the outputs that nobody has taken.
func (p *Process) Discard() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, out := range []*pipe{&p.stdout, &p.stderr} {
		if !out.taken {
			out.giveUp()
		}
	}
}

// Write writes to the standard input of the command and calls done, on any goroutine. It does not
// wait, the writes of one process go out in the order of the calls. Nothing to write ends the
// input; ending it again does nothing. The end of the process releases a write that waits for
// room in the pipe.
func (p *Process) Write(data []byte, done func(error)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.writes = append(p.writes, write{data, done})
	if len(p.writes) == 1 {
		go p.writeAll()
	}
}

// write is what goes to the standard input.
type write struct {
	data []byte
	done func(error)
}

// writeAll does the writes there are. The first of them stays where it is until it is done.
func (p *Process) writeAll() {
	for {
		p.mu.Lock()
		next, file, state := p.writes[0], p.stdin, p.state
		if len(next.data) == 0 {
			p.stdin = nil
		}
		p.mu.Unlock()
		next.done(writeTo(file, state, next.data))
		p.mu.Lock()
		p.writes[0] = write{}
		p.writes = p.writes[1:]
		more := len(p.writes) > 0
		p.mu.Unlock()
		if !more {
			return
		}
	}
}

func writeTo(file *os.File, state state, data []byte) error {
	switch {
	case state == stateFresh:
		return ErrNotStarted
	case file == nil && len(data) == 0:
		return nil
	case file == nil:
		return ErrNoPipe
	case len(data) == 0:
		return file.Close()
	}
	_, err := file.Write(data)
	return err
}
