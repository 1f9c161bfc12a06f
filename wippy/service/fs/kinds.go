// SPDX-License-Identifier: Apache-2.0

package fs

import (
	"context"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// The kinds of this package.
const (
	KindDirectory = "fs.directory"
	KindEmbed     = "fs.embed"
)

// Kinds lists them.
func Kinds() []string { return []string{KindDirectory, KindEmbed} }

// Listener makes entries the filesystems of a service.
type Listener struct {
	// Dir is where relative paths begin, "" for the working directory.
	Dir string
	// Module returns where the files of a module are, for entries that belong to one; nil knows none.
	Module func(name string) (dir string, ok bool)
	// Embedded returns the files that are carried under an entry's id; nil knows none.
	Embedded func(id string) (fs.FS, bool)

	service *Service
	warn    func(registry.Entry, []fields.Warning)
}

// NewListener fills the service. warn is told of fields that nobody knows.
func NewListener(s *Service, warn func(registry.Entry, []fields.Warning)) *Listener {
	return &Listener{service: s, warn: warn}
}

// Create adds the filesystem of an entry.
func (l *Listener) Create(_ context.Context, e registry.Entry) error {
	f, err := l.open(e)
	if err != nil {
		return err
	}
	l.service.Add(e.ID.String(), f)
	return nil
}

// Update replaces it.
func (l *Listener) Update(ctx context.Context, _, next registry.Entry) error {
	return l.Create(ctx, next)
}

// Delete removes it; the files stay.
func (l *Listener) Delete(_ context.Context, e registry.Entry) error {
	l.service.Remove(e.ID.String())
	return nil
}

// Check implements fields.Checker. It does not look at the disk.
func (l *Listener) Check(e registry.Entry) ([]fields.Warning, error) {
	_, unknown, err := l.decode(e)
	return unknown, err
}

// config is the decoded form of an fs.directory.
type config struct {
	path   string
	mode   fs.FileMode
	create bool
}

func (l *Listener) decode(e registry.Entry) (config, []fields.Warning, error) {
	r := fields.New(e.Data)
	r.Ignore("lifecycle")
	if e.Kind == KindEmbed {
		return config{}, r.Unknown(), r.Err()
	}
	c := config{path: filepath.FromSlash(r.String("directory", "")), mode: l.mode(r), create: r.Bool("auto_init", false)}
	if c.path == "" {
		r.Reject("directory", "directory path is required")
	}
	if base := l.base(e, r); !filepath.IsAbs(c.path) {
		c.path = filepath.Join(base, c.path)
	}
	return c, r.Unknown(), r.Err()
}

func (l *Listener) open(e registry.Entry) (FS, error) {
	c, unknown, err := l.decode(e)
	l.warn(e, unknown)
	if err != nil {
		return nil, err
	}
	if e.Kind == KindEmbed {
		if l.Embedded != nil {
			if files, ok := l.Embedded(e.ID.String()); ok {
				return NewEmbedded(files), nil
			}
		}
		return nil, fault.New(fault.NotFound, "no embedded files for "+e.ID.String()+
			": entries of kind "+KindEmbed+" are made by packing; write one of kind "+KindDirectory)
	}
	path, err := filepath.Abs(c.path)
	if err == nil {
		var d *Directory
		if d, err = NewDirectory(path, c.mode, c.create); err == nil {
			return d, nil
		}
	}
	return nil, fields.At("directory", fault.Wrap(fault.Internal, "failed to create filesystem", err))
}

// base is where a relative path begins.
func (l *Listener) base(e registry.Entry, r *fields.Reader) string {
	own, isModule := "", false
	if name, _ := e.Meta["module"].(string); name != "" && l.Module != nil {
		own, isModule = l.Module(name)
	}
	switch base := r.String("base", ""); {
	case base == "project", base == "" && !isModule:
		return l.Dir
	case base == "module" && !isModule:
		r.Reject("base", "invalid directory base: the entry belongs to no module")
	case base != "" && base != "module":
		r.Reject("base", "invalid directory base")
	}
	return own
}

// mode reads the permissions: octal text, or a number that YAML read as one.
func (l *Listener) mode(r *fields.Reader) fs.FileMode {
	bits, bad := uint64(0o755), false
	switch v := r.Any("mode").(type) {
	case nil:
	case string:
		text := strings.TrimPrefix(strings.TrimSpace(v), "0o")
		n, err := strconv.ParseUint(text, 8, 32)
		bits, bad = n, err != nil
	case int, float64:
		n := r.Int("mode", 0)
		bits, bad = uint64(n), n < 0
	default:
		bad = true
	}
	if bad || bits > 0o777 {
		r.Reject("mode", `mode must be octal permissions such as "0755"`)
		return 0
	}
	if bits&0o444 == 0o444 && bits&0o111 == 0 {
		bits |= 0o111 // read by everybody means the directory, too
	}
	return fs.FileMode(bits)
}
