// SPDX-License-Identifier: Apache-2.0

package keys_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wippyrun/kit/wippy/service/terminal/keys"
)

// show writes an event in short: "ctrl+alt+shift+name/type" for keys.
func show(e keys.Event) string {
	modifiers := ""
	for _, m := range []struct {
		on   bool
		name string
	}{{e.Ctrl, "ctrl+"}, {e.Alt, "alt+"}, {e.Shift, "shift+"}} {
		if m.on {
			modifiers += m.name
		}
	}
	switch e.Type {
	case keys.Key:
		s := modifiers + e.Key
		if e.KeyType != e.Key {
			s += "/" + e.KeyType
		}
		if e.Action != keys.Press {
			s += "/" + e.Action
		}
		return s
	case keys.Mouse:
		return fmt.Sprintf("%s%s %s %d,%d", modifiers, e.Action, e.Button, e.X, e.Y)
	case keys.Focus:
		return fmt.Sprintf("focus %t", e.Focused)
	case keys.Paste:
		return fmt.Sprintf("paste %q", e.Text)
	}
	return e.Type
}

var decoded = []struct{ input, want string }{
	{"a", "a/runes"},
	{"aZ", "a/runes shift+Z/runes"},
	{"é日", "é/runes 日/runes"},
	{" \r\t\x7f", "space enter tab backspace"},
	{"\x00", "ctrl+space"},
	{"\x03\x1a\n\x08", "ctrl+c/runes ctrl+z/runes ctrl+j/runes ctrl+h/runes"},
	{"\x1c\x1d\x1e\x1f", `ctrl+\/runes ctrl+]/runes ctrl+^/runes ctrl+_/runes`},
	{"\xff", "unknown"},
	{"\xe6\x97", "unknown unknown"},
	{"\x1b", "esc"},
	{"\x1b\x1b", "alt+esc"},
	{"\x1ba", "alt+a/runes"},
	{"\x1b\r", "alt+enter"},
	{"\x1b\x01", "ctrl+alt+a/runes"},
	{"\x1bé", "alt+é/runes"},
	{"\x1b[", "alt+[/runes"},
	{"\x1bO", "alt+shift+O/runes"},
	{"\x1b]", "alt+]/runes"},
	{"\x1bP", "alt+shift+P/runes"},
	{"\x1b[1", "alt+[/runes 1/runes"},
	{"\x1b[A\x1b[B\x1b[C\x1b[D\x1b[H\x1b[F", "up down right left home end"},
	{"\x1bOA\x1bOB\x1bOC\x1bOD\x1bOH\x1bOF", "up down right left home end"},
	{"\x1b\x1b[A\x1b\x1bOB", "alt+up alt+down"},
	{"\x1b\x1b\x1b[A", "esc alt+up"},
	{"\x1b[1~\x1b[2~\x1b[3~\x1b[4~\x1b[5~\x1b[6~\x1b[7~\x1b[8~", "home insert delete end pgup pgdown home end"},
	{"\x1bOP\x1bOQ\x1bOR\x1bOS", "f1 f2 f3 f4"},
	{"\x1b[11~\x1b[12~\x1b[13~\x1b[14~\x1b[15~", "f1 f2 f3 f4 f5"},
	{"\x1b[17~\x1b[18~\x1b[19~\x1b[20~\x1b[21~\x1b[23~\x1b[24~", "f6 f7 f8 f9 f10 f11 f12"},
	{"\x1b[[A\x1b[[E", "f1 f5"},
	{"\x1b[25~", "f13/unknown"},
	{"\x1b[1;2A\x1b[1;3B\x1b[1;5C\x1b[1;8D", "shift+up alt+down ctrl+right ctrl+alt+shift+left"},
	{"\x1b[1;5P\x1b[1;2R\x1b[3;5~\x1b[5;3~\x1bO5P", "ctrl+f1 shift+f3 ctrl+delete alt+pgup ctrl+f1"},
	{"\x1b[Z", "shift+tab"},
	{"\x1b[a\x1bOd\x1b[3$\x1b[3^\x1b[3@", "shift+up ctrl+left shift+delete ctrl+delete ctrl+shift+delete"},
	{"\x1bOM\x1bOj\x1bOp\x1bOy\x1bOX\x1bOI", "enter */runes 0/runes 9/runes =/runes tab"},
	{"\x1b[97;5u\x1b[97;6u\x1b[97:65;2u", "ctrl+a/runes ctrl+shift+A/runes shift+A/runes"},
	{"\x1b[97;1:3u\x1b[1;1:3A\x1b[97;1:2u", "a/runes/release up/release a/runes"},
	{"\x1b[13;5u\x1b[9;2u\x1b[27u\x1b[32;5u\x1b[127;3u", "ctrl+enter shift+tab esc ctrl+space alt+backspace"},
	{"\x1b[97;;229u\x1b[57358u", "å/runes unknown"},
	{"\x1b[27;5;13~\x1b[27;6;97~", "ctrl+enter ctrl+shift+A/runes"},
	{"\x1b[I\x1b[O", "focus true focus false"},
	{"\x1b[200~a\x1b[Ab\r\n\x1b[201~x", `paste "a\x1b[Ab\r\n" x/runes`},
	{"\x1b[200~\x1b[201~\x1b[201~x", "x/runes"},
	{"\x1b[<0;1;1M\x1b[<0;1;1m", "press left 0,0 release left 0,0"},
	{"\x1b[<1;10;5M\x1b[<2;200;300M", "press middle 9,4 press right 199,299"},
	{"\x1b[<35;2;2M\x1b[<32;2;3M", "motion none 1,1 motion left 1,2"},
	{"\x1b[<64;1;1M\x1b[<65;1;1M\x1b[<66;1;1M", "wheel wheel_up 0,0 wheel wheel_down 0,0 wheel none 0,0"},
	{"\x1b[<4;1;1M\x1b[<8;1;1M\x1b[<16;1;1M\x1b[<28;1;1M", "shift+press left 0,0 alt+press left 0,0 ctrl+press left 0,0 ctrl+alt+shift+press left 0,0"},
	{"\x1b[<128;1;1M", "press none 0,0"},
	{"\x1b[M !!\x1b[M#\"!\x1b[M`!!", "press left 0,0 release none 1,0 wheel wheel_up 0,0"},
	// What is no input, or none that makes sense, is dropped; what follows is not.
	{"\x1b[<0;1Mx\x1b[<0;0;1Mx\x1b[<;;Mx", "x/runes x/runes x/runes"},
	{"\x1b[12;40Rx\x1b[?1;2cx\x1b[?2026;2$yx\x1b[0nx", "x/runes x/runes x/runes x/runes"},
	{"\x1b]11;rgb:0/0/0\x07x\x1b]11;rgb\x1b\\x\x1bP1$r0m\x1b\\x\x1b_Gi=1\x1b\\x", "x/runes x/runes x/runes x/runes"},
	{"\x1b]11;cut\x1b[A", "up"},
	{"\x1b[999999999999999999999~x\x1b[99999999999999999999;5ux", "x/runes ctrl+unknown x/runes"},
	{"\x1b[" + strings.Repeat("1", 63) + "x", "x/runes"},
	{"\x1b[5\x1b[A", "up"},
}

