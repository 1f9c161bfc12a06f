// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"time"

	ts "github.com/tree-sitter/go-tree-sitter"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// slices of time that a query gets. C runs until its time is over, and a query that is not done by then starts again
// with more of it, unless its process has ended.
var queryTimes = []time.Duration{200 * time.Millisecond, 2 * time.Second, 20 * time.Second}

// maxResults is how many captures a query may find.
const maxResults = 1 << 20

var (
	errQueryTime = errors.New("the query takes too long")
	errResults   = fmt.Errorf("the query finds more than %d captures", maxResults)
	errRange     = engine.NewError(engine.KindInvalid, "invalid byte range")
)

// match is a match of a query.
type match struct {
	id, pattern uint
	captures    []ts.QueryCapture
}

// run returns the matches below a node whose predicates hold, in the order in which they end.
func (q *query) run(ctx context.Context, n *node, source string) ([]match, error) {
	if n.tree.lang != q.lang {
		return nil, engine.NewError(engine.KindInvalid, "the node is of another language")
	}
	if _, ok := slice(source, &n.c); !ok {
		return nil, errRange
	}
	for _, limit := range queryTimes {
		own := q.timeout > 0 && q.timeout <= limit // what it finds by then is what there is
		if own {
			limit = q.timeout
		}
		matches, done, err := q.try(ctx, n, source, limit)
		if err != nil {
			return nil, err
		}
		if done || own {
			return matches, nil
		}
	}
	return nil, errQueryTime
}

// try runs the query for a time. done reports whether it has come to its end.
func (q *query) try(ctx context.Context, n *node, source string, limit time.Duration) (matches []match, done bool, err error) {
	c := ts.NewQueryCursor()
	defer c.Close()
	c.SetMatchLimit(uint(min(q.matchLimit, maxMatches)))
	c.SetTimeoutMicros(micros(limit))
	c.SetMaxStartDepth(q.depth)
	if q.bytes != nil {
		c.SetByteRange(q.bytes[0], q.bytes[1])
	}
	if q.points != nil {
		c.SetPointRange(q.points[0], q.points[1])
	}
	start := time.Now()
	found := c.Matches(q.c, &n.c, nil)
	text, total := []byte(source), 0
	for {
		m := found.Next()
		if err := ctx.Err(); err != nil {
			return nil, false, err
		}
		if m == nil {
			break
		}
		if q.disabled[m.PatternIndex] || !q.holds(m, text) {
			continue
		}
		if total += len(m.Captures); total > maxResults || len(matches) > maxResults {
			return nil, false, errResults
		}
		// What C has found it overwrites with what it finds next.
		matches = append(matches, match{m.Id(), m.PatternIndex, slices.Clone(m.Captures)})
	}
	done = time.Since(start) < limit
	q.exceeded = c.DidExceedMatchLimit()
	runtime.KeepAlive(n)
	return matches, done, nil
}

// holds reports whether the text predicates of a match hold. The text of a node that is not within the source is empty.
func (q *query) holds(m *ts.QueryMatch, source []byte) bool {
	for _, p := range q.predicates[m.PatternIndex] {
		if !holds(m, source, p) {
			return false
		}
	}
	return true
}

func holds(m *ts.QueryMatch, source []byte, p ts.TextPredicateCapture) bool {
	texts := textsOf(m, source, p.CaptureId)
	var others []string
	var same func(i int) bool
	switch v := p.Value.(type) {
	case uint:
		// The first of the one are compared with the first of the other, and so on.
		others = textsOf(m, source, v)
		if len(texts) != len(others) {
			n := min(len(texts), len(others))
			if settled, result := compare(n, p, func(i int) bool { return texts[i] == others[i] }); settled {
				return result
			}
			return false
		}
		same = func(i int) bool { return texts[i] == others[i] }
	case string:
		same = func(i int) bool { return texts[i] == v }
	case []string:
		same = func(i int) bool { return slices.Contains(v, texts[i]) }
	case *regexp.Regexp:
		same = func(i int) bool { return v.MatchString(texts[i]) }
	}
	_, result := compare(len(texts), p, same)
	return result
}

// compare looks at n texts. When all must do, the first that does not settles it, when any may do, the first that does.
// Where none settles it the predicate holds.
func compare(n int, p ts.TextPredicateCapture, same func(i int) bool) (settled, result bool) {
	for i := range n {
		if ok := same(i) == p.Positive; ok != p.MatchAllNodes {
			return true, ok
		}
	}
	return false, true
}

func textsOf(m *ts.QueryMatch, source []byte, capture uint) []string {
	var list []string
	for _, c := range m.Captures {
		if uint(c.Index) == capture {
			start, end := c.Node.StartByte(), c.Node.EndByte()
			if start > end || end > uint(len(source)) {
				start, end = 0, 0
			}
			list = append(list, string(source[start:end]))
		}
	}
	return list
}

