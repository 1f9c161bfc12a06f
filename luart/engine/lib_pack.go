// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"encoding/binary"
	"math"

	lua "github.com/yuin/gopher-lua"
)

// packer walks a format string of string.pack, Lua 5.3 §6.4.2.
type packer struct {
	L        *lua.LState
	format   string
	at       int
	order    binary.ByteOrder
	maxAlign int
}

// item is one option of a format: kind is the letter, size its bytes.
type item struct {
	kind  byte
	size  int
	align int
}

func newPacker(L *lua.LState, format string) *packer {
	return &packer{L: L, format: format, order: binary.LittleEndian, maxAlign: 1}
}

// number reads the digits of a size.
func (p *packer) number(def int) int {
	if p.at >= len(p.format) || !isDigit(p.format[p.at]) {
		return def
	}
	n := 0
	for p.at < len(p.format) && isDigit(p.format[p.at]) && n < 1<<27 {
		n = n*10 + int(p.format[p.at]-'0')
		p.at++
	}
	return n
}

func (p *packer) size(def int) int {
	n := p.number(def)
	if n < 1 || n > 16 {
		p.L.RaiseError("integral size (%d) out of limits [1,16]", n)
	}
	return n
}

// next returns the next item that stands for data or padding.
func (p *packer) next() (item, bool) {
	for p.at < len(p.format) {
		c := p.format[p.at]
		p.at++
		it := item{kind: c}
		switch c {
		case 'b', 'B':
			it.size = 1
		case 'h', 'H':
			it.size = 2
		case 'i', 'I':
			it.size = p.size(4)
		case 'l', 'L', 'j', 'J', 'T':
			it.size = 8
		case 'f':
			it.size = 4
		case 'd', 'n':
			it.size = 8
		case 's':
			it.size = p.size(8)
		case 'c':
			if it.size = p.number(-1); it.size < 0 {
				p.L.RaiseError("missing size for format option 'c'")
			}
			return it, true
		case 'z', 'x':
			return it, true
		case 'X':
			return p.alignment(), true
		case ' ':
			continue
		case '<', '=':
			p.order = binary.LittleEndian
			continue
		case '>':
			p.order = binary.BigEndian
			continue
		case '!':
			p.maxAlign = p.size(8)
			continue
		default:
			p.L.RaiseError("invalid format option '%c'", rune(c))
		}
		it.align = it.size
		return it, true
	}
	return item{}, false
}

// alignment is X: padding as the option after it would need.
func (p *packer) alignment() item {
	if p.at >= len(p.format) {
		p.L.RaiseError("invalid next option for option 'X'")
	}
	it, ok := p.next()
	if !ok || it.align == 0 {
		p.L.RaiseError("invalid next option for option 'X'")
	}
	return item{kind: 'X', align: it.align}
}

// padding returns how many bytes align an item that follows n bytes.
func (p *packer) padding(it item, n int) int {
	a := min(it.align, p.maxAlign)
	if a <= 1 {
		return 0
	}
	if a&(a-1) != 0 {
		p.L.RaiseError("format asks for alignment not power of 2")
	}
	return (a - n&(a-1)) & (a - 1)
}

func signed(kind byte) bool { return kind >= 'a' }

func (p *packer) putInt(b []byte, size int, v int64) []byte {
	start := len(b)
	for i := range size {
		fill := byte(v >> 63)
		if i < 8 {
			fill = byte(v >> (8 * i))
		}
		b = append(b, fill)
	}
	if p.order == binary.ByteOrder(binary.BigEndian) {
		for i, j := start, len(b)-1; i < j; i, j = i+1, j-1 {
			b[i], b[j] = b[j], b[i]
		}
	}
	return b
}

func (p *packer) getInt(s string, sign bool) int64 {
	var v uint64
	n := len(s)
	at := func(i int) byte {
		if p.order == binary.ByteOrder(binary.BigEndian) {
			return s[n-1-i]
		}
		return s[i]
	}
	for i := min(n, 8) - 1; i >= 0; i-- {
		v = v<<8 | uint64(at(i))
	}
	if sign && n < 8 {
		shift := 64 - 8*n
		return int64(v<<shift) >> shift
	}
	for i := 8; i < n; i++ {
		if f := at(i); f != 0 && !(sign && f == 0xff && int64(v) < 0) {
			p.L.RaiseError("%d-byte integer does not fit into Lua Integer", n)
		}
	}
	return int64(v)
}

