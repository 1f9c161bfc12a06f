// SPDX-License-Identifier: Apache-2.0

package tty_test

import (
	"testing"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/tty"
)

// newSystem makes a system whose processes have no terminal.
func newSystem(tb testing.TB) *luatest.System {
	return luatest.New(tb, func(s *luatest.System) {
		tty.Register(s.Dispatch)
		s.Register(tty.Module(tty.Deps{Send: func(m *relay.Message) error { return s.Router.Send(m) }}))
	})
}

// values checks that Lua expressions have values.
func values(t *testing.T, cases []expression) {
	t.Helper()
	s := newSystem(t)
	for _, c := range cases {
		t.Run(c.lua, func(t *testing.T) {
			got, err := s.Run("local s, text, P = tty.style(), tty.text, tty.text.position\nreturn " + c.lua)
			if err != nil || got != c.want {
				t.Errorf("got %#v, %v, want %#v", got, err, c.want)
			}
		})
	}
}

type expression struct {
	lua  string
	want any
}

func TestStyles(t *testing.T) {
	values(t, []expression{
		{`s:render("a", "b", 1)`, "a b 1"},
		{`s:render()`, ""},
		{`tostring(s:bold())`, "tty.Style{}"},
		{`s:foreground("#ff8000"):render("x")`, "\x1b[38;2;255;128;0mx\x1b[0m"},
		{`s:foreground("#f00"):render("x")`, "\x1b[38;2;255;0;0mx\x1b[0m"},
		{`s:foreground("9"):render("x")`, "\x1b[91mx\x1b[0m"},
		{`s:foreground("205"):render("x")`, "\x1b[38;5;205mx\x1b[0m"},
		{`s:foreground(4):render("x")`, "\x1b[34mx\x1b[0m"},
		{`s:foreground("300"):render("x")`, "x"},
		{`s:foreground("-1"):render("x")`, "x"},
		{`s:foreground("no colour"):render("x")`, "x"},
		{`s:background("4"):render("x")`, "\x1b[44mx\x1b[0m"},
		{`s:bold():render("x")`, "\x1b[1mx\x1b[0m"},
		{`s:bold():bold(false):render("x")`, "x"},
		{`s:italic():render("x")`, "\x1b[3mx\x1b[0m"},
		{`s:underline(true):render("x")`, "\x1b[4;4mx\x1b[0m"},
		{`s:strikethrough():render("x")`, "\x1b[9mx\x1b[0m"},
		{`s:faint():render("x")`, "\x1b[2mx\x1b[0m"},
		{`s:blink():render("x")`, "\x1b[5mx\x1b[0m"},
		{`s:reverse():render("x")`, "\x1b[7mx\x1b[0m"},
		{`s:inline():render("a\nb")`, "ab"},
		{`s:width(4):render("ab")`, "ab  "},
		{`s:width(3):render("ab cd")`, "ab \ncd "},
		{`s:height(2):render("ab")`, "ab\n  "},
		{`s:max_width(2):render("abcd")`, "ab"},
		{`s:max_height(1):render("a\nb")`, "a"},
		{`s:width(-1):render("ab")`, "ab"},
		{`s:padding(1):render("x")`, "   \n x \n   "},
		{`s:padding(0, 2):render("x")`, "  x  "},
		{`s:padding(0, 1, 1):render("x")`, " x \n   "},
		{`s:padding(0, 1, 0, 3):render("x")`, "   x "},
		{`s:margin(0, 1):render("x")`, " x "},
		{`s:margin(0, 0, 0, 2):render("x")`, "  x"},
		{`s:width(5):align(tty.align.CENTER):render("x")`, "  x  "},
		{`s:width(3):align(tty.align.RIGHT):render("x")`, "  x"},
		{`s:width(3):align(tty.align.LEFT):render("x")`, "x  "},
		{`s:height(3):align_vertical(P.CENTER):render("x")`, " \nx\n "},
		{`s:height(2):align_vertical(P.BOTTOM):render("x")`, " \nx"},
		{`s:border(tty.borders.NORMAL):render("x")`, "┌─┐\n│x│\n└─┘"},
		{`s:border("no such border"):render("x")`, "┌─┐\n│x│\n└─┘"},
		{`s:border(tty.borders.ROUNDED):render("x")`, "╭─╮\n│x│\n╰─╯"},
		{`s:border(tty.borders.THICK):render("x")`, "┏━┓\n┃x┃\n┗━┛"},
		{`s:border(tty.borders.DOUBLE):render("x")`, "╔═╗\n║x║\n╚═╝"},
		{`s:border(tty.borders.HIDDEN):render("x")`, "   \n x \n   "},
		{`s:border("normal", true, false):render("x")`, "─\nx\n─"},
		{`s:border("normal", false, false, false, true):render("x")`, "│x"},
		{`s:border("normal", false, false, false, true):border_foreground("1"):render("x")`, "\x1b[31m│\x1b[0mx"},
		{`s:border("normal", false, false, false, true):border_foreground("1", "2", "3", "4"):render("x")`, "\x1b[34m│\x1b[0mx"},
		{`s:border("normal", false, false, false, true):border_background("#00ff00"):render("x")`, "\x1b[48;2;0;255;0m│\x1b[0mx"},
		{`tty.borders.NORMAL .. tty.borders.ROUNDED .. tty.borders.THICK .. tty.borders.DOUBLE .. tty.borders.HIDDEN`, "normalroundedthickdoublehidden"},
		{`tty.align.LEFT == 0 and tty.align.CENTER == 0.5 and tty.align.RIGHT == 1`, true},
	})
}

