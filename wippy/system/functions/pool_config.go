// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"fmt"
	"math"
	"strconv"

	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/suggest"
)

// PoolType is how a function's workers come and go.
type PoolType string

// The pool types.
const (
	Inline   PoolType = "inline"   // one worker, calls one after the other
	Lazy     PoolType = "lazy"     // none at first, up to the maximum on demand
	Static   PoolType = "static"   // all workers from the start
	Adaptive PoolType = "adaptive" // one at first, grows under load, shrinks when idle
)

// Limits used where an entry gives none.
const (
	defaultLazyMax     = 100 // a function without `pool:`
	defaultTypedMax    = 16  // `type: lazy` or `adaptive` without max_size
	defaultStaticCount = 8
)

// PoolConfig is the resolved form of a function's `pool:` field.
type PoolConfig struct {
	Type PoolType
	Max  int // most workers at once
	Min  int // workers kept even when idle
}

// ParsePool resolves the `pool:` value of a function entry; nil gives the
// default, lazy with up to 100 workers. Errors are Invalid and name the field.
func ParsePool(value any) (PoolConfig, error) {
	if value == nil {
		return PoolConfig{Type: Lazy, Max: defaultLazyMax}, nil
	}
	fields, ok := value.(map[string]any)
	if list, empty := value.([]any); empty && len(list) == 0 { // {} of a Lua program
		ok = true
	}
	if !ok {
		return PoolConfig{}, fault.New(fault.Invalid, fmt.Sprintf("pool must be a map, got %T", value))
	}
	var size, workers, maxSize int
	for name, target := range map[string]*int{"size": &size, "workers": &workers, "max_size": &maxSize, "buffer": new(int)} {
		n, err := wholeNumber(fields[name])
		if err != nil {
			return PoolConfig{}, fault.Wrap(fault.Invalid, "pool."+name, err)
		}
		*target = n
	}
	kind := PoolType("")
	if t, ok := fields["type"]; ok {
		text, ok := t.(string)
		if !ok {
			return PoolConfig{}, fault.New(fault.Invalid, "pool.type must be a string")
		}
		kind = PoolType(text)
	}
	switch kind {
	case "":
		switch {
		case workers > 0:
			return fixed(workers), nil
		case size == 0 || maxSize > 0:
			return PoolConfig{Type: Lazy, Max: positive(maxSize, defaultLazyMax)}, nil
		default:
			return PoolConfig{Type: Inline, Max: 1, Min: 1}, nil
		}
	case Inline:
		return PoolConfig{Type: Inline, Max: 1, Min: 1}, nil
	case Lazy:
		return PoolConfig{Type: Lazy, Max: positive(maxSize, defaultTypedMax)}, nil
	case Static:
		return fixed(positive(workers, positive(size, defaultStaticCount))), nil
	case Adaptive:
		return PoolConfig{Type: Adaptive, Max: positive(maxSize, defaultTypedMax), Min: 1}, nil
	}
	text := "unknown pool type: " + string(kind)
	if h := suggest.Hint(string(kind), []string{string(Inline), string(Lazy), string(Static), string(Adaptive)}); h != "" {
		text += " (" + h + ")"
	}
	return PoolConfig{}, fault.New(fault.Invalid, text)
}

func fixed(n int) PoolConfig { return PoolConfig{Type: Static, Max: n, Min: n} }

func positive(n, otherwise int) int {
	if n > 0 {
		return n
	}
	return otherwise
}

func wholeNumber(v any) (int, error) {
	switch n := v.(type) {
	case nil:
		return 0, nil
	case int:
		return n, negative(n)
	case float64:
		if n == math.Trunc(n) && math.Abs(n) < 1<<31 {
			return int(n), negative(int(n))
		}
	case string: // of a variable
		if i, err := strconv.Atoi(n); err == nil {
			return i, negative(i)
		}
	}
	return 0, fmt.Errorf("must be a whole number, got %v", v)
}

func negative(n int) error {
	if n < 0 {
		return fmt.Errorf("must not be negative, got %d", n)
	}
	return nil
}