func (p *packer) checkFit(n, size int, v int64, sign bool) {
	if size >= 8 {
		return
	}
	limit := int64(1) << (8*size - 1)
	if sign && (v < -limit || v >= limit) {
		p.L.ArgError(n, "integer overflow")
	}
	if !sign && (v < 0 || v >= 2*limit) {
		p.L.ArgError(n, "unsigned overflow")
	}
}

func strPack(L *lua.LState) int {
	p := newPacker(L, L.CheckString(1))
	limit := From(L).engine.maxString
	var b []byte
	arg := 1
	for it, ok := p.next(); ok; it, ok = p.next() {
		for range p.padding(it, len(b)) {
			b = append(b, 0)
		}
		switch it.kind {
		case 'X':
			continue
		case 'x':
			b = append(b, 0)
			continue
		}
		arg++
		switch it.kind {
		case 'f':
			b = p.putInt(b, 4, int64(math.Float32bits(float32(L.CheckNumber(arg)))))
		case 'd', 'n':
			b = p.putInt(b, 8, int64(math.Float64bits(float64(L.CheckNumber(arg)))))
		case 's':
			s := L.CheckString(arg)
			p.checkFit(arg, it.size, int64(len(s)), false)
			b = append(p.putInt(b, it.size, int64(len(s))), s...)
		case 'z':
			s := L.CheckString(arg)
			for i := range len(s) {
				if s[i] == 0 {
					L.ArgError(arg, "string contains zeros")
				}
			}
			b = append(append(b, s...), 0)
		case 'c':
			s := L.CheckString(arg)
			if len(s) > it.size {
				L.ArgError(arg, "string longer than given size")
			}
			if it.size > limit {
				L.RaiseError("resulting string too large")
			}
			b = append(append(b, s...), make([]byte, it.size-len(s))...)
		default:
			v := toInt64(float64(L.CheckNumber(arg)))
			p.checkFit(arg, it.size, v, signed(it.kind))
			b = p.putInt(b, it.size, v)
		}
		if len(b) > limit {
			L.RaiseError("resulting string too large")
		}
	}
	L.Push(lua.LString(b))
	return 1
}

func strUnpack(L *lua.LState) int {
	p := newPacker(L, L.CheckString(1))
	s := L.CheckString(2)
	at, ok := startIndex(L, 3, len(s))
	if !ok {
		L.ArgError(3, "initial position out of string")
	}
	take := func(n int) string {
		if n < 0 || n > len(s)-at {
			L.ArgError(2, "data string too short")
		}
		at += n
		return s[at-n : at]
	}
	L.SetTop(0)
	for it, ok := p.next(); ok; it, ok = p.next() {
		take(p.padding(it, at))
		switch it.kind {
		case 'X':
		case 'x':
			take(1)
		case 'f':
			L.Push(lua.LNumber(math.Float32frombits(uint32(p.getInt(take(4), false)))))
		case 'd', 'n':
			L.Push(lua.LNumber(math.Float64frombits(uint64(p.getInt(take(8), false)))))
		case 's':
			L.Push(lua.LString(take(int(p.getInt(take(it.size), false)))))
		case 'z':
			end := at
			for end < len(s) && s[end] != 0 {
				end++
			}
			if end == len(s) {
				L.ArgError(2, "unfinished string for format 'z'")
			}
			L.Push(lua.LString(take(end - at)))
			at++
		case 'c':
			L.Push(lua.LString(take(it.size)))
		default:
			L.Push(lua.LNumber(p.getInt(take(it.size), signed(it.kind))))
		}
	}
	L.Push(lua.LNumber(at + 1))
	return L.GetTop()
}

func strPacksize(L *lua.LState) int {
	p := newPacker(L, L.CheckString(1))
	n := 0
	for it, ok := p.next(); ok; it, ok = p.next() {
		switch it.kind {
		case 's', 'z':
			L.ArgError(1, "variable-length format")
		case 'x':
			it.size = 1
		}
		n += p.padding(it, n) + it.size
		if n > math.MaxInt32 {
			L.ArgError(1, "format result too large")
		}
	}
	L.Push(lua.LNumber(n))
	return 1
}
