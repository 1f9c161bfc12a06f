// SPDX-License-Identifier: Apache-2.0

// Package terminal holds the kind terminal.host: it runs the process that owns
// the terminal, gives it input, output and arguments, and turns its result into
// the exit code of the program.
package terminal

import (
	"bufio"
	"errors"
	"io"
	"os"
	"sync"

	"golang.org/x/term"

	"github.com/wippyrun/kit/appctx"
)

// Key finds the terminal of a process in its frame. It is not inherited: what a
// terminal process spawns or calls has no terminal.
var Key = appctx.NewFrameKey[*Context]("terminal")

// Context is the terminal as its process sees it.
type Context struct {
	// Stdin is shared by all readers of the process, so that nothing read
	// ahead by one is lost to the next. It is read by who has the turn.
	Stdin *bufio.Reader
	// Turn is whose turn it is to read, nil where there is one reader only.
	Turn Turn
	// Stdout and Stderr may be written to concurrently.
	Stdout, Stderr io.Writer
	// Args are the arguments of the process.
	Args []string
	// Raw switches the terminal to raw mode, nil where there is no control.
	Raw *RawMode
	// Input delivers keys and the mouse as events, nil where there is no control.
	Input *Input
}

// Turn is a lock that one can stop waiting for.
type Turn chan struct{}

// NewTurn makes a turn that nobody has.
func NewTurn() Turn { return make(Turn, 1) }

// Take waits for the turn. It reports false when stop was closed before; a nil stop never is.
func (t Turn) Take(stop <-chan struct{}) bool {
	if t == nil {
		return true
	}
	select {
	case t <- struct{}{}:
		return true
	case <-stop:
		return false
	}
}

// Leave ends the turn of the caller.
func (t Turn) Leave() {
	if t != nil {
		<-t
	}
}

// Errors of RawMode.Enable.
var (
	// ErrNotTerminal says that input comes from a file or a pipe.
	ErrNotTerminal = errors.New("stdin is not a terminal")
)

// RawMode counts who wants the terminal raw: the first switches it, the last
// puts it back. All methods may be called concurrently.
type RawMode struct {
	file *os.File

	mu    sync.Mutex
	users int         // guarded by mu
	saved *term.State // guarded by mu; nil while not raw
}

// NewRawMode controls the terminal in is connected to. It returns nil when in is
// no file at all.
func NewRawMode(in io.Reader) *RawMode {
	if f, ok := in.(*os.File); ok {
		return &RawMode{file: f}
	}
	return nil
}

// Enable asks for raw mode. Output still translates newlines.
func (r *RawMode) Enable() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.users == 0 {
		fd := int(r.file.Fd())
		if !term.IsTerminal(fd) {
			return ErrNotTerminal
		}
		saved, err := makeRaw(fd)
		if err != nil {
			return err
		}
		r.saved = saved
	}
	r.users++
	return nil
}

// Disable takes one request back; a surplus one is harmless.
func (r *RawMode) Disable() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.users == 0 {
		return nil
	}
	r.users--
	if r.users > 0 {
		return nil
	}
	return r.restore()
}

// Reset takes all requests back; it runs when the process ends.
func (r *RawMode) Reset() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.users = 0
	return r.restore()
}

// restore needs mu.
func (r *RawMode) restore() error {
	if r.saved == nil {
		return nil
	}
	saved := r.saved
	r.saved = nil
	return term.Restore(int(r.file.Fd()), saved)
}
