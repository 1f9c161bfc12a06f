// SPDX-License-Identifier: Apache-2.0

package store

// Order gives the tests the sorted keys.
type Order = order

// Insert adds a key that is not there.
func (o *order) Insert(key string) { o.insert(key) }

// Remove takes a key out that is there.
func (o *order) Remove(key string) { o.remove(key) }

// Ascend walks from start on.
func (o *order) Ascend(start string, f func(string) bool) { o.ascend(start, f) }

// Blocks returns the sizes of the blocks.
func (o *order) Blocks() (sizes []int) {
	for _, b := range o.blocks {
		sizes = append(sizes, len(b))
	}
	return sizes
}
