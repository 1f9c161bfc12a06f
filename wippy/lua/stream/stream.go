// SPDX-License-Identifier: Apache-2.0

// Package stream is the Lua object that programs read and write bytes with, whatever is behind it: the body of a
// request, a pipe of a process, an entry of an archive. Modules make it of Go readers and writers.
//
// # Basics
//
// A module defines the class once, in its Build function, and makes objects of it:
//
//	m.streams = stream.Define(b)
//	…
//	L.Push(m.streams.New(engine.From(L), body, size))
//
// What a stream can do is what its Go value can do: [io.Reader], [io.Writer], [io.Seeker], [io.Closer], a Flush method.
// A value that should offer less is narrowed first: struct{ io.ReadCloser }{file}.
//
// # Guarantees
//
//   - What may wait is done on another goroutine while the coroutine is suspended; the worker is never held up. A
//     stream has at most two such goroutines, and none while nothing is asked of it.
//   - Operations happen in the order they were asked for, also when several coroutines ask. Reading and writing wait
//     for each other on streams that can seek, which have one position; on others neither holds up the other.
//   - One read returns a bounded piece, see [Stream.Read] for Go code, which reads as it likes.
//   - Closing makes an operation under way return where the value allows that, see [Interrupt]. The end of the process
//     closes its streams. The value is closed exactly once, when no operation uses it.
//   - A panic of the value is an error of kind Internal, as every error of a stream is.
//
// # Caveats
//
// A goroutine that reads a value which can neither be interrupted nor given a deadline stays until the value returns.
package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/owned"
)

// Stream is the Go value behind a stream object. It is an io.Reader and an io.Writer for modules that take streams;
// Readable and Writable say which of it works. These methods wait, so that a worker is better kept from them with [Await];
// where it is not, the end of the process still makes them return.
type Stream struct {
	reader io.Reader // nil where the value is none; so are the next ones
	writer io.Writer
	seeker io.Seeker
	value  any // as given

	ctx       context.Context // of the process
	size      int64           // -1 when not known
	interrupt func()
	release   func() bool

	in, out  *lane // the same one for streams that seek
	closed   atomic.Bool
	position atomic.Int64 // written by the operation that runs in the lane
}

// Option changes a stream that is made.
type Option interface{ apply(*Stream) }

type optionFunc func(*Stream)

func (f optionFunc) apply(s *Stream) { f(s) }

// Interrupt gives the stream a function that makes an operation under way return. It is called from any goroutine,
// once, when the stream is closed while it is busy, and must not wait. Values with a SetDeadline method and the two
// ends of io.Pipe need none.
func Interrupt(f func()) Option { return optionFunc(func(s *Stream) { s.interrupt = f }) }

// errClosed is what every operation on a closed stream gets.
var errClosed = engine.NewError(engine.KindInternal, "stream is closed")

// newStream makes the stream of v, owned by the process p.
func newStream(p *engine.Process, v any, size int64, options []Option) *Stream {
	s := &Stream{value: v, ctx: p.Context(), size: size, in: &lane{}}
	s.out = s.in
	s.reader, _ = v.(io.Reader)
	s.writer, _ = v.(io.Writer)
	if seeker, ok := v.(io.Seeker); ok {
		if at, err := seeker.Seek(0, io.SeekCurrent); err == nil { // a pipe is a file that cannot
			s.seeker = seeker
			s.position.Store(at)
		}
	}
	if s.seeker == nil {
		s.out = &lane{}
	}
	switch v := v.(type) {
	case interface{ SetDeadline(time.Time) error }:
		s.interrupt = func() { _ = v.SetDeadline(time.Unix(1, 0)) } // a regular file has no deadline and does not wait
	case *io.PipeReader:
		s.interrupt = func() { _ = v.CloseWithError(errClosed) }
	case *io.PipeWriter:
		s.interrupt = func() { _ = v.Close() }
	}
	for _, o := range options {
		o.apply(s)
	}
	s.release = owned.Add(p, func() { s.shut(nil) })
	return s
}

