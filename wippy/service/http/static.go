// SPDX-License-Identifier: Apache-2.0

package http

import (
	"net/http"
	"slices"
	"strings"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/fs"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// KindStatic is the kind of entries that serve the files of a filesystem.
const KindStatic = "http.static"

// Filesystems finds filesystems by the ids of their entries.
type Filesystems interface {
	Get(id string) (fs.FS, error)
}

// staticConfig is the decoded form of an http.static.
type staticConfig struct {
	server, path string // path without its last "/", so "" is the root
	fs           string
	spa          bool   // unknown paths are the application's, which is the index
	index        string // name of a file
	cache        string // Cache-Control
	before       []string
	options      map[string]string
}

func decodeStatic(e registry.Entry) (staticConfig, []fields.Warning, error) {
	r := fields.New(e.Data)
	r.Ignore("lifecycle")
	path := r.String("path", "")
	c := staticConfig{server: metaID(e, "server"), path: strings.TrimRight(path, "/"), fs: resolve(e, r.String("fs", ""))}
	c.before, c.options = r.Strings("middleware"), middlewareOptions(e, r, "options")
	// Older entries have the options of the mount among those of its middleware.
	older := func(name string) string {
		v := c.options[name]
		delete(c.options, name)
		return v
	}
	s := r.Sub("static_options")
	c.spa = s.Bool("spa", older("spa") == "true")
	c.index, c.cache = s.String("index", older("index")), s.String("cache", older("cache"))
	if c.server == "" {
		r.Report(&fields.Error{Path: "meta.server", Message: "server metadata is required"})
	}
	switch {
	case !strings.HasPrefix(path, "/"):
		r.Reject("path", "path must start with /")
	case strings.ContainsAny(path, "{}"):
		r.Reject("path", "path of static files has no wildcards")
	}
	if c.fs == "" {
		r.Reject("fs", "fs is required")
	}
	if c.spa && c.index == "" {
		s.Reject("index", "index file must be specified for SPA mode")
	}
	return c, r.Unknown(), r.Err()
}

// mount is one http.static.
type mount struct {
	id     string // entry id
	config staticConfig
	before chain
	files  Filesystems
	tags   tags
}

// addMount adds an http.static; mu is held.
func (l *Listener) addMount(id string, e registry.Entry) error {
	c, unknown, err := decodeStatic(e)
	if err != nil {
		return err
	}
	if l.servers[c.server] == nil {
		return fault.New(fault.NotFound, "server not found").With("server", c.server)
	}
	for other, m := range l.mounts {
		if other != id && m.config.server == c.server && m.config.path == c.path {
			return fields.At("path", fault.New(fault.AlreadyExists, "mount path already exists").With("mount", other))
		}
	}
	m := &mount{id: id, config: c, files: l.deps.Files}
	if m.files == nil {
		return fields.At("fs", fs.ErrNotFound)
	}
	if _, err := m.files.Get(c.fs); err != nil {
		return fields.At("fs", err)
	}
	if m.before, err = l.newChain(c.before, c.options); err != nil {
		return fields.At("middleware", fault.Wrap(fault.Internal, "failed to create middleware", err))
	}
	l.deps.Warn(e, unknown)
	l.mounts[id] = m
	l.changed[c.server] = true
	return nil
}

// handler is the mount behind its middleware.
func (m *mount) handler() http.Handler { return m.before.wrap(m) }

// mountsOf returns the mounts of a server by path; mu is held.
func (l *Listener) mountsOf(server string) []*mount {
	var out []*mount
	for _, m := range l.mounts {
		if m.config.server == server {
			out = append(out, m)
		}
	}
	slices.SortFunc(out, func(a, b *mount) int { return strings.Compare(a.config.path, b.config.path) })
	return out
}
