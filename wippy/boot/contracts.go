// SPDX-License-Identifier: Apache-2.0

package boot

import (
	luacontract "github.com/wippyrun/kit/wippy/lua/contract"
	"github.com/wippyrun/kit/wippy/service/contract"
	"github.com/wippyrun/kit/wippy/system/contracts"
)

// loadContracts makes the catalog of contracts, filled by entries.
func (r *Runtime) loadContracts() error {
	catalog := contracts.New()
	KeyContracts.Set(r.dict, catalog)
	return r.listen(contract.NewListener(catalog, r.warnFields), contract.Kinds()...)
}

func (r *Runtime) contractDeps() luacontract.Deps {
	return luacontract.Deps{Catalog: KeyContracts.MustGet(r.dict), Allow: r.allow}
}
