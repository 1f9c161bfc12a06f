// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"github.com/vmihailenco/msgpack/v5"

	"github.com/wippyrun/kit/registry"
)

// record is the stored form of an operation. Numbers in meta and data are always stored
// as 64-bit floats, the only kind entries hold, so they come back as they were.
type record struct {
	Op       string         `msgpack:"op"`
	ID       string         `msgpack:"id"`
	Kind     string         `msgpack:"kind"`
	Meta     map[string]any `msgpack:"meta,omitempty"`
	Data     any            `msgpack:"data,omitempty"`
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

func decode(data []byte) (registry.Changeset, error) {
	var records []record
	d := msgpack.NewDecoder(bytes.NewReader(data))
	if err := d.Decode(&records); err != nil {
		return nil, err
	}
	if _, err := d.PeekCode(); err == nil {
		return nil, errors.New("bytes after the changeset")
	}
	c := make(registry.Changeset, len(records))
	for i, r := range records {
		op := registry.Op{Kind: registry.OpKind(r.Op), Entry: r.entry()}
		if !op.Kind.Valid() {
			return nil, fmt.Errorf("unknown operation %q", r.Op)
		}
		if r.Original != nil {
			o := r.Original.entry()
			op.Original = &o
		}
		c[i] = op
	}
	return c, nil
}

// checksum covers the place of the changeset in the tree too, so that rows that were
// exchanged are noticed.
func checksum(id, parent uint64, data []byte) int64 {
	var head [16]byte
	binary.LittleEndian.PutUint64(head[:], id)
	binary.LittleEndian.PutUint64(head[8:], parent)
	d := xxhash.New()
	_, _ = d.Write(head[:]) // a hash never fails
	_, _ = d.Write(data)
	return int64(d.Sum64())
}
