package eventbus

// Index is the index with its cache, as the dispatcher uses them, for tests of matching
// alone.
type Index struct {
	index index
	cache topicCache
}

// Add puts a subscription for p into the index.
func (x *Index) Add(p Pattern) *Subscription {
	s := &Subscription{pattern: p}
	x.index.add(s)
	return s
}

// Remove takes s out.
func (x *Index) Remove(s *Subscription) { x.index.remove(s) }

// Find appends the subscriptions that match to found.
func (x *Index) Find(found []*Subscription, system, kind string) []*Subscription {
	for _, n := range x.cache.find(&x.index, system, kind) {
		found = append(found, n.subs...)
	}
	return found
}

// Empty reports whether nothing is left of the patterns that were removed.
func (x *Index) Empty() bool { return x.index.root.unused() }

// Remembered returns the number of results that the cache has room for, and how many of
// them are valid.
func (x *Index) Remembered() (room, valid int) {
	for i := range x.cache.sets {
		set := &x.cache.sets[i]
		for j := range set.results {
			if set.asked[j] > 0 && set.results[j].generation == x.index.generation {
				valid++
			}
		}
	}
	return ways * len(x.cache.sets), valid
}

// MaxResults, MaxTopic and MaxNodes are the bounds of the cache.
const (
	MaxResults = ways * maxSets
	MaxTopic   = maxTopic
	MaxNodes   = maxNodes
)
