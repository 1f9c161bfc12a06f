// SPDX-License-Identifier: Apache-2.0

package store

import (
	"sync"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Table holds the stores that run, by entry id. Its methods may be called concurrently; a
// look-up takes no lock. The zero value is an empty table.
type Table struct{ stores sync.Map }

// Add makes a store reachable, in place of any earlier one.
func (t *Table) Add(id string, s Store) { t.stores.Store(id, s) }

// Remove takes s out again, unless another one has taken its place.
func (t *Table) Remove(id string, s Store) { t.stores.CompareAndDelete(id, s) }

// Get returns the store of an entry. There is none before its service has started and
// after it has stopped: a NotFound error.
func (t *Table) Get(id string) (Store, error) {
	s, ok := t.stores.Load(id)
	if !ok {
		return nil, fault.New(fault.NotFound, "store not found: "+id).Final()
	}
	return s.(Store), nil
}
