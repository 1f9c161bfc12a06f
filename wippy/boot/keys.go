// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"log/slog"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/templates"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/lua/httpclient"
	"github.com/wippyrun/kit/wippy/service/env"
	"github.com/wippyrun/kit/wippy/service/queue"
	tokens "github.com/wippyrun/kit/wippy/service/security"
	"github.com/wippyrun/kit/wippy/service/sql"
	"github.com/wippyrun/kit/wippy/service/store"
	"github.com/wippyrun/kit/wippy/system/clock"
	"github.com/wippyrun/kit/wippy/system/contracts"
	"github.com/wippyrun/kit/wippy/system/factory"
	"github.com/wippyrun/kit/wippy/system/functions"
	"github.com/wippyrun/kit/wippy/system/groups"
	"github.com/wippyrun/kit/wippy/system/lifecycle"
	"github.com/wippyrun/kit/wippy/system/network"
	"github.com/wippyrun/kit/wippy/system/outdated"
	"github.com/wippyrun/kit/wippy/system/pidgen"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/remote"
	"github.com/wippyrun/kit/wippy/system/security"
	"github.com/wippyrun/kit/wippy/system/supervisor"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// What components attach to the AppContext. The infrastructure of phase one is
// there before any component loads; the rest is attached by the component of
// the same name.
var (
	KeyBus        = appctx.NewKey[*eventbus.Bus]("eventbus")
	KeyTranscoder = appctx.NewKey[*payload.Transcoder]("transcoder")
	KeyLogger     = appctx.NewKey[*slog.Logger]("logger")
	KeyNode       = appctx.NewKey[*relay.Node]("relay.node")
	KeyRouter     = appctx.NewKey[*relay.Router]("relay.router")
	KeyGate       = appctx.NewKey[*security.Gate]("security.gate")
	KeyPolicies   = appctx.NewKey[*security.Directory]("security.policies")
	KeyTokens     = appctx.NewKey[*tokens.Tokens]("security.tokens")

	KeyPIDs       = appctx.NewKey[*pidgen.Generator]("pidgen")
	KeyDispatcher = appctx.NewKey[*dispatch.Registry]("dispatcher")
	KeyRegistry   = appctx.NewKey[*registry.Registry]("registry")
	KeyFinder     = appctx.NewKey[Searcher]("finder")
	KeySupervisor = appctx.NewKey[*supervisor.Supervisor]("supervisor")
	KeyTopology   = appctx.NewKey[*topology.Topology]("topology")
	KeyRemote     = appctx.NewKey[*remote.Remote]("topology.remote")
	KeyLifecycle  = appctx.NewKey[*lifecycle.Lifecycle]("lifecycle")
	KeyFactories  = appctx.NewKey[*factory.Registry]("factory")
	KeyOutdated   = appctx.NewKey[*outdated.Hub]("outdated")
	KeyFunctions  = appctx.NewKey[*functions.Registry]("functions")
	KeyCalls      = appctx.NewKey[*scheduler.Scheduler]("functions.scheduler")
	KeyProcesses  = appctx.NewKey[*processes.Manager]("processes")
	KeyClock      = appctx.NewKey[*clock.Clock]("clock")
	KeyNetworks   = appctx.NewKey[*network.Directory]("networks")
	KeyHTTPClient = appctx.NewKey[*httpclient.Client]("http.client")
	KeyEnv        = appctx.NewKey[*env.Service]("env")
	KeyStores     = appctx.NewKey[*store.Table]("stores")
	KeyQueues     = appctx.NewKey[*queue.Queues]("queues")
	KeyDatabases  = appctx.NewKey[*sql.Table]("databases")
	KeyEngine     = appctx.NewKey[*engine.Engine]("lua.engine")
	KeyTemplates  = appctx.NewKey[*templates.Library]("templates")
	KeyGroups     = appctx.NewKey[*groups.Registry]("groups")
	KeyContracts  = appctx.NewKey[*contracts.Catalog]("contracts")
)

// Searcher finds entries by query: the read-only side of the registry that most
// components need.
type Searcher interface {
	Find(query map[string]any) []registry.Entry
}
