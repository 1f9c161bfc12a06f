// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	luastore "github.com/wippyrun/kit/wippy/lua/store"
	"github.com/wippyrun/kit/wippy/service/store"
	"github.com/wippyrun/kit/wippy/service/store/sqlstore"
)

// loadStores makes key-value stores live. Kinds of other packages put theirs into the same
// table.
func (r *Runtime) loadStores() error {
	table := &store.Table{}
	KeyStores.Set(r.dict, table)
	return r.listen(store.NewListener(table, KeySupervisor.MustGet(r.dict), r.warnFields), store.Kinds()...)
}

// loadTableStores makes key-value stores in tables of databases live.
func (r *Runtime) loadTableStores() error {
	return r.listen(sqlstore.NewListener(sqlstore.Deps{
		Databases:  KeyDatabases.MustGet(r.dict),
		Stores:     KeyStores.MustGet(r.dict),
		Supervisor: KeySupervisor.MustGet(r.dict),
		Transcoder: KeyTranscoder.MustGet(r.dict),
		Log:        r.log.With("logger", "store"),
		Warn:       r.warnFields,
	}), sqlstore.Kind)
}

// storeModule is the Lua module of the stores.
func (r *Runtime) storeModule() engine.Module {
	luastore.Register(r.dispatcher())
	return luastore.Module(luastore.Deps{
		Stores: KeyStores.MustGet(r.dict),
		Allow:  r.allow,
		Kind: func(id string) string {
			e, _ := KeyRegistry.MustGet(r.dict).Snapshot().Get(registry.ParseID(id))
			return e.Kind
		},
	})
}
