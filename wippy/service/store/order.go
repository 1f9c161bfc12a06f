// SPDX-License-Identifier: Apache-2.0

package store

import (
	"slices"
	"sort"
)

// blockSize is how many keys a block of an order holds at most. Inserting moves half a
// block on average, finding the block is a binary search over all of them:
// BenchmarkOrder is flat from 128 to 512.
const blockSize = 256

// order keeps keys sorted: a list of blocks, each sorted and never empty, every key of a
// block before all of the next. The zero value is empty.
type order struct{ blocks [][]string }

// block returns the index of the block that key is or would be in; there must be one.
func (o *order) block(key string) int {
	i := sort.Search(len(o.blocks), func(i int) bool { return o.blocks[i][0] > key })
	return max(i-1, 0)
}

// insert adds a key that is not there.
func (o *order) insert(key string) {
	if len(o.blocks) == 0 {
		o.blocks = append(o.blocks, append(make([]string, 0, 8), key))
		return
	}
	i := o.block(key)
	b := o.blocks[i]
	if len(b) == blockSize {
		// Keys that come in order fill their blocks: the new one begins the next.
		at := blockSize / 2
		if i == len(o.blocks)-1 && key > b[blockSize-1] {
			at = blockSize
		}
		tail := append(make([]string, 0, blockSize), b[at:]...)
		clear(b[at:])
		o.blocks[i] = b[:at]
		if at == blockSize {
			o.blocks = append(o.blocks, append(tail, key))
			return
		}
		o.blocks = slices.Insert(o.blocks, i+1, tail)
		if key > tail[0] {
			i++
		}
		b = o.blocks[i]
	}
	at, _ := slices.BinarySearch(b, key)
	o.blocks[i] = slices.Insert(b, at, key)
}

// remove takes a key out that is there.
func (o *order) remove(key string) {
	i := o.block(key)
	b := o.blocks[i]
	at, _ := slices.BinarySearch(b, key)
	if b = slices.Delete(b, at, at+1); len(b) > 0 {
		o.blocks[i] = b
		return
	}
	o.blocks = slices.Delete(o.blocks, i, i+1)
}

// ascend calls f with the keys from the first not before start on, in order, until f
// returns false. f must not change the order.
func (o *order) ascend(start string, f func(key string) bool) {
	if len(o.blocks) == 0 {
		return
	}
	i := o.block(start)
	at, _ := slices.BinarySearch(o.blocks[i], start)
	for ; i < len(o.blocks); i++ {
		for _, key := range o.blocks[i][at:] {
			if !f(key) {
				return
			}
		}
		at = 0
	}
}
