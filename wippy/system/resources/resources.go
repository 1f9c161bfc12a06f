// SPDX-License-Identifier: Apache-2.0

// Package resources is the directory of what entries offer to programs under their id: databases, stores, volumes.
//
// A kind puts its resource in when the entry comes to life and takes it out when the entry goes. Who looks one up
// checks its type: another kind of resource may have that id.
package resources

import "sync"

// Directory holds resources by entry id. The zero value is empty and ready for use; a Directory must not be copied.
// All methods may be called concurrently; a look-up takes one read lock.
type Directory struct {
	mu  sync.RWMutex
	all map[string]any // guarded by mu
}

// Put makes r the resource of an entry, in place of an earlier one.
func (d *Directory) Put(id string, r any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all == nil {
		d.all = map[string]any{}
	}
	d.all[id] = r
}

// Remove takes the resource of an entry out, if it still is r: that of a successor stays.
func (d *Directory) Remove(id string, r any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all[id] == r {
		delete(d.all, id)
	}
}

// Get returns the resource of an entry and whether there is one.
func (d *Directory) Get(id string) (any, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	r, ok := d.all[id]
	return r, ok
}
