// SPDX-License-Identifier: Apache-2.0

// Package store keeps values by key: what every store offers, the table programs find
// stores in, and the store in memory.
//
// # Basics
//
// A [Store] is reached through the [Table], under the id of its entry, from when its
// service has started until it stops. Keys are texts in their full form (see [Key]) and
// ordered by their bytes. A value that has expired is absent for every operation from
// that instant on, whether or not it was swept away.
//
// # Guarantees
//
//   - Versions are positive and rise with every write of the store (TestVersionsRise).
//   - Conditions of a put are decided and the value written as one step
//     (TestConditionsAreDecidedOnceUnderContention).
//   - A store holds at most as many keys as it may, also under concurrent writes
//     (TestLimitHoldsUnderConcurrency).
//   - The store in memory behaves as an ordered map with times (TestMemoryModel).
//
// # Costs
//
// Reading a key of [Memory] takes one short lock of 1/16 of the store and allocates
// nothing; a page of a list costs in proportion to the page, not to the store.
package store

import (
	"context"
	"strings"
	"time"

	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// Errors of the operations. None but those that say so are worth trying again.
var (
	ErrNotFound     = fault.New(fault.NotFound, "key not found").Final()
	ErrExists       = fault.New(fault.AlreadyExists, "key already exists").Final()
	ErrMismatch     = fault.New(fault.Conflict, "version mismatch").Transient()
	ErrOptions      = fault.New(fault.Invalid, "invalid store options").Final()
	ErrNotSupported = fault.New(fault.Invalid, "operation not supported by this store").Final()
	ErrFull         = fault.New(fault.Unavailable, "store is full").Transient()
	ErrClosed       = fault.New(fault.Unavailable, "store is closed").Final()
)

// Store is one key-value store. Keys are in their full form. All methods may be called
// concurrently and may block until ctx ends, unless the store is also [Immediate].
//
// A value belongs to the store once it is written: the writer must not change it any
// more. A value that is read belongs to everybody who reads it and must not be changed.
type Store interface {
	// Get returns what is kept under key, or ErrNotFound.
	Get(ctx context.Context, key string) (Entry, error)
	// Has tells whether there is something under key.
	Has(ctx context.Context, key string) (bool, error)
	// Put writes a value and returns its version, 0 when the store has none. A store that
	// cannot decide conditions refuses them with ErrNotSupported.
	Put(ctx context.Context, key string, value payload.Payload, o PutOptions) (version uint64, err error)
	// Delete removes a key, or returns ErrNotFound.
	Delete(ctx context.Context, key string) error
	// List returns keys in ascending order of their bytes.
	List(ctx context.Context, o ListOptions) (Page, error)
	// Info says what the store can do. It never blocks.
	Info() Info
}

// Immediate is implemented by stores whose operations never wait for anything, so that
// a program's worker may run them itself. Immediate does nothing.
type Immediate interface {
	Store
	Immediate()
}

// Entry is one key with its value.
type Entry struct {
	Key     string
	Value   payload.Payload
	Version uint64 // 0 in a store without versions
}

// PutOptions are the conditions and the life time of a write. The zero value writes in
// any case, for ever.
type PutOptions struct {
	TTL          time.Duration // from now on, 0 for ever
	OnlyIfAbsent bool          // else ErrExists
	IfVersion    uint64        // when not 0: the key must have it, else ErrNotFound or ErrMismatch
}

// Check returns ErrOptions for options that contradict each other.
func (o PutOptions) Check() error {
	if o.TTL < 0 || o.OnlyIfAbsent && o.IfVersion != 0 {
		return ErrOptions
	}
	return nil
}

// Sizes of pages.
const (
	DefaultPage = 100
	MaxPage     = 1000
)

// ListOptions choose a page of keys.
type ListOptions struct {
	Prefix string // of the full key
	After  string // only keys behind it
	Limit  int    // of entries, 0 for DefaultPage, at most MaxPage
}

// Size returns how many entries a page may have.
func (o ListOptions) Size() int {
	if o.Limit <= 0 {
		return DefaultPage
	}
	return min(o.Limit, MaxPage)
}

// Page is a part of the keys in order.
type Page struct {
	Items  []Entry
	Cursor string // the last key, "" when there is none
	More   bool   // there are more behind it
}

// NewPage makes the page of the first size items; what is behind them says that there are
// more.
func NewPage(items []Entry, size int) Page {
	p := Page{Items: items}
	if len(items) > size {
		p.Items, p.More = items[:size], true
	}
	if n := len(p.Items); n > 0 {
		p.Cursor = p.Items[n-1].Key
	}
	return p
}

// The words of Info.
const (
	BackendMemory = "memory"
	BackendSQL    = "sql"
	BackendRaft   = "kv.raft"
	BackendCRDT   = "kv.crdt"

	Linearizable = "linearizable"
	Eventual     = "eventual"
	Local        = "local"
)

// Info is what a store is and can do.
type Info struct {
	Backend        string
	Consistency    string
	Durable        bool
	List           bool
	Versioned      bool
	ConditionalPut bool
	TTL            bool
}

// Key returns the full form of a key: "namespace:name", split at the first colon. A name
// alone has the empty namespace and so begins with the colon.
func Key(text string) string {
	if strings.Contains(text, ":") {
		return text
	}
	return ":" + text
}
