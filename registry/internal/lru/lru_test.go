// SPDX-License-Identifier: Apache-2.0

package lru

import "testing"

func TestCacheKeepsTheMostRecentlyUsed(t *testing.T) {
	c := New[int](2)
	c.Put([]byte("a"), 1)
	c.Put([]byte("b"), 2)
	c.Get([]byte("a"))
	c.Put([]byte("c"), 3)
	for k, want := range map[string]int{"a": 1, "b": 0, "c": 3} {
		if got, ok := c.Get([]byte(k)); got != want || ok != (want != 0) {
			t.Errorf("%s: %d, %v", k, got, ok)
		}
	}
	c.Put([]byte("a"), 4)
	if got, _ := c.Get([]byte("a")); got != 4 || c.Len() != 2 {
		t.Errorf("a is %d, Len %d", got, c.Len())
	}
	none := New[int](0)
	none.Put([]byte("a"), 1)
	if none.Len() != 0 {
		t.Error("a cache of size 0 keeps something")
	}
}
