// SPDX-License-Identifier: Apache-2.0

package template

import (
	"context"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wippyrun/kit/registry"
)

// candidate is a template to look at when the transaction is done.
type candidate struct {
	entry     registry.Entry
	set, name string
}

// note remembers a template for the end of the transaction.
func (l *Listener) note(e registry.Entry, t jet) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.changed == nil {
		l.changed = map[registry.ID]candidate{}
	}
	l.changed[e.ID] = candidate{e, t.set, t.name}
}

// take returns the templates of the transaction, by id, and forgets them.
func (l *Listener) take() []candidate {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := slices.SortedFunc(maps.Values(l.changed), func(a, b candidate) int {
		return strings.Compare(a.entry.ID.String(), b.entry.ID.String())
	})
	l.changed = nil
	return out
}

// Begin has nothing to do.
func (l *Listener) Begin(context.Context) error { return nil }

// Commit has nothing against it.
func (l *Listener) Commit(context.Context) error { return nil }

// Discard forgets what was to be looked at.
func (l *Listener) Discard(context.Context) error {
	l.take()
	return nil
}

// lineText finds the line in the parser's report.
var lineText = regexp.MustCompile(`^template: [^:]*:(\d+): `)

// Committed tells of the new templates that do not parse.
func (l *Listener) Committed(context.Context) {
	faults := map[string]map[string]error{} // by set and name
	for _, c := range l.take() {
		if l.broken == nil {
			continue
		}
		if faults[c.set] == nil {
			set, err := l.library.Set(c.set)
			if err != nil {
				continue // gone meanwhile
			}
			faults[c.set] = set.Faults()
		}
		err := faults[c.set][strings.TrimPrefix(path.Clean("/"+c.name), "/")]
		if err == nil {
			continue
		}
		line := 0
		if m := lineText.FindStringSubmatch(err.Error()); m != nil {
			line, _ = strconv.Atoi(m[1])
		}
		l.broken(c.entry, line, err)
	}
}