// inRange reports whether a node is in the ranges that the query is limited to: matches may reach beyond them.
func (q *query) inRange(n *ts.Node) bool {
	if b := q.bytes; b != nil && b[0] <= limit(b[1]) && (n.EndByte() <= b[0] && b[0] > 0 || n.StartByte() >= limit(b[1])) {
		return false
	}
	if p := q.points; p != nil {
		to := p[1]
		if to == (ts.Point{}) {
			to = ts.NewPoint(1<<32-1, 1<<32-1)
		}
		start, end := n.StartPosition(), n.EndPosition()
		if !before(to.Row, to.Column, p[0].Row, p[0].Column) &&
			(!before(p[0].Row, p[0].Column, end.Row, end.Column) && p[0] != (ts.Point{}) || !before(start.Row, start.Column, to.Row, to.Column)) {
			return false
		}
	}
	return true
}

// limit is the end of a range of bytes: 0 is that of the source.
func limit(end uint) uint {
	if end == 0 {
		return 1<<32 - 1
	}
	return end
}

// merge is a heap of matches with their next captures: first those that begin first, of these those of the pattern that
// is first in the query, of these those that ended first.
type merge []*rest

type rest struct {
	order int
	match match
	start uint
}

func (h merge) Len() int      { return len(h) }
func (h merge) Swap(i, k int) { h[i], h[k] = h[k], h[i] }
func (h merge) Less(i, k int) bool {
	a, b := h[i], h[k]
	if a.start != b.start {
		return a.start < b.start
	}
	if a.match.pattern != b.match.pattern {
		return a.match.pattern < b.match.pattern
	}
	return a.order < b.order
}
func (h *merge) Push(v any) { *h = append(*h, v.(*rest)) }
func (h *merge) Pop() any {
	last := len(*h) - 1
	v := (*h)[last]
	*h = (*h)[:last]
	return v
}

// next goes to the next capture within the ranges, false when there is none.
func (r *rest) next(q *query) bool {
	for len(r.match.captures) > 0 {
		if n := &r.match.captures[0].Node; q.inRange(n) {
			r.start = n.StartByte()
			return true
		}
		r.match.captures = r.match.captures[1:]
	}
	return false
}

// ordered returns the captures of matches in the order of the source.
func (q *query) ordered(matches []match) []ts.QueryCapture {
	var h merge
	total := 0
	for i, m := range matches {
		total += len(m.captures)
		if r := (&rest{order: i, match: m}); r.next(q) {
			h = append(h, r)
		}
	}
	heap.Init(&h)
	list := make([]ts.QueryCapture, 0, total)
	for len(h) > 0 {
		r := h[0]
		list = append(list, r.match.captures[0])
		r.match.captures = r.match.captures[1:]
		if r.next(q) {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
		}
	}
	return list
}

// arguments reads the node and the source, and runs the query. It answers for what is wrong: then ok is false.
func (q *query) arguments(L *lua.LState) (n *node, source string, matches []match, ok bool) {
	n, isNode := nodeArg(L, 2)
	source = L.CheckString(3)
	if !isNode {
		notANode(L)
		return nil, "", nil, false
	}
	matches, err := q.run(engine.From(L).Context(), n, source)
	if err != nil {
		if e, isError := errors.AsType[*engine.Error](err); isError {
			engine.PushError(L, e)
		} else {
			call.Failed(L, "query", err)
		}
		return nil, "", nil, false
	}
	return n, source, matches, true
}

// captures implements query:captures(node, source).
func (m *module) captures(L *lua.LState, q *query) int {
	n, source, matches, ok := q.arguments(L)
	if !ok {
		return 2
	}
	list := q.ordered(matches)
	t := engine.NewArray(len(list))
	for i := range list {
		e := m.captureValue(n, q, &list[i])
		s, _ := slice(source, &list[i].Node)
		e.RawSetString("text", lua.LString(s))
		t.RawSetInt(i+1, e)
	}
	return push(L, t)
}

func (m *module) captureValue(of *node, q *query, c *ts.QueryCapture) *lua.LTable {
	t := engine.NewObject(4)
	t.RawSetString("node", m.nodeValue(of, &c.Node))
	t.RawSetString("index", lua.LNumber(c.Index))
	t.RawSetString("name", lua.LString(q.c.CaptureNames()[c.Index]))
	return t
}

// matches implements query:matches(node, source).
func (m *module) matches(L *lua.LState, q *query) int {
	n, _, matches, ok := q.arguments(L)
	if !ok {
		return 2
	}
	t := engine.NewArray(len(matches))
	for i, found := range matches {
		list := engine.NewArray(len(found.captures))
		for k := range found.captures {
			list.RawSetInt(k+1, m.captureValue(n, q, &found.captures[k]))
		}
		e := engine.NewObject(3)
		e.RawSetString("id", lua.LNumber(found.id))
		e.RawSetString("pattern", lua.LNumber(found.pattern))
		e.RawSetString("captures", list)
		t.RawSetInt(i+1, e)
	}
	return push(L, t)
}
