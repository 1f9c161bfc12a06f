// SPDX-License-Identifier: Apache-2.0

package registry

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// History stores versions and their changesets. A registry calls Append and SetHead
// one at a time; the other methods may be called at any time from any goroutine.
//
// The package historytest holds the suite every implementation must pass.
type History interface {
	// Records returns all versions in ascending order of ID, the root included.
	Records(ctx context.Context) ([]Record, error)
	// Head returns the version the registry was at last.
	Head(ctx context.Context) (Version, error)
	// Changeset returns the changes from the parent of the version to the version.
	Changeset(ctx context.Context, id uint64) (Changeset, error)
	// Append stores a new version and makes it the head: both or, if an error is
	// returned, neither. When Append returns nil the version must survive whatever
	// the implementation promises to survive.
	Append(ctx context.Context, r Record, c Changeset) error
	// SetHead makes an existing version the head.
	SetHead(ctx context.Context, v Version) error
	// Close releases resources. Nothing may be called afterwards.
	Close() error
}

// memoryHistory keeps everything in memory.
type memoryHistory struct {
	mu      sync.RWMutex // guards the rest
	records []Record
	sets    map[uint64]Changeset
	head    Version
}

// NewMemoryHistory returns a history that lives as long as the process.
func NewMemoryHistory() History {
	return &memoryHistory{records: []Record{{}}, sets: map[uint64]Changeset{0: nil}}
}

func (h *memoryHistory) Records(context.Context) ([]Record, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return slices.Clone(h.records), nil
}

func (h *memoryHistory) Head(context.Context) (Version, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.head, nil
}

func (h *memoryHistory) Changeset(_ context.Context, id uint64) (Changeset, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	c, ok := h.sets[id]
	if !ok {
		return nil, versionNotFound(id)
	}
	return slices.Clone(c), nil
}

func (h *memoryHistory) Append(_ context.Context, r Record, c Changeset) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.sets[r.ID]; ok {
		return &Error{kind: KindConflict, msg: "version already stored", subject: r.Version.String()}
	}
	if _, ok := h.sets[r.Parent]; !ok {
		return versionNotFound(r.Parent)
	}
	h.records = append(h.records, r)
	h.sets[r.ID] = slices.Clone(c)
	h.head = r.Version
	return nil
}

func (h *memoryHistory) SetHead(_ context.Context, v Version) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if _, ok := h.sets[v.ID]; !ok {
		return versionNotFound(v.ID)
	}
	h.head = v
	return nil
}

func (h *memoryHistory) Close() error { return nil }

// nilHistory keeps only the head.
type nilHistory struct {
	mu   sync.Mutex // guards head
	head Version
}

// NewNilHistory returns a history that remembers nothing but the present version:
// changes work, past versions cannot be listed, read or returned to.
func NewNilHistory() History { return &nilHistory{} }

func (h *nilHistory) Records(context.Context) ([]Record, error) { return nil, ErrHistoryDisabled }

func (h *nilHistory) Head(context.Context) (Version, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.head, nil
}

func (h *nilHistory) Changeset(context.Context, uint64) (Changeset, error) {
	return nil, ErrHistoryDisabled
}

func (h *nilHistory) Append(_ context.Context, r Record, _ Changeset) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.head = r.Version
	return nil
}

func (h *nilHistory) SetHead(context.Context, Version) error { return ErrRollbackDisabled }

func (h *nilHistory) Close() error { return nil }

func versionNotFound(id uint64) *Error {
	return &Error{kind: KindNotFound, msg: ErrVersionNotFound.msg, subject: fmt.Sprintf("v%d", id), retry: &no}
}
