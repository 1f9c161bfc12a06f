// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"math"
	"slices"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// options are the options of open, scan and create.
type options struct {
	format     string // "" is found out
	maxEntries int64
	maxTotal   int64 // bytes that one job unpacks
	maxFile    int64 // bytes that one entry is unpacked to
	maxInline  int64 // bytes that read returns
	buffer     int64 // bytes
}

// maxBuffer bounds the copy buffer.
const maxBuffer = 16 << 20

// readOptions reads the table at argument n. What is no positive number is the default.
func readOptions(L *lua.LState, n int) (options, error) {
	t := call.Table(L, n)
	o := options{
		maxEntries: number(t, "max_entries", 100_000),
		maxTotal:   number(t, "max_total_bytes", 2<<30),
		maxFile:    number(t, "max_file_bytes", 1<<30),
		maxInline:  number(t, "max_inline_bytes", 16<<20),
		buffer:     min(number(t, "buffer_bytes", 64<<10), maxBuffer),
	}
	if t == nil {
		return o, nil
	}
	switch v := t.RawGetString("format").(type) {
	case *lua.LNilType:
	case lua.LString:
		if o.format = string(v); !slices.Contains(formats, o.format) {
			return o, invalid("unknown archive format: %s", o.format)
		}
	default:
		return o, invalid("unknown archive format: %s", v.Type())
	}
	return o, nil
}

func number(t *lua.LTable, name string, standard int64) int64 {
	if t == nil {
		return standard
	}
	f, ok := t.RawGetString(name).(lua.LNumber)
	switch {
	case !ok || !(f >= 1):
		return standard
	case float64(f) >= math.MaxInt64:
		return math.MaxInt64
	}
	return int64(f)
}
