// SPDX-License-Identifier: Apache-2.0

package env

import (
	"context"
	"strings"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// The kinds this package handles.
const (
	KindOS       = "env.storage.os"
	KindMemory   = "env.storage.memory"
	KindStatic   = "env.storage.static"
	KindVariable = "env.variable"
)

// Kinds lists them.
func Kinds() []string { return []string{KindOS, KindMemory, KindStatic, KindVariable} }

// Listener turns entries into storages and variables.
type Listener struct {
	service *Service
	warn    func(registry.Entry, []fields.Warning)
}

// NewListener handles entries for service; warn hears of fields no kind knows.
func NewListener(service *Service, warn func(registry.Entry, []fields.Warning)) *Listener {
	return &Listener{service: service, warn: warn}
}

// Create adds the storage or variable of an entry.
func (l *Listener) Create(_ context.Context, e registry.Entry) error { return l.apply(e) }

// Update replaces it. A memory storage keeps what it holds.
func (l *Listener) Update(_ context.Context, _, e registry.Entry) error { return l.apply(e) }

// Delete removes it.
func (l *Listener) Delete(_ context.Context, e registry.Entry) error {
	if e.Kind == KindVariable {
		l.service.RemoveVariable(e.ID.String())
	} else {
		l.service.RemoveStorage(e.ID.String())
	}
	return nil
}

func (l *Listener) apply(e registry.Entry) error {
	r := fields.New(e.Data)
	r.Ignore("lifecycle")
	id := e.ID.String()
	var add func() error
	switch e.Kind {
	case KindOS:
		add = func() error { l.service.AddStorage(id, OS{}); return nil }
	case KindMemory:
		add = func() error {
			if !l.service.holdsMemory(id) {
				l.service.AddStorage(id, NewMemory())
			}
			return nil
		}
	case KindStatic:
		_, values := r.StringMap("values")
		add = func() error { l.service.AddStorage(id, Static(values)); return nil }
	case KindVariable:
		v := variable(id, r)
		add = func() error { return l.service.AddVariable(v) }
	default:
		return fault.New(fault.Invalid, "not an environment kind: "+e.Kind)
	}
	if err := r.Err(); err != nil {
		return err
	}
	if l.warn != nil {
		l.warn(e, r.Unknown())
	}
	return add()
}

func variable(id string, r *fields.Reader) Variable {
	v := Variable{ID: id, Name: r.String("variable", ""), Storage: r.Required("storage"), ReadOnly: r.Bool("readonly", false)}
	r.Ignore("read_only")
	v.Default, _ = r.Scalar("default")
	if v.Name != "" && !publicName.MatchString(v.Name) {
		r.Reject("variable", "invalid environment variable name: must only contain alphanumeric characters (a-z, A-Z, 0-9) and underscores")
	}
	if ns, name, ok := strings.Cut(v.Storage, ":"); v.Storage != "" && (!ok || ns == "" || name == "") {
		r.Reject("storage", "invalid storage ID format, must have both namespace and name")
	}
	return v
}

// holdsMemory tells whether id is a memory storage already.
func (s *Service) holdsMemory(id string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	_, ok := s.storages[id].(*Memory)
	return ok
}
