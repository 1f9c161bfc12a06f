// SPDX-License-Identifier: Apache-2.0

package system_test

import (
	"errors"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	luaprocess "github.com/wippyrun/kit/wippy/lua/process"
	luasystem "github.com/wippyrun/kit/wippy/lua/system"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/system/security"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// world is what the module sees.
type world struct {
	system *luatest.System
	peers  []luasystem.Member
	addr   string
	codes  []int
}

func (w *world) Hosts() []*host.Host { return []*host.Host{w.Host(luatest.Host)} }

func (w *world) Host(id string) *host.Host {
	h, _ := w.system.Node.Host(id)
	if h, ok := h.(*host.Host); ok {
		return h
	}
	return nil
}

func (w *world) Local() luasystem.Member    { return luasystem.Member{ID: "test", Addr: w.addr} }
func (w *world) Others() []luasystem.Member { return w.peers }
func (w *world) Alone() bool                { return len(w.peers) == 0 }

func (*world) State(id string) (supervisor.Status, error) {
	for _, s := range (&world{}).States() {
		if s.ID == id {
			return s, nil
		}
	}
	return supervisor.Status{}, supervisor.ErrNotFound
}

func (*world) States() []supervisor.Status {
	return []supervisor.Status{
		{ID: "app:a", State: supervisor.Running, Desired: supervisor.Running, RetryCount: 2, Details: "fine", StartedAt: time.Unix(1, 0), LastUpdate: time.Unix(2, 0)},
		{ID: "app:b", State: supervisor.Failed, Desired: supervisor.Running, Details: errors.New("broken"), LastUpdate: time.Unix(3, 0)},
	}
}

func start(t *testing.T, allow access.Check, change func(*world, *luasystem.Deps)) *world {
	t.Helper()
	w := &world{}
	w.system = luatest.New(t, func(s *luatest.System) {
		d := luasystem.Deps{Hosts: w, Supervisor: w, Cluster: w, Exit: func(code int) { w.codes = append(w.codes, code) }, Allow: allow}
		if change != nil {
			change(w, &d)
		}
		luaprocess.Register(s.Dispatch, s.Processes)
		s.Register(
			luaprocess.Module(luaprocess.Deps{Send: s.Router.Send, Topology: s.Topology, Manager: s.Processes, Factories: s.Factories}),
			luasystem.Module(d),
		)
	})
	return w
}

const tools = `
local function fails(kind, text, v, err)
	assert(not v, tostring(v))
	assert(err:kind() == kind and err:message() == text, err:kind() .. ": " .. err:message())
	assert(err:retryable() == false)
end
`

func TestMachine(t *testing.T) {
	limit, percent, procs := debug.SetMemoryLimit(-1), debug.SetGCPercent(100), runtime.GOMAXPROCS(0)
	t.Cleanup(func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
		runtime.GOMAXPROCS(procs)
	})
	debug.SetMemoryLimit(math.MaxInt64)
	w := start(t, nil, nil)
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	w.system.Check(t, tools+`
		local wd, name, pid, cpus = ...
		local s = assert(system.memory.stats())
		for _, key in ipairs({ "alloc", "total_alloc", "sys", "heap_alloc", "heap_sys", "heap_idle", "heap_in_use", "heap_released",
			"heap_objects", "stack_in_use", "stack_sys", "mspan_in_use", "mspan_sys", "num_gc", "next_gc" }) do
			assert(math.type(s[key]) == "integer", key)
		end
		assert(system.memory.allocated() > 0 and system.memory.heap_objects() > 0)

		assert(system.memory.get_limit() == -1)
		assert(system.memory.set_limit(2 ^ 33) == -1 and system.memory.get_limit() == 2 ^ 33)
		assert(system.memory.set_limit(-1) == 2 ^ 33 and system.memory.get_limit() == -1)
		assert(system.memory.set_limit(2 ^ 63) == -1 and system.memory.get_limit() == -1)
		fails("Invalid", "memory limit value required", system.memory.set_limit())
		fails("Invalid", "limit must be non-negative or -1", system.memory.set_limit(-5))
		fails("Invalid", "limit must be non-negative or -1", system.memory.set_limit(-0.5))
		fails("Invalid", "limit must be non-negative or -1", system.memory.set_limit(0 / 0))
		assert(not pcall(system.memory.set_limit, {}))

		local before = s.num_gc
		assert(system.gc.collect() == true and system.memory.stats().num_gc > before)
		assert(system.gc.get_percent() == 100)
		assert(system.gc.set_percent(50) == 100 and system.gc.get_percent() == 50)
		assert(system.gc.set_percent(-1) == 50 and system.gc.get_percent() == 100 and system.gc.set_percent(100) == 100)
		fails("Invalid", "percent value required", system.gc.set_percent())

		assert(system.runtime.goroutines() > 0 and system.runtime.cpu_count() == cpus)
		local n = system.runtime.max_procs()
		assert(n > 0 and system.runtime.max_procs(n) == n)
		fails("Invalid", "GOMAXPROCS value must be positive", system.runtime.max_procs(0))

		assert(system.process.pid() == pid and system.process.hostname() == name and system.process.cwd() == wd)`,
		wd, name, os.Getpid(), runtime.NumCPU())
}

