// SPDX-License-Identifier: Apache-2.0

package templates

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/wippyrun/kit/luart/engine"
)

// maxSource is how long a template may be.
const maxSource = 1 << 20

// Set is a number of templates that know each other by name. Make one with [NewSet]. All methods may be called
// concurrently.
type Set struct {
	limits  *limits
	mu      sync.Mutex // guards options and sources, and compiling
	options Options
	sources map[string]string // by path, which begins with a slash

	compiled atomic.Pointer[compiled] // nil after a change; set under mu
}

// NewSet makes an empty set. The error is of kind Invalid.
func NewSet(o Options) (*Set, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &Set{limits: &standard, options: o, sources: map[string]string{}}, nil
}

// Configure gives the set other options. The error is of kind Invalid.
func (s *Set) Configure(o Options) error {
	if err := o.Validate(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.options = o
	s.compiled.Store(nil)
	return nil
}

// Add adds a template. Errors: the name is taken (AlreadyExists), it is empty or the source is too long (Invalid).
// That a source does not parse is found when it is used, or by Check: it may need templates that are not there yet.
func (s *Set) Add(name, source string) error {
	if err := checkTemplate(name, source); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, taken := s.sources[clean(name)]; taken {
		return engine.NewError(engine.KindAlreadyExists, "template already exists in set")
	}
	s.sources[clean(name)] = source
	s.compiled.Store(nil)
	return nil
}

// Update replaces a template by another one, which may have another name. Errors: there is no such template
// (NotFound), the new name is taken (AlreadyExists), it is empty or the source is too long (Invalid).
func (s *Set) Update(name, newName, source string) error {
	if err := checkTemplate(newName, source); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.sources[clean(name)]; !ok {
		return errNoTemplate
	}
	if _, taken := s.sources[clean(newName)]; taken && clean(name) != clean(newName) {
		return engine.NewError(engine.KindAlreadyExists, "template name already exists in set")
	}
	delete(s.sources, clean(name))
	s.sources[clean(newName)] = source
	s.compiled.Store(nil)
	return nil
}

// Remove removes a template. It fails with kind NotFound.
func (s *Set) Remove(name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.sources[clean(name)]; !ok {
		return errNoTemplate
	}
	delete(s.sources, clean(name))
	s.compiled.Store(nil)
	return nil
}

// Len returns the number of templates.
func (s *Set) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.sources)
}

// Check parses all templates and returns the errors of those that do not parse or need others that are not there,
// joined. It costs what the first rendering does, which then is cheap.
func (s *Set) Check() error {
	c := s.compile()
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(c.faults)) {
		errs = append(errs, fmt.Errorf("template %s: %w", name[1:], c.faults[name]))
	}
	return errors.Join(errs...)
}

// Faults returns the errors that Check joins, by the name of the template.
func (s *Set) Faults() map[string]error {
	c := s.compile()
	out := make(map[string]error, len(c.faults))
	for name, err := range c.faults {
		if name != topPath {
			out[name[1:]] = err
		}
	}
	return out
}

// Render renders a template with variables, which are plain data like Options.Globals; the template may change them.
// It stops soon after ctx has ended. Errors: the name is empty (Invalid), there is no such template (NotFound), and
// whatever is wrong with the template.
func (s *Set) Render(ctx context.Context, name string, variables map[string]any) (string, error) {
	if name == "" {
		return "", invalid("template name is required")
	}
	return s.compile().render(&watch{limits: s.limits, ctx: ctx}, clean(name), variables)
}

// compile returns the parsed templates.
func (s *Set) compile() *compiled {
	if c := s.compiled.Load(); c != nil {
		return c
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.compiled.Load()
	if c == nil {
		c = newCompiled(s.options, maps.Clone(s.sources))
		s.compiled.Store(c)
	}
	return c
}

var errNoTemplate = engine.NewError(engine.KindNotFound, "template not found")

func checkTemplate(name, source string) error {
	switch {
	case name == "":
		return invalid("template name is required")
	case len(source) > maxSource:
		return invalid(fmt.Sprintf("template is longer than %d bytes", maxSource))
	}
	return nil
}

// clean makes a name a path.
func clean(name string) string { return path.Join("/", name) }
