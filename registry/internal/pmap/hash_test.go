// SPDX-License-Identifier: Apache-2.0

package pmap

import (
	"fmt"
	"math/bits"
	"strings"
	"testing"
)

// withSecrets sets the secrets for one test.
func withSecrets(t *testing.T, namespace, name, fold, length uint64) {
	old := secrets
	secrets.namespace, secrets.name, secrets.fold, secrets.length = namespace, name, fold, length
	t.Cleanup(func() { secrets = old })
}

// collide sets the secrets to values with which all names of 16 bytes that start with
// "COLLIDES" have one hash; that is what drawing them at random prevents.
func collide(t *testing.T) (key func(i int) Key) {
	withSecrets(t, 1, 2, load8("COLLIDES"), 3)
	return func(i int) Key { return Key{"n", fmt.Sprintf("COLLIDES%08d", i)} }
}

func TestCollidingHashesAreKeptApart(t *testing.T) {
	key := collide(t)
	if hashOf(key(1)) != hashOf(key(2)) || hashOf(key(1)) == hashOf(Key{"n", "1"}) {
		t.Fatal("the keys of this test do not collide as they should")
	}
	for n := range 6 {
		var m Map[int]
		for i := range n {
			m = m.Set(key(i), i)
		}
		m = m.Set(Key{"n", "other"}, 9)
		before := m
		for i := range n {
			if p := m.Get(key(i)); p == nil || *p != i {
				t.Errorf("%d keys: key %d is %v", n, i, p)
			}
		}
		if m.Get(key(n)) != nil {
			t.Errorf("%d keys: found another one", n)
		}
		if n > 0 {
			m = m.Set(key(n-1), -1)
		}
		changed := 0
		Diff(before, m, func(k Key, old, next *int) { changed++ })
		if m.Len() != n+1 || changed != min(n, 1) {
			t.Errorf("%d keys: length %d, %d changed", n, m.Len(), changed)
		}
		for i := range n {
			if m = m.Delete(key(i)); m.Get(key(i)) != nil {
				t.Errorf("%d keys: key %d was not removed", n, i)
			}
			if again := m.Delete(key(i)); !again.Same(m) {
				t.Errorf("%d keys: removed key %d twice", n, i)
			}
		}
		if m.Len() != 1 || m.Get(Key{"n", "other"}) == nil {
			t.Errorf("%d keys: %d are left", n, m.Len())
		}
	}
}

// A leaf is compared by lengths and samples first, and by text only when a part is long.
func TestKeysOfEveryLengthAreToldApart(t *testing.T) {
	var keys []Key
	for n := range 20 {
		base := strings.Repeat("x", n)
		keys = append(keys, Key{base, "same"}, Key{"same", base})
		for i := range n {
			other := base[:i] + "y" + base[i+1:]
			keys = append(keys, Key{other, "same"}, Key{"same", other})
		}
	}
	hashes := map[uint64]Key{}
	var m Map[Key]
	for _, k := range keys {
		if o, ok := hashes[hashOf(k)]; ok {
			t.Errorf("%q and %q have one hash", o, k)
		}
		hashes[hashOf(k)] = k
		for _, o := range keys {
			ks, os := sampleOf(k), sampleOf(o)
			l := leaf[int]{sample: os, key: &o}
			if l.is(k, &ks) != (k == o) {
				t.Errorf("a leaf of %q taken for %q", o, k)
			}
		}
		m = m.Set(k, k)
	}
	for _, k := range keys {
		if p := m.Get(k); p == nil || *p != k {
			t.Errorf("Get(%q) is %v", k, p)
		}
	}
}

func sampleOf(k Key) sample {
	_, s := digest(k)
	return s
}

// Names count up in practice. Every six bits of their hashes, which choose a slot, must
// be spread evenly, and a changed bit of a key must change about half of the hash.
func TestHashSpreadsNamesThatCountUp(t *testing.T) {
	withSecrets(t, 0x243F6A8885A308D3, 0x13198A2E03707344, 0xA4093822299F31D0, 0x082EFA98EC4E6C89)
	const n = 64 * 1000
	for _, form := range []string{"e%d", "entry_%05d", "a_rather_long_entry_name_%d_of_it"} {
		var levels [10][64]int
		for i := range n {
			h := hashOf(Key{fmt.Sprintf("app.ns%d", i%100), fmt.Sprintf(form, i)})
			for level := range levels {
				levels[level][h>>(fanBits*level)&fanMask]++
			}
		}
		for level, count := range levels {
			for slot, c := range count {
				if c < 850 || c > 1150 { // the mean is 1000, a standard deviation 31
					t.Errorf("%s: slot %d of level %d has %d keys", form, slot, level, c)
				}
			}
		}
	}
	flips, pairs := 0, 0
	for i := range 1000 {
		name := []byte(fmt.Sprintf("entry_%05d", i))
		h := hashOf(Key{"app", string(name)})
		for bit := range len(name) * 8 {
			name[bit/8] ^= 1 << (bit % 8)
			flips += bits.OnesCount64(h ^ hashOf(Key{"app", string(name)}))
			pairs++
			name[bit/8] ^= 1 << (bit % 8)
		}
	}
	if mean := float64(flips) / float64(pairs); mean < 30 || mean > 34 {
		t.Errorf("a changed bit changes %v bits of the hash", mean)
	}
}

func BenchmarkDigest(b *testing.B) {
	for _, name := range []string{"e7", "entry_4711", "a_rather_long_entry_name"} {
		b.Run(fmt.Sprint(len(name)), func(b *testing.B) {
			k := Key{"app.ns7", name}
			var sum uint64
			for b.Loop() {
				h, _ := digest(k)
				sum += h
			}
			if sum == 1 {
				b.Log(sum)
			}
		})
	}
}
