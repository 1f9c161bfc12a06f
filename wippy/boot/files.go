// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"errors"
	iofs "io/fs"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/archive"
	luafs "github.com/wippyrun/kit/wippy/lua/fs"
	lualoader "github.com/wippyrun/kit/wippy/lua/loader"
	"github.com/wippyrun/kit/wippy/lua/stream"
	"github.com/wippyrun/kit/wippy/service/fs"
)

// Filesystems is the component of files.
const Filesystems = "filesystems"

// KeyFilesystems is what it attaches.
var KeyFilesystems = appctx.NewKey[*fs.Service]("filesystems")

// loadFilesystems makes filesystem entries live.
func (r *Runtime) loadFilesystems() error {
	service := &fs.Service{}
	KeyFilesystems.Set(r.dict, service)
	l := fs.NewListener(service, r.warnFields)
	l.Dir = r.options.Dir
	modules := map[string]string{}
	// What keeps the sources from being found is told when the entries are read.
	layout, _ := locate(r.options, r.config)
	for _, s := range layout.Sources {
		if s.Module != "" {
			modules[s.Module] = s.Dir
		}
	}
	l.Module = func(name string) (string, bool) {
		dir, ok := modules[name]
		return dir, ok
	}
	l.Embedded = func(id string) (iofs.FS, bool) {
		files, ok := r.options.Files[id]
		return files, ok
	}
	return r.listen(l, fs.Kinds()...)
}

// registerFiles adds the Lua modules of files and streams.
func (r *Runtime) registerFiles(e *engine.Engine) error {
	stream.Register(r.dispatcher())
	return errors.Join(
		e.Register(luafs.Module(KeyFilesystems.MustGet(r.dict), r.allow)),
		e.Register(luafs.ArchiveModule(archive.Config{Allowed: r.allow.Allowed})),
		e.Register(lualoader.Module(KeyFilesystems.MustGet(r.dict), r.allow)),
	)
}
