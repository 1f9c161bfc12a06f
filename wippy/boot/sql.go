// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"

	"github.com/wippyrun/kit/loader"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	luasql "github.com/wippyrun/kit/wippy/lua/sql"
	"github.com/wippyrun/kit/wippy/service/sql"
)

// databasesComponent makes databases live. Those whose services are not running close with it.
func (r *Runtime) databasesComponent() loader.Component {
	var (
		listener *sql.Listener
		changed  = make(chan struct{}, 1) // an environment variable may have another value
		ended    = make(chan struct{})
		stop     = func() {}
	)
	return loader.Component{
		Name:      Databases,
		DependsOn: []string{Registry, Supervisor, Env},
		Load: func(ctx context.Context) (context.Context, error) {
			table := &sql.Table{}
			KeyDatabases.Set(r.dict, table)
			listener = sql.NewListener(sql.Deps{Databases: table, Supervisor: KeySupervisor.MustGet(r.dict), Warn: r.warnFields, Dir: r.options.Dir})
			signal := func() {
				select {
				case changed <- struct{}{}:
				default: // one is on its way already
				}
			}
			KeyEnv.MustGet(r.dict).Watch(signal)
			return ctx, errors.Join(
				KeyRegistry.MustGet(r.dict).Observe("env.*", func(registry.Op) { signal() }),
				r.listen(listener, sql.Kinds()...),
			)
		},
		Start: func(context.Context) error {
			ctx, cancel := context.WithCancel(r.ctx)
			stop = func() { cancel(); <-ended }
			go func() {
				defer close(ended)
				for {
					select {
					case <-changed:
						r.refreshDatabases(ctx, listener)
					case <-ctx.Done():
						return
					}
				}
			}()
			return nil
		},
		Stop: func(ctx context.Context) error {
			stop()
			if listener == nil {
				return nil
			}
			return listener.Close(ctx)
		},
	}
}

// refreshDatabases connects those databases anew whose server, file or password comes from a variable that has
// changed.
func (r *Runtime) refreshDatabases(ctx context.Context, l *sql.Listener) {
	x := &expanding{vars: r.variable}
	for _, kind := range sql.Kinds() {
		for _, e := range KeyRegistry.MustGet(r.dict).Find(map[string]any{"kind": kind}) {
			if !expandable(e.Data, "") {
				continue
			}
			e, err := x.meant(e)
			if err == nil {
				err = l.Refresh(ctx, e)
			}
			if err != nil {
				r.log.Warn("a database keeps its connections: its entry, with the variables of now, is not valid", "entry", e.ID.String(), "error", err)
			}
		}
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
