// SPDX-License-Identifier: Apache-2.0

package expr

import (
	"context"
	"errors"
	"reflect"
	"time"
)

const (
	// maxElements is how many elements of lists and maps a run makes, the same as the library's own budget, which counts
	// some of them.
	maxElements = 1_000_000
	// maxText is how much text a run makes, in bytes: as much as Lua's own string functions make at once.
	maxText = 64 << 20
	// maxTime is how long a run takes.
	maxTime = 10 * time.Second
	// pollInterval is how many steps of loops pass between two looks at the clock, which costs 4 ns for each of them. The
	// longest steps look through a list of the largest size: some 20 ms.
	pollInterval = 16
)

var (
	errMemory = errors.New("memory budget exceeded")
	errTime   = errors.New("time budget exceeded")
)

// meter counts what one run of an expression uses.
type meter struct {
	ctx      context.Context
	deadline time.Time
	steps    uint
	elements int
	text     int
}

func (m *meter) start(ctx context.Context) { *m = meter{ctx: ctx, deadline: time.Now().Add(maxTime)} }

func (m *meter) stop() { *m = meter{} }

// step counts one step of a loop.
func (m *meter) step() error {
	if m.steps++; m.steps%pollInterval != 0 {
		return nil
	}
	if err := m.ctx.Err(); err != nil {
		return err
	}
	if time.Now().After(m.deadline) {
		return errTime
	}
	return nil
}

// use takes from the budgets.
func (m *meter) use(elements, text int) error {
	if elements > maxElements-m.elements || text > maxText-m.text {
		return errMemory
	}
	m.elements += elements
	m.text += text
	return nil
}

// charge takes a value that was made from the budgets: what is in it was there before.
func (m *meter) charge(v any) error {
	switch v := v.(type) {
	case nil, bool, int, float64:
		return nil
	case string:
		return m.use(0, len(v))
	case []any:
		return m.use(len(v), 0)
	case map[any][]any: // of groupBy
		n := len(v)
		for _, group := range v {
			n += len(group)
		}
		return m.use(n, 0)
	}
	switch r := reflect.ValueOf(v); r.Kind() {
	case reflect.Slice, reflect.Array, reflect.Map:
		return m.use(r.Len(), 0)
	}
	return nil
}

// bounded checks that v as a whole, with what it has several times counted as often, is within the budgets. What walks
// through all of it needs that: let a = [1]; let b = [a, a]; let c = [b, b] … has few parts, but not for those. What is
// nested takes room for its indentation, too.
func (m *meter) bounded(v any) error {
	switch v.(type) {
	case nil, bool, int, float64, string:
		return nil
	}
	w := walk{elements: maxElements, text: maxText}
	if !w.value(reflect.ValueOf(v), 0) {
		return errMemory
	}
	return nil
}

// walk is what is left of the budgets.
type walk struct{ elements, text int }

// maxDepth is how deep values may be nested: the library gives up at the same depth.
const maxDepth = 10_000

func (w *walk) value(v reflect.Value, depth int) bool {
	for v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	w.elements--
	w.text -= 2 * depth
	if w.elements < 0 || w.text < 0 || depth > maxDepth {
		return false
	}
	switch v.Kind() {
	case reflect.String:
		w.text -= v.Len()
		return w.text >= 0
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			if !w.value(v.Index(i), depth+1) {
				return false
			}
		}
	case reflect.Map:
		for it := v.MapRange(); it.Next(); {
			if !w.value(it.Key(), depth+1) || !w.value(it.Value(), depth+1) {
				return false
			}
		}
	}
	return true
}
