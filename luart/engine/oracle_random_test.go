// SPDX-License-Identifier: Apache-2.0

package engine_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// programs draws programs that end, print a trace of what they do, and mean the same
// in every implementation of Lua 5.1.
type programs struct {
	t      *rapid.T
	out    strings.Builder
	scopes [][]string // variables in scope; those behind base belong to this function
	serial int
	budget int // statements left
	loops  int // loops around this place, in this function
	vararg bool
}

func (g *programs) int(from, to int) int { return rapid.IntRange(from, to).Draw(g.t, "n") }

func (g *programs) pick(list ...string) string { return rapid.SampledFrom(list).Draw(g.t, "pick") }

func (g *programs) fresh() string {
	g.serial++
	return fmt.Sprintf("v%d", g.serial)
}

func (g *programs) declare(names ...string) {
	top := len(g.scopes) - 1
	g.scopes[top] = append(g.scopes[top], names...)
}

func (g *programs) vars() (all []string) {
	for _, s := range g.scopes {
		all = append(all, s...)
	}
	return all
}

// variable is a local, an upvalue or a global.
func (g *programs) variable() string {
	all := g.vars()
	if len(all) == 0 || g.int(0, 9) == 0 {
		return g.pick("g1", "g2")
	}
	return all[g.int(0, len(all)-1)]
}

// place is something that can be assigned.
func (g *programs) place(depth int) string {
	if g.int(0, 3) == 0 {
		return g.pick("t1", "t2") + "[" + g.key(depth) + "]"
	}
	return g.variable()
}

func (g *programs) key(depth int) string {
	if g.int(0, 1) == 0 {
		return fmt.Sprint(g.int(1, 3))
	}
	return "key(" + g.expr(depth-1) + ")"
}

// expr is an expression of any type; num makes a number of anything.
func (g *programs) expr(depth int) string {
	if depth <= 0 {
		return g.pick("1", "2", "nil", "true", "false", `"s"`, g.variable(), g.variable(), g.variable(), "#g3", "t2[1]")
	}
	e := func() string { return g.expr(depth - 1) }
	switch g.int(0, 16) {
	case 16:
		return "str(" + e() + ") .. " + g.pick(`"," .. `, "") + "str(" + e() + "):sub(1, 3)"
	case 0, 1:
		return "num(" + e() + ") " + g.pick("+", "-", "%") + " (num(" + e() + ") % 1000 + 1)"
	case 2:
		return "(num(" + e() + ") * num(" + e() + ")) % 997"
	case 3, 4:
		return "(" + e() + " and " + e() + ")"
	case 5, 6:
		return "(" + e() + " or " + e() + ")"
	case 7:
		return "not " + e()
	case 8:
		return "(" + e() + " " + g.pick("==", "~=") + " " + e() + ")"
	case 9:
		return "(num(" + e() + ") " + g.pick("<", "<=", ">", ">=") + " num(" + e() + "))"
	case 10:
		return "(str(" + e() + ") .. str(" + e() + ")):sub(1, 9)"
	case 11:
		return "two(" + e() + ", " + e() + ")"
	case 12:
		return "(two(" + e() + ", " + e() + "))"
	case 13:
		return "set" + g.pick("1", "2") + "(" + e() + ")"
	case 14:
		if g.vararg {
			return g.pick("...", "(...)", `select("#", ...)`)
		}
		return "#{num(" + e() + "), str(" + e() + ")}"
	default:
		return g.pick("t1", "t2") + "[" + g.key(depth) + "]"
	}
}

func (g *programs) exprs(n, depth int) string {
	list := make([]string, n)
	for i := range list {
		list[i] = g.expr(depth)
	}
	return strings.Join(list, ", ")
}

func (g *programs) line(format string, args ...any) {
	fmt.Fprintf(&g.out, format+"\n", args...)
}

func (g *programs) block(body func()) {
	g.scopes = append(g.scopes, nil)
	body()
	g.scopes = g.scopes[:len(g.scopes)-1]
}

func (g *programs) statements(depth int) {
	for range g.int(1, 4) {
		if g.budget--; g.budget < 0 {
			return
		}
		g.statement(depth)
	}
}

