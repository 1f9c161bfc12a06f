// SPDX-License-Identifier: Apache-2.0

package json

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"unicode/utf8"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

const (
	// maxDepth is the deepest nesting index accepted; the outermost value has index 0.
	maxDepth = 128
	// maxOutput bounds the text: forty tables that hold the next one twice are a trillion.
	maxOutput = 64 << 20
	// maxWork bounds the keys looked at: those that have no name in JSON leave no text.
	maxWork = 16 << 20
)

var (
	errSparse = errors.New("cannot encode sparse array: non-contiguous numeric keys found")
	errMixed  = errors.New("cannot encode mixed-key table: table has both numeric and non-numeric keys")
	errCycle  = errors.New("cannot encode recursively nested tables to JSON")
	errDepth  = errors.New("exceeded maximum nesting depth for JSON encoding")
	errSize   = errors.New("JSON text too large: more than 64 MiB, or made of too many keys")
)

// member is one key of an object in the making: members are sorted before they are written.
type member struct {
	text  string
	value lua.LValue
}

// encoder holds the buffers of one encoding; encoders are pooled.
type encoder struct {
	buf     []byte
	path    []*lua.LTable // the tables around the value being written
	members []member      // a stack shared by all nesting levels
	work    int           // keys looked at
}

var encoders = sync.Pool{New: func() any { return &encoder{buf: make([]byte, 0, 512)} }}

// Encode renders a Lua value as JSON. Members of objects are sorted by key. It fails for tables that are
// neither an array nor an object (gaps, mixed keys), for tables that contain themselves, for values nested
// deeper than 128 levels and for more than 64 MiB of text.
func Encode(v lua.LValue) (string, error) {
	e := encoders.Get().(*encoder)
	defer e.release()
	if n, ok := v.(lua.LNumber); ok {
		e.buf = appendNumber(e.buf, float64(n), true)
	} else if err := e.value(v, 0); err != nil {
		return "", err
	}
	if len(e.buf) > maxOutput {
		return "", errSize
	}
	return string(e.buf), nil
}

func (e *encoder) release() {
	if cap(e.buf) > 1<<16 {
		return // one huge document must not stay in memory for good
	}
	e.buf, e.work = e.buf[:0], 0
	clear(e.path)
	e.path = e.path[:0]
	clear(e.members[:cap(e.members)])
	e.members = e.members[:0]
	encoders.Put(e)
}

func (e *encoder) value(v lua.LValue, depth int) error {
	if len(e.buf) > maxOutput {
		return errSize
	}
	switch v := v.(type) {
	case lua.LString:
		e.buf = appendString(e.buf, string(v))
	case lua.LNumber:
		e.buf = appendNumber(e.buf, float64(v), false)
	case lua.LBool:
		e.buf = strconv.AppendBool(e.buf, bool(v))
	case *lua.LTable:
		return e.table(v, depth)
	case *lua.LUserData:
		if err, ok := engine.AsError(v); ok {
			e.buf = appendString(e.buf, err.Error())
		} else if s, ok := v.Value.(string); ok {
			e.buf = appendString(e.buf, s)
		} else {
			e.buf = append(e.buf, "null"...)
		}
	default:
		e.buf = append(e.buf, "null"...)
	}
	return nil
}

func (e *encoder) table(t *lua.LTable, depth int) error {
	t = engine.Unwrap(t)
	if slices.Contains(e.path, t) {
		return errCycle
	}
	if depth > maxDepth {
		return errDepth
	}
	e.path = append(e.path, t)
	defer func() { e.path = e.path[:len(e.path)-1] }()

	if !hadNames(t) { // positions only, the usual case of an array
		return e.array(t, t.MaxN(), depth)
	}
	first := len(e.members)
	defer func() { e.members = e.members[:first] }()
	positional, last := 0, 0
	named := false // has a key that is no position
	t.ForEach(func(k, v lua.LValue) {
		e.work++
		if n, ok := position(k); ok {
			positional++
			last = max(last, n)
			return
		}
		named = true
		if text, ok := keyText(k); ok {
			e.members = append(e.members, member{text, v})
		}
	})

	switch {
	case e.work > maxWork:
		return errSize
	case named && positional > 0:
		return errMixed
	case positional != last:
		return errSparse
	case positional == 0:
		return e.object(first, depth)
	default:
		return e.array(t, last, depth)
	}
}

