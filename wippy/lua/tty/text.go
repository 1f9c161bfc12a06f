// SPDX-License-Identifier: Apache-2.0

package tty

import (
	"strconv"

	"github.com/charmbracelet/lipgloss"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// buildText adds the functions on texts of several lines that may hold escape sequences: those have no width.
func buildText(b *engine.Builder) {
	measure := func(measure func(string) int) lua.LGFunction {
		return func(L *lua.LState) int {
			L.Push(lua.LNumber(measure(L.CheckString(1))))
			return 1
		}
	}
	b.Func("width", measure(lipgloss.Width))
	b.Func("height", measure(lipgloss.Height))
	b.Func("size", func(L *lua.LState) int {
		w, h := lipgloss.Size(L.CheckString(1))
		L.Push(lua.LNumber(w))
		L.Push(lua.LNumber(h))
		return 2
	})
	b.Func("join_horizontal", joinHorizontal)
	b.Func("join_vertical", joinVertical)
	b.Func("max_width", largest(lipgloss.Width))
	b.Func("max_height", largest(lipgloss.Height))
	b.Func("place", place)
	b.Func("place_horizontal", placeHorizontal)
	b.Func("place_vertical", placeVertical)
	constants(b, "position", map[string]lua.LValue{
		"TOP": lua.LNumber(lipgloss.Top), "LEFT": lua.LNumber(lipgloss.Left), "CENTER": lua.LNumber(lipgloss.Center),
		"BOTTOM": lua.LNumber(lipgloss.Bottom), "RIGHT": lua.LNumber(lipgloss.Right),
	})
}

// largest implements max_width and max_height of an array of texts.
func largest(measure func(string) int) lua.LGFunction {
	return func(L *lua.LState) int {
		texts, most := L.CheckTable(1), 0
		for i := 1; ; i++ {
			v := L.GetTable(texts, lua.LNumber(i))
			if v == lua.LNil {
				break
			}
			if !lua.LVCanConvToString(v) {
				L.ArgError(1, "item "+strconv.Itoa(i)+": string expected, got "+v.Type().String())
			}
			most = max(most, measure(v.String()))
		}
		L.Push(lua.LNumber(most))
		return 1
	}
}

// texts are the arguments of a join after the position.
func texts(L *lua.LState) []string { return rest(L, (*lua.LState).CheckString) }

func joinHorizontal(L *lua.LState) int {
	pos, texts := checkPosition(L, 1), texts(L)
	width, height := 0, 0
	for _, t := range texts {
		w, h := lipgloss.Size(t)
		width, height = width+w, max(height, h)
	}
	limit(L, width, height)
	L.Push(lua.LString(lipgloss.JoinHorizontal(pos, texts...)))
	return 1
}

func joinVertical(L *lua.LState) int {
	pos, texts := checkPosition(L, 1), texts(L)
	width, height := 0, 0
	for _, t := range texts {
		w, h := lipgloss.Size(t)
		width, height = max(width, w), height+h
	}
	limit(L, width, height)
	L.Push(lua.LString(lipgloss.JoinVertical(pos, texts...)))
	return 1
}

func place(L *lua.LState) int {
	w, h := checkSize(L, 1), checkSize(L, 2)
	horizontal, vertical, text := checkPosition(L, 3), checkPosition(L, 4), L.CheckString(5)
	width, height := lipgloss.Size(text)
	limit(L, max(w, width), max(h, height))
	L.Push(lua.LString(renderer.Place(w, h, horizontal, vertical, text)))
	return 1
}

func placeHorizontal(L *lua.LState) int {
	w, pos, text := checkSize(L, 1), checkPosition(L, 2), L.CheckString(3)
	width, height := lipgloss.Size(text)
	limit(L, max(w, width), height)
	L.Push(lua.LString(renderer.PlaceHorizontal(w, pos, text)))
	return 1
}

func placeVertical(L *lua.LState) int {
	h, pos, text := checkSize(L, 1), checkPosition(L, 2), L.CheckString(3)
	width, height := lipgloss.Size(text)
	limit(L, width, max(h, height))
	L.Push(lua.LString(renderer.PlaceVertical(h, pos, text)))
	return 1
}
