// SPDX-License-Identifier: Apache-2.0

package eventbus

import (
	"slices"
	"sort"
)

// index finds the subscriptions whose pattern matches a topic without asking each
// of them: the patterns form a tree by segment, and a topic is run through it as
// through a nondeterministic automaton whose active states are the tree's nodes.
// The work is bounded by the number of segments times the number of nodes active at
// once, which depends on how many different wildcards could still match, not on how
// many subscriptions there are.
//
// The tree of system patterns comes first; each of its final nodes holds a tree of
// kind patterns, whose final nodes hold the subscriptions. Used by the dispatcher
// only.
type index struct {
	root  node
	size  int
	stamp uint64

	// Buffers of match, kept between calls.
	current, next, systems []*node
}

// node is one state of the automaton.
type node struct {
	parent *node // nil for the root of the system tree; for a kind tree's root, its system node
	token  token // the pattern segment that leads here from parent

	exact map[string]*node
	words []*node // children by oneOf token, sorted by its text
	one   *node   // child by *
	any   *node   // child by **; it stays active whatever comes

	kinds *node           // root of the tree of kind patterns, on final nodes of the system tree
	subs  []*Subscription // on final nodes of a kind tree

	stamp uint64 // the step in which the node was last activated
}

// add puts s under its pattern. It reports whether the pattern is new, so that
// results of match may be incomplete from now on.
func (x *index) add(s *Subscription) (changed bool) {
	system, kind := s.pattern.parts()
	n := x.root.descend(CompilePattern(system).tokens)
	if n.kinds == nil {
		n.kinds = &node{parent: n}
	}
	n = n.kinds.descend(CompilePattern(kind).tokens)
	s.leaf, s.place = n, len(n.subs)
	n.subs = append(n.subs, s)
	x.size++
	return len(n.subs) == 1
}

// remove takes s out and removes the nodes that only it needed. It reports whether
// its pattern is gone, so that results of match must not be used any more. Removing
// twice, or what was never added, does nothing.
func (x *index) remove(s *Subscription) (changed bool) {
	n := s.leaf
	if n == nil {
		return false
	}
	last := len(n.subs) - 1
	n.subs[s.place] = n.subs[last]
	n.subs[s.place].place = s.place
	n.subs[last] = nil
	n.subs = n.subs[:last]
	s.leaf = nil
	x.size--
	changed = last == 0
	for n != &x.root && n.unused() {
		n.parent.detach(n)
		n = n.parent
	}
	return changed
}

// each calls f for every subscription.
func (x *index) each(f func(*Subscription)) { x.root.each(f) }

func (n *node) each(f func(*Subscription)) {
	for _, s := range n.subs {
		f(s)
	}
	if n.kinds != nil {
		n.kinds.each(f)
	}
	for _, c := range n.exact {
		c.each(f)
	}
	for _, c := range n.words {
		c.each(f)
	}
	if n.one != nil {
		n.one.each(f)
	}
	if n.any != nil {
		n.any.each(f)
	}
}

// descend returns the node that tokens lead to, making what is missing.
func (n *node) descend(tokens []token) *node {
	for _, t := range tokens {
		n = n.child(t)
	}
	return n
}

func (n *node) child(t token) *node {
	switch t.kind {
	case oneSegment:
		if n.one == nil {
			n.one = &node{parent: n, token: t}
		}
		return n.one
	case anySegments:
		if n.any == nil {
			n.any = &node{parent: n, token: t}
		}
		return n.any
	case oneOf:
		i, found := n.findWords(t.text)
		if !found {
			n.words = slices.Insert(n.words, i, &node{parent: n, token: t})
		}
		return n.words[i]
	default:
		c := n.exact[t.text]
		if c == nil {
			c = &node{parent: n, token: t}
			if n.exact == nil {
				n.exact = make(map[string]*node)
			}
			n.exact[t.text] = c
		}
		return c
	}
}

func (n *node) findWords(text string) (int, bool) {
	return sort.Find(len(n.words), func(i int) int {
		switch other := n.words[i].token.text; {
		case text < other:
			return -1
		case text > other:
			return 1
		default:
			return 0
		}
	})
}

func (n *node) unused() bool {
	return len(n.subs) == 0 && n.kinds == nil && len(n.exact) == 0 && len(n.words) == 0 && n.one == nil && n.any == nil
}

// detach removes the child c.
func (n *node) detach(c *node) {
	switch {
	case n.kinds == c:
		n.kinds = nil
	case n.one == c:
		n.one = nil
	case n.any == c:
		n.any = nil
	case c.token.kind == oneOf:
		if i, found := n.findWords(c.token.text); found {
			n.words = slices.Delete(n.words, i, i+1)
		}
	default:
		delete(n.exact, c.token.text)
	}
}

// match returns the final nodes whose pattern matches; their subscriptions are
// those that want the topic, each once: a subscription has one place in the tree,
// and a node is activated at most once per step.
func (x *index) match(system, kind string) []*node {
	x.systems = x.systems[:0]
	for _, n := range x.run(&x.root, system) {
		if n.kinds != nil {
			x.systems = append(x.systems, n.kinds)
		}
	}
	var finals []*node
	for _, root := range x.systems {
		for _, n := range x.run(root, kind) {
			if len(n.subs) > 0 {
				finals = append(finals, n)
			}
		}
	}
	return finals
}

// run returns the nodes that are active after the whole subject, final or not. The
// result is valid until the next run.
func (x *index) run(root *node, subject string) []*node {
	x.current = x.step(x.current[:0])
	x.current = x.activate(x.current, root)
	for rest := (segments{text: subject, end: subject == ""}); !rest.end; {
		var segment string
		segment, rest = rest.cut()
		x.next = x.step(x.next[:0])
		for _, n := range x.current {
			if n.token.kind == anySegments {
				x.next = x.activate(x.next, n)
			}
			if c := n.exact[segment]; c != nil {
				x.next = x.activate(x.next, c)
			}
			if n.one != nil {
				x.next = x.activate(x.next, n.one)
			}
			for _, c := range n.words {
				if c.token.matches(segment) {
					x.next = x.activate(x.next, c)
				}
			}
		}
		x.current, x.next = x.next, x.current
	}
	return x.current
}

// step begins a new step with an empty list.
func (x *index) step(list []*node) []*node {
	x.stamp++
	return list
}

// activate adds n, and what ** lets follow without a segment, to the list.
func (x *index) activate(list []*node, n *node) []*node {
	for ; n != nil && n.stamp != x.stamp; n = n.any {
		n.stamp = x.stamp
		list = append(list, n)
	}
	return list
}
