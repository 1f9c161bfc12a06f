// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"
	"math/rand/v2"

	lua "github.com/yuin/gopher-lua"
)

// buildMath fills the global math.
func buildMath(b *Builder) {
	for name, fn := range map[string]func(float64) float64{
		"abs": math.Abs, "acos": math.Acos, "asin": math.Asin, "atan": math.Atan, "ceil": math.Ceil, "cos": math.Cos,
		"cosh": math.Cosh, "exp": math.Exp, "floor": math.Floor, "log10": math.Log10, "sin": math.Sin,
		"sinh": math.Sinh, "sqrt": math.Sqrt, "tan": math.Tan, "tanh": math.Tanh,
		"deg": func(x float64) float64 { return x * 180 / math.Pi },
		"rad": func(x float64) float64 { return x * math.Pi / 180 },
	} {
		b.Func(name, func(L *lua.LState) int {
			L.Push(lua.LNumber(fn(float64(L.CheckNumber(1)))))
			return 1
		})
	}
	for name, fn := range map[string]func(x, y float64) float64{
		"atan2": math.Atan2, "fmod": math.Mod, "pow": math.Pow,
		"mod": func(x, y float64) float64 {
			r := math.Mod(x, y)
			if r != 0 && (r < 0) != (y < 0) {
				r += y
			}
			return r
		},
		"ldexp": func(x, e float64) float64 { return math.Ldexp(x, int(e)) },
	} {
		b.Func(name, func(L *lua.LState) int {
			L.Push(lua.LNumber(fn(float64(L.CheckNumber(1)), float64(L.CheckNumber(2)))))
			return 1
		})
	}
	b.Func("log", mathLog)
	b.Func("modf", func(L *lua.LState) int {
		x := float64(L.CheckNumber(1))
		whole, frac := math.Modf(x)
		if math.IsInf(x, 0) {
			frac = 0
		}
		L.Push(lua.LNumber(whole))
		L.Push(lua.LNumber(frac))
		return 2
	})
	b.Func("frexp", func(L *lua.LState) int {
		frac, exp := math.Frexp(float64(L.CheckNumber(1)))
		L.Push(lua.LNumber(frac))
		L.Push(lua.LNumber(exp))
		return 2
	})
	b.Func("max", extreme(func(a, b lua.LNumber) bool { return a > b }))
	b.Func("min", extreme(func(a, b lua.LNumber) bool { return a < b }))
	b.Func("random", mathRandom)
	b.Func("randomseed", func(*lua.LState) int { return 0 })
	b.Func("tointeger", mathTointeger)
	b.Func("type", mathType)
	b.Func("ult", func(L *lua.LState) int {
		L.Push(lua.LBool(uint64(toInt64(float64(L.CheckNumber(1)))) < uint64(toInt64(float64(L.CheckNumber(2))))))
		return 1
	})
	b.Value("pi", lua.LNumber(math.Pi))
	b.Value("huge", lua.LNumber(math.MaxFloat64))
	b.Value("maxinteger", lua.LNumber(math.MaxInt64))
	b.Value("mininteger", lua.LNumber(math.MinInt64))
}

func mathLog(L *lua.LState) int {
	x := math.Log(float64(L.CheckNumber(1)))
	if L.GetTop() > 1 {
		x /= math.Log(float64(L.CheckNumber(2)))
	}
	L.Push(lua.LNumber(x))
	return 1
}

func extreme(better func(a, b lua.LNumber) bool) lua.LGFunction {
	return func(L *lua.LState) int {
		best := L.CheckNumber(1)
		for i := 2; i <= L.GetTop(); i++ {
			if v := L.CheckNumber(i); better(v, best) {
				best = v
			}
		}
		L.Push(best)
		return 1
	}
}

func mathRandom(L *lua.LState) int {
	if L.GetTop() == 0 {
		L.Push(lua.LNumber(rand.Float64()))
		return 1
	}
	from, to := int64(1), toInt64(float64(L.CheckNumber(1)))
	if L.GetTop() > 1 {
		from, to = to, toInt64(float64(L.CheckNumber(2)))
	}
	if from > to {
		L.ArgError(L.GetTop(), "interval is empty")
	}
	n := uint64(to) - uint64(from) + 1
	r := rand.Uint64()
	if n != 0 {
		r = rand.Uint64N(n)
	}
	L.Push(lua.LNumber(int64(uint64(from) + r)))
	return 1
}

// integral reports whether a number counts as an integer: gopher-lua has floats
// only.
func integral(n lua.LNumber) bool {
	f := float64(n)
	return f == math.Trunc(f) && f >= math.MinInt64 && f <= math.MaxInt64
}

func mathTointeger(L *lua.LState) int {
	v := L.CheckAny(1)
	if s, ok := v.(lua.LString); ok {
		v = parseNumber(string(s))
	}
	if n, ok := v.(lua.LNumber); ok && integral(n) {
		L.Push(n)
	} else {
		L.Push(lua.LNil)
	}
	return 1
}

func mathType(L *lua.LState) int {
	n, ok := L.CheckAny(1).(lua.LNumber)
	switch {
	case !ok:
		L.Push(lua.LNil)
	case integral(n):
		L.Push(lua.LString("integer"))
	default:
		L.Push(lua.LString("float"))
	}
	return 1
}
