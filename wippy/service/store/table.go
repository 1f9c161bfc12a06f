// SPDX-License-Identifier: Apache-2.0

package store

import (
	"sync"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// Table holds the stores that run, by entry id, and knows which others there could be. Its
// methods may be called concurrently; a look-up takes no lock. The zero value is an empty table.
type Table struct{ stores, declared sync.Map }

// Declare notes that there is an entry for a store, which its service adds when it starts.
func (t *Table) Declare(id string) { t.declared.Store(id, true) }

// Forget takes the note back.
func (t *Table) Forget(id string) { t.declared.Delete(id) }

// Add makes a store reachable, in place of any earlier one.
func (t *Table) Add(id string, s Store) { t.stores.Store(id, s) }

// Remove takes s out again, unless another one has taken its place.
func (t *Table) Remove(id string, s Store) { t.stores.CompareAndDelete(id, s) }

// Get returns the store of an entry. There is none before its service has started and
// after it has stopped: a NotFound error, which tells such a store from one without an entry.
func (t *Table) Get(id string) (Store, error) {
	if s, ok := t.stores.Load(id); ok {
		return s.(Store), nil
	}
	if _, ok := t.declared.Load(id); ok {
		return nil, fault.New(fault.NotFound, "store is not running: "+id+" (lifecycle.auto_start starts it with the application)").Final()
	}
	return nil, fault.New(fault.NotFound, "store not found: "+id).Final()
}
