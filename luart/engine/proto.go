// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"slices"
	"sync"
	"weak"

	"github.com/cespare/xxhash/v2"
	lua "github.com/yuin/gopher-lua"
	"golang.org/x/sync/singleflight"

	"github.com/wippyrun/kit/luart/syntax"
)

// Proto is compiled source. It is immutable and shared by all processes.
type Proto struct {
	id     string
	source string
	fn     *lua.FunctionProto // its upvalues are the types it uses as values
	types  *syntax.Chunk      // the types it declares, nil when there are none
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
		p, err := newProto(id, source, nil)
		if err != nil {
			return nil, err
		}
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

// newProto is the front end. Declared types whose names are in global are not bound: such a name keeps its other
// meaning.
func newProto(id, source string, global map[string]bool) (*Proto, error) {
	chunk, err := syntax.Parse(id, source)
	if err != nil {
		return nil, NewError(KindInvalid, err.Error()).WithCause(err)
	}
	p := &Proto{id: id, source: source}
	var bound []string
	if len(chunk.Types.Declared) > 0 {
		p.types = onlyTypes(chunk)
		bound = slices.DeleteFunc(chunk.Types.DeclaredNames(), func(name string) bool { return global[name] })
	}
	if p.fn, err = syntax.Bind(chunk, id, bound); err != nil {
		return nil, NewError(KindInvalid, err.Error()).WithCause(err)
	}
	syntax.Inline(p.fn, intrinsics)
	return p, nil
}

// mustCompile compiles source of the engine's own.
func mustCompile(source string) *lua.FunctionProto {
	p, err := newProto(engineSource, source, nil)
	if err != nil {
		panic(err)
	}
	return p.fn
}