func TestModulesAreListed(t *testing.T) {
	start(t, nil, nil).system.Check(t, `
		local found, os_found
		for _, m in ipairs(system.modules()) do
			assert(type(m.name) == "string" and type(m.description) == "string" and type(m.class) == "table")
			if m.name == "system" then found = m end
			if m.name == "os" then assert(table.concat(m.class, ",") == "time,workflow") os_found = true end
		end
		assert(os_found)
		assert(found.description == "what the program runs on" and table.concat(found.class, ",") == "process,nondeterministic")
		assert(not pcall(function() system.memory.x = 1 end))`)
}

func TestExit(t *testing.T) {
	w := start(t, nil, nil)
	w.system.Check(t, `assert(system.exit() == true) assert(system.exit(3) == true) assert(not pcall(system.exit, "x"))`)
	if len(w.codes) != 2 || w.codes[0] != 0 || w.codes[1] != 3 {
		t.Errorf("codes %v", w.codes)
	}
}

func TestHosts(t *testing.T) {
	w := start(t, nil, nil)
	w.system.Frame = appctx.NewFrame()
	if err := security.Enter(w.system.Frame, &security.Actor{ID: "ann"}, nil); err != nil {
		t.Fatal(err)
	}
	w.system.Define("app:child", `return { main = function() process.inbox():receive() end }`)
	w.system.Check(t, tools+`
		local child = assert(process.spawn("app:child", "`+luatest.Host+`"))
		local h = system.hosts.list()
		assert(#h == 1 and h[1].id == "`+luatest.Host+`" and h[1].workers > 0 and h[1].processes == 2)
		assert(h[1].executed >= 0 and h[1].stolen >= 0 and h[1].queue_depth >= 0)
		local seen = {}
		for _, p in ipairs(system.hosts.processes("`+luatest.Host+`")) do
			seen[p.source] = p
			assert(p.host == "`+luatest.Host+`" and p.steps >= 0 and p.started_at > 1e18)
		end
		local me, it = seen["app:test"], seen["app:child"]
		assert(me.pid == process.pid() and me.state == "running" and me.parent == nil, me.state)
		assert(it.pid == child and it.parent == process.pid())
		assert(({ ready = 1, running = 1, idle = 1, blocked = 1 })[it.state], it.state)
		fails("Invalid", "host ID required", system.hosts.processes(""))
		fails("Invalid", "host ID required", system.hosts.processes())
		assert(#system.hosts.processes("no:host") == 0)
		process.terminate(child)`)
}

func TestSupervisor(t *testing.T) {
	start(t, nil, nil).system.Check(t, tools+`
		local a = system.supervisor.state("app:a")
		assert(a.id == "app:a" and a.status == "running" and a.desired == "running" and a.retry_count == 2 and a.details == "fine")
		assert(a.started_at == 1e9 and a.last_update == 2e9)
		local all = system.supervisor.states()
		assert(#all == 2 and all[2].status == "failed" and all[2].details == "broken" and all[2].started_at == 0)
		fails("Invalid", "service ID required", system.supervisor.state(""))
		fails("Internal", "service not found", system.supervisor.state("app:none"))`)
}

func TestNodeAlone(t *testing.T) {
	start(t, nil, nil).system.Check(t, tools+`
		assert(system.node.id() == "test" and system.node.role() == "non-member")
		fails("Internal", "local node address not available", system.node.addr())
		local m = system.cluster.members()
		assert(#m == 1 and m[1].id == "test" and m[1].is_local == true and m[1].addr == nil)
		assert(system.cluster.leader() == "" and system.cluster.size() == 1)
		for _, f in ipairs({ "is_leader", "is_member", "role", "term", "commit_index", "stats" }) do
			fails("Internal", "raft not available", system.raft[f]())
		end`)
}