func TestStylesDoNotChange(t *testing.T) {
	newSystem(t).Check(t, `
		local plain = tty.style()
		local bold = plain:bold()
		local copy = bold:copy():padding(0, 1)
		assert(plain:render("x") == "x" and bold:render("x") == "\27[1mx\27[0m" and copy:render("x") ~= bold:render("x"))`)
}

func TestText(t *testing.T) {
	values(t, []expression{
		{`text.width("abc\nab")`, 3.0},
		{`text.width("\27[1;31mab\27[0m")`, 2.0},
		{`text.width("日本")`, 4.0},
		{`text.width("")`, 0.0},
		{`text.height("a\nb\n")`, 3.0},
		{`text.height("")`, 1.0},
		{`table.concat({ text.size("ab\nc") }, "x")`, "2x2"},
		{`text.join_horizontal(P.TOP, "a\nb", "c")`, "ac\nb "},
		{`text.join_horizontal(P.BOTTOM, "a\nb", "c")`, "a \nbc"},
		{`text.join_horizontal(0.5, "a\nb\nc", "d")`, "a \nbd\nc "},
		{`text.join_horizontal(0)`, ""},
		{`text.join_vertical(P.LEFT, "abc", "d")`, "abc\nd  "},
		{`text.join_vertical(P.CENTER, "abc", "d")`, "abc\n d "},
		{`text.join_vertical(P.RIGHT, "abc", "d")`, "abc\n  d"},
		{`text.max_width({ "a", "abc", "b\nabcd" })`, 4.0},
		{`text.max_width({})`, 0.0},
		{`text.max_height({ "a", "a\nb" })`, 2.0},
		{`text.place(3, 2, P.RIGHT, P.BOTTOM, "x")`, "   \n  x"},
		{`text.place(3, 3, P.CENTER, P.CENTER, "x")`, "   \n x \n   "},
		{`text.place(1, 1, 0, 0, "abc")`, "abc"},
		{`text.place_horizontal(3, P.CENTER, "x")`, " x "},
		{`text.place_vertical(3, P.TOP, "x")`, "x\n \n "},
		{`P.TOP == 0 and P.LEFT == 0 and P.CENTER == 0.5 and P.BOTTOM == 1 and P.RIGHT == 1`, true},
	})
}

