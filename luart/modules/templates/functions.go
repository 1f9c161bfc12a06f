// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/CloudyKit/jet/v6"
)

// maxText is how long a text may be that a function makes.
const maxText = 64 << 20

var errText = fmt.Errorf("templates: a text longer than %d bytes", maxText)

// functions replace those of Jet that could use up the memory or the time with one call.
var functions = map[string]any{
	"repeat":  repeat,
	"replace": replace,
	"ints":    jet.Func(ints),
}

// repeat is strings.Repeat for results that are not too long. Like the other functions it fails with a panic: Jet drops
// an error that is a second result.
func repeat(s string, count int) string {
	switch {
	case count < 0:
		panic(errors.New("repeat: negative count"))
	case len(s) > 0 && count > maxText/len(s):
		panic(errText)
	}
	return strings.Repeat(s, count)
}

// replace is strings.Replace for results that are not too long.
func replace(s, old, with string, n int) string {
	found := strings.Count(s, old)
	if n >= 0 {
		found = min(found, n)
	}
	if more := len(with) - len(old); more > 0 && found > (maxText-len(s))/more {
		panic(errText)
	}
	return strings.Replace(s, old, with, n)
}

// ints is the range of integers from its first argument up to and without the second. The loop over them is watched
// like any other.
func ints(a jet.Arguments) reflect.Value {
	var from, to int64
	if err := a.ParseInto(&from, &to); err != nil {
		panic(err)
	}
	if to <= from {
		panic(errors.New("invalid range for ints ranger: 'from' must be smaller than 'to'"))
	}
	return reflect.ValueOf(&integers{next: from, to: to})
}

// integers implements jet.Ranger. It is used by one loop.
type integers struct{ index, next, to int64 }

// Range implements jet.Ranger.
func (r *integers) Range() (index, value reflect.Value, end bool) {
	if r.next == r.to {
		return index, value, true
	}
	index, value = reflect.ValueOf(r.index), reflect.ValueOf(r.next)
	r.index++
	r.next++
	return index, value, false
}

// ProvidesIndex implements jet.Ranger.
func (*integers) ProvidesIndex() bool { return true }
