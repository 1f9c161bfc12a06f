// SPDX-License-Identifier: Apache-2.0

package logs

import (
	"hash/maphash"
	"log/slog"
	"sync/atomic"
	"time"
)

// sampler thins out floods of equal records. It counts by hash in a fixed table, so its memory does not grow;
// two messages that share a place are counted together.
type sampler struct {
	first, thereafter uint64
	seed              maphash.Seed
	counts            [samplerSize]sampleCount
}

const samplerSize = 1024

type sampleCount struct {
	second atomic.Int64
	n      atomic.Uint64
}

func newSampler(first, thereafter int) *sampler {
	return &sampler{first: uint64(first), thereafter: uint64(max(thereafter, 1)), seed: maphash.MakeSeed()}
}

// allow reports whether r gets through.
func (s *sampler) allow(r slog.Record) bool {
	if r.Level >= slog.LevelError {
		return true
	}
	c := &s.counts[(maphash.String(s.seed, r.Message)+uint64(r.Level))%samplerSize]
	second := r.Time.Unix()
	if r.Time.IsZero() {
		second = time.Now().Unix()
	}
	if old := c.second.Load(); old != second && c.second.CompareAndSwap(old, second) {
		c.n.Store(0)
	}
	n := c.n.Add(1)
	return n <= s.first || (n-s.first)%s.thereafter == 0
}
