// SPDX-License-Identifier: Apache-2.0

package eventbus

import "hash/maphash"

// topicCache remembers which nodes of the index are final for recent topics. It
// holds nodes, not subscriptions, so that it stays valid when a subscription joins
// or leaves others of the same pattern.
//
// It is set-associative like the cache of a processor: a topic has its place in one small
// set of results, of which the one asked for least recently makes room. So it is bounded
// by construction, and a result is replaced without allocating: topics made from data, such
// as ids, of which there is no end, neither fill the memory nor trouble the collector. It
// keeps copies of the topics, as the strings of an event may be parts of something large.
type topicCache struct {
	latest *result // the latest one asked for: runs of one topic are common
	found  result  // the latest one that is in no set

	sets  []resultSet // a power of two; nil before the second topic
	seed  maphash.Seed
	clock uint64 // counts questions
	lost  int    // valid results replaced since sets was made
}

// resultSet are the results for topics whose hashes have the same last bits.
type resultSet struct {
	hashes  [ways]uint64 // of the topics; here, so that a glance tells where to look
	asked   [ways]uint64 // what clock was when the result was asked for last
	results [ways]result
}

// result is the outcome for one topic.
type result struct {
	seen  uint64 // the number of the change up to which it is known to be valid
	topic []byte // system and kind, one behind the other
	split int    // the length of system; nothing when the result must not be used
	nodes []*node
}

// nothing is no length.
const nothing = -1

// Bounds of the cache. Filled to the brim it would take 2.7 MB; topics of 32 bytes that
// match two patterns each make it 0.3 MB.
const (
	ways = 4
	// minSets is the size of the table when it is made, maxSets that up to which it grows
	// by twice while results get lost. BenchmarkTopics chose the latter: 1000 topics in
	// turn cost little more than 10.
	minSets = 4
	maxSets = 512
	// maxTopic is the length of the topics that are remembered, and maxNodes how many
	// patterns may match them. To find more nodes than that anew takes less time than
	// what follows, which is to fill a queue or more for each of them.
	maxTopic = 256
	maxNodes = 128
)

// find returns the final nodes for a topic. They must not be changed and are valid
// until the next call.
func (t *topicCache) find(x *index, system, kind string) []*node {
	if t.latest != nil && t.latest.holds(&x.changes, system, kind) {
		return t.latest.nodes
	}
	if len(system)+len(kind) > maxTopic {
		t.latest = nil
		t.found.nodes = x.match(t.found.nodes[:0], system, kind)
		return t.found.nodes
	}
	if t.sets == nil {
		if t.latest == nil { // many a bus has but one topic
			t.found.fill(x, system, kind)
			t.latest = &t.found
			return t.found.nodes
		}
		t.sets = make([]resultSet, minSets)
		t.seed = maphash.MakeSeed()
	}
	set, hash := t.set(system, kind)
	t.clock++
	for i, h := range set.hashes {
		if h == hash && set.asked[i] > 0 && set.results[i].holds(&x.changes, system, kind) {
			set.asked[i] = t.clock
			t.latest = &set.results[i]
			return t.latest.nodes
		}
	}
	t.found.fill(x, system, kind)
	t.latest = &t.found
	if len(t.found.nodes) <= maxNodes {
		t.keep(x, set, hash)
	}
	return t.latest.nodes
}

// set returns the set for a topic, and the hash of that; there must be a table.
func (t *topicCache) set(system, kind string) (*resultSet, uint64) {
	hash := maphash.String(t.seed, system)*31 + maphash.String(t.seed, kind)
	return &t.sets[hash&uint64(len(t.sets)-1)], hash
}

// keep moves what was found to a set.
func (t *topicCache) keep(x *index, set *resultSet, hash uint64) {
	oldest := 0
	for i, at := range set.asked {
		if at < set.asked[oldest] {
			oldest = i
		}
	}
	r := &set.results[oldest]
	if set.asked[oldest] > 0 && r.seen == x.changes.count {
		t.lost++
	}
	set.hashes[oldest], set.asked[oldest] = hash, t.clock
	*r, t.found = t.found, *r
	t.latest = r
	if t.lost > ways*len(t.sets) && len(t.sets) < maxSets {
		t.sets, t.lost = make([]resultSet, 2*len(t.sets)), 0
	}
}

// forget drops the result for a topic.
func (t *topicCache) forget(system, kind string) {
	if t.latest != nil && t.latest.is(system, kind) {
		t.latest.split = nothing
	}
	if t.sets == nil {
		return
	}
	set, _ := t.set(system, kind)
	for i := range set.results {
		if set.results[i].is(system, kind) {
			set.results[i].split = nothing
		}
	}
}

// is reports whether r is the result for a topic.
func (r *result) is(system, kind string) bool {
	return r.split == len(system) && len(r.topic) == len(system)+len(kind) &&
		string(r.topic[:r.split]) == system && string(r.topic[r.split:]) == kind
}

// holds reports whether r is the result for a topic and valid.
func (r *result) holds(c *changes, system, kind string) bool {
	if !r.is(system, kind) {
		return false
	}
	if r.seen != c.count {
		if c.concern(r.seen, system, kind) {
			return false
		}
		r.seen = c.count
	}
	return true
}

// fill makes r the result for a topic.
func (r *result) fill(x *index, system, kind string) {
	r.seen = x.changes.count
	r.topic = append(append(r.topic[:0], system...), kind...)
	r.split = len(system)
	clear(r.nodes)
	if cap(r.nodes) > 2*maxNodes {
		r.nodes = nil
	}
	r.nodes = x.match(r.nodes[:0], system, kind)
}
