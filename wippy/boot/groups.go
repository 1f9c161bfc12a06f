// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/lua/pg"
	"github.com/wippyrun/kit/wippy/service/group"
	"github.com/wippyrun/kit/wippy/system/groups"
)

// loadGroups makes the scopes of process groups, filled by entries.
func (r *Runtime) loadGroups() error {
	scopes := &groups.Registry{}
	KeyGroups.Set(r.dict, scopes)
	return r.listen(group.NewListener(group.Deps{
		Scopes:     scopes,
		Processes:  KeyTopology.MustGet(r.dict),
		Supervisor: KeySupervisor.MustGet(r.dict),
		Warn:       r.warnFields,
	}), group.Kind)
}

func (r *Runtime) groupDeps() pg.Deps {
	entries := KeyRegistry.MustGet(r.dict)
	return pg.Deps{
		Scopes: KeyGroups.MustGet(r.dict),
		Known: func(id string) bool {
			_, err := entries.Get(registry.ParseID(id))
			return err == nil
		},
		Send:  r.router.Send,
		Allow: r.allow,
	}
}
