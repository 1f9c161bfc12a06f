// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"errors"
	"fmt"
)

// maxDepth bounds the nesting of values in both directions. The libraries below
// recurse without a bound of their own, and a Go stack overflow ends the program.
const maxDepth = 1000

var errDepth = errors.New("payload: value nested too deeply, or containing itself")

// plain copies the JSON-like part of v in the shape every format understands:
// maps have string keys, and whole floats are integers, so that a million prints
// as 1000000 and not as 1e+06. Other values are shared, not copied.
func plain(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	switch v := v.(type) {
	case float64:
		if n, ok := wholeNumber(v); ok {
			return n, nil
		}
	case map[string]any:
		if v == nil {
			return v, nil
		}
		out := make(map[string]any, len(v))
		for k, e := range v {
			c, err := plain(e, depth+1)
			if err != nil {
				return nil, err
			}
			out[k] = c
		}
		return out, nil
	case map[any]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			key, err := newKey(out, k)
			if err != nil {
				return nil, err
			}
			if out[key], err = plain(e, depth+1); err != nil {
				return nil, err
			}
		}
		return out, nil
	case []any:
		if v == nil {
			return v, nil
		}
		out := make([]any, len(v))
		for i, e := range v {
			c, err := plain(e, depth+1)
			if err != nil {
				return nil, err
			}
			out[i] = c
		}
		return out, nil
	}
	return v, nil
}

// bounded reports an error when the JSON-like part of v is nested too deeply,
// which a cyclic value is. It copies nothing.
func bounded(v any, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			if err := bounded(e, depth+1); err != nil {
				return err
			}
		}
	case map[any]any:
		for _, e := range v {
			if err := bounded(e, depth+1); err != nil {
				return err
			}
		}
	case []any:
		for _, e := range v {
			if err := bounded(e, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// newKey prints a map key for use in m. Keys are scalars, and no two of them may
// read the same, or an entry would be lost.
func newKey(m map[string]any, k any) (string, error) {
	var key string
	var err error
	switch k.(type) {
	case nil:
		key = "null"
	case map[string]any, map[any]any, []any:
		return "", fmt.Errorf("payload: map key of Go type %T", k)
	default:
		if key, err = textOf(k); err != nil {
			return "", err
		}
	}
	if _, taken := m[key]; taken {
		return "", fmt.Errorf("payload: two map keys read %q as text", key)
	}
	return key, nil
}
