// SPDX-License-Identifier: Apache-2.0

package terminal

import (
	"bytes"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/term"
)

// screen is output to a terminal that knows which private modes it was put into: the second screen, a hidden cursor,
// marked pastes. A program that fails leaves them, and with them a terminal that cannot be used, so that they are taken
// back at its end. Write may be called concurrently.
type screen struct {
	out *os.File

	mu    sync.Mutex // guards all below and orders what is written
	modes []int      // those that differ from what is usual, in the order in which they came
	begin []byte     // a sequence that a write has cut
}

// maxSequence bounds the sequences that are looked at.
const maxSequence = 64

var private = []byte("\x1b[?")

// usual are the modes that terminals are in when nobody has changed anything: lines wrap, the cursor is seen.
var usual = []int{7, 25}

// newScreen returns out, and as a screen when it is a terminal.
func newScreen(out io.Writer) (io.Writer, *screen) {
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		s := &screen{out: f}
		return s, s
	}
	return out, nil
}

// Fd is the descriptor of the terminal.
func (s *screen) Fd() uintptr { return s.out.Fd() }

// Write writes to the terminal.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.look(p)
	return s.out.Write(p)
}

// WriteString writes to the terminal.
func (s *screen) WriteString(text string) (int, error) { return s.Write([]byte(text)) }

// look notes the changes of modes in p. It needs mu.
func (s *screen) look(p []byte) {
	if len(s.begin) > 0 {
		p = append(s.begin, p...)
		s.begin = nil
	}
	for {
		i := bytes.IndexByte(p, private[0])
		if i < 0 {
			return
		}
		p = p[i:]
		if len(p) < len(private) && bytes.HasPrefix(private, p) {
			s.begin = bytes.Clone(p)
			return
		}
		rest, ok := bytes.CutPrefix(p, private)
		if !ok {
			p = p[1:]
			continue
		}
		n := 0
		for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n] == ';') {
			n++
		}
		if n == len(rest) {
			if n < maxSequence {
				s.begin = bytes.Clone(p)
			}
			return
		}
		if rest[n] == 'h' || rest[n] == 'l' {
			for text := range strings.SplitSeq(string(rest[:n]), ";") {
				if mode, err := strconv.Atoi(text); err == nil {
					s.set(mode, rest[n] == 'h')
				}
			}
		}
		p = rest[n:]
	}
}

// set needs mu.
func (s *screen) set(mode int, on bool) {
	s.modes = slices.DeleteFunc(s.modes, func(m int) bool { return m == mode })
	if on != slices.Contains(usual, mode) {
		s.modes = append(s.modes, mode)
	}
}

// Reset takes back the modes the terminal was put into, the last first. A nil screen has none.
func (s *screen) Reset() error {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var b strings.Builder
	for _, mode := range slices.Backward(s.modes) {
		b.Write(private)
		b.WriteString(strconv.Itoa(mode))
		if slices.Contains(usual, mode) {
			b.WriteByte('h')
		} else {
			b.WriteByte('l')
		}
	}
	s.modes, s.begin = nil, nil
	if b.Len() == 0 {
		return nil
	}
	_, err := s.out.WriteString(b.String())
	return err
}
