// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/system/pidgen"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// busPublisher lets components publish without knowing the bus.
type busPublisher struct{ bus *eventbus.Bus }

// Publish sends one event and never waits.
func (p busPublisher) Publish(system, kind, path string, data any) {
	p.bus.Publish(eventbus.Event{System: system, Kind: kind, Path: path, Data: data})
}

func (r *Runtime) loadPIDGen() error {
	KeyPIDs.Set(r.dict, pidgen.New(KeyNode.MustGet(r.dict).Name()))
	return nil
}

func (r *Runtime) loadDispatcher() error {
	KeyDispatcher.Set(r.dict, dispatch.NewRegistry())
	return nil
}

func (r *Runtime) loadRegistry() error {
	history, err := openHistory(r.ctx, r.options, r.config, r.log)
	if err != nil {
		return err
	}
	options := []registry.Option{
		registry.WithHistory(history),
		registry.WithPublisher(busPublisher{r.bus}),
		registry.WithLogger(r.log.With("logger", "registry")),
		registry.WithTimeout(r.config.Duration("registry", "event_wait_timeout", 30*time.Second)),
		registry.WithQueryCache(r.config.Int("finder", "query_cache_size", 1000), r.config.Int("finder", "regex_cache_size", 100)),
	}
	if r.options.Lenient {
		options = append(options, registry.WithCyclesAllowed())
	}
	if kinds := r.config.Strings("registry", "dispatch_internal_kinds"); len(kinds) > 0 {
		options = append(options, registry.WithInternalKinds(kinds...))
	}
	reg, err := registry.New(options...)
	if err != nil {
		return err
	}
	KeyRegistry.Set(r.dict, reg)
	return errors.Join(r.announce(reg), r.loadDangling(reg))
}

// loadFinder makes entries searchable. The finder lives in the registry, beside
// the indexes it uses; this component is where the rest of the system waits for
// it.
func (r *Runtime) loadFinder() error {
	KeyFinder.Set(r.dict, KeyRegistry.MustGet(r.dict))
	return nil
}

func (r *Runtime) loadSupervisor() error {
	reg := KeyRegistry.MustGet(r.dict)
	s := supervisor.New(
		supervisor.WithContext(r.ctx),
		supervisor.WithPublisher(busPublisher{r.bus}),
		supervisor.WithLogger(r.log.With("logger", "supervisor")),
		supervisor.WithAdvice(func(err error) (at, hint string) {
			if r.registry == nil {
				return "", "" // nothing is loaded yet
			}
			return r.advise(err)
		}),
		supervisor.WithPlaces(func(id string) string {
			e, _ := reg.Get(registry.ParseID(id))
			return e.Position("")
		}),
		supervisor.WithServiceContext(r.serviceContext),
		supervisor.WithReferences(func(id string) []string {
			ids := reg.Dependencies(registry.ParseID(id))
			out := make([]string, len(ids))
			for i, dep := range ids {
				out[i] = dep.String()
			}
			return out
		}),
	)
	KeySupervisor.Set(r.dict, s)
	return reg.Listen("supervisor.transaction", participant{s, r.log.With("logger", "supervisor")})
}

// participant puts the supervisor into every registry transaction: it handles no
// entries itself, but services that listeners register count from the commit on.
type participant struct {
	*supervisor.Supervisor
	log *slog.Logger
}

// Commit votes for the transaction; nothing happens yet, because it may still
// fail.
func (p participant) Commit(context.Context) error { return nil }

// Committed starts and stops services.
func (p participant) Committed(ctx context.Context) {
	if err := p.Supervisor.Commit(ctx); err != nil {
		p.log.Error("services are not started", "error", err)
	}
}

// Create is never called: there are no entries of that kind.
func (participant) Create(context.Context, registry.Entry) error { return nil }

// Update is never called.
func (participant) Update(_ context.Context, _, _ registry.Entry) error { return nil }

// Delete is never called.
func (participant) Delete(context.Context, registry.Entry) error { return nil }
