// SPDX-License-Identifier: Apache-2.0

package compress

import (
	"math"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// The limits of the option max_size, in bytes.
const (
	defaultMaxSize = 128 << 20
	largestMaxSize = 1 << 30
)

// options are those of one call.
type options struct {
	level   int
	maxSize int
	dict    string // "" for none
}

// options reads the options in the second argument. When they are no good, the two results of the call are pushed.
func (c codec) options(L *lua.LState) (options, bool) {
	o := options{level: c.levels.usual, maxSize: defaultMaxSize}
	t := call.Table(L, 2)
	if t == nil {
		return o, true
	}
	if level, ok := integer(t, "level"); ok {
		if level < float64(c.levels.min) || level > float64(c.levels.max) {
			call.Invalid(L, c.levelError)
			return o, false
		}
		o.level = int(level)
	}
	if size, ok := integer(t, "max_size"); ok && size >= 1 && size <= largestMaxSize {
		o.maxSize = int(size)
	}
	if dict := t.RawGetString("dict"); c.dicts && dict != lua.LNil {
		s, ok := dict.(lua.LString)
		if !ok || s == "" {
			call.Invalid(L, "dict must be a non-empty string")
			return o, false
		}
		o.dict = string(s)
	}
	return o, true
}

// integer returns an option that is a number, without its fraction. What is no number at all is -Inf: below all limits.
func integer(t *lua.LTable, name string) (float64, bool) {
	n, ok := t.RawGetString(name).(lua.LNumber)
	f := math.Trunc(float64(n))
	if math.IsNaN(f) {
		f = math.Inf(-1)
	}
	return f, ok
}
