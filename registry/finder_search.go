// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"strings"

	"github.com/wippyrun/kit/registry/internal/pmap"
)

// search takes the criterion whose candidates are fewest from an index and checks the
// other criteria on each candidate. The result is in the order of IDs.
func (f *finder) search(s *state, q *Query) []*Entry {
	best := f.choose(s, q)
	if best.sets == nil && best.one == nil {
		if best.known {
			return nil
		}
		all := f.all(s)
		best = candidates{cost: all.Len(), exact: len(q.criteria) == 0, criterion: -1, sets: []entrySet{all}}
	}
	skip := -1
	if best.exact {
		skip = best.criterion
	}
	if best.one != nil {
		if q.matchBut(skip, best.one) {
			return []*Entry{best.one}
		}
		return nil
	}
	room := best.cost // that much will be found
	if !best.exact || len(q.criteria) > 1 {
		room = min(room, 64)
	}
	out := make([]*Entry, 0, room)
	var runs []int // where the part of each set ends
	for _, set := range best.sets {
		for e := range set.All() {
			if q.matchBut(skip, e) {
				out = append(out, e)
			}
		}
		if len(best.sets) > 1 {
			runs = append(runs, len(out))
		}
	}
	if len(runs) > 0 && !best.ordered {
		out = mergeRuns(out, runs)
	}
	return out
}

// candidates are the entries an index offers for a criterion.
type candidates struct {
	known     bool
	criterion int
	cost      int  // how many there are
	exact     bool // all of them meet the criterion
	ordered   bool // the sets follow each other in the order of IDs
	sets      []entrySet
	one       *Entry
}

// choose returns the candidates of the criterion that has the fewest.
func (f *finder) choose(s *state, q *Query) candidates {
	best := candidates{cost: s.entries.Len() + 1}
	take := func(i int, c candidates) {
		if c.known && c.cost < best.cost {
			c.criterion = i
			best = c
		}
	}
	for i := range q.criteria {
		take(i, f.lookUp(s, &q.criteria[i]))
	}
	for i := range q.criteria {
		if best.cost < worthAScan {
			break
		}
		take(i, f.scanValues(s, &q.criteria[i], best.cost))
	}
	return best
}

// worthAScan is how many candidates there must be before values of another field are
// looked through for fewer: checking a candidate and checking a value cost the same.
const worthAScan = 16

// lookUp returns the candidates of a criterion that names values.
func (f *finder) lookUp(s *state, c *criterion) candidates {
	switch {
	case c.op == opGlob && c.star:
		return candidates{}
	case c.op == opGlob && c.root == "id":
		e := s.entries.Get(pmap.Key(ParseID(c.text)))
		return candidates{known: true, exact: true, one: e}
	case c.op == opGlob:
		return oneSet(f.dimension(s, c.root).get(pmap.Key{Name: c.text}), true)
	case c.op != opEqual || len(c.want) == 0:
		return candidates{}
	}
	d := f.dimension(s, c.dimension())
	if d == nil {
		return candidates{}
	}
	best := candidates{}
	for _, w := range c.want {
		k, ok := scalarKey(w)
		if !ok {
			continue
		}
		// For a list that is wanted a scalar of the same value is among the candidates.
		if set := d.get(k); !best.known || set.Len() < best.cost {
			best = oneSet(set, !c.list)
		}
	}
	return best
}

func oneSet(set entrySet, exact bool) candidates {
	c := candidates{known: true, exact: exact, cost: set.Len()}
	if c.cost > 0 {
		c.sets = []entrySet{set}
	}
	return c
}

// scanValues returns the candidates of a criterion that speaks about texts: it looks
// through the values of the field, each of which many entries may have, and only through
// those that begin right. It gives up when limit values were looked at, or as many
// entries found: then looking at every entry is no worse.
func (f *finder) scanValues(s *state, c *criterion, limit int) candidates {
	v := valueScan{limit: limit, exact: true, match: c.matchString}
	dim := c.dimension()
	switch c.op {
	case opEqual:
		return candidates{}
	case opGlob:
		if !c.star {
			return candidates{}
		}
		head, _, _ := strings.Cut(c.text, "*")
		v.prefix = head
		switch dim {
		case dimName:
			if head == "" {
				return candidates{} // as many names as entries: looking through them saves nothing
			}
		case dimNS:
			v.ordered = true
		case dimID:
			if head == "" {
				return candidates{}
			}
			dim, v.ordered, v.exact = dimNS, true, false
			v.prefix, _, _ = strings.Cut(head, ":")
			v.match = func(ns string) bool { return startsID(ns, head) }
		}
	case opPrefix:
		v.space, v.prefix = texts, c.text
	default:
		v.space = texts
	}
	return v.run(f.dimension(s, dim))
}

// startsID reports whether the text of an ID in the namespace may begin with head.
func startsID(ns, head string) bool {
	if len(ns) < len(head) {
		return strings.HasPrefix(head, ns) && head[len(ns)] == ':'
	}
	return strings.HasPrefix(ns, head)
}

// valueScan looks through the values of a dimension.
type valueScan struct {
	space, prefix  string // of the keys of the values
	match          func(string) bool
	exact, ordered bool
	limit          int
}

func (v *valueScan) run(d *dimension) candidates {
	if d == nil {
		return candidates{}
	}
	out := candidates{known: true, exact: v.exact, ordered: v.ordered}
	looked := 0
	for k := range d.ordered().From(pmap.Key{Namespace: v.space, Name: v.prefix}) {
		if k.Namespace != v.space || !strings.HasPrefix(k.Name, v.prefix) {
			break
		}
		if looked++; looked > v.limit {
			return candidates{}
		}
		if !v.match(k.Name) {
			continue
		}
		set := d.get(k)
		if out.cost += set.Len(); out.cost >= v.limit {
			return candidates{}
		}
		out.sets = append(out.sets, set)
	}
	return out
}

// mergeRuns sorts entries that consist of sorted runs and drops repetitions. ends are
// the ends of the runs. Merging takes n·log(runs) comparisons, sorting would take
// n·log(n).
func mergeRuns(es []*Entry, ends []int) []*Entry {
	spare := make([]*Entry, 0, len(es))
	for len(ends) > 1 {
		merged, next := spare[:0], ends[:0]
		from := 0
		for i := 0; i < len(ends); i += 2 {
			middle, to := ends[i], len(es)
			if i+1 < len(ends) {
				to = ends[i+1]
			} else {
				middle = to
			}
			merged = mergeTwo(merged, es[from:middle], es[middle:to])
			from = to
			next = append(next, len(merged))
		}
		es, spare, ends = merged, es, next
	}
	return es
}

func mergeTwo(out, a, b []*Entry) []*Entry {
	for len(a) > 0 && len(b) > 0 {
		switch c := compareEntries(a[0], b[0]); {
		case c < 0:
			out = append(out, a[0])
			a = a[1:]
		case c > 0:
			out = append(out, b[0])
			b = b[1:]
		default: // the same entry, found through two items of a list
			out = append(out, a[0])
			a, b = a[1:], b[1:]
		}
	}
	return append(append(out, a...), b...)
}
