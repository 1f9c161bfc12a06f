// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"sync"
	"weak"

	"github.com/cespare/xxhash/v2"
	lua "github.com/yuin/gopher-lua"
	"golang.org/x/sync/singleflight"

	"github.com/wippyrun/kit/luart/syntax"
)

// Proto is compiled source. It is immutable and shared by all processes.
type Proto struct {
	id string
	fn *lua.FunctionProto
}

// ID returns the id the source was compiled under; it is the name in error
// positions.
func (p *Proto) ID() string { return p.id }

// protoCache keeps compiled sources for as long as somebody uses them.
type protoCache struct {
	mu      sync.Mutex // guards entries
	entries map[protoKey]weak.Pointer[Proto]
	sweep   int // number of entries at which the dead ones are removed
	flight  singleflight.Group
}

type protoKey struct {
	id   string
	hash uint64
	size int
}

// Compile parses and compiles source. The same source under the same id is
// compiled once, also when several goroutines ask at the same time. The error
// names the id, the line and the column.
func (e *Engine) Compile(id, source string) (*Proto, error) {
	c := &e.protos
	key := protoKey{id: id, hash: xxhash.Sum64String(source), size: len(source)}
	if p := c.get(key); p != nil {
		return p, nil
	}
	v, err, _ := c.flight.Do(id+"\x00"+source, func() (any, error) {
		if p := c.get(key); p != nil {
			return p, nil
		}
		fn, err := compileSource(id, source)
		if err != nil {
			return nil, err
		}
		p := &Proto{id: id, fn: fn}
		c.put(key, p)
		return p, nil
	})
	if err != nil {
		return nil, err
	}
	return v.(*Proto), nil
}

func (c *protoCache) get(key protoKey) *Proto {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.entries[key].Value()
}

func (c *protoCache) put(key protoKey, p *Proto) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = make(map[protoKey]weak.Pointer[Proto])
	}
	if len(c.entries) >= c.sweep {
		for k, w := range c.entries {
			if w.Value() == nil {
				delete(c.entries, k)
			}
		}
		c.sweep = max(64, 2*len(c.entries))
	}
	c.entries[key] = weak.Make(p)
}

// compileSource is the front end.
func compileSource(id, source string) (*lua.FunctionProto, error) {
	chunk, err := syntax.Parse(id, source)
	if err == nil {
		var fn *lua.FunctionProto
		if fn, err = syntax.Compile(chunk, id); err == nil {
			return fn, nil
		}
	}
	return nil, NewError(KindInvalid, err.Error()).WithCause(err)
}

// mustCompile compiles source of the engine's own.
func mustCompile(source string) *lua.FunctionProto {
	fn, err := compileSource(engineSource, source)
	if err != nil {
		panic(err)
	}
	return fn
}