func TestDecoder(t *testing.T) {
	for _, c := range decoded {
		t.Run(fmt.Sprintf("%q", c.input), func(t *testing.T) {
			var whole, bytewise []string
			var d keys.Decoder
			d.Feed([]byte(c.input), func(e keys.Event) { whole = append(whole, show(e)) })
			d.Flush(func(e keys.Event) { whole = append(whole, show(e)) })
			for i := range len(c.input) {
				d.Feed([]byte{c.input[i]}, func(e keys.Event) { bytewise = append(bytewise, show(e)) })
			}
			d.Flush(func(e keys.Event) { bytewise = append(bytewise, show(e)) })
			if got := strings.Join(whole, " "); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if got := strings.Join(bytewise, " "); got != c.want {
				t.Errorf("byte by byte: got %s, want %s", got, c.want)
			}
			if d.Pending() {
				t.Error("input is kept")
			}
		})
	}
}

func TestEscapeWaitsForMore(t *testing.T) {
	var d keys.Decoder
	var got []string
	emit := func(e keys.Event) { got = append(got, show(e)) }
	for _, part := range []string{"\x1b", "[1;", "5", "A"} {
		if d.Feed([]byte(part), emit); len(got) == 0 && !d.Pending() {
			t.Fatal("nothing is pending")
		}
	}
	if len(got) != 1 || got[0] != "ctrl+up" || d.Pending() {
		t.Errorf("got %v", got)
	}
}

func TestLongPaste(t *testing.T) {
	const n = 3_000_000
	text := strings.Repeat("é", n/2)
	var got strings.Builder
	events := 0
	var d keys.Decoder
	input := "\x1b[200~" + text + "\x1b[201~"
	for len(input) > 0 {
		cut := min(len(input), 4096)
		d.Feed([]byte(input[:cut]), func(e keys.Event) {
			events++
			if e.Type != keys.Paste || len(e.Text)%2 != 0 {
				t.Fatalf("%s of %d bytes", e.Type, len(e.Text))
			}
			got.WriteString(e.Text)
		})
		input = input[cut:]
	}
	if got.String() != text || events < 2 || events > 8 {
		t.Errorf("%d bytes in %d events", got.Len(), events)
	}
}

// FuzzDecoder feeds anything, whole and cut in two: the same comes out, and nothing is kept.
func FuzzDecoder(f *testing.F) {
	for _, c := range decoded {
		f.Add([]byte(c.input), 1)
		f.Add([]byte(c.input), len(c.input)/2)
	}
	f.Fuzz(func(t *testing.T, input []byte, cut int) {
		run := func(parts ...[]byte) (events []keys.Event) {
			var d keys.Decoder
			emit := func(e keys.Event) { events = append(events, e) }
			for _, p := range parts {
				d.Feed(p, emit)
			}
			d.Flush(emit)
			if d.Pending() {
				t.Fatalf("%q is not decoded to its end", input)
			}
			return events
		}
		cut = max(0, min(cut, len(input)))
		whole, parts := run(input), run(input[:cut], input[cut:])
		if fmt.Sprint(whole) != fmt.Sprint(parts) {
			t.Errorf("%q cut at %d: %v, whole: %v", input, cut, parts, whole)
		}
		for _, e := range whole {
			if e.Type == keys.Key && (e.Key == "" || e.KeyType == "" || e.Action == "") || e.X < 0 || e.Y < 0 {
				t.Errorf("%q: %+v", input, e)
			}
		}
	})
}
