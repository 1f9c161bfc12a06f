// SPDX-License-Identifier: Apache-2.0

package memory

import (
	"cmp"
	"fmt"

	"github.com/wippyrun/kit/wippy/service/queue"
)

// Skip hands out the items that follow one of a key as if that had ended, without a
// change on disk.
func Skip(s queue.Settler) {
	k := s.(kept)
	k.line.done(k.item)
}

// Submit has something written that fails, between two changes that do not, all in one
// transaction. It returns how each went.
func (d *Driver) Submit(failure error) []error {
	outcomes := make(chan error, 3)
	good := func(s *statements) error { _, err := s.remove.Exec(-1); return err }
	hold := make(chan struct{})
	d.journal.submit(nil, change{func(*statements) error { <-hold; return nil }, func(error) {}})
	for _, write := range []func(*statements) error{good, func(*statements) error { return failure }, good} {
		d.journal.submit(nil, change{write, func(err error) { outcomes <- err }})
	}
	close(hold)
	return []error{<-outcomes, <-outcomes, <-outcomes}
}

// Limit bounds the size of the file; 0 takes the bound away.
func (d *Driver) Limit(pages int) error {
	done := make(chan error, 1)
	d.journal.submit(nil, change{func(*statements) error { return nil }, func(error) {
		_, err := d.journal.db.Exec(fmt.Sprintf("PRAGMA max_page_count = %d", cmp.Or(pages, 1<<30)))
		done <- err
	}})
	return <-done
}
