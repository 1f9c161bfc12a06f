// SPDX-License-Identifier: Apache-2.0

package eventbus

// dispatch is the dispatcher goroutine. It alone knows the subscriptions: it takes
// actions in the order they were queued, finds for every event who wants it and
// hands spans to the queues of those. Nothing it does waits for a subscriber.
func (b *Bus) dispatch() {
	defer close(b.done)
	var actions []action
	for range b.signal {
		for {
			actions = b.takeActions(actions)
			if len(actions) == 0 {
				break
			}
			for i := range actions {
				a := actions[i]
				actions[i] = action{}
				switch {
				case a.span.chunk != nil:
					b.route(a.span)
				case a.sub == nil:
					b.index.each((*Subscription).finish)
					return
				case a.remove:
					if b.index.remove(a.sub) {
						b.cache.invalidate()
					}
				default:
					if b.index.add(a.sub) {
						b.cache.invalidate()
					}
				}
			}
		}
	}
}

// takeActions exchanges the filled slot for the emptied one.
func (b *Bus) takeActions(empty []action) []action {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealTail()
	if len(b.actions) == 0 {
		b.awake = false
	}
	taken := b.actions
	b.actions = empty[:0]
	return taken
}

// route hands the events of a span to the subscriptions that match. Runs of events
// with one topic are found and handed on as a whole; each subscription's queue is
// locked once per span.
func (b *Bus) route(sp span) {
	c := sp.chunk
	defer b.release(c)
	if b.aborted.Load() {
		b.dropped.Add(uint64(sp.len()))
		return
	}
	for from := sp.from; from < sp.to; {
		first := &c.events[from]
		to := from + 1
		for to < sp.to && c.events[to].Kind == first.Kind && c.events[to].System == first.System {
			to++
		}
		var refs int32
		for _, n := range b.cache.find(&b.index, first.System, first.Kind) {
			for _, s := range n.subs {
				added, fresh := s.stage(c, from, to)
				if added {
					refs++
				}
				if fresh {
					b.touched = append(b.touched, s)
				}
			}
		}
		c.refs.Add(refs)
		from = to
	}
	for i, s := range b.touched {
		b.touched[i] = nil
		if !s.accept() {
			continue
		}
		if b.ready = append(b.ready, s); len(b.ready) == readyBatch {
			b.flushReady()
		}
	}
	b.touched = b.touched[:0]
	b.flushReady()
}

// readyBatch is how many subscriptions are given to the crew at once: enough to
// take its lock rarely, few enough for callbacks to begin while the dispatcher is
// still busy with the rest.
const readyBatch = 32

func (b *Bus) flushReady() {
	if len(b.ready) > 0 {
		b.crew.add(b.ready...)
		clear(b.ready)
		b.ready = b.ready[:0]
	}
}

// topic is the key of topicCache.
type topic struct{ system, kind string }

// topicCache remembers which nodes of the index are final for recent topics. It
// holds nodes, not subscriptions, so that it stays valid when a subscription joins
// or leaves others of the same pattern.
type topicCache struct {
	finals map[topic][]*node
	weight int     // sum over finals of 1 + the number of nodes
	key    topic   // the latest topic asked for: runs of one topic are common
	latest []*node // its nodes
	valid  bool    // key and latest may be used
}

// maxWeight bounds the cache, at 1 MB or so of memory: topics made from data, such
// as ids, must not grow it for ever. When it is full everything is forgotten.
const maxWeight = 1 << 14

// find returns the final nodes for a topic. The result must not be changed.
func (t *topicCache) find(x *index, system, kind string) []*node {
	key := topic{system, kind}
	if t.valid && t.key == key {
		return t.latest
	}
	nodes, ok := t.finals[key]
	if !ok {
		nodes = x.match(system, kind)
		if t.weight += 1 + len(nodes); t.weight > maxWeight {
			clear(t.finals)
			t.weight = 1 + len(nodes)
		}
		if t.finals == nil {
			t.finals = make(map[topic][]*node)
		}
		t.finals[key] = nodes
	}
	t.key, t.latest, t.valid = key, nodes, true
	return nodes
}

// invalidate forgets everything.
func (t *topicCache) invalidate() {
	if t.weight > 0 {
		clear(t.finals)
	}
	*t = topicCache{finals: t.finals}
}
