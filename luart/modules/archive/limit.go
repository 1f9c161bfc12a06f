// SPDX-License-Identifier: Apache-2.0

package archive

import (
	"context"
	"io"
)

// job is one call, or one walk, that unpacks entries.
type job struct {
	ctx  context.Context
	opts *options
	left int64 // bytes that it may still unpack
}

func newJob(ctx context.Context, o *options) *job { return &job{ctx: ctx, opts: o, left: o.maxTotal} }

// check refuses an entry that says it is too large.
func (j *job) check(e *entry) error {
	if e.size > j.opts.maxFile {
		return j.errFile(e)
	}
	return nil
}

func (j *job) errFile(e *entry) error {
	return invalid("entry exceeds max_file_bytes (%d): %s", j.opts.maxFile, e.name)
}

func (j *job) errTotal() error {
	return invalid("unpacked entries exceed max_total_bytes (%d)", j.opts.maxTotal)
}

// bound returns what reads an entry within the limits.
func (j *job) bound(e *entry, r io.Reader) *bounded {
	return &bounded{job: j, entry: e, r: r, left: j.opts.maxFile}
}

// bounded reads an entry.
type bounded struct {
	job   *job
	entry *entry
	r     io.Reader
	left  int64 // bytes that the entry may still have
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if err := b.job.ctx.Err(); err != nil {
		return 0, device(err)
	}
	n, err := b.r.Read(p)
	b.left -= int64(n)
	b.job.left -= int64(n)
	switch {
	case b.left < 0:
		return 0, b.job.errFile(b.entry)
	case b.job.left < 0:
		return 0, b.job.errTotal()
	}
	return n, err
}
