// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"bufio"
	"errors"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/wippyrun/kit/wippy/service/terminal/keys"
)

// ErrStarted says that the input is delivered as events already.
var ErrStarted = errors.New("input reader already started")

const (
	mouseOn  = "\x1b[?1003h\x1b[?1006h"
	mouseOff = "\x1b[?1006l\x1b[?1003l"

	// escapeDelay is how long the rest of a key may take to come. An escape with nothing behind it is the escape key.
	escapeDelay = 50 * time.Millisecond
	readSize    = 4096
)

// Input delivers what happens at the terminal as events, to one receiver at a time. All methods may be called
// concurrently and return at once; writing waits for the terminal as all output does.
type Input struct {
	raw   *RawMode
	file  *os.File // what is read
	stdin *bufio.Reader
	out   io.Writer
	turn  Turn

	mu    sync.Mutex // guards all below and orders what is written
	run   *reader    // nil while stopped
	owner any
	mouse bool

	runs sync.WaitGroup // the goroutines of all runs
}

// NewInput delivers the input of the terminal streams are connected to. It returns nil when that is no file.
func NewInput(streams IO, stdin *bufio.Reader, raw *RawMode, turn Turn) *Input {
	if raw == nil {
		return nil
	}
	return &Input{raw: raw, file: raw.file, stdin: stdin, out: streams.Stdout, turn: turn}
}

// Start switches the terminal to raw mode and delivers events, first one of the type keys.Start, until Stop. deliver
// is called from other goroutines, one call at a time, must not block and must not call methods of i. owner is
// whoever may stop it with Release.
func (i *Input) Start(owner any, deliver func(keys.Event)) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.run != nil {
		return ErrStarted
	}
	if err := i.raw.Enable(); err != nil {
		return err
	}
	r, err := i.newReader(deliver)
	if err != nil {
		return errors.Join(err, i.raw.Disable())
	}
	i.run, i.owner = r, owner
	width, height, _ := i.Size() // 0 for a terminal that does not know
	r.deliver(keys.Event{Type: keys.Start, Width: width, Height: height})
	i.runs.Go(r.read)
	i.runs.Go(func() { r.watch(width, height) })
	return nil
}

// Stop ends the delivery and mouse tracking and gives raw mode back. No event comes after it has returned. It may be
// called again.
func (i *Input) Stop() error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.stop()
}

// Wait returns when nothing of a run that was stopped is left. Whoever closes the file calls it first; nobody may start
// the input meanwhile.
func (i *Input) Wait() { i.runs.Wait() }

// Release is Stop when owner has started the input.
func (i *Input) Release(owner any) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.run == nil || i.owner != owner {
		return nil
	}
	return i.stop()
}

// Reset is Stop for an Input that may be nil.
func (i *Input) Reset() error {
	if i == nil {
		return nil
	}
	return i.Stop()
}

// stop needs mu.
func (i *Input) stop() error {
	err := i.track(false)
	if i.run == nil {
		return err
	}
	i.run.end()
	i.run, i.owner = nil, nil
	return errors.Join(err, i.raw.Disable())
}

// Mouse switches mouse events on and off.
func (i *Input) Mouse(on bool) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.track(on)
}

// track needs mu.
func (i *Input) track(on bool) error {
	if i.mouse == on {
		return nil
	}
	sequence := mouseOff
	if on {
		sequence = mouseOn
	}
	if _, err := io.WriteString(i.out, sequence); err != nil {
		return err
	}
	i.mouse = on
	return nil
}

// Size returns the columns and rows of the terminal.
func (i *Input) Size() (width, height int, err error) {
	if out, ok := i.out.(interface{ Fd() uintptr }); ok {
		if w, h, err := term.GetSize(int(out.Fd())); err == nil {
			return w, h, nil
		}
	}
	return term.GetSize(int(i.file.Fd()))
}
