// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"
)

// maxDepth bounds the nesting of a field's value; what is deeper is written as "...". It also ends cycles.
const maxDepth = 16

// appendKey appends "key": , after a comma unless the object has just begun.
func appendKey(b []byte, key string) []byte {
	b = appendComma(b)
	b = appendString(b, key)
	return append(b, ':')
}

// appendComma separates a member from the one before it.
func appendComma(b []byte) []byte {
	if n := len(b); n > 0 && b[n-1] != '{' && b[n-1] != '[' {
		b = append(b, ',')
	}
	return b
}

// appendAttr appends one member. Groups become objects; an empty one is left out, one without a key is spread.
func appendAttr(b []byte, a slog.Attr) []byte {
	v := a.Value.Resolve()
	if a.Key == "" && v.Kind() != slog.KindGroup {
		if v.Kind() == slog.KindAny && v.Any() == nil {
			return b
		}
	}
	if v.Kind() != slog.KindGroup {
		return appendValue(appendKey(b, a.Key), v)
	}
	if a.Key == "" {
		return appendAttrs(b, v.Group())
	}
	return appendGroup(b, a.Key, v.Group())
}

func appendAttrs(b []byte, attrs []slog.Attr) []byte {
	for _, a := range attrs {
		b = appendAttr(b, a)
	}
	return b
}

func appendGroup(b []byte, key string, attrs []slog.Attr) []byte {
	before := len(b)
	b = append(appendKey(b, key), '{')
	inside := len(b)
	b = appendAttrs(b, attrs)
	if len(b) == inside {
		return b[:before]
	}
	return append(b, '}')
}

func appendValue(b []byte, v slog.Value) []byte {
	switch v.Kind() {
	case slog.KindString:
		return appendString(b, v.String())
	case slog.KindInt64:
		return strconv.AppendInt(b, v.Int64(), 10)
	case slog.KindUint64:
		return strconv.AppendUint(b, v.Uint64(), 10)
	case slog.KindFloat64:
		return appendFloat(b, v.Float64())
	case slog.KindBool:
		return strconv.AppendBool(b, v.Bool())
	case slog.KindDuration:
		return appendString(b, v.Duration().String())
	case slog.KindTime:
		return appendTime(b, v.Time())
	case slog.KindGroup:
		b = append(b, '{')
		b = appendAttrs(b, v.Group())
		return append(b, '}')
	default:
		return appendAny(b, v.Any(), 0)
	}
}

func appendTime(b []byte, t time.Time) []byte {
	b = append(b, '"')
	b = t.AppendFormat(b, time.RFC3339Nano)
	return append(b, '"')
}

// appendFloat writes what JSON cannot say as a string, and whole numbers without a fraction.
func appendFloat(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return appendString(b, strconv.FormatFloat(f, 'g', -1, 64))
	case f == math.Trunc(f) && math.Abs(f) < 1<<53:
		return strconv.AppendInt(b, int64(f), 10)
	}
	return strconv.AppendFloat(b, f, 'g', -1, 64)
}

// appendAny writes the values that programs log without reflection and leaves the rest to encoding/json.
func appendAny(b []byte, v any, depth int) []byte {
	if depth > maxDepth {
		return append(b, `"..."`...)
	}
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case string:
		return appendString(b, v)
	case bool:
		return strconv.AppendBool(b, v)
	case int:
		return strconv.AppendInt(b, int64(v), 10)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case float64:
		return appendFloat(b, v)
	case time.Duration:
		return appendString(b, v.String())
	case map[string]any:
		return appendMap(b, v, depth)
	case []any:
		b = append(b, '[')
		for _, item := range v {
			b = appendAny(appendComma(b), item, depth+1)
		}
		return append(b, ']')
	case []string:
		b = append(b, '[')
		for _, item := range v {
			b = appendString(appendComma(b), item)
		}
		return append(b, ']')
	case error:
		return appendString(b, text(v, v.Error))
	case json.Marshaler:
		return appendMarshaled(b, v)
	case fmt.Stringer:
		return appendString(b, text(v, v.String))
	}
	return appendMarshaled(b, v)
}

func appendMap(b []byte, m map[string]any, depth int) []byte {
	var few [16]string
	keys := few[:0]
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	b = append(b, '{')
	for _, k := range keys {
		b = appendAny(appendKey(b, k), m[k], depth+1)
	}
	return append(b, '}')
}

// appendMarshaled writes v as encoding/json sees it, or as text when it cannot. A panic in its methods is
// written instead of the value: logging must not be what takes a program down.
func appendMarshaled(b []byte, v any) (out []byte) {
	defer func() {
		if p := recover(); p != nil {
			out = appendString(b, fmt.Sprintf("!PANIC: %v", p))
		}
	}()
	data, err := json.Marshal(v)
	if err != nil {
		return appendString(b, fmt.Sprintf("%+v", v))
	}
	return append(b, data...)
}

// text calls f, which may panic for a nil receiver.
func text(v any, f func() string) (s string) {
	defer func() {
		if p := recover(); p != nil {
			s = fmt.Sprintf("!PANIC: %T: %v", v, p)
		}
	}()
	return f()
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string. Invalid UTF-8 becomes U+FFFD.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	b = appendEscaped(b, s)
	return append(b, '"')
}

// appendEscaped appends s with everything escaped that must not be inside a JSON string.
func appendEscaped(b []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c < utf8.RuneSelf && c != '"' && c != '\\' && c != 0x7f {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError && r != '\u2028' && r != '\u2029' && !(r >= 0x80 && r < 0xa0) {
				i += size
				continue
			}
			b = append(b, s[start:i]...)
			b = append(b, `\u`...)
			b = append(b, hexDigits[r>>12&0xf], hexDigits[r>>8&0xf], hexDigits[r>>4&0xf], hexDigits[r&0xf])
			i += size
			start = i
			continue
		}
		b = append(b, s[start:i]...)
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		default:
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		}
		i++
		start = i
	}
	return append(b, s[start:]...)
}
