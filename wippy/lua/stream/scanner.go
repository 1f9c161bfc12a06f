// SPDX-License-Identifier: Apache-2.0

package stream

import (
	"bufio"
	"errors"
	"io"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

var splits = map[string]bufio.SplitFunc{
	"lines": bufio.ScanLines, "words": bufio.ScanWords, "bytes": bufio.ScanBytes, "runes": bufio.ScanRunes,
}

// scanner is the value behind a Scanner. It does what bufio.Scanner does, but tells reading, which waits, from looking
// into what it has, which does not: a scan yields only when it must read.
type scanner struct {
	s     *Stream
	split bufio.SplitFunc

	// The next are touched by the process while pending is 0, else by the lane.
	buffer []byte // unread: buffer[start:]
	start  int
	ended  bool  // there is nothing more to read
	last   error // what ended the scan, io.EOF for its end

	// The next belong to the process.
	pending int // scans that wait
	text    string
	err     error
}

// scanner implements stream:scanner(split?).
func (c *Class) scanner(L *lua.LState) int {
	s, word := check(L), L.OptString(2, "lines")
	split, ok := splits[word]
	if !ok {
		L.ArgError(2, "invalid split type: must be 'lines', 'words', 'bytes' or 'runes'")
	}
	if s.closed.Load() {
		return engine.PushError(L, errClosed)
	}
	if s.reader == nil {
		return engine.PushError(L, engine.NewError(engine.KindInternal, "stream is not readable"))
	}
	L.Push(c.scanners.New(&scanner{s: s, split: split}))
	L.Push(lua.LNil)
	return 2
}

func checkScanner(L *lua.LState) *scanner { return engine.Check[*scanner](L, 1, "scanner") }

// token is the outcome of a scan: a token, or the end.
type token struct {
	text string
	ok   bool
}

// scan implements scanner:scan().
func scan(L *lua.LState) int {
	sc := checkScanner(L)
	if sc.pending == 0 && !sc.s.closed.Load() {
		if t, done, err := sc.look(); done || err != nil {
			ok, fault := sc.settle(t, err)
			L.Push(ok)
			L.Push(fault)
			return 2
		}
	}
	sc.pending++
	return engine.Yield(L, &operation{lane: sc.s.in, run: func(done func(any, error)) { done(sc.next()) }},
		func(_ *lua.LState, data any, err error) []lua.LValue {
			sc.pending--
			t, _ := data.(token)
			ok, fault := sc.settle(t, err)
			return []lua.LValue{ok, fault}
		})
}

// settle keeps the outcome of a scan and makes its results.
func (sc *scanner) settle(t token, err error) (ok, failed lua.LValue) {
	sc.text, sc.err = t.text, err
	if err != nil {
		return lua.LFalse, fault(err)
	}
	return lua.LBool(t.ok), lua.LNil
}

// next reads until there is a token.
func (sc *scanner) next() (token, error) {
	for {
		if t, done, err := sc.look(); done || err != nil {
			return t, err
		}
		if err := sc.fill(); err != nil {
			return token{}, err
		}
	}
}

// look takes a token of what was read. done is false when more must be read.
func (sc *scanner) look() (t token, done bool, err error) {
	for sc.last == nil {
		if len(sc.buffer) == sc.start && !sc.ended {
			return token{}, false, nil
		}
		n, text, err := sc.split(sc.buffer[sc.start:], sc.ended)
		if err != nil {
			sc.last = err
			break
		}
		sc.start += n
		if text != nil {
			return token{string(text), true}, true, nil
		}
		if n == 0 && sc.ended {
			sc.last = io.EOF
		} else if n == 0 {
			return token{}, false, nil
		}
	}
	if errors.Is(sc.last, io.EOF) {
		return token{}, true, nil
	}
	return token{}, true, sc.last
}

// fill reads more. A token that does not fit in the buffer ends the scan.
func (sc *scanner) fill() error {
	if sc.start > 0 {
		sc.buffer = sc.buffer[:copy(sc.buffer, sc.buffer[sc.start:])]
		sc.start = 0
	}
	if len(sc.buffer) >= bufio.MaxScanTokenSize {
		sc.last = bufio.ErrTooLong
		return sc.last
	}
	if sc.buffer == nil {
		sc.buffer = make([]byte, 0, 4<<10)
	}
	if len(sc.buffer) == cap(sc.buffer) {
		grown := make([]byte, len(sc.buffer), min(2*cap(sc.buffer), bufio.MaxScanTokenSize))
		copy(grown, sc.buffer)
		sc.buffer = grown
	}
	for range 100 {
		n, err := sc.s.read(sc.buffer[len(sc.buffer):cap(sc.buffer)])
		sc.buffer = sc.buffer[:len(sc.buffer)+n]
		switch {
		case err == io.EOF:
			sc.ended = true
			return nil
		case err != nil:
			sc.last = err
			return err
		case n > 0:
			return nil
		}
	}
	sc.last = io.ErrNoProgress
	return sc.last
}

// scanText implements scanner:text().
func scanText(L *lua.LState) int {
	L.Push(lua.LString(checkScanner(L).text))
	return 1
}

// scanError implements scanner:err().
func scanError(L *lua.LState) int {
	if sc := checkScanner(L); sc.err != nil {
		L.Push(lua.LString(sc.err.Error()))
	} else {
		L.Push(lua.LNil)
	}
	return 1
}
