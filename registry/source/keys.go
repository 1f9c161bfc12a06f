// SPDX-License-Identifier: Apache-2.0

package source

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// scalarKey returns the text of a key, or false for a key that has none.
func scalarKey(k *yaml.Node) (string, bool) { return scalarText(resolveAlias(k)) }

// checkKeys reports keys that occur twice in one mapping.
func (d *decoder) checkKeys(n *yaml.Node) {
	// Comparing each with each is faster for the few keys that most mappings have.
	if len(n.Content) <= 32 {
		for i := 2; i < len(n.Content); i += 2 {
			for j := 0; j < i; j += 2 {
				if sameKey(n.Content[i], n.Content[j]) {
					d.duplicate(n.Content[j], n.Content[i])
					break
				}
			}
		}
		return
	}
	seen := make(map[string]*yaml.Node, len(n.Content)/2)
	for i := 0; i < len(n.Content); i += 2 {
		k := n.Content[i]
		key, ok := scalarKey(k)
		if !ok || k.Tag == "!!merge" {
			continue
		}
		if first := seen[key]; first != nil {
			d.duplicate(first, k)
		} else {
			seen[key] = k
		}
	}
}

// sameKey compares keys as texts, which is what they become: 1 and "1" are the same.
func sameKey(a, b *yaml.Node) bool {
	if a.Kind == yaml.ScalarNode && b.Kind == yaml.ScalarNode && a.Value != b.Value {
		return false // nearly always
	}
	x, ok1 := scalarKey(a)
	y, ok2 := scalarKey(b)
	return ok1 && ok2 && x == y && a.Tag != "!!merge"
}

func (d *decoder) duplicate(first, again *yaml.Node) {
	if d.repeated[again] {
		return // the mapping is used several times, through aliases
	}
	if d.repeated == nil {
		d.repeated = map[*yaml.Node]bool{}
	}
	d.repeated[again] = true
	key, _ := scalarKey(again)
	d.file.fail(again, under(d.where(), key), fmt.Sprintf("key %q is already defined at line %d, column %d",
		key, first.Line, first.Column))
}
