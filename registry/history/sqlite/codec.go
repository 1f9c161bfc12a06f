// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"github.com/vmihailenco/msgpack/v5"
	"github.com/vmihailenco/msgpack/v5/msgpcode"

	"github.com/wippyrun/kit/registry"
)

// record is the stored form of an operation. Numbers in meta and data are always stored
// as 64-bit floats, the only kind entries hold, so they come back as they were. Data is
// stored also when it is empty: 0, "" and false are not nothing.
type record struct {
	Op       string         `msgpack:"op"`
	ID       string         `msgpack:"id"`
	Kind     string         `msgpack:"kind"`
	Meta     map[string]any `msgpack:"meta,omitempty"`
	Data     any            `msgpack:"data"`
	Original *record        `msgpack:"original,omitempty"`
}

func encode(c registry.Changeset) ([]byte, error) {
	records := make([]record, len(c))
	for i, op := range c {
		records[i] = recordOf(op.Entry)
		records[i].Op = string(op.Kind)
		if op.Original != nil {
			o := recordOf(*op.Original)
			records[i].Original = &o
		}
	}
	return msgpack.Marshal(records)
}

func recordOf(e registry.Entry) record {
	return record{ID: e.ID.String(), Kind: e.Kind, Meta: e.Meta, Data: e.Data}
}

func (r record) entry() registry.Entry {
	return registry.Entry{ID: registry.ParseID(r.ID), Kind: r.Kind, Meta: r.Meta, Data: r.Data}
}

// maxDepth is deeper than a registry lets entries nest.
const maxDepth = 1010

// decoder reads records. msgpack.Unmarshal would do, but it allocates whatever a damaged
// length asks for and recurses as deep as its input nests.
type decoder struct{ *msgpack.Decoder }

func decode(data []byte) (registry.Changeset, error) {
	d := decoder{msgpack.NewDecoder(bytes.NewReader(data))}
	n, err := d.DecodeArrayLen()
	if err != nil {
		return nil, err
	}
	c := make(registry.Changeset, 0, d.room(n))
	for i := range n {
		op, err := d.operation()
		if err != nil {
			return nil, fmt.Errorf("operation %d: %w", i, err)
		}
		c = append(c, op)
	}
	if _, err := d.PeekCode(); err == nil {
		return nil, errors.New("bytes after the changeset")
	}
	return c, nil
}

// room is how much to allocate for n elements before they are seen.
func (decoder) room(n int) int { return max(min(n, 64), 0) }

func (d decoder) operation() (registry.Op, error) {
	r, err := d.record(true)
	if err != nil {
		return registry.Op{}, err
	}
	op := registry.Op{Kind: registry.OpKind(r.Op), Entry: r.entry()}
	if !op.Kind.Valid() {
		return op, fmt.Errorf("unknown operation %q", r.Op)
	}
	if r.Original != nil {
		o := r.Original.entry()
		op.Original = &o
	}
	return op, nil
}

func (d decoder) record(top bool) (*record, error) {
	n, err := d.DecodeMapLen()
	if err != nil {
		return nil, err
	}
	r := &record{}
	for range n {
		key, err := d.DecodeString()
		if err != nil {
			return nil, err
		}
		if err := d.field(r, key, top); err != nil {
			return nil, fmt.Errorf("%s: %w", key, err)
		}
	}
	return r, nil
}

func (d decoder) field(r *record, key string, top bool) (err error) {
	switch key {
	case "op":
		r.Op, err = d.DecodeString()
	case "id":
		r.ID, err = d.DecodeString()
	case "kind":
		r.Kind, err = d.DecodeString()
	case "meta":
		var v any
		if v, err = d.value(0); err == nil {
			r.Meta, _ = v.(map[string]any)
			if r.Meta == nil && v != nil {
				err = fmt.Errorf("%T instead of a map", v)
			}
		}
	case "data":
		r.Data, err = d.value(0)
	case "original":
		if !top {
			return errors.New("an original has no original")
		}
		if isNil, err := d.nil(); isNil || err != nil {
			return err
		}
		r.Original, err = d.record(false)
	default:
		err = errors.New("unknown field")
	}
	return err
}

func (d decoder) nil() (bool, error) {
	code, err := d.PeekCode()
	if err != nil || code != msgpcode.Nil {
		return false, err
	}
	return true, d.DecodeNil()
}

// value reads what an entry can hold.
func (d decoder) value(depth int) (any, error) {
	code, err := d.PeekCode()
	if err != nil {
		return nil, err
	}
	switch {
	case depth > maxDepth:
		return nil, errors.New("nested too deeply")
	case code == msgpcode.Nil:
		return nil, d.DecodeNil()
	case code == msgpcode.False || code == msgpcode.True:
		return d.DecodeBool()
	case code == msgpcode.Double:
		f, err := d.DecodeFloat64()
		if err == nil && (math.IsNaN(f) || math.IsInf(f, 0)) {
			err = fmt.Errorf("the number %v", f)
		}
		return f, err
	case msgpcode.IsString(code):
		return d.DecodeString()
	case msgpcode.IsFixedArray(code) || code == msgpcode.Array16 || code == msgpcode.Array32:
		return d.list(depth)
	case msgpcode.IsFixedMap(code) || code == msgpcode.Map16 || code == msgpcode.Map32:
		return d.mapping(depth)
	}
	return nil, fmt.Errorf("a value of type %#x", code)
}

func (d decoder) list(depth int) (any, error) {
	n, err := d.DecodeArrayLen()
	if err != nil {
		return nil, err
	}
	out := make([]any, 0, d.room(n))
	for range n {
		v, err := d.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

func (d decoder) mapping(depth int) (any, error) {
	n, err := d.DecodeMapLen()
	if err != nil {
		return nil, err
	}
	out := make(map[string]any, d.room(n))
	for range n {
		key, err := d.DecodeString()
		if err != nil {
			return nil, err
		}
		if out[key], err = d.value(depth + 1); err != nil {
			return nil, err
		}
	}
	return out, nil
}
