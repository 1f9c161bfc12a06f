// SPDX-License-Identifier: Apache-2.0

package sqlite

import (
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"

	"github.com/wippyrun/kit/registry"
)

// row is everything a database holds about one version.
type row struct {
	id, parent                     uint64
	time, author, comment, summary string
	data                           []byte
	checksum                       int64
}

// timeFormat is ISO 8601, which SQLite's date functions understand.
const timeFormat = "2006-01-02T15:04:05.000Z"

func newRow(r registry.Record, c registry.Changeset) (row, error) {
	data, err := encode(c)
	if err != nil {
		return row{}, fmt.Errorf("encode changeset of %v: %w", r.Version, err)
	}
	w := row{id: r.ID, parent: r.Parent, author: r.Author, comment: r.Comment, summary: summary(c), data: data}
	if !r.Time.IsZero() {
		w.time = r.Time.UTC().Format(timeFormat)
	}
	w.checksum = w.sum()
	return w, nil
}

// sum is the checksum of all of the row. It covers the place in the tree too, so that
// rows that were exchanged are noticed, and the lengths of the texts, so that nothing can
// move from one to the next.
func (w *row) sum() int64 {
	d := xxhash.New()
	var word [8]byte
	number := func(n uint64) {
		binary.LittleEndian.PutUint64(word[:], n)
		_, _ = d.Write(word[:]) // a hash never fails
	}
	number(w.id)
	number(w.parent)
	for _, s := range []string{w.time, w.author, w.comment, w.summary} {
		number(uint64(len(s)))
		_, _ = d.WriteString(s)
	}
	_, _ = d.Write(w.data)
	return int64(d.Sum64())
}

func (w *row) check() error {
	if w.sum() != w.checksum {
		return fmt.Errorf("v%d does not match its checksum", w.id)
	}
	return nil
}

func (w *row) record() (registry.Record, error) {
	r := registry.Record{Version: registry.Version{ID: w.id, Parent: w.parent}, Author: w.author, Comment: w.comment}
	if w.time == "" {
		return r, nil
	}
	t, err := time.Parse(timeFormat, w.time)
	if err != nil {
		return r, fmt.Errorf("v%d: %w", w.id, err)
	}
	r.Time = t.UTC()
	return r, nil
}

// summarized is how many operations a summary names. It is for people who look into the
// database; the changeset has them all.
const summarized = 20

// summary returns for example "+app:new ~app:changed -app:gone".
func summary(c registry.Changeset) string {
	signs := map[registry.OpKind]byte{registry.Create: '+', registry.Update: '~', registry.Delete: '-'}
	var b strings.Builder
	for i, op := range c {
		if i == summarized {
			fmt.Fprintf(&b, " and %d more", len(c)-i)
			break
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteByte(signs[op.Kind])
		b.WriteString(op.Entry.ID.String())
	}
	return b.String()
}

// metadataSum is the checksum of a row of the table metadata.
func metadataSum(key, value string) int64 {
	return int64(xxhash.Sum64String(key + "=" + value))
}
