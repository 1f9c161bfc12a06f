// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"errors"
	"math"
	"runtime/debug"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/all"
	"github.com/wippyrun/kit/luart/modules/payload"
	"github.com/wippyrun/kit/luart/modules/templates"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/lua/access"
	luacontract "github.com/wippyrun/kit/wippy/lua/contract"
	luactx "github.com/wippyrun/kit/wippy/lua/ctx"
	luaenv "github.com/wippyrun/kit/wippy/lua/env"
	luaevents "github.com/wippyrun/kit/wippy/lua/events"
	luafuncs "github.com/wippyrun/kit/wippy/lua/funcs"
	luahttp "github.com/wippyrun/kit/wippy/lua/http"
	luaio "github.com/wippyrun/kit/wippy/lua/io"
	lualogger "github.com/wippyrun/kit/wippy/lua/logger"
	luametrics "github.com/wippyrun/kit/wippy/lua/metrics"
	luapg "github.com/wippyrun/kit/wippy/lua/pg"
	luaprocess "github.com/wippyrun/kit/wippy/lua/process"
	luaregistry "github.com/wippyrun/kit/wippy/lua/registry"
	luatime "github.com/wippyrun/kit/wippy/lua/time"
	luatty "github.com/wippyrun/kit/wippy/lua/tty"
	"github.com/wippyrun/kit/wippy/service/env"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/service/lua"
)

// warnFields reports the fields of an entry that its kind does not know. One that
// resembles a field of the kind is a mistake; any other may be the application's
// own and is only logged.
func (r *Runtime) warnFields(e registry.Entry, unknown []fields.Warning) {
	for _, w := range unknown {
		args := []any{"entry", e.ID.String(), "kind", e.Kind, "field", w.Path, "at", e.Position(w.Path)}
		if w.Hint == "" {
			r.log.Warn("unknown field", args...)
		} else {
			r.mistakes.Warn("unknown field", append(args, "hint", w.Hint)...)
		}
	}
}

// listen registers one listener for each of the kinds it handles. It gets entries with
// their placeholders replaced.
func (r *Runtime) listen(l registry.Listener, kinds ...string) error {
	r.checkWith(l, kinds...)
	return r.listenAsIs(r.expand(l), kinds...)
}

// checkWith lets a listener that can judge an entry by itself do so for wippy lint.
func (r *Runtime) checkWith(l registry.Listener, kinds ...string) {
	if c, ok := l.(fields.Checker); ok {
		for _, kind := range kinds {
			r.checkers.Store(kind, c)
		}
	}
}

// listenAsIs registers a listener that gets entries as they are written.
func (r *Runtime) listenAsIs(l registry.Listener, kinds ...string) error {
	var errs []error
	for _, kind := range kinds {
		errs = append(errs, KeyRegistry.MustGet(r.dict).Listen(kind, l))
	}
	return errors.Join(errs...)
}

func (r *Runtime) loadEnv() error {
	service := env.New()
	KeyEnv.Set(r.dict, service)
	l := env.NewListener(service, r.warnFields)
	l.Dir = r.options.Dir
	return r.listenAsIs(l, env.Kinds()...)
}

// processMemory is what one Lua process may keep alive: as much as the whole program
// should use, no bound when that has none.
func processMemory() uint64 {
	if limit := debug.SetMemoryLimit(-1); limit != math.MaxInt64 {
		return uint64(limit)
	}
	return 0
}

