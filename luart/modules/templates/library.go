// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"fmt"
	"sync"

	"github.com/wippyrun/kit/luart/engine"
)

// Sets finds template sets for the module. The process that asks is given so that a host can keep count of who
// uses what. An error becomes the error of templates.get.
type Sets interface {
	TemplateSet(p *engine.Process, id string) (*Set, error)
}

// Library holds sets by id. All methods may be called concurrently.
type Library struct {
	mu   sync.RWMutex // guards sets
	sets map[string]*Set
}

// NewLibrary returns an empty library.
func NewLibrary() *Library { return &Library{sets: map[string]*Set{}} }

// Add makes an empty set. Errors: the id is taken (AlreadyExists), the options are no good (Invalid).
func (l *Library) Add(id string, o Options) error {
	s, err := NewSet(o)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sets[id] != nil {
		return engine.NewError(engine.KindAlreadyExists, "template set already exists")
	}
	l.sets[id] = s
	return nil
}

// Update gives a set other options; its templates stay. Errors: there is no such set (NotFound), the options are no
// good (Invalid).
func (l *Library) Update(id string, o Options) error {
	s, err := l.Set(id)
	if err != nil {
		return err
	}
	return s.Configure(o)
}

// Remove removes an empty set. Errors: there is no such set (NotFound), it has templates (Invalid, with the detail
// template_count).
func (l *Library) Remove(id string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.sets[id]
	if s == nil {
		return errNoSet
	}
	if n := s.Len(); n > 0 {
		return engine.NewError(engine.KindInvalid, "set is not empty").With("template_count", n)
	}
	delete(l.sets, id)
	return nil
}

// Set returns the set of an id, or an error of kind NotFound.
func (l *Library) Set(id string) (*Set, error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	s := l.sets[id]
	if s == nil {
		return nil, errNoSet
	}
	return s, nil
}

var errNoSet = engine.NewError(engine.KindNotFound, "template set not found")

// TemplateSet implements Sets.
func (l *Library) TemplateSet(_ *engine.Process, id string) (*Set, error) {
	s, err := l.Set(id)
	if err != nil {
		return nil, fmt.Errorf("template set %s: %w", id, err)
	}
	return s, nil
}
