// SPDX-License-Identifier: Apache-2.0

package security_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/wippy/system/security"
)

// TestScopeModel compares scopes with maps: what With and Without make, and what they leave alone.
func TestScopeModel(t *testing.T) {
	ids := rapid.SampledFrom([]string{"a:1", "a:2", "b:1", "b:2", "c:1"})
	effects := rapid.SampledFrom([]security.Decision{security.Undefined, security.Allow, security.Deny})
	rapid.Check(t, func(rt *rapid.T) {
		type version struct {
			scope *security.Scope
			model map[string]security.Decision
		}
		versions := []version{{new(security.Scope), map[string]security.Decision{}}}
		for range rapid.IntRange(0, 12).Draw(rt, "steps") {
			from := versions[rapid.IntRange(0, len(versions)-1).Draw(rt, "from")]
			next := version{model: maps.Clone(from.model)}
			id := ids.Draw(rt, "id")
			if rapid.Bool().Draw(rt, "with") {
				effect := effects.Draw(rt, "effect")
				next.scope, next.model[id] = from.scope.With(fixed{id, effect}), effect
			} else {
				next.scope = from.scope.Without(id)
				delete(next.model, id)
			}
			versions = append(versions, next)
		}
		for i, v := range versions {
			var got []string
			for _, p := range v.scope.Policies() {
				got = append(got, p.ID())
				if d := p.Evaluate(security.Request{}); d != v.model[p.ID()] {
					rt.Errorf("version %d: %s is %v, want %v", i, p.ID(), d, v.model[p.ID()])
				}
			}
			if want := slices.Sorted(maps.Keys(v.model)); !slices.Equal(got, want) {
				rt.Errorf("version %d has %v, want %v", i, got, want)
			}
			want := security.Undefined
			for _, d := range v.model {
				want = max(want, d) // undefined < allow < deny
			}
			if d := v.scope.Evaluate(security.Request{}); d != want {
				rt.Errorf("version %d says %v, want %v", i, d, want)
			}
		}
	})
}
