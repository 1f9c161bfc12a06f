package eventbus

// Index is the index with its cache, as the dispatcher uses them, for tests of matching
// alone.
type Index struct{ index index }

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
	for _, n := range x.index.find(system, kind) {
		found = append(found, n.subs...)
	}
	return found
}

// Empty reports whether nothing is left of the patterns that were removed.
func (x *Index) Empty() bool { return x.index.root.unused() }

// Remembered returns the number of results that the cache has room for, and how many of
// them are valid.
func (x *Index) Remembered() (room, valid int) {
	for i := range x.index.cache.sets {
		set := &x.index.cache.sets[i]
		for j := range set.results {
			if set.asked[j] > 0 && set.results[j].seen == x.index.changes.count {
				valid++
			}
		}
	}
	return ways * len(x.index.cache.sets), valid
}

// LatestChanges is how many new patterns a result in the cache may be behind, MaxResults,
// MaxTopic and MaxNodes are the bounds of the cache.
const (
	LatestChanges = latestChanges

	MaxResults = ways * maxSets
	MaxTopic   = maxTopic
	MaxNodes   = maxNodes
)
