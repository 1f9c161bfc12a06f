// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"
	"time"

	ts "github.com/tree-sitter/go-tree-sitter"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/internal/call"
)

// maxSource is how long a source may be.
const maxSource = 16 << 20

var (
	errSource   = fmt.Errorf("the source is longer than %d bytes", maxSource)
	errRereads  = errors.New("the source makes the parser read it over and over again")
	errTimeout  = errors.New("the parse took longer than the timeout")
	errLanguage = errors.New("the tree is of another language")
)

// parser is the value behind Parser objects.
type parser struct {
	handle  *handle
	c       *ts.Parser
	lang    *language // nil when not set
	timeout time.Duration
	// pending is what a parse was about that ran out of time: the next one goes on with it when it is about the same.
	pending *pending
}

type pending struct {
	code string
	old  *syntax
}

func newParser(o *open) *parser {
	c := ts.NewParser()
	p := &parser{c: c}
	p.handle = own(o, p, 0, c.Close)
	return p
}

// use sets the language. All languages here have a version that the library takes.
func (p *parser) use(l *language) {
	if err := p.c.SetLanguage(l.lang); err != nil {
		panic(err)
	}
	p.lang, p.pending = l, nil
}

func (p *parser) reset() {
	p.c.Reset()
	p.pending = nil
}

// parse parses code. old may be nil.
func (p *parser) parse(ctx context.Context, o *open, code string, old *tree) (*tree, error) {
	var oldSyntax *syntax
	var oldTree *ts.Tree
	if old != nil {
		if old.lang != p.lang {
			return nil, errLanguage
		}
		oldSyntax, oldTree = old.syntax, old.syntax.c
	}
	if len(code) > maxSource {
		return nil, errSource
	}
	if err := o.room(len(code)); err != nil {
		return nil, err
	}
	if now := (pending{code, oldSyntax}); p.pending != nil && *p.pending != now {
		p.reset()
	}

	// C reads the flag while Go may write it: it must not move, and the parser must not keep it.
	flag := new(uintptr)
	var pin runtime.Pinner
	pin.Pin(flag)
	defer pin.Unpin()
	p.c.SetCancellationFlag(flag)
	defer p.c.SetCancellationFlag(nil)
	defer context.AfterFunc(ctx, func() { atomic.StoreUintptr(flag, 1) })()
	p.c.SetTimeoutMicros(micros(p.timeout))

	in := &input{code: []byte(code), left: 64<<20 + 8*len(code), stop: flag}
	c := p.c.ParseWithOptions(in.read, oldTree, nil)
	runtime.KeepAlive(oldSyntax)
	runtime.KeepAlive(p)
	if c != nil {
		p.pending = nil
		return newTree(o, p.lang, c, code), nil
	}
	if err := ctx.Err(); err != nil {
		p.reset()
		return nil, err
	}
	if in.left <= 0 {
		p.reset()
		return nil, errRereads
	}
	p.pending = &pending{code, oldSyntax}
	return nil, errTimeout
}

// input gives a source to C in pieces. The library copies each of them and keeps it until the end of the parse, so
// they are small where the parser jumps about, grow while it goes on, and there is a limit on all of them.
type input struct {
	code       []byte
	next, size int
	left       int
	stop       *uintptr
}

func (in *input) read(at int, _ ts.Point) []byte {
	if at < 0 || at >= len(in.code) {
		return nil
	}
	if at == in.next {
		in.size = min(max(2*in.size, 4<<10), 256<<10)
	} else {
		in.size = 1 << 10
	}
	in.next = min(at+in.size, len(in.code))
	in.left -= in.next - at
	if in.left <= 0 {
		// Within the source there must be something to read, whatever happens.
		atomic.StoreUintptr(in.stop, 1)
	}
	return in.code[at:in.next]
}