// loadEngine makes the Lua engine with all modules of this runtime.
func (r *Runtime) loadEngine() error {
	var (
		manager   = KeyProcesses.MustGet(r.dict)
		functions = KeyFunctions.MustGet(r.dict)
		dispatch  = r.dispatcher()
	)
	e := engine.New(
		engine.WithTranscoder(KeyTranscoder.MustGet(r.dict)),
		engine.WithMaxProcess(processMemory()),
		engine.WithPrinter(func(p *engine.Process, location, text string) {
			r.log.Info(text, "pid", p.PID().String(), "location", location)
		}),
	)
	luaprocess.Register(dispatch, manager)
	luafuncs.Register(dispatch, functions)
	luaio.Register(dispatch)
	luatty.Register(dispatch)
	luaregistry.Register(dispatch, KeyRegistry.MustGet(r.dict))
	luahttp.Register(dispatch)
	payload.Register(e)
	library := templates.NewLibrary()
	KeyTemplates.Set(r.dict, library)
	evaluations := r.evaluations()
	evaluations.Register(dispatch)
	errs := []error{r.registerWeb(e), r.registerFiles(e)}
	for _, m := range append(all.Modules(nil),
		luaprocess.Module(luaprocess.Deps{Send: r.router.Send, Topology: KeyRemote.MustGet(r.dict), Manager: allProcesses{manager, KeyRemote.MustGet(r.dict)}, Factories: KeyFactories.MustGet(r.dict), Outdated: KeyOutdated.MustGet(r.dict), Allow: r.allow, Forbidden: access.Forbids(r.gate)}),
		luafuncs.Module(r.allow),
		luaevents.Module(luaevents.Deps{Bus: r.bus, Send: r.router.Send, Allow: r.allow}),
		luaregistry.Module(luaregistry.Deps{Registry: KeyRegistry.MustGet(r.dict), Allow: r.allow}),
		luatime.Module(KeyClock.MustGet(r.dict), r.router.Send),
		lualogger.Module(r.log),
		luaio.Module(),
		luatty.Module(luatty.Deps{Send: r.router.Send}),
		luactx.Module(),
		luaenv.Module(KeyEnv.MustGet(r.dict), r.allow),
		luahttp.Module(),
		r.storeModule(),
		r.sqlModule(),
		r.securityModule(),
		r.queueModule(),
		templates.Module(templateSets{library, KeyRegistry.MustGet(r.dict)}, r.allow.Allowed),
		luacontract.Module(r.contractDeps()),
		r.execModule(),
		luapg.Module(r.groupDeps()),
		r.systemModule(),
		luametrics.Module(KeyMetrics.MustGet(r.dict)),
		evaluations.Module(),
	) {
		errs = append(errs, e.Register(m))
	}
	for _, m := range r.options.Modules {
		errs = append(errs, e.Register(m))
	}
	e.Seal()
	KeyEngine.Set(r.dict, e)
	return errors.Join(errs...)
}

// loadLuaEntries makes Lua entries live.
func (r *Runtime) loadLuaEntries() error {
	runner := &lua.Runner{
		Engine:    KeyEngine.MustGet(r.dict),
		Scheduler: KeyCalls.MustGet(r.dict),
		Topology:  KeyTopology.MustGet(r.dict),
		Node:      KeyNode.MustGet(r.dict),
		PIDs:      KeyPIDs.MustGet(r.dict),
		Processes: KeyProcesses.MustGet(r.dict),
		Context:   r.ctx,
		Log:       r.log.With("logger", "lua"),
		OnControl: luaprocess.Control,
	}
	return r.listen(lua.NewListener(lua.Deps{
		Engine:    runner.Engine,
		Factories: KeyFactories.MustGet(r.dict),
		Functions: KeyFunctions.MustGet(r.dict),
		Runner:    runner,
		Outdated:  KeyOutdated.MustGet(r.dict).Changed,
		Warn:      r.warnFields,
	}), lua.Kinds()...)
}

// hostRuntime is what hosts see of the system.
func (r *Runtime) hostRuntime() host.Runtime {
	return host.Runtime{
		Node:      KeyNode.MustGet(r.dict),
		Dispatch:  r.dispatcher(),
		Factories: KeyFactories.MustGet(r.dict),
		Lifecycle: KeyLifecycle.MustGet(r.dict),
		Context:   r.ctx,
		Log:       r.log.With("logger", "process"),
		Advise:    r.advise,
	}
}

func (r *Runtime) loadHosts() error {
	supervisor := KeySupervisor.MustGet(r.dict)
	return errors.Join(
		r.listen(host.NewHostListener(r.hostRuntime(), supervisor, r.warnFields), host.KindHost),
		r.listen(host.NewServiceListener(KeyProcesses.MustGet(r.dict), r.router.Send, supervisor, r.warnFields), host.KindService),
	)
}
