// SPDX-License-Identifier: Apache-2.0

package tty

import (
	"io"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/muesli/termenv"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// newRenderer makes a renderer that knows its answers and never asks a terminal: that of the library would look at the
// output of the program.
func newRenderer() *lipgloss.Renderer {
	r := lipgloss.NewRenderer(io.Discard)
	r.SetColorProfile(termenv.TrueColor)
	r.SetHasDarkBackground(true)
	return r
}

var renderer = newRenderer()

// borders are the borders by name.
var borders = map[string]lipgloss.Border{
	"normal":  lipgloss.NormalBorder(),
	"rounded": lipgloss.RoundedBorder(),
	"thick":   lipgloss.ThickBorder(),
	"double":  lipgloss.DoubleBorder(),
	"hidden":  lipgloss.HiddenBorder(),
}

func (m *module) buildStyles(b *engine.Builder) {
	constants(b, "borders", map[string]lua.LValue{
		"NORMAL": lua.LString("normal"), "ROUNDED": lua.LString("rounded"), "THICK": lua.LString("thick"),
		"DOUBLE": lua.LString("double"), "HIDDEN": lua.LString("hidden"),
	})
	constants(b, "align", map[string]lua.LValue{
		"LEFT": lua.LNumber(lipgloss.Left), "CENTER": lua.LNumber(lipgloss.Center), "RIGHT": lua.LNumber(lipgloss.Right),
	})
	methods := map[string]lua.LGFunction{"render": render}
	for name, change := range changes() {
		methods[name] = func(L *lua.LState) int {
			L.Push(m.styles.New(change(L, checkStyle(L))))
			return 1
		}
	}
	m.styles = b.Type("Style", methods, map[string]lua.LGFunction{"__tostring": func(L *lua.LState) int {
		L.Push(lua.LString("tty.Style{}"))
		return 1
	}})
	plain := m.styles.New(renderer.NewStyle())
	b.Func("style", func(L *lua.LState) int {
		L.Push(plain)
		return 1
	})
}

func checkStyle(L *lua.LState) lipgloss.Style { return engine.Check[lipgloss.Style](L, 1, "Style") }

// change returns a style that differs from s by what the arguments from 2 on say.
type change func(L *lua.LState, s lipgloss.Style) lipgloss.Style

// changes are the methods of a style that return a new one.
func changes() map[string]change {
	type style = lipgloss.Style
	flag := func(set func(style, bool) style) change {
		return func(L *lua.LState, s style) style { return set(s, L.OptBool(2, true)) }
	}
	size := func(set func(style, int) style) change {
		return func(L *lua.LState, s style) style { return set(s, checkSize(L, 2)) }
	}
	sizes := func(set func(style, ...int) style) change {
		return func(L *lua.LState, s style) style { return set(s, rest(L, checkSize)...) }
	}
	color := func(set func(style, lipgloss.TerminalColor) style) change {
		return func(L *lua.LState, s style) style { return set(s, checkColor(L, 2)) }
	}
	colors := func(set func(style, ...lipgloss.TerminalColor) style) change {
		return func(L *lua.LState, s style) style { return set(s, rest(L, checkColor)...) }
	}
	return map[string]change{
		"foreground":        color(style.Foreground),
		"background":        color(style.Background),
		"bold":              flag(style.Bold),
		"italic":            flag(style.Italic),
		"underline":         flag(style.Underline),
		"strikethrough":     flag(style.Strikethrough),
		"faint":             flag(style.Faint),
		"blink":             flag(style.Blink),
		"reverse":           flag(style.Reverse),
		"inline":            flag(style.Inline),
		"width":             size(style.Width),
		"height":            size(style.Height),
		"max_width":         size(style.MaxWidth),
		"max_height":        size(style.MaxHeight),
		"padding":           sizes(style.Padding),
		"margin":            sizes(style.Margin),
		"align":             func(L *lua.LState, s style) style { return s.Align(checkPosition(L, 2)) },
		"align_vertical":    func(L *lua.LState, s style) style { return s.AlignVertical(checkPosition(L, 2)) },
		"border":            border,
		"border_foreground": colors(style.BorderForeground),
		"border_background": colors(style.BorderBackground),
		"copy":              func(_ *lua.LState, s style) style { return s },
	}
}

// border implements style:border(name, ...). Sides follow the order of padding; none means all.
func border(L *lua.LState, s lipgloss.Style) lipgloss.Style {
	b, ok := borders[L.CheckString(2)]
	if !ok {
		b = borders["normal"]
	}
	var sides []bool
	for i := 3; i <= L.GetTop(); i++ {
		sides = append(sides, L.CheckBool(i))
	}
	return s.Border(b, sides...)
}

// render implements style:render(...).
func render(L *lua.LState) int {
	s := checkStyle(L)
	texts := rest(L, func(L *lua.LState, n int) string { return L.ToStringMeta(L.Get(n)).String() })
	text := strings.Join(texts, " ")
	height, width := lipgloss.Height(text), lipgloss.Width(text)
	if w := s.GetWidth(); w > 0 {
		height += len(text) / max(1, w-s.GetHorizontalPadding())
		width = max(width, w)
	}
	limit(L, width+s.GetHorizontalFrameSize(), height+s.GetHeight()+s.GetVerticalFrameSize())
	L.Push(lua.LString(s.Render(text)))
	return 1
}
