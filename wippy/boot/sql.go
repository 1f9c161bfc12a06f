// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"

	"github.com/wippyrun/kit/loader"
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
