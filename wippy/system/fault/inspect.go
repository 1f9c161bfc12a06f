// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"errors"
	"maps"
)

// KindOf returns the first known kind in the chain of err, outermost first. [context.Canceled] counts as
// [Canceled], [context.DeadlineExceeded] as [Timeout]. It is [Unknown] for nil and for errors without one.
func KindOf(err error) Kind {
	kind := Unknown
	walk(err, func(e error) bool {
		if k, ok := e.(interface{ Kind() string }); ok {
			kind = Kind(k.Kind())
			if kind == "Unknown" {
				kind = Unknown
			}
		}
		return kind == Unknown
	})
	if kind != Unknown {
		return kind
	}
	switch {
	case errors.Is(err, context.Canceled):
		return Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return Timeout
	}
	return Unknown
}

// RetryableOf returns the first specified retry flag in the chain of err, outermost first; known is false
// when no link specifies one.
func RetryableOf(err error) (retryable, known bool) {
	walk(err, func(e error) bool {
		if r, ok := e.(interface{ Retryable() (bool, bool) }); ok {
			retryable, known = r.Retryable()
		}
		return !known
	})
	return retryable && known, known
}

// DetailsOf returns the details of every link of err merged, outer links winning on equal keys. The result
// is nil when there are none and must not be modified.
func DetailsOf(err error) map[string]any {
	var found map[string]any
	shared := true // found still belongs to an error value
	walk(err, func(e error) bool {
		d, ok := e.(interface{ Details() map[string]any })
		if !ok {
			return true
		}
		more := d.Details()
		switch {
		case len(more) == 0:
		case found == nil:
			found = more
		default:
			if shared {
				found, shared = maps.Clone(found), false
			}
			for k, v := range more {
				if _, taken := found[k]; !taken {
					found[k] = v
				}
			}
		}
		return true
	})
	return found
}

// walk visits err and everything it wraps, depth first, until visit returns false.
func walk(err error, visit func(error) bool) bool {
	for err != nil {
		if !visit(err) {
			return false
		}
		switch e := err.(type) {
		case interface{ Unwrap() error }:
			err = e.Unwrap()
		case interface{ Unwrap() []error }:
			for _, inner := range e.Unwrap() {
				if !walk(inner, visit) {
					return false
				}
			}
			return true
		default:
			return true
		}
	}
	return true
}
