// SPDX-License-Identifier: Apache-2.0

package payload

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

func goToMsgpack(data any) (any, error) {
	if err := bounded(data, 0); err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	enc := msgpack.GetEncoder()
	defer msgpack.PutEncoder(enc)
	enc.Reset(&buf)
	enc.SetCustomStructTag("json")
	enc.SetSortMapKeys(true)
	enc.UseCompactInts(true)
	if err := enc.Encode(data); err != nil {
		return nil, err
	}
	return buf.Bytes(), nil
}

// msgpackToGo reads exactly one value. The library's decoder is not used here: it
// recurses without bound, gives integers eight Go types and wants string keys.
func msgpackToGo(data any) (any, error) {
	b, err := octets(Msgpack, data)
	if err != nil {
		return nil, err
	}
	r := msgpackReader{rest: b}
	v, err := r.value(0)
	if err != nil {
		return nil, err
	}
	if len(r.rest) > 0 {
		return nil, errMsgpackRest
	}
	return v, nil
}

var (
	errMsgpackShort = errors.New("payload: msgpack data ends too early")
	errMsgpackRest  = errors.New("payload: msgpack data has bytes after the value")
	errMsgpackCode  = errors.New("payload: msgpack data has an invalid type byte")
)

// msgpackReader reads values off the front of rest.
type msgpackReader struct{ rest []byte }

// value reads one value: nil, bool, int64, uint64 when it does not fit an int64,
// float64, string, []byte, []any, map[string]any or time.Time.
func (r *msgpackReader) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDepth
	}
	h, err := msgpackHead(r.rest)
	if err != nil {
		return nil, err
	}
	code := r.rest[0]
	r.rest = r.rest[h.size:]
	if h.kind == kindArray || h.kind == kindMap {
		// Every element takes a byte at least.
		if uint64(h.count) > uint64(len(r.rest)) {
			return nil, errMsgpackShort
		}
		if h.kind == kindArray {
			return r.array(int(h.count), depth)
		}
		return r.object(int(h.count), depth)
	}
	if uint64(h.count) > uint64(len(r.rest)) {
		return nil, errMsgpackShort
	}
	body := r.rest[:h.count]
	r.rest = r.rest[h.count:]
	switch h.kind {
	case kindSmall:
		return int64(int8(code)), nil
	case kindNil:
		return nil, nil
	case kindBool:
		return code == 0xc3, nil
	case kindUint:
		if u := bigEndian(body); u > math.MaxInt64 {
			return u, nil
		} else {
			return int64(u), nil
		}
	case kindInt:
		shift := 64 - 8*len(body)
		return int64(bigEndian(body)<<shift) >> shift, nil
	case kindFloat:
		if len(body) == 4 {
			return float64(math.Float32frombits(uint32(bigEndian(body)))), nil
		}
		return math.Float64frombits(bigEndian(body)), nil
	case kindString:
		return string(body), nil
	case kindBytes:
		return bytes.Clone(body), nil
	default:
		return extension(body)
	}
}

// roomFor bounds what is allocated before the elements have been seen: lengths
// are claims, and nested claims multiply.
func roomFor(n int) int { return min(n, 64) }

func (r *msgpackReader) array(n, depth int) (any, error) {
	out := make([]any, 0, roomFor(n))
	for range n {
		v, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (r *msgpackReader) object(n, depth int) (any, error) {
	out := make(map[string]any, roomFor(n))
	for range n {
		k, err := r.value(depth + 1)
		if err != nil {
			return nil, err
		}
		key, err := newKey(out, k)
		if err != nil {
			return nil, err
		}
		if out[key], err = r.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// extension reads the timestamp extension, the only one the format defines. The
// body starts with the extension type.
func extension(body []byte) (any, error) {
	kind, body := int8(body[0]), body[1:]
	if kind != -1 {
		return nil, fmt.Errorf("payload: msgpack extension type %d", kind)
	}
	switch len(body) {
	case 4:
		return time.Unix(int64(bigEndian(body)), 0), nil
	case 8:
		u := bigEndian(body)
		return timestamp(int64(u&(1<<34-1)), u>>34)
	case 12:
		return timestamp(int64(bigEndian(body[4:])), bigEndian(body[:4]))
	}
	return nil, fmt.Errorf("payload: msgpack timestamp of %d bytes", len(body))
}

func timestamp(sec int64, nsec uint64) (any, error) {
	if nsec >= 1e9 {
		return nil, fmt.Errorf("payload: msgpack timestamp with %d nanoseconds", nsec)
	}
	return time.Unix(sec, int64(nsec)), nil
}

func bigEndian(b []byte) uint64 {
	var full [8]byte
	copy(full[8-len(b):], b)
	return binary.BigEndian.Uint64(full[:])
}

type msgpackKind uint8

const (
	kindSmall msgpackKind = iota // the type byte is the value
	kindNil
	kindBool
	kindUint
	kindInt
	kindFloat
	kindString
	kindBytes
	kindExtension
	kindArray
	kindMap
)

// msgpackHeader is the start of a value: its kind, the size of type byte and
// length, and the bytes or elements that follow.
type msgpackHeader struct {
	kind  msgpackKind
	size  int
	count uint64
}

// msgpackHead reads the header at the start of b, by the type table of the
// MessagePack specification.
func msgpackHead(b []byte) (msgpackHeader, error) {
	if len(b) == 0 {
		return msgpackHeader{}, errMsgpackShort
	}
	switch c := b[0]; {
	case c <= 0x7f || c >= 0xe0:
		return msgpackHeader{kindSmall, 1, 0}, nil
	case c <= 0x8f:
		return msgpackHeader{kindMap, 1, uint64(c & 0x0f)}, nil
	case c <= 0x9f:
		return msgpackHeader{kindArray, 1, uint64(c & 0x0f)}, nil
	case c <= 0xbf:
		return msgpackHeader{kindString, 1, uint64(c & 0x1f)}, nil
	case c == 0xc0:
		return msgpackHeader{kindNil, 1, 0}, nil
	case c == 0xc1:
		return msgpackHeader{}, errMsgpackCode
	case c <= 0xc3:
		return msgpackHeader{kindBool, 1, 0}, nil
	case c <= 0xc6:
		return withLength(kindBytes, b, 1<<(c-0xc4), 0)
	case c <= 0xc9:
		return withLength(kindExtension, b, 1<<(c-0xc7), 1)
	case c <= 0xcb:
		return msgpackHeader{kindFloat, 1, 4 << (c - 0xca)}, nil
	case c <= 0xcf:
		return msgpackHeader{kindUint, 1, 1 << (c - 0xcc)}, nil
	case c <= 0xd3:
		return msgpackHeader{kindInt, 1, 1 << (c - 0xd0)}, nil
	case c <= 0xd8:
		return msgpackHeader{kindExtension, 1, 1 + 1<<(c-0xd4)}, nil
	case c <= 0xdb:
		return withLength(kindString, b, 1<<(c-0xd9), 0)
	case c <= 0xdd:
		return withLength(kindArray, b, 2<<(c-0xdc), 0)
	default:
		return withLength(kindMap, b, 2<<(c-0xde), 0)
	}
}

// withLength reads a header whose type byte is followed by a length of width bytes.
func withLength(kind msgpackKind, b []byte, width int, extra uint64) (msgpackHeader, error) {
	if len(b) < 1+width {
		return msgpackHeader{}, errMsgpackShort
	}
	return msgpackHeader{kind, 1 + width, bigEndian(b[1:1+width]) + extra}, nil
}