func TestBindings(t *testing.T) {
	const key = `local function key(k, t, m) local e = { type = "key", key = k, key_type = t or k, action = "press" }
		for i, n in ipairs({ "ctrl", "alt", "shift" }) do e[n] = (m or ""):find(n) ~= nil end
		return e end
		local function bound(...) return tty.bind{ keys = { ... } } end `
	s := newSystem(t)
	for lua, want := range map[string]bool{
		`bound("ctrl+c"):matches{type="key",key="c",key_type="runes",ctrl=true}`:  true,
		`bound("ctrl+c"):matches{type="key",key="c",key_type="runes",ctrl=false}`: false,
		`bound("q", "ctrl+c"):matches(key("q", "runes"))`:                         true,
		`bound("q"):matches(key("q", "runes", "ctrl"))`:                           true,
		`bound("q"):matches(key("Q", "runes"))`:                                   false,
		`bound("ctrl+alt+delete"):matches(key("delete", nil, "ctrl alt"))`:        true,
		`bound("alt+ctrl+delete"):matches(key("delete", nil, "ctrl alt"))`:        false,
		`bound("shift+tab"):matches(key("tab", nil, "shift"))`:                    true,
		`bound("tab"):matches(key("tab", nil, "shift"))`:                          true,
		`bound("runes"):matches(key("x", "runes"))`:                               true,
		`bound("enter"):matches(key("\r", "enter"))`:                              true,
		`bound("ctrl+enter"):matches(key("\r", "enter", "ctrl"))`:                 true,
		`bound("ctrl+f13"):matches(key("f13", "unknown", "ctrl"))`:                true,
		`bound("q"):matches{type="mouse",key="q",key_type="runes"}`:               false,
		`bound("q"):matches{}`:                                                    false,
		`bound():matches(key("q", "runes"))`:                                      false,
		`tty.bind{}:matches(key("q", "runes"))`:                                   false,
		`bound("q"):set_enabled(false):matches(key("q", "runes"))`:                false,
		`bound("q"):set_enabled(false):set_enabled(true):is_enabled()`:            true,
		`bound("q"):set_enabled(false):is_enabled()`:                              false,
		`tostring(bound("q", "ctrl+c")) == "tty.KeyBinding{q, ctrl+c}"`:           true,
		`bound("q"):help().key == "" and bound("q"):help().desc == ""`:            true,
		`(function() local h = tty.bind{ keys = {"q"}, help = { key = "q", desc = "quit" } }:help() return h.key == "q" and h.desc == "quit" end)()`: true,
	} {
		t.Run(lua, func(t *testing.T) {
			if got, err := s.Run(key + "return " + lua); err != nil || got != want {
				t.Errorf("got %v, %v, want %v", got, err, want)
			}
		})
	}
}

func TestBadArguments(t *testing.T) {
	s := newSystem(t)
	for _, call := range []string{
		`tty.style():foreground()`, `tty.style():foreground({})`, `tty.style():width("x")`, `tty.style():width(10001)`,
		`tty.style():width(0/0)`, `tty.style():bold(1)`, `tty.style():padding(1, "x")`, `tty.style():align()`,
		`tty.style():border()`, `tty.style():border("normal", 1)`, `tty.style():border_foreground({})`,
		`tty.style().render({}, "x")`, `tty.style().bold(tty.bind{})`, `tty.bind()`, `tty.bind{ keys = "q" }`,
		`tty.bind{ keys = { 1 } }`, `tty.bind{ keys = {}, help = "x" }`, `tty.bind{ help = { key = {} } }`,
		`tty.bind{}:matches()`, `tty.bind{}:matches("q")`, `tty.bind{}:set_enabled()`, `tty.text.width()`,
		`tty.text.width({})`, `tty.text.join_vertical("x", "y")`, `tty.text.join_horizontal(0, {})`,
		`tty.text.max_width("x")`, `tty.text.max_height({ "a", {} })`, `tty.text.place(1, 1, 0, 0)`,
		`tty.text.place(10000, 10000, 0, 0, "x")`, `tty.text.place_vertical(10001, 0, "x")`,
		`tty.style():width(10000):render(("x\n"):rep(10000))`, `tty.style():width(1):padding(10000):render(("x"):rep(10000))`,
		`tty.text.join_vertical(0, ("x"):rep(10000), ("x\n"):rep(10000))`, `tty.mouse()`, `tty.mouse(1)`,
		`(function() tty.borders.X = 1 end)()`, `(function() tty.text.width = 1 end)()`, `(function() tty.text.position.TOP = 2 end)()`,
	} {
		s.Check(t, `local ok, err = pcall(function() return `+call+` end)
			assert(not ok, "no error")
			assert(not tostring(err):find("panic"), err)`)
	}
}

func TestWithoutTerminal(t *testing.T) {
	newSystem(t).Check(t, `
		for name, call in pairs({ start = tty.start, stop = tty.stop, events = tty.events, mouse = function() return tty.mouse(true) end }) do
			local v, err = call()
			assert(v == nil and err:kind() == "Unavailable" and err:message() == "no terminal context" and err:retryable() == false, name)
		end
		local w, h, err = tty.screen_size()
		assert(w == nil and h == nil and err:message() == "no terminal context")`)
}
