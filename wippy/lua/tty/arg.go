// SPDX-License-Identifier: Apache-2.0

package tty

import (
	"math"
	"strconv"

	"github.com/charmbracelet/lipgloss"
	lua "github.com/yuin/gopher-lua"
)

const (
	// maxCells is the most a width, a height or the space on one side of a text can be.
	maxCells = 10_000
	// maxResult is the number of cells a call may fill. It keeps a slip of the pen from taking all memory.
	maxResult = 1 << 25
)

// checkSize returns argument n, a number of cells. A negative one is none.
func checkSize(L *lua.LState, n int) int {
	v := float64(L.CheckNumber(n))
	if math.IsNaN(v) || v > maxCells {
		L.ArgError(n, "at most "+strconv.Itoa(maxCells)+" cells expected, got "+lua.LNumber(v).String())
	}
	return int(max(v, 0))
}

// limit raises when a text of that size would take too much.
func limit(L *lua.LState, width, height int) {
	if height > 0 && width > maxResult/height {
		L.RaiseError("a text of %d x %d cells is too large", width, height)
	}
}

// checkPosition returns argument n, a position between 0 and 1.
func checkPosition(L *lua.LState, n int) lipgloss.Position {
	return lipgloss.Position(max(0, min(1, float64(L.CheckNumber(n)))))
}

// checkColor returns argument n, "#rrggbb", "#rgb" or the number of an ANSI colour. Other texts mean no colour.
func checkColor(L *lua.LState, n int) lipgloss.TerminalColor {
	text := L.CheckString(n)
	if i, err := strconv.Atoi(text); err == nil && (i < 0 || i > 255) {
		return lipgloss.NoColor{}
	}
	return lipgloss.Color(text)
}

// rest returns the arguments from 2 on.
func rest[T any](L *lua.LState, check func(*lua.LState, int) T) []T {
	var out []T
	for i := 2; i <= L.GetTop(); i++ {
		out = append(out, check(L, i))
	}
	return out
}
