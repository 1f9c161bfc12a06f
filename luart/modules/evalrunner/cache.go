// SPDX-License-Identifier: Apache-2.0

package evalrunner

import (
	"cmp"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// cache keeps compiled sources, the most recently used ones. A nil cache keeps none. It may be used by several
// goroutines.
type cache struct {
	entries *lru.Cache[string, kept]
	ttl     time.Duration
}

type kept struct {
	*linked
	since time.Time
}

// standardSize is how many sources are kept when nothing is said.
const standardSize = 256

func newCache(size int, ttl time.Duration) *cache {
	entries, err := lru.New[string, kept](cmp.Or(size, standardSize))
	if err != nil {
		return nil // a negative size
	}
	return &cache{entries, ttl}
}

func (c *cache) get(key string) *linked {
	if c == nil {
		return nil
	}
	k, ok := c.entries.Get(key)
	switch {
	case !ok:
		return nil
	case c.ttl > 0 && time.Since(k.since) > c.ttl:
		c.entries.Remove(key)
		return nil
	}
	return k.linked
}

func (c *cache) put(key string, l *linked) {
	if c != nil {
		c.entries.Add(key, kept{l, time.Now()})
	}
}
