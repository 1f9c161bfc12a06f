// SPDX-License-Identifier: Apache-2.0

package eventbus

// changes counts the patterns that were new and remembers the latest ones. A result of the
// index that is a few changes old need not be found anew: it is still valid if none of
// the patterns that came since matches its topic.
type changes struct {
	count  uint64 // of all; numbers the latest one
	latest [latestChanges]change
}

// change is a pattern that was new.
type change struct{ system, kind Matcher }

// latestChanges bounds the work of concern to that of matching anew, or less:
// BenchmarkTopicsUnderChurn is slower with 64.
const latestChanges = 16

func (c *changes) add(system, kind Matcher) {
	c.count++
	c.latest[c.count%latestChanges] = change{system, kind}
}

// concern reports whether changes that came after the one numbered since may concern a
// topic. It says so, too, when they are too many to tell.
func (c *changes) concern(since uint64, system, kind string) bool {
	if c.count-since > latestChanges {
		return true
	}
	for i := since + 1; i <= c.count; i++ {
		ch := &c.latest[i%latestChanges]
		if ch.system.Match(system) && ch.kind.Match(kind) {
			return true
		}
	}
	return false
}