// parserMethod makes a method of a parser that is open.
func parserMethod(fn func(L *lua.LState, p *parser) int) lua.LGFunction {
	return func(L *lua.LState) int {
		p := engine.Check[*parser](L, 1, "Parser")
		if p.handle.closed.Load() {
			L.RaiseError("parser already closed")
		}
		defer runtime.KeepAlive(p)
		return fn(L, p)
	}
}

func (m *module) parser(L *lua.LState) int {
	return push(L, m.parsers.New(newParser(openOf(engine.From(L)))))
}

func (m *module) parserMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"set_language": parserMethod(func(L *lua.LState, p *parser) int {
			name := L.CheckString(2)
			l := languageOf(name)
			if l == nil {
				return failed(L, fmt.Sprintf("language %s is not found", name))
			}
			p.use(l)
			return push(L, lua.LTrue)
		}),
		"get_language": parserMethod(func(L *lua.LState, p *parser) int {
			if p.lang == nil {
				return call.Invalid(L, "language is not set")
			}
			return push(L, lua.LString(p.lang.name))
		}),
		"parse": parserMethod(m.parserParse),
		"set_timeout": parserMethod(func(L *lua.LState, p *parser) int {
			p.timeout = duration(L, 2)
			return 0
		}),
		"set_ranges": parserMethod(setRanges),
		"reset": parserMethod(func(_ *lua.LState, p *parser) int {
			p.reset()
			return 0
		}),
		"close": func(L *lua.LState) int {
			engine.Check[*parser](L, 1, "Parser").handle.close()
			return 0
		},
	}
}

// parserParse implements parser:parse(code, old_tree?).
func (m *module) parserParse(L *lua.LState, p *parser) int {
	code := L.CheckString(2)
	if p.lang == nil {
		return call.Invalid(L, "language is not set")
	}
	var old *tree
	if v := L.Get(3); v != lua.LNil {
		ud, _ := v.(*lua.LUserData)
		if ud != nil {
			old, _ = ud.Value.(*tree)
		}
		if old == nil {
			return call.Invalid(L, "tree expected")
		}
		old.check(L)
	}
	proc := engine.From(L)
	t, err := p.parse(proc.Context(), openOf(proc), code, old)
	switch {
	case errors.Is(err, errLanguage):
		return call.Invalid(L, err.Error())
	case err != nil:
		return call.Failed(L, "parse failed", err)
	}
	return push(L, m.trees.New(t))
}

var rangeFields = []string{"start_byte", "end_byte", "start_row", "start_col", "end_row", "end_col"}

// maxRanges is how many ranges a parser takes. It goes through them for every token.
const maxRanges = 10_000

// setRanges implements parser:set_ranges(list).
func setRanges(L *lua.LState, p *parser) int {
	list := engine.Unwrap(L.CheckTable(2))
	n := list.Len()
	if n > maxRanges {
		return failed(L, fmt.Sprintf("more than %d ranges", maxRanges))
	}
	ranges := make([]ts.Range, n)
	for i := range ranges {
		t, ok := list.RawGetInt(i + 1).(*lua.LTable)
		if !ok {
			return failed(L, "range must be a table")
		}
		values, err := numbers(t, rangeFields)
		if err != nil {
			return failed(L, err.Error())
		}
		var v [6]uint
		for k, f := range values {
			u, ok := uint32Of(f)
			if !ok {
				return failed(L, fmt.Sprintf("%s must be a number from 0 to %d", rangeFields[k], uint32(math.MaxUint32)))
			}
			v[k] = uint(u)
		}
		ranges[i] = ts.Range{StartByte: v[0], EndByte: v[1], StartPoint: ts.NewPoint(v[2], v[3]), EndPoint: ts.NewPoint(v[4], v[5])}
	}
	p.reset() // what is pending is about other ranges
	if err := p.c.SetIncludedRanges(ranges); err != nil {
		return failed(L, err.Error())
	}
	return push(L, lua.LTrue)
}
