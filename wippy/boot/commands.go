// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/loader"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	luaexec "github.com/wippyrun/kit/wippy/lua/exec"
	"github.com/wippyrun/kit/wippy/service/exec"
)

// Executors is the component that runs commands of the operating system.
const Executors = "exec"

// KeyExecutors is where the AppContext has the executors.
var KeyExecutors = appctx.NewKey[*exec.Executors]("exec")

// commandsComponent makes executors of entries. It stops when the programs that use it have ended, and
// leaves no command running.
func (r *Runtime) commandsComponent() loader.Component {
	executors := exec.New()
	return loader.Component{
		Name:      Executors,
		DependsOn: []string{Registry},
		Load: func(ctx context.Context) (context.Context, error) {
			KeyExecutors.Set(r.dict, executors)
			l := exec.NewListener(executors, r.warnFields)
			l.Dir = r.options.Dir
			return ctx, r.listen(l, exec.KindNative)
		},
		Stop: executors.Stop,
	}
}

// execModule is the Lua module exec, with its commands.
func (r *Runtime) execModule() engine.Module {
	luaexec.Register(r.dispatcher())
	reg := KeyRegistry.MustGet(r.dict)
	return luaexec.Module(luaexec.Deps{
		Executors: KeyExecutors.MustGet(r.dict),
		Allow:     r.allow,
		Kind: func(id string) string {
			e, _ := reg.Snapshot().Get(registry.ParseID(id))
			return e.Kind
		},
	})
}