// shut closes the stream. It does not wait: done, unless it is nil, is told when the value is closed.
func (s *Stream) shut(done func(error)) {
	if done == nil {
		done = func(error) {}
	}
	if !s.closed.CompareAndSwap(false, true) {
		done(nil)
		return
	}
	if s.interrupt != nil && (s.in.busy() || s.out.busy()) {
		s.interrupt()
	}
	last := func() {
		done(contained(func() error {
			if c, ok := s.value.(io.Closer); ok {
				return c.Close()
			}
			return nil
		}))
	}
	if s.in == s.out {
		s.in.submit(last)
		return
	}
	s.in.submit(func() { s.out.submit(last) })
}

// Readable reports whether the stream can be read.
func (s *Stream) Readable() bool { return s.reader != nil && !s.closed.Load() }

// Writable reports whether the stream can be written.
func (s *Stream) Writable() bool { return s.writer != nil && !s.closed.Load() }

// watch closes the stream when the process ends, until stop is called: a worker that waits in a method of the stream does
// not come to what the process would close at its end.
func (s *Stream) watch() (stop func() bool) {
	return context.AfterFunc(s.ctx, func() { s.shut(nil) })
}

// Read implements io.Reader. It waits for what the program asked for before.
func (s *Stream) Read(p []byte) (n int, err error) {
	defer s.watch()()
	s.in.do(func() { n, err = s.read(p) })
	return n, err
}

// Write implements io.Writer.
func (s *Stream) Write(p []byte) (n int, err error) {
	defer s.watch()()
	s.out.do(func() { n, err = s.write(p) })
	return n, err
}

// Seek implements io.Seeker; it fails where the stream cannot.
func (s *Stream) Seek(offset int64, whence int) (at int64, err error) {
	s.in.do(func() { at, err = s.seek(offset, whence) })
	return at, err
}

// read reads once, within the lane.
func (s *Stream) read(p []byte) (n int, err error) {
	switch {
	case s.closed.Load():
		return 0, errClosed
	case s.reader == nil:
		return 0, errors.New("stream is not readable")
	}
	err = contained(func() (err error) {
		n, err = s.reader.Read(p)
		return err
	})
	s.position.Add(int64(n))
	return n, s.failed(err)
}

// write writes all of p, within the lane.
func (s *Stream) write(p []byte) (n int, err error) {
	switch {
	case s.closed.Load():
		return 0, errClosed
	case s.writer == nil:
		return 0, errors.New("stream is not writable")
	}
	err = contained(func() (err error) {
		n, err = s.writer.Write(p)
		return err
	})
	s.position.Add(int64(n))
	return n, s.failed(err)
}

// seek moves the position, within the lane.
func (s *Stream) seek(offset int64, whence int) (at int64, err error) {
	switch {
	case s.closed.Load():
		return 0, errClosed
	case s.seeker == nil:
		return 0, errors.New("stream is not seekable")
	}
	err = contained(func() (err error) {
		at, err = s.seeker.Seek(offset, whence)
		return err
	})
	if err == nil {
		s.position.Store(at)
	}
	return at, s.failed(err)
}

// flush hands on what the value keeps back, within the lane.
func (s *Stream) flush() error {
	switch {
	case s.closed.Load():
		return errClosed
	case s.writer == nil:
		return errors.New("stream is not writable")
	}
	return s.failed(contained(func() error {
		switch v := s.value.(type) {
		case interface{ Flush() error }:
			return v.Flush()
		case interface{ Flush() }:
			v.Flush()
		}
		return nil
	}))
}

// failed is the error of an operation: that the stream was closed meanwhile explains all others.
func (s *Stream) failed(err error) error {
	if err != nil && s.closed.Load() {
		return errClosed
	}
	return err
}

// length returns the size in bytes, -1 when it is not known. A regular file has the size of the moment.
func (s *Stream) length() int64 {
	if v, ok := s.value.(interface{ Stat() (fs.FileInfo, error) }); ok && s.size < 0 {
		if info, err := v.Stat(); err == nil && info.Mode().IsRegular() {
			return info.Size()
		}
	}
	return s.size
}

// contained calls f and makes a panic an error.
func contained(f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic in a stream: %v\n%s", v, debug.Stack())
		}
	}()
	return f()
}
