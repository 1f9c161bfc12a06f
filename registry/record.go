// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"strings"
	"time"
)

// Record is what a history keeps about a version besides its changes.
type Record struct {
	Version
	// Time is when the change was stored, in UTC and whole milliseconds. It is zero for
	// the root.
	Time time.Time
	// Author and Comment are what the maker of the change said with the options Author
	// and Comment, or "".
	Author, Comment string
}

// String returns one line such as "v3 2026-03-01T10:00:00Z alice: larger pool", with what
// is missing left out.
func (r Record) String() string {
	var b strings.Builder
	b.WriteString(r.Version.String())
	if !r.Time.IsZero() {
		b.WriteString(" " + r.Time.Format(time.RFC3339))
	}
	if r.Author != "" {
		b.WriteString(" " + r.Author)
	}
	if r.Comment != "" {
		first, _, more := strings.Cut(r.Comment, "\n")
		b.WriteString(": " + first)
		if more {
			b.WriteString(" …")
		}
	}
	return b.String()
}

// ApplyOption says something about a change.
type ApplyOption interface{ applyTo(*Record) }

type applyOption func(*Record)

func (f applyOption) applyTo(r *Record) { f(r) }

// Author names who makes the change, for the listing of the history.
func Author(name string) ApplyOption { return applyOption(func(r *Record) { r.Author = name }) }

// Comment says why the change is made. Its first line should stand for itself.
func Comment(text string) ApplyOption { return applyOption(func(r *Record) { r.Comment = text }) }

// Log returns what the history keeps about every version, in ascending order of ID and
// with the root first. It reads the history.
func (r *Registry) Log(ctx context.Context) ([]Record, error) {
	if !r.keeps {
		return nil, ErrHistoryDisabled
	}
	records, err := r.cfg.history.Records(ctx)
	if err != nil {
		return nil, retryable(KindUnavailable, "failed to get versions from history", err)
	}
	return records, nil
}

// newRecord describes the version that a change makes.
func (r *Registry) newRecord(v Version, opts []ApplyOption) Record {
	rec := Record{Version: v, Time: r.cfg.now().UTC().Truncate(time.Millisecond)}
	for _, o := range opts {
		o.applyTo(&rec)
	}
	return rec
}
