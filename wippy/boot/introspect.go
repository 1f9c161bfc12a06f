// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"github.com/wippyrun/kit/luart/engine"
	luasystem "github.com/wippyrun/kit/wippy/lua/system"
	"github.com/wippyrun/kit/wippy/service/host"
)

// systemModule is the Lua module system.
func (r *Runtime) systemModule() engine.Module {
	return luasystem.Module(luasystem.Deps{
		Hosts:      inspector{r},
		Supervisor: KeySupervisor.MustGet(r.dict),
		Cluster:    inspector{r},
		Exit:       r.chooseExit,
		Allow:      r.allow,
	})
}

// inspector shows programs the node they run on.
type inspector struct{ runtime *Runtime }

// Hosts lists the process hosts, those of terminals among them.
func (i inspector) Hosts() []*host.Host {
	var all []*host.Host
	for _, id := range KeyNode.MustGet(i.runtime.dict).Hosts() {
		if h := i.Host(id); h != nil {
			all = append(all, h)
		}
	}
	return all
}

// Host finds one, nil when id is another host or none.
func (i inspector) Host(id string) *host.Host {
	found, _ := KeyNode.MustGet(i.runtime.dict).Host(id)
	if h, ok := found.(interface{ Self() *host.Host }); ok {
		return h.Self()
	}
	return nil
}

// Local is this node.
func (i inspector) Local() luasystem.Member {
	m := luasystem.Member{ID: KeyNode.MustGet(i.runtime.dict).Name()}
	if t := i.runtime.transport.Load(); t != nil && t.Addr() != nil {
		m.Addr = t.Addr().String()
	}
	return m
}

// Others are the nodes that are connected.
func (i inspector) Others() []luasystem.Member {
	var all []luasystem.Member
	addresses := i.runtime.config.Sub("relay", "peers")
	for _, node := range KeyRemote.MustGet(i.runtime.dict).Nodes() {
		address, _ := addresses[node].(string)
		all = append(all, luasystem.Member{ID: node, Addr: address})
	}
	return all
}

// Alone tells that there is nobody to share with.
func (i inspector) Alone() bool { return i.runtime.transport.Load() == nil }
