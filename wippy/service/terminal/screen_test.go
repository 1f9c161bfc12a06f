// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package terminal_test

import (
	"bytes"
	"io"
	"testing"

	"github.com/creack/pty"

	"github.com/wippyrun/kit/wippy/service/terminal"
)

func TestScreenTakesModesBack(t *testing.T) {
	for _, c := range []struct {
		written, back string
	}{
		{"hello\n", ""},
		{"\x1b[1;31mred\x1b[0m\x1b[2J\x1b[H", ""},
		{"\x1b[?1049h", "\x1b[?1049l"},
		{"\x1b[?1049h\x1b[?25l", "\x1b[?25h\x1b[?1049l"},
		{"\x1b[?1049h\x1b[?25l\x1b[?25h\x1b[?1049l", ""},
		{"\x1b[?1049h\x1b[?1049h", "\x1b[?1049l"},
		{"\x1b[?1004;2004h", "\x1b[?2004l\x1b[?1004l"},
		{"\x1b[?25h\x1b[?7h", ""},
		{"\x1b[?7l", "\x1b[?7h"},
		{"\x1b\x1b[?1000h", "\x1b[?1000l"},
		{"\x1b[?\x1b[?1000h", "\x1b[?1000l"},
		{"\x1b[?1000$p\x1b[?h\x1b[?;h\x1b[?6n", ""},
	} {
		t.Run(c.written, func(t *testing.T) {
			for size := 1; size <= len(c.written); size++ {
				if got := afterReset(t, c.written, size); got != c.written+c.back {
					t.Errorf("in pieces of %d: the terminal got %q", size, got)
				}
			}
		})
	}
}

// afterReset writes a text in pieces, takes the modes back, twice, and returns what the terminal got.
func afterReset(t *testing.T, text string, size int) string {
	t.Helper()
	person, program, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer person.Close()
	out, screen := terminal.NewScreen(program)
	for rest := []byte(text); len(rest) > 0; rest = rest[min(size, len(rest)):] {
		if _, err := out.Write(rest[:min(size, len(rest))]); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if err := screen.Reset(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := io.WriteString(out, "\x00"); err != nil { // the end
		t.Fatal(err)
	}
	var got []byte
	buf := make([]byte, 1024)
	for {
		n, err := person.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, buf[:n]...)
		if text, ok := bytes.CutSuffix(got, []byte{0}); ok {
			program.Close()
			return string(bytes.ReplaceAll(text, []byte("\r\n"), []byte("\n")))
		}
	}
}

func TestOtherOutputIsLeftAlone(t *testing.T) {
	var b bytes.Buffer
	out, screen := terminal.NewScreen(&b)
	if out != &b || screen != nil || screen.Reset() != nil {
		t.Error("a buffer is taken for a terminal")
	}
}
