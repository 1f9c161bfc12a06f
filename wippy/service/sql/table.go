// SPDX-License-Identifier: Apache-2.0

package sql

import (
	"sync"

	"github.com/wippyrun/kit/wippy/system/fault"
)

// ErrNotFound comes from a look-up of a database that does not exist.
var ErrNotFound = fault.New(fault.NotFound, "resource not found").Final()

// Table holds the databases by the id of their entry, from when that is loaded until it is removed. Its methods may
// be called concurrently; a look-up takes no lock. The zero value is an empty table.
type Table struct{ databases sync.Map }

// add makes a database reachable.
func (t *Table) add(d *Database) { t.databases.Store(d.id, d) }

// remove takes d out again, unless another one has taken its place.
func (t *Table) remove(d *Database) { t.databases.CompareAndDelete(d.id, d) }

// Get returns the database of an entry, also when it is stopped, or ErrNotFound.
func (t *Table) Get(id string) (*Database, error) {
	d, ok := t.databases.Load(id)
	if !ok {
		return nil, ErrNotFound.With("resource", id)
	}
	return d.(*Database), nil
}
