// SPDX-License-Identifier: Apache-2.0

package env

import (
	"context"
	"io/fs"
	"path/filepath"
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
	KindFile     = "env.storage.file"
	KindRouter   = "env.storage.router"
	KindVariable = "env.variable"
)

// Kinds lists them.
func Kinds() []string {
	return []string{KindOS, KindMemory, KindStatic, KindFile, KindRouter, KindVariable}
}

// Listener turns entries into storages and variables.
type Listener struct {
	// Dir is where relative paths of file storages begin, "" for the working directory.
	Dir string

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
	case KindFile:
		f := l.file(r)
		add = func() error { l.service.AddStorage(id, f); return nil }
	case KindRouter:
		ids := l.routed(e.ID, r)
		add = func() error {
			for _, storage := range ids {
				if !l.service.hasStorage(storage) {
					return &missing{path: "data.storages", text: "environment storage backend not found: " + storage}
				}
			}
			l.service.AddStorage(id, &router{l.service, ids})
			return nil
		}
	case KindVariable:
		v := variable(id, r)
		add = func() error {
			if !l.service.hasStorage(v.Storage) {
				return &missing{path: "data.storage", text: "referenced storage not found: " + v.Storage}
			}
			return l.service.AddVariable(v)
		}
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

// missing says that a storage is not there, which may change before the transaction ends.
type missing struct{ path, text string }

func (e *missing) Error() string { return e.text }
func (e *missing) Field() string { return e.path }
func (e *missing) Kind() string  { return string(fault.NotFound) }

// file reads the fields of a file storage.
func (l *Listener) file(r *fields.Reader) *File {
	f := &File{Path: r.String("file_path", ""), Create: r.Bool("auto_create", false)}
	if f.Path == "" {
		r.Reject("file_path", "file path must not be empty")
	} else if !filepath.IsAbs(f.Path) {
		f.Path = filepath.Join(l.Dir, f.Path)
	}
	for _, mode := range []struct {
		field    string
		standard int
		target   *fs.FileMode
	}{{"file_mode", 0o644, &f.FileMode}, {"dir_mode", 0o755, &f.DirMode}} {
		n := r.Int(mode.field, mode.standard)
		if n < 0 || n > 0o777 {
			r.Reject(mode.field, mode.field+" must be a file mode such as 0644")
		}
		*mode.target = fs.FileMode(n) & fs.ModePerm
	}
	return f
}

// routed reads the storages of a router; a bare name means its own namespace.
func (l *Listener) routed(id registry.ID, r *fields.Reader) []string {
	ids := r.Strings("storages")
	if len(ids) == 0 {
		r.Reject("storages", "router storage must have at least one storage")
	}
	out := make([]string, len(ids))
	for i, text := range ids {
		storage := registry.ParseID(text)
		if storage.Namespace == "" {
			storage.Namespace = id.Namespace
		}
		out[i] = storage.String()
		if l.service.leads(out[i], id.String()) {
			r.Reject("storages", "router storage cannot ask itself: "+text)
		}
	}
	return out
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