func (e *encoder) array(t *lua.LTable, n, depth int) error {
	e.buf = append(e.buf, '[')
	for i := 1; i <= n; i++ {
		if i > 1 {
			e.buf = append(e.buf, ',')
		}
		v := t.RawGetInt(i)
		if v == lua.LNil {
			return errSparse
		}
		if err := e.value(v, depth+1); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, ']')
	return nil
}

func (e *encoder) object(first, depth int) error {
	slices.SortFunc(e.members[first:], func(a, b member) int {
		switch {
		case a.text < b.text:
			return -1
		case a.text > b.text:
			return 1
		}
		return 0
	})
	e.buf = append(e.buf, '{')
	for i, last := first, len(e.members); i < last; i++ {
		if i > first {
			e.buf = append(e.buf, ',')
		}
		m := e.members[i]
		e.buf = appendString(e.buf, m.text)
		e.buf = append(e.buf, ':')
		if err := e.value(m.value, depth+1); err != nil {
			return err
		}
	}
	e.buf = append(e.buf, '}')
	return nil
}

// position returns the array index a key stands for: a positive integral number.
func position(k lua.LValue) (int, bool) {
	n, ok := k.(lua.LNumber)
	if !ok || n < 1 || n != lua.LNumber(math.Trunc(float64(n))) || n >= 1<<53 {
		return 0, false
	}
	return int(n), true
}

// keyText returns the member name of a named key; keys of other types have none and are left out.
func keyText(k lua.LValue) (string, bool) {
	switch k := k.(type) {
	case lua.LString:
		return string(k), true
	case lua.LNumber:
		return strconv.FormatFloat(float64(k)+0, 'f', -1, 64), true // + 0: the key -0 is the key 0
	case lua.LBool:
		return strconv.FormatBool(bool(k)), true
	}
	return "", false
}

// namesField is the place, in the table type of the interpreter, of the list of keys outside the array part.
var namesField = func() int {
	f, ok := reflect.TypeFor[lua.LTable]().FieldByName("keys")
	if !ok {
		panic("json: the table type of gopher-lua has no field keys")
	}
	return f.Index[0]
}()

// hadNames reports whether an empty table once had named keys, or was decoded from an object: such a table is
// an empty object, any other empty table an empty array.
func hadNames(t *lua.LTable) bool {
	return !reflect.ValueOf(t).Elem().Field(namesField).IsNil()
}

// appendNumber writes whole numbers as plain digits and others in their shortest form. Exponents are used for
// the outermost value only, for very small and very large numbers.
func appendNumber(buf []byte, f float64, exponent bool) []byte {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return append(buf, "null"...)
	case f == math.Trunc(f) && f >= math.MinInt64 && f < math.MaxInt64:
		return strconv.AppendInt(buf, int64(f), 10)
	}
	if size := math.Abs(f); !exponent || size >= 1e-6 && size < 1e21 {
		return strconv.AppendFloat(buf, f, 'f', -1, 64)
	}
	buf = strconv.AppendFloat(buf, f, 'e', -1, 64)
	if n := len(buf); n >= 4 && buf[n-4] == 'e' && buf[n-3] == '-' && buf[n-2] == '0' {
		buf[n-2] = buf[n-1] // e-09 is written e-9
		buf = buf[:n-1]
	}
	return buf
}

const hexDigits = "0123456789abcdef"

// appendString writes s as a JSON string that is also safe inside HTML and JavaScript. Bytes that are not
// UTF-8 become U+FFFD.
func appendString(buf []byte, s string) []byte {
	buf = append(buf, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c < utf8.RuneSelf {
			if c >= ' ' && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' {
				i++
				continue
			}
			buf = append(buf, s[start:i]...)
			buf = appendEscape(buf, c)
			i++
			start = i
			continue
		}
		r, size := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			buf = append(append(buf, s[start:i]...), `\ufffd`...)
		case r == '\u2028' || r == '\u2029':
			buf = append(append(buf, s[start:i]...), `\u202`...)
			buf = append(buf, hexDigits[r&0xf])
		default:
			i += size
			continue
		}
		i += size
		start = i
	}
	return append(append(buf, s[start:]...), '"')
}

func appendEscape(buf []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(buf, '\\', c)
	case '\b':
		return append(buf, `\b`...)
	case '\f':
		return append(buf, `\f`...)
	case '\n':
		return append(buf, `\n`...)
	case '\r':
		return append(buf, `\r`...)
	case '\t':
		return append(buf, `\t`...)
	}
	return append(buf, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
}
