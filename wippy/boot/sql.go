// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"

	"github.com/wippyrun/kit/loader"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	luasql "github.com/wippyrun/kit/wippy/lua/sql"
	"github.com/wippyrun/kit/wippy/service/sql"
)

// databasesComponent makes databases live. Those whose services are not running close with it.
func (r *Runtime) databasesComponent() loader.Component {
	var listener *sql.Listener
	return loader.Component{
		Name:      Databases,
		DependsOn: []string{Registry, Supervisor},
		Load: func(ctx context.Context) (context.Context, error) {
			table := &sql.Table{}
			KeyDatabases.Set(r.dict, table)
			listener = sql.NewListener(sql.Deps{Databases: table, Supervisor: KeySupervisor.MustGet(r.dict), Warn: r.warnFields, Dir: r.options.Dir})
			return ctx, r.listen(listener, sql.Kinds()...)
		},
		Stop: func(ctx context.Context) error {
			if listener == nil {
				return nil
			}
			return listener.Close(ctx)
		},
	}
}

// sqlModule is the Lua module of the databases.
func (r *Runtime) sqlModule() engine.Module {
	luasql.Register(r.dispatcher())
	return luasql.Module(luasql.Deps{
		Databases: KeyDatabases.MustGet(r.dict),
		Allow:     r.allow,
		Kind: func(id string) string {
			e, _ := KeyRegistry.MustGet(r.dict).Snapshot().Get(registry.ParseID(id))
			return e.Kind
		},
	})
}
