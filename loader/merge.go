// SPDX-License-Identifier: Apache-2.0

package loader

import (
	"context"
	"reflect"
	"sync"
	"sync/atomic"
)

// merged is the context that a level hands to the next: the context the level was
// given, plus the values that its components put on top.
//
// A context cannot be asked for its own values only: a layer that knows nothing of
// a key answers with the value of the context it was derived from. So a layer
// counts as knowing a key when its answer differs from that of the given context.
//
// Answers are remembered. Without that, levels multiply: a miss in the top level
// asks each of its layers, each of which asks the level below through all of that
// level's layers, and so on down.
type merged struct {
	context.Context                   // given to the level: cancellation, deadline and base values
	layers          []context.Context // returned by components, the greatest name first

	answers sync.Map // key -> value
	count   atomic.Int64
}

// maxAnswers bounds the memory of remembered keys; it is far above the number of
// keys an application has. When it is reached, all are forgotten.
const maxAnswers = 1024

// merge returns base with the layers on top; layers are in ascending order of
// component name. Layers that are nil or base itself add nothing.
func merge(base context.Context, layers []context.Context) context.Context {
	m := &merged{Context: base}
	for i := len(layers) - 1; i >= 0; i-- {
		if layers[i] != nil && layers[i] != base {
			m.layers = append(m.layers, layers[i])
		}
	}
	if len(m.layers) == 0 {
		return base
	}
	return m
}

// Value returns the value of the component with the greatest name among those that
// set key, else the value that the level was given.
func (m *merged) Value(key any) any {
	if v, ok := m.answers.Load(key); ok {
		return v
	}
	base := m.Context.Value(key)
	answer := base
	for _, layer := range m.layers {
		if v := layer.Value(key); !same(v, base) && !isCancellation(key, v) {
			answer = v
			break
		}
	}
	if m.count.Add(1) > maxAnswers {
		m.answers.Clear()
		m.count.Store(0)
	}
	m.answers.Store(key, answer)
	return answer
}

// cancelType is the type by which package context finds, through Value, the
// nearest context that can cancel.
var cancelType = func() reflect.Type {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return reflect.TypeOf(ctx)
}()

// isCancellation recognises that search. A layer's cancellation is not that of the
// merged context, and an answer that belongs to another Done channel would make
// package context start a goroutine for every context derived from here
// (TestMergedContextDerivesWithoutGoroutines).
func isCancellation(key, v any) bool {
	_, internal := key.(*int)
	return internal && reflect.TypeOf(v) == cancelType
}

// same reports whether two values are one and the same, in the sense of identity:
// it never looks behind a pointer, so it neither races with nor depends on what is
// there, and it accepts types that == refuses.
func same(a, b any) bool {
	return identical(reflect.ValueOf(a), reflect.ValueOf(b))
}

func identical(a, b reflect.Value) bool {
	if !a.IsValid() || !b.IsValid() {
		return a.IsValid() == b.IsValid()
	}
	if a.Type() != b.Type() {
		return false
	}
	switch a.Kind() {
	case reflect.Func, reflect.Map:
		return a.Pointer() == b.Pointer()
	case reflect.Slice:
		return a.Pointer() == b.Pointer() && a.Len() == b.Len()
	case reflect.Interface:
		return identical(a.Elem(), b.Elem())
	case reflect.Struct:
		for i := range a.NumField() {
			if !identical(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Array:
		for i := range a.Len() {
			if !identical(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	default:
		return a.Equal(b)
	}
}
