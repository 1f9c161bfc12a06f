// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"slices"

	luavalue "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/loader"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/system/clock"
	"github.com/wippyrun/kit/wippy/system/factory"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/lifecycle"
	"github.com/wippyrun/kit/wippy/system/outdated"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/proctable"
	"github.com/wippyrun/kit/wippy/system/remote"
	"github.com/wippyrun/kit/wippy/system/topology"
)

func (r *Runtime) loadTopology() error {
	topo := topology.New(r.router.Send)
	KeyTopology.Set(r.dict, topo)
	KeyRemote.Set(r.dict, remote.New(topo, KeyNode.MustGet(r.dict), KeyTranscoder.MustGet(r.dict), r.terminate, r.log.With("logger", "internode")))
	return nil
}

func (r *Runtime) loadLifecycle() error {
	KeyLifecycle.Set(r.dict, lifecycle.New(KeyTopology.MustGet(r.dict), busPublisher{r.bus}, r.lifecycleOptions()...))
	return nil
}

func (r *Runtime) loadFactory() error {
	KeyFactories.Set(r.dict, factory.New())
	KeyOutdated.Set(r.dict, outdated.New(r.router.Send))
	return nil
}

// functionsComponent also owns the scheduler that function calls run on.
func (r *Runtime) functionsComponent(dependsOn ...string) loader.Component {
	var pool *scheduler.Scheduler
	return loader.Component{
		Name:      Functions,
		DependsOn: dependsOn,
		Load: func(ctx context.Context) (context.Context, error) {
			var err error
			pool, err = scheduler.New(scheduler.Config{
				Dispatch:   r.dispatcher(),
				Lifecycle:  proctable.Lifecycle{},
				OnStopping: proctable.Stopping,
				OnDrop:     proctable.Drop,
			})
			if err != nil {
				return ctx, err
			}
			registry := functions.New()
			KeyFunctions.Set(r.dict, registry)
			KeyCalls.Set(r.dict, pool)
			return ctx, registry.Intercept(functions.Retry(copyPayloads))
		},
		Start: func(context.Context) error { pool.Start(); return nil },
		Stop:  func(ctx context.Context) error { return pool.Stop(ctx) },
	}
}

// copyPayloads duplicates the arguments of a call.
func copyPayloads(input []payload.Payload) []payload.Payload {
	out := slices.Clone(input)
	for i := range out {
		if v, ok := out[i].Data.(luavalue.LValue); ok {
			out[i].Data = engine.Copy(v)
		}
	}
	return out
}

func (r *Runtime) loadProcesses() error {
	KeyProcesses.Set(r.dict, processes.New(KeyNode.MustGet(r.dict), KeyPIDs.MustGet(r.dict), KeyTopology.MustGet(r.dict)))
	return nil
}

// terminate ends a process of this node.
func (r *Runtime) terminate(p relay.PID) error { return KeyProcesses.MustGet(r.dict).Terminate(p) }

// allProcesses is the manager of this node's processes, which ends those of others, too.
type allProcesses struct {
	*processes.Manager
	remote *remote.Remote
}

// Terminate ends a process of any node.
func (a allProcesses) Terminate(p relay.PID) error { return a.remote.Terminate(p) }

func (r *Runtime) loadClock() error {
	c := clock.New()
	c.Register(r.dispatcher())
	KeyClock.Set(r.dict, c)
	return nil
}
