// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"os"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/loader"
	"github.com/wippyrun/kit/relay/internode"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/service/metrics"
	"github.com/wippyrun/kit/wippy/system/groups"
	counting "github.com/wippyrun/kit/wippy/system/metrics"
)

// The components that count, and that let others read it.
const (
	Metrics    = "metrics"
	Prometheus = "prometheus"
)

// What they attach to the AppContext.
var (
	KeyMetrics = appctx.NewKey[*counting.Metrics]("metrics")
	KeyChecks  = appctx.NewKey[*metrics.Checks]("health")
)

func (r *Runtime) loadMetrics() error {
	KeyMetrics.Set(r.dict, counting.New())
	KeyChecks.Set(r.dict, &metrics.Checks{})
	return nil
}

// callHost is the label of the scheduler that runs function calls.
const callHost = "functions"

// prometheusComponent counts what happens in the runtime, and serves it when the configuration says
// where.
func (r *Runtime) prometheusComponent() loader.Component {
	var server *metrics.Server
	return loader.Component{
		Name:      Prometheus,
		DependsOn: []string{Metrics, Functions, Supervisor},
		Load: func(ctx context.Context) (context.Context, error) {
			m := KeyMetrics.MustGet(r.dict)
			r.observe(m)
			KeyChecks.MustGet(r.dict).Add("runtime", func() error {
				if !r.ready.Load() {
					return errors.New("starting or stopping")
				}
				return nil
			})
			if !r.config.Bool("metrics", "interceptor.enabled", false) {
				return ctx, nil
			}
			functions := KeyFunctions.MustGet(r.dict)
			return ctx, functions.Intercept(metrics.Calls(m, functions.Has))
		},
		Start: func(context.Context) error {
			address := r.config.String("prometheus", "address", "")
			if !r.config.Bool("prometheus", "enabled", false) || address == "" {
				return nil
			}
			server = &metrics.Server{
				Address: address,
				Metrics: KeyMetrics.MustGet(r.dict),
				Checks:  KeyChecks.MustGet(r.dict),
				Profile: os.Getenv("WIPPY_DEBUG_PPROF") == "1",
				Log:     r.log.With("logger", "prometheus"),
			}
			return server.Start()
		},
		Stop: func(ctx context.Context) error {
			if server == nil {
				return nil
			}
			return server.Stop(ctx)
		},
	}
}

func (r *Runtime) observe(m *counting.Metrics) {
	metrics.Observe(m, metrics.Parts{
		Schedulers: func(f func(string, scheduler.Stats)) {
			f(callHost, KeyCalls.MustGet(r.dict).Stats())
			for _, h := range (inspector{r}).Hosts() {
				f(h.ID(), h.Stats())
			}
		},
		Services: KeySupervisor.MustGet(r.dict).States,
		Bus:      r.bus.Stats,
		Nodes: func() map[string]internode.Stats {
			if t := r.transport.Load(); t != nil {
				return t.Stats()
			}
			return nil
		},
		Logs: r.logs.Emitted,
		Groups: func() groups.Stats {
			if scopes, ok := KeyGroups.Get(r.dict); ok {
				return scopes.Stats()
			}
			return groups.Stats{}
		},
		Names:   KeyTopology.MustGet(r.dict).Reregistrations,
		Entries: func() int { return KeyRegistry.MustGet(r.dict).Snapshot().Len() },
	})
}