func TestNodeAmongOthers(t *testing.T) {
	start(t, nil, func(w *world, _ *luasystem.Deps) {
		w.addr = "10.0.0.1:7000"
		w.peers = []luasystem.Member{{ID: "c"}, {ID: "b", Addr: "10.0.0.2:7000", Meta: map[string]string{"zone": "x"}}}
	}).system.Check(t, tools+`
		assert(system.node.addr() == "10.0.0.1:7000" and system.cluster.size() == 3)
		local m = system.cluster.members()
		assert(m[1].id == "test" and m[2].id == "b" and m[3].id == "c" and m[2].is_local == false and m[2].meta.zone == "x")
		fails("Internal", "lock service not available", system.lock.acquire("x"))
		fails("Internal", "lock service not available", system.lock.release("x"))`)
}

func TestLocks(t *testing.T) {
	w := start(t, nil, nil)
	w.system.Define("app:holder", `return { main = function(parent)
		assert(system.lock.acquire("job"))
		assert(system.lock.acquire("other"))
		process.send(parent, "held")
		process.inbox():receive()
		error("ended")
	end }`)
	w.system.Check(t, tools+`
		assert(system.lock.acquire("mine") == true)
		local ok, err = system.lock.acquire("mine")
		assert(ok == false) fails("AlreadyExists", "lock held: mine", ok, err)
		assert(system.lock.release("mine") == true)
		local ok, err = system.lock.release("mine")
		assert(ok == false and err == nil)
		assert(system.lock.acquire("mine") == true, "released and taken again")

		local holder = assert(process.spawn_monitored("app:holder", "`+luatest.Host+`", process.pid()))
		process.inbox():receive()
		fails("AlreadyExists", "lock held: job", system.lock.acquire("job"))
		assert(system.lock.release("job") == false, "it is another's")
		fails("AlreadyExists", "lock held: job", system.lock.acquire("job"))
		process.send(holder, "go", 1)
		process.events():receive()
		while not system.lock.acquire("job") do coroutine.yield() end
		while not system.lock.acquire("other") do coroutine.yield() end`)
}

func TestWhatIsMissing(t *testing.T) {
	start(t, nil, func(_ *world, d *luasystem.Deps) { *d = luasystem.Deps{} }).system.Check(t, tools+`
		fails("Internal", "host inspector not available", system.hosts.list())
		fails("Internal", "host inspector not available", system.hosts.processes("x"))
		fails("Internal", "service info not available", system.supervisor.state("x"))
		fails("Internal", "service info not available", system.supervisor.states())
		fails("Internal", "relay node not available", system.node.id())
		fails("Internal", "local node address not available", system.node.addr())
		fails("Internal", "cluster membership not available", system.cluster.members())
		fails("Internal", "cluster membership not available", system.cluster.size())
		fails("Internal", "lock service not available", system.lock.acquire("x"))
		fails("Internal", "the program cannot be ended", system.exit())`)
}

func TestPermissions(t *testing.T) {
	w := start(t, func(*engine.Process, string, string, map[string]any) bool { return false }, nil)
	w.system.Check(t, tools+`
		for resource, calls in pairs({
			modules = { system.modules },
			memory = { system.memory.stats, system.memory.allocated, system.memory.heap_objects },
			memory_limit = { system.memory.get_limit },
			gc_percent = {}, goroutines = { system.runtime.goroutines }, gomaxprocs = { system.runtime.max_procs },
			cpu = { system.runtime.cpu_count }, pid = { system.process.pid }, hostname = { system.process.hostname },
			cwd = { system.process.cwd }, hosts = { system.hosts.list, system.hosts.processes },
			supervisor = { system.supervisor.state, system.supervisor.states },
			node = { system.node.id, system.node.addr, system.node.role },
			cluster = { system.cluster.members, system.cluster.leader, system.cluster.size },
			raft = { system.raft.is_leader, system.raft.is_member, system.raft.role, system.raft.term, system.raft.commit_index },
			raft_stats = { system.raft.stats },
		}) do
			for _, call in ipairs(calls) do fails("Invalid", "permission denied: system.read on " .. resource, call()) end
		end
		fails("Invalid", "permission denied: system.control on memory_limit", system.memory.set_limit(1))
		fails("Invalid", "permission denied: system.control on gomaxprocs", system.runtime.max_procs(1))
		fails("Invalid", "permission denied: system.gc on gc", system.gc.collect())
		fails("Invalid", "permission denied: system.gc on gc_percent", system.gc.set_percent(1))
		fails("Invalid", "permission denied: system.gc on gc_percent", system.gc.get_percent())
		fails("Invalid", "permission denied: system.exit", system.exit())
		fails("PermissionDenied", "permission denied: system.lock on x", system.lock.acquire("x"))
		fails("PermissionDenied", "permission denied: system.lock on x", system.lock.release("x"))`)
	if len(w.codes) > 0 {
		t.Error("the program was ended")
	}
}
