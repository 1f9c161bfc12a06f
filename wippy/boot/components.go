// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/wippyrun/kit/loader"
)

// Names of the standard components, see Plan.
const (
	PIDGen     = "pidgen"
	Dispatcher = "dispatcher"
	Registry   = "registry"
	Finder     = "finder"
	Supervisor = "supervisor"
	Topology   = "topology"
	Lifecycle  = "lifecycle"
	Factory    = "factory"
	Functions  = "functions"
	Internode  = "internode"

	Profiler   = "profiler"
	Clock      = "clock"
	Env        = "env"
	Contracts  = "contracts"
	Security   = "security"
	Stores     = "stores"
	Databases  = "databases"
	SQLStores  = "stores.sql"
	Groups     = "groups"
	Control    = "control"
	Queues     = "queues"
	Processes  = "processes"
	LuaEngine  = "lua.engine"
	LuaEntries = "lua.entries"
	Templates  = "templates"
	HTTP       = "http"
	Hosts      = "process.hosts"
	Terminal   = "terminal"
	Web        = "web"
	Kinds      = "kinds" // those of the embedding program
)

// engineNeeds are the components that give the engine its Lua modules.
var engineNeeds = []string{
	Functions,
	Processes,
	Clock,
	Env,
	Finder,
	Filesystems,
	Contracts,
	Groups,
	Stores,
	Databases,
	Security,
	Executors,
	Metrics,
}

// httpNeeds are the components that requests go through.
var httpNeeds = []string{
	Functions,
	Supervisor,
	Security,
	Filesystems,
	Metrics,
	Telemetry,
}

// components is the graph of this runtime. Every component attaches what it
// offers to the AppContext in Load and takes what it needs from there.
func (r *Runtime) components() []loader.Component {
	standard := []loader.Component{
		component(PIDGen, r.loadPIDGen),
		component(Dispatcher, r.loadDispatcher, PIDGen),
		component(Registry, r.loadRegistry, Dispatcher),
		component(Finder, r.loadFinder, Registry),
		component(Supervisor, r.loadSupervisor, Registry),
		component(Topology, r.loadTopology, Supervisor),
		component(Lifecycle, r.loadLifecycle, Topology, Telemetry),
		component(Factory, r.loadFactory, Lifecycle),
		r.functionsComponent(Factory),

		r.profilerComponent(),
		component(Clock, r.loadClock, Dispatcher),
		component(Env, r.loadEnv, Registry),
		component(Security, r.loadSecurity, Stores),
		component(Stores, r.loadStores, Registry, Supervisor),
		component(Filesystems, r.loadFilesystems, Registry),
		r.databasesComponent(),
		component(SQLStores, r.loadTableStores, Databases, Stores),
		component(Processes, r.loadProcesses, Factory),
		component(Contracts, r.loadContracts, Registry),
		r.commandsComponent(),
		component(Metrics, r.loadMetrics),
		r.prometheusComponent(),
		r.telemetryComponent(),
		component(Traces, r.loadTraces, Telemetry, Functions, LuaEngine),
		component(Groups, r.loadGroups, Supervisor, Topology),
		component(LuaEngine, r.loadEngine, engineNeeds...),
		component(LuaEntries, r.loadLuaEntries, LuaEngine),
		component(Templates, r.loadTemplates, LuaEngine),
		component(Queues, r.loadQueues, LuaEngine, Supervisor),
		component(HTTP, r.loadHTTP, httpNeeds...),
		r.internodeComponent(LuaEngine),
		r.controlComponent(Functions, Supervisor),
		component(Hosts, r.loadHosts, Processes, Supervisor),
		component(Terminal, r.loadTerminal, Hosts),
		r.webComponent(LuaEngine),
	}
	if len(r.options.Kinds) > 0 {
		standard = append(standard, component(Kinds, r.loadKinds, Registry))
	}
	return append(standard, r.options.Components...)
}

// loadKinds registers the entry kinds of the embedding program.
func (r *Runtime) loadKinds() error {
	var errs []error
	for _, k := range r.options.Kinds {
		errs = append(errs, r.listen(k.Listener, k.Pattern))
	}
	return errors.Join(errs...)
}

// component is one that only loads.
func component(name string, load func() error, dependsOn ...string) loader.Component {
	return loader.Component{Name: name, DependsOn: dependsOn, Load: func(ctx context.Context) (context.Context, error) {
		return ctx, load()
	}}
}

// PlannedComponent is one line of the boot plan.
type PlannedComponent struct {
	Name      string
	DependsOn []string
}

// Plan computes the levels the standard graph loads in.
func Plan() ([][]PlannedComponent, error) {
	components := (&Runtime{}).components()
	l, err := loader.New(components...)
	if err != nil {
		return nil, err
	}
	var out [][]PlannedComponent
	for _, names := range l.Plan() {
		var level []PlannedComponent
		for _, name := range names {
			i := slices.IndexFunc(components, func(c loader.Component) bool { return c.Name == name })
			level = append(level, PlannedComponent{Name: name, DependsOn: slices.Clone(components[i].DependsOn)})
		}
		slices.SortFunc(level, func(a, b PlannedComponent) int { return strings.Compare(a.Name, b.Name) })
		out = append(out, level)
	}
	return out, nil
}