func (g *programs) statement(depth int) {
	nested := depth > 0
	switch k := g.int(0, 17); {
	case k <= 3:
		n := g.int(1, 3)
		names := make([]string, n)
		for i := range names {
			names[i] = g.fresh()
		}
		g.line("local %s = %s", strings.Join(names, ", "), g.exprs(g.int(1, 3), 2))
		g.declare(names...)
	case k <= 8:
		places := make([]string, g.int(1, 3))
		for i := range places {
			places[i] = g.place(1)
		}
		g.line("%s = %s", strings.Join(places, ", "), g.exprs(g.int(1, 3), 2))
	case k == 9:
		g.line("show(%s)", g.exprs(g.int(1, 3), 2))
	case k == 10 && nested:
		g.line("if %s then", g.expr(2))
		g.block(func() { g.statements(depth - 1) })
		if g.int(0, 1) == 0 {
			g.line("elseif %s then", g.expr(1))
			g.block(func() { g.statements(depth - 1) })
		}
		g.line("else")
		g.block(func() { g.statements(depth - 1) })
		g.line("end")
	case k == 11 && nested:
		g.loop(depth, func() {
			v := g.fresh()
			g.line("for %s = %d, %d do", v, g.int(1, 3), g.int(0, 4))
			g.declare(v)
		}, "end")
	case k == 12 && nested:
		g.loop(depth, func() {
			a, b := g.fresh(), g.fresh()
			g.line("for %s, %s in ipairs({%s}) do", a, b, g.exprs(3, 1))
			g.declare(a, b)
		}, "end")
	case k == 13 && nested:
		v := g.fresh()
		g.line("local %s = 0", v) // not declared: nobody else may change it
		g.loop(depth, func() { g.line("repeat\n%s = num(%s) + 1", v, v) }, "until "+v+" > 2")
	case k == 14 && nested:
		g.function(depth)
	case k == 15 && g.loops > 0:
		g.line("if %s then break end", g.expr(1))
	case k == 16 && nested:
		g.line("show(pcall(function()")
		g.body(depth, false)
		g.line("if %s then error({}) end\nreturn %s\nend))", g.expr(1), g.exprs(2, 1))
	case nested:
		g.coroutine(depth)
	default:
		g.line("show(%s)", g.expr(2))
	}
}

func (g *programs) loop(depth int, head func(), end string) {
	g.block(func() {
		head()
		g.loops++
		g.statements(depth - 1)
		g.loops--
	})
	g.line("%s", end)
}

// body writes the statements of a function.
func (g *programs) body(depth int, vararg bool) {
	loops, outer := g.loops, g.vararg
	g.loops, g.vararg = 0, vararg
	g.block(func() { g.statements(depth - 1) })
	g.loops, g.vararg = loops, outer
}

func (g *programs) function(depth int) {
	name, a, b := g.fresh(), g.fresh(), g.fresh()
	vararg := g.int(0, 1) == 0
	params := a + ", " + b
	if vararg {
		params += ", ..."
	}
	g.line("local function %s(%s)", name, params)
	g.scopes = append(g.scopes, []string{a, b})
	g.body(depth, vararg)
	g.line("return %s\nend", g.exprs(g.int(1, 3), 1))
	g.scopes = g.scopes[:len(g.scopes)-1]
	g.line("show(%s(%s))", name, g.exprs(g.int(0, 3), 1))
	g.line("show(%s(%s))", name, g.exprs(2, 1))
}

func (g *programs) coroutine(depth int) {
	co := g.fresh()
	g.line("local %s = coroutine.create(function(...)", co)
	g.body(depth, true)
	g.line("show(coroutine.yield(%s))", g.exprs(2, 1))
	g.body(depth, true)
	g.line("return %s\nend)", g.exprs(2, 1))
	g.line("show(coroutine.resume(%s, %s)) show(coroutine.status(%s)) show(coroutine.resume(%s, %s)) show(coroutine.resume(%s))",
		co, g.exprs(2, 1), co, co, g.exprs(1, 1), co)
}

// programPrelude is what the programs call. set1 and set2 change variables that the
// program captures or that are global, in the middle of expressions.
const programPrelude = `
g1, g2, g3 = 10, 20, {1, 2, 3}
local t1, t2, u1, u2 = {1, 2, 3}, {4, 5}, 1, 2
local function str(v) if type(v) == "table" or type(v) == "function" or type(v) == "thread" then return type(v) end return tostring(v) end
local function show(...) local t = {} for i = 1, select("#", ...) do t[i] = str((select(i, ...))) end print(table.concat(t, " ")) end
local function num(v) if type(v) == "number" then return v elseif v then return 1 else return 0 end end
local function key(v) return num(v) % 3 + 1 end
local function two(a, b) return b, a end
local function set1(v) u1, g1 = v, num(v) return u1 end
local function set2(v) u2, g2 = num(v), v t1[1] = v return u2, v end
`

func drawProgram(t *rapid.T) string {
	g := &programs{t: t, budget: 60, scopes: [][]string{{"u1", "u2"}}}
	g.out.WriteString(programPrelude)
	for range g.int(1, 6) {
		g.statement(3)
	}
	g.line("show(u1, u2, g1, g2, t1[1], t1[2], t1[3], t2[1], t2[2], t2[3])")
	return g.out.String()
}

var moreRandom = flag.Bool("oracle.random", false, "compare new random programs, as many as -rapid.checks says")

// TestRandomProgramsMeanWhatTheyMeanInLua51 compares with the C implementation. The
// programs are the same each time; -oracle.random draws new ones and shortens one that
// differs.
func TestRandomProgramsMeanWhatTheyMeanInLua51(t *testing.T) {
	lua := findLua(t)
	if lua == "" {
		return
	}
	compare := func(t rapid.TB, source string) {
		if ours, theirs := runOurs(source), runTheirs(t, lua, source); ours != theirs {
			t.Fatalf("ours:\n%slua5.1:\n%s\n%s", ours, theirs, source)
		}
	}
	if *moreRandom {
		rapid.Check(t, func(t *rapid.T) { compare(t, drawProgram(t)) })
		return
	}
	programs := rapid.Custom(drawProgram)
	for seed := range 150 {
		compare(t, programs.Example(seed))
	}
}
