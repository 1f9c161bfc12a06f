// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"bufio"
	"context"
	"errors"
	"io"
	"sync"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// KindHost is the kind this package handles.
const KindHost = "terminal.host"

// IO is the terminal of the program.
type IO struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// Listener turns terminal.host entries into supervised hosts of one worker.
type Listener struct {
	rt         host.Runtime
	supervisor host.Supervisor
	warn       func(registry.Entry, []fields.Warning)
	io         IO
	stdin      *bufio.Reader
	raw        *RawMode
	turn       Turn
	input      *Input
	screen     *screen // nil when output is no terminal
	exit       func(code int, failed bool)
	hideLogs   func() (restore func())

	mu    sync.Mutex // guards hosts
	hosts map[string]*Host
}

// NewListener handles terminal.host entries. exit is called with the exit code,
// and whether it stands for an error, when a foreground process has ended; hideLogs silences the console until
// restore is called.
func NewListener(rt host.Runtime, s host.Supervisor, streams IO, exit func(code int, failed bool), hideLogs func() (restore func()), warn func(registry.Entry, []fields.Warning)) *Listener {
	output, screen := newScreen(streams.Stdout)
	streams.Stdout = output
	stdin, raw, turn := bufio.NewReader(streams.Stdin), NewRawMode(streams.Stdin), NewTurn()
	return &Listener{
		rt: rt, supervisor: s, warn: warn, io: streams, exit: exit, hideLogs: hideLogs,
		stdin: stdin, raw: raw, turn: turn, input: NewInput(streams, stdin, raw, turn), screen: screen, hosts: map[string]*Host{},
	}
}

// Reset puts the terminal into the mode it had before the program: what is typed and what the program has switched in
// its output, as the second screen and the cursor. It may be called at any time from any goroutine;
// whoever ends the program without waiting for its processes calls it.
func (l *Listener) Reset() error {
	errs := []error{l.input.Reset(), l.screen.Reset()}
	if l.raw != nil {
		errs = append(errs, l.raw.Reset())
	}
	return errors.Join(errs...)
}

type config struct {
	hideLogs  bool
	lifecycle supervisor.Lifecycle
}

func decode(e registry.Entry) (config, []fields.Warning, error) {
	r := fields.New(e.Data)
	c := config{hideLogs: r.Bool("hide_logs", false), lifecycle: host.Lifecycle(r)}
	return c, r.Unknown(), r.Err()
}

// AutoStart tells whether an entry of this kind starts by itself.
func AutoStart(e registry.Entry) bool {
	c, _, err := decode(e)
	return err == nil && c.lifecycle.AutoStart
}

// Check implements fields.Checker.
func (l *Listener) Check(e registry.Entry) ([]fields.Warning, error) {
	_, unknown, err := decode(e)
	return unknown, err
}

// Create registers the host in the relay and as a service.
func (l *Listener) Create(_ context.Context, e registry.Entry) error {
	c, unknown, err := decode(e)
	if err != nil {
		return err
	}
	l.warn(e, unknown)
	id := e.ID.String()
	settings := host.Default()
	settings.Workers = 1
	h := &Host{Host: host.New(id, l.rt, settings), listener: l, hide: c.hideLogs}
	h.Exited = h.exited
	if err := l.rt.Node.Register(id, h); err != nil {
		return err
	}
	if err := l.supervisor.Register(id, service{h}, c.lifecycle, nil); err != nil {
		h.Close()
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hosts[id] = h
	return nil
}

// Update replaces the host: its process ends as on a stop.
func (l *Listener) Update(ctx context.Context, old, e registry.Entry) error {
	if _, _, err := decode(e); err != nil {
		return err
	}
	if err := l.Delete(ctx, old); err != nil {
		return err
	}
	return l.Create(ctx, e)
}

// Delete stops the host and removes it.
func (l *Listener) Delete(_ context.Context, e registry.Entry) error {
	id := e.ID.String()
	l.mu.Lock()
	h := l.hosts[id]
	delete(l.hosts, id)
	l.mu.Unlock()
	if h == nil {
		return nil
	}
	h.Close()
	return l.supervisor.Remove(id)
}

// Host is a process host that owns the terminal. Its first process at a time is
// the foreground process: its end sets the exit code and ends the program.
type Host struct {
	*host.Host
	listener *Listener
	hide     bool

	mu         sync.Mutex // guards all below
	foreground relay.PID
	restore    func()
}

// Start runs a process on the terminal. It implements processes.Host.
func (h *Host) Start(ctx context.Context, pid relay.PID, spawn processes.Spawn) (relay.PID, error) {
	l := h.listener
	frame := appctx.NewFrame()
	if spawn.Frame != nil {
		frame = spawn.Frame.Fork()
	}
	t := &Context{Stdin: l.stdin, Stdout: l.io.Stdout, Stderr: l.io.Stderr, Args: arguments(spawn.Input), Raw: l.raw, Turn: l.turn, Input: l.input}
	if err := Key.Set(frame, t); err != nil {
		return relay.PID{}, err
	}
	spawn.Frame = frame

	h.mu.Lock()
	first := h.foreground.IsZero()
	if first {
		h.foreground = pid
		if h.hide {
			h.restore = l.hideLogs()
		}
	}
	h.mu.Unlock()
	got, err := h.Host.Start(ctx, pid, spawn)
	if err != nil && first {
		h.leave()
	}
	return got, err
}

// arguments are the inputs that are strings.
func arguments(input []payload.Payload) []string {
	var out []string
	for _, p := range input {
		if s, ok := p.Data.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// exited runs when a process of the host has ended.
func (h *Host) exited(pid relay.PID, result any, err error) (reported bool) {
	h.mu.Lock()
	foreground := h.foreground == pid
	h.mu.Unlock()
	if !foreground {
		return false
	}
	h.leave()
	value, _ := result.(payload.Payload)
	h.listener.exit(report(value, err, h.listener.rt.Advise, h.listener.io.Stdout, h.listener.io.Stderr), err != nil)
	return true
}

// leave gives the terminal back.
func (h *Host) leave() {
	h.mu.Lock()
	restore := h.restore
	h.foreground, h.restore = relay.PID{}, nil
	h.mu.Unlock()
	if restore != nil {
		restore()
	}
	if err := h.listener.Reset(); err != nil {
		h.listener.rt.Log.Warn("terminal mode not restored", "error", err)
	}
}

// service is the host as the supervisor sees it.
type service struct{ host *Host }

// Start runs the worker. Processes that nobody is responsible for act for whom ctx says.
func (s service) Start(ctx context.Context) (<-chan any, error) {
	s.host.ActFor(appctx.FrameFrom(ctx))
	if err := s.host.Run(); err != nil {
		return nil, err
	}
	return make(chan any), nil
}

// Stop ends the process, then the worker.
func (s service) Stop(ctx context.Context) error { return s.host.Halt(ctx) }
