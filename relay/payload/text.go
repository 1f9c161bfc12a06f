// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
)

// Text returns the data of p as text when it is a string or a []byte, whatever
// the format.
func (p Payload) Text() (text string, ok bool) {
	switch v := p.Data.(type) {
	case string:
		return v, true
	case []byte:
		return string(v), true
	}
	return "", false
}

// octets returns the data of a text or binary format as bytes. A []byte is not
// copied.
func octets(f Format, data any) ([]byte, error) {
	switch v := data.(type) {
	case []byte:
		return v, nil
	case string:
		return []byte(v), nil
	case json.RawMessage:
		return v, nil
	}
	return nil, typeError(f, data)
}

// maxExactInt is the size from which float64 skips integers.
const maxExactInt = 1 << 53

// wholeNumber returns f as an integer when it is one and exact.
func wholeNumber(f float64) (int64, bool) {
	if f != math.Trunc(f) || math.Abs(f) >= maxExactInt {
		return 0, false
	}
	return int64(f), true
}

// textOf prints a Go value: text as it is, numbers in decimal (whole ones without
// point or exponent), nil as nothing, and what has no text of its own as JSON.
func textOf(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return v, nil
	case []byte:
		return string(v), nil
	case json.RawMessage:
		return string(v), nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.FormatInt(int64(v), 10), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case uint64:
		return strconv.FormatUint(v, 10), nil
	case float32:
		return floatText(float64(v), 32), nil
	case float64:
		return floatText(v, 64), nil
	case error:
		return v.Error(), nil
	case encoding.TextMarshaler:
		b, err := v.MarshalText()
		return string(b), err
	case fmt.Stringer:
		return v.String(), nil
	}
	b, err := json.Marshal(v)
	return string(b), err
}

func floatText(f float64, bits int) string {
	if n, ok := wholeNumber(f); ok {
		return strconv.FormatInt(n, 10)
	}
	return strconv.FormatFloat(f, 'g', -1, bits)
}
