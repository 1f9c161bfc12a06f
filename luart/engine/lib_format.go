// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"math"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
)

// directive is one conversion of a format string: %[flags][width][.precision]verb.
type directive struct {
	minus, plus, space, alt, zero bool
	width, precision              int // precision is -1 when absent
	verb                          byte
}

// strFormat is string.format with the conversions of C that Lua 5.1 has.
func strFormat(L *lua.LState) int {
	format := L.CheckString(1)
	limit := From(L).engine.maxString
	var b strings.Builder
	arg := 1
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		if i+1 < len(format) && format[i+1] == '%' {
			b.WriteByte('%')
			i++
			continue
		}
		d, n := parseDirective(format[i+1:])
		if n == 0 {
			L.RaiseError("invalid format (repeated flags or width too long)")
		}
		i += n
		arg++
		if arg > L.GetTop() {
			L.ArgError(arg, "no value")
		}
		b.WriteString(d.text(L, arg))
		if b.Len() > limit {
			L.RaiseError("resulting string too large")
		}
	}
	L.Push(lua.LString(b.String()))
	return 1
}

// parseDirective reads what follows a '%' and returns its length, 0 when it is
// malformed.
func parseDirective(s string) (d directive, n int) {
	d.precision = -1
	for ; n < len(s); n++ {
		switch s[n] {
		case '-':
			d.minus = true
			continue
		case '+':
			d.plus = true
			continue
		case ' ':
			d.space = true
			continue
		case '#':
			d.alt = true
			continue
		case '0':
			d.zero = true
			continue
		}
		break
	}
	if n > 5 {
		return d, 0
	}
	digits := func() (v int) {
		for k := 0; n < len(s) && isDigit(s[n]); n++ {
			v = v*10 + int(s[n]-'0')
			if k++; k > 2 {
				return -1
			}
		}
		return v
	}
	if d.width = digits(); d.width < 0 {
		return d, 0
	}
	if n < len(s) && s[n] == '.' {
		n++
		if d.precision = digits(); d.precision < 0 {
			return d, 0
		}
	}
	if n < len(s) {
		d.verb = s[n]
	}
	return d, n + 1
}

func (d directive) text(L *lua.LState, n int) string {
	switch d.verb {
	case 'd', 'i':
		return d.integer(float64(L.CheckNumber(n)))
	case 'u':
		return d.unsigned(strconv.FormatUint(uint64(toInt64(float64(L.CheckNumber(n)))), 10), "")
	case 'c':
		return d.pad(string([]byte{byte(int(L.CheckNumber(n)))}))
	case 'o':
		return d.unsigned(strconv.FormatUint(uint64(toInt64(float64(L.CheckNumber(n)))), 8), "0")
	case 'x', 'X':
		s := d.unsigned(strconv.FormatUint(uint64(toInt64(float64(L.CheckNumber(n)))), 16), "0x")
		if d.verb == 'X' {
			s = strings.ToUpper(s)
		}
		return s
	case 'e', 'E', 'f', 'F', 'g', 'G', 'a', 'A':
		return d.float(float64(L.CheckNumber(n)))
	case 'q':
		return quote(L.CheckString(n))
	case 's':
		s := L.ToStringMeta(L.Get(n)).String()
		if d.precision >= 0 && d.precision < len(s) {
			s = s[:d.precision]
		}
		return d.pad(s)
	}
	verb := "%"
	if d.verb != 0 {
		verb += string(rune(d.verb))
	}
	L.RaiseError("invalid option '%s' to 'format'", verb)
	return ""
}

// toInt64 truncates, saturating at the ends of the range.
func toInt64(f float64) int64 {
	switch {
	case math.IsNaN(f):
		return 0
	case f >= math.MaxInt64:
		if f < math.MaxUint64 {
			return int64(uint64(f))
		}
		return math.MaxInt64
	case f <= math.MinInt64:
		return math.MinInt64
	}
	return int64(f)
}

func (d directive) sign(negative bool) string {
	switch {
	case negative:
		return "-"
	case d.plus:
		return "+"
	case d.space:
		return " "
	}
	return ""
}

func (d directive) integer(f float64) string {
	i := toInt64(f)
	if f >= math.MaxInt64 {
		i = math.MaxInt64
	}
	digits := strings.TrimPrefix(strconv.FormatInt(i, 10), "-")
	return d.number(d.sign(i < 0), digits)
}

func (d directive) unsigned(digits, prefix string) string {
	if !d.alt || digits == "0" {
		prefix = ""
	}
	return d.number(prefix, digits)
}

// number puts sign or prefix, precision and width around digits.
func (d directive) number(prefix, digits string) string {
	if d.precision >= 0 {
		if d.precision == 0 && digits == "0" {
			digits = ""
		}
		if n := d.precision - len(digits); n > 0 {
			digits = strings.Repeat("0", n) + digits
		}
		return d.pad(prefix + digits)
	}
	if n := d.width - len(prefix) - len(digits); d.zero && !d.minus && n > 0 {
		digits = strings.Repeat("0", n) + digits
	}
	return d.pad(prefix + digits)
}

func (d directive) float(f float64) string {
	if math.IsInf(f, 0) || math.IsNaN(f) {
		s := "inf"
		if math.IsNaN(f) {
			s = "nan"
		}
		if d.verb < 'a' {
			s = strings.ToUpper(s)
		}
		return d.pad(d.sign(f < 0) + s)
	}
	precision := d.precision
	if precision < 0 {
		precision = 6
	}
	var s string
	switch abs := math.Abs(f); d.verb {
	case 'e', 'E':
		s = strconv.FormatFloat(abs, 'e', precision, 64)
	case 'f', 'F':
		s = strconv.FormatFloat(abs, 'f', precision, 64)
	case 'a', 'A':
		s = strconv.FormatFloat(abs, 'x', d.precision, 64)
	default:
		s = general(abs, max(precision, 1), d.alt)
	}
	if d.verb < 'a' {
		s = strings.ToUpper(s)
	}
	sign := d.sign(math.Signbit(f))
	if n := d.width - len(sign) - len(s); d.zero && !d.minus && n > 0 {
		s = strings.Repeat("0", n) + s
	}
	return d.pad(sign + s)
}

// general is C's %g: the shorter of %e and %f at a number of significant digits,
// without trailing zeros unless alt.
func general(f float64, precision int, alt bool) string {
	e := strconv.FormatFloat(f, 'e', precision-1, 64)
	exp, _ := strconv.Atoi(e[strings.IndexByte(e, 'e')+1:])
	mantissa, tail := e, ""
	if exp < -4 || exp >= precision {
		i := strings.IndexByte(e, 'e')
		mantissa, tail = e[:i], e[i:]
	} else {
		mantissa = strconv.FormatFloat(f, 'f', precision-1-exp, 64)
	}
	if !alt && strings.Contains(mantissa, ".") {
		mantissa = strings.TrimRight(strings.TrimRight(mantissa, "0"), ".")
	}
	return mantissa + tail
}

func (d directive) pad(s string) string {
	n := d.width - len(s)
	switch {
	case n <= 0:
		return s
	case d.minus:
		return s + strings.Repeat(" ", n)
	}
	return strings.Repeat(" ", n) + s
}

// quote is the form of a string that Lua reads back.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\', '\n':
			b.WriteByte('\\')
			b.WriteByte(c)
		case '\r':
			b.WriteString("\\r")
		case 0:
			b.WriteString("\\000")
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
