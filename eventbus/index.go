// SPDX-License-Identifier: Apache-2.0

package eventbus

import "slices"

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
	root    node
	cache   topicCache
	changes changes // new patterns with a wildcard
	stamp   uint64

	// Buffers of match, kept between calls.
	current, next, roots []*node
}

// node is one state of the automaton.
type node struct {
	parent *node // nil for the root of the system tree; for a kind tree's root, its system node
	token  token // the pattern segment that leads here from parent

	exact  map[string]*node
	words  map[string]*node   // children by oneOf token, under its text
	byWord map[string][]*node // the same children under each of their words
	one    *node              // child by *
	any    *node              // child by **; it stays active whatever comes

	kinds *node           // root of the tree of kind patterns, on final nodes of the system tree
	subs  []*Subscription // on final nodes of a kind tree

	stamp uint64 // the step in which the node was last activated
}

// add puts s under its pattern.
func (x *index) add(s *Subscription) {
	system, kind := s.pattern.compile()
	n := x.root.descend(system.tokens)
	if n.kinds == nil {
		n.kinds = &node{parent: n}
	}
	n = n.kinds.descend(kind.tokens)
	s.leaf, s.place = n, len(n.subs)
	n.subs = append(n.subs, s)
	if len(n.subs) > 1 {
		return
	}
	// One without wildcards, the most common, concerns one topic only.
	if system.plain && kind.plain {
		x.cache.forget(system.text, kind.text)
	} else {
		x.changes.add(system, kind)
	}
}

// remove takes s out and removes the nodes that only it needed. Removing twice, or what
// was never added, does nothing. Results in the cache stay valid: a node without
// subscriptions does no harm there, and should its pattern come back, that is a change.
func (x *index) remove(s *Subscription) {
	n := s.leaf
	if n == nil {
		return
	}
	last := len(n.subs) - 1
	n.subs[s.place] = n.subs[last]
	n.subs[s.place].place = s.place
	n.subs[last] = nil
	n.subs = n.subs[:last]
	s.leaf = nil
	if last == 0 {
		n.subs = nil
	}
	for n != &x.root && n.unused() {
		n.parent.detach(n)
		n = n.parent
	}
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
		c := n.words[t.text]
		if c == nil {
			c = &node{parent: n, token: t}
			n.attachWords(c)
		}
		return c
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

// attachWords adds the child c by a oneOf token.
func (n *node) attachWords(c *node) {
	if n.words == nil {
		n.words = make(map[string]*node)
		n.byWord = make(map[string][]*node)
	}
	n.words[c.token.text] = c
	for _, word := range c.token.any {
		n.byWord[word] = append(n.byWord[word], c)
	}
}

// detachWords removes the child c by a oneOf token.
func (n *node) detachWords(c *node) {
	delete(n.words, c.token.text)
	if len(n.words) == 0 {
		n.words, n.byWord = nil, nil
		return
	}
	for _, word := range c.token.any {
		children := n.byWord[word]
		last := len(children) - 1
		children[slices.Index(children, c)] = children[last]
		children[last] = nil
		if last == 0 {
			delete(n.byWord, word)
		} else {
			n.byWord[word] = children[:last]
		}
	}
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
		n.detachWords(c)
	default:
		if delete(n.exact, c.token.text); len(n.exact) == 0 {
			n.exact = nil // a map never shrinks
		}
	}
}

// find returns the final nodes whose pattern matches, for a while from the cache. They
// must not be changed and are valid until the next call.
func (x *index) find(system, kind string) []*node { return x.cache.find(x, system, kind) }

// match appends the final nodes whose pattern matches to finals; their subscriptions
// are those that want the topic, each once: a subscription has one place in the tree,
// and a node is activated at most once per step.
func (x *index) match(finals []*node, system, kind string) []*node {
	x.roots = append(x.roots[:0], &x.root)
	systems := x.run(x.roots, system)
	x.roots = x.roots[:0]
	for _, n := range systems {
		if n.kinds != nil {
			x.roots = append(x.roots, n.kinds)
		}
	}
	for _, n := range x.run(x.roots, kind) {
		if len(n.subs) > 0 {
			finals = append(finals, n)
		}
	}
	return finals
}

// run runs a subject through the trees with the given roots, all at the same time. It
// returns the nodes that are active after the whole subject, final or not. The result is
// valid until the next run.
func (x *index) run(roots []*node, subject string) []*node {
	x.current = x.step(x.current[:0])
	for _, root := range roots {
		x.current = x.activate(x.current, root)
	}
	for rest := (segments{text: subject, end: subject == ""}); !rest.end && len(x.current) > 0; {
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
			for _, c := range n.byWord[segment] {
				x.next = x.activate(x.next, c)
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
