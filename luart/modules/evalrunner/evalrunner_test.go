// SPDX-License-Identifier: Apache-2.0

package evalrunner_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/evalrunner"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/scheduler/dispatch"
)

// Acceptance fact 44.
func TestFact44Run(t *testing.T) {
	newSystem(t, evalrunner.Config{}).check(t, `
		local v, err = runner.run{source = "return {f=function(x) return x*2 end}", method = "f", args = {21}}
		eq(v, 42) eq(err, nil)
		fails("Invalid", "source is required", runner.run{})
		fails("Internal", "compile failed: parse error: ", runner.run{source = "return return"})`)
}

// Acceptance fact 45.
func TestFact45ForbiddenClasses(t *testing.T) {
	newSystem(t, evalrunner.Config{}).check(t, `
		local source = 'return require("http_client").get("x")'
		fails("Internal", 'compile failed: module "http_client" has forbidden class "network"', runner.run{source = source, modules = {"http_client"}})
		eq(runner.run{source = source, modules = {"http_client"}, allow_classes = {"network"}}, "got x")`)
}

// Acceptance fact 46.
func TestFact46ImportsAndContext(t *testing.T) {
	newSystem(t, evalrunner.Config{}).check(t, `
		eq(runner.run{source = 'return m.twice(4) + require("m").twice(1)', imports = {m = "lib:math"}}, 10)
		eq(runner.run{source = 'return m.four(4)', imports = {m = "lib:uses"}}, 16)
		fails("Internal", 'failed to create process: failed to import "m" (lib:none)', runner.run{source = "return 1", imports = {m = "lib:none"}})
		eq(runner.run{source = 'return ctx.get("user")', context = {user = "A"}}, "A")`)
}

// Acceptance fact 47.
func TestFact47RequireAndCompile(t *testing.T) {
	newSystem(t, evalrunner.Config{}).check(t, `
		fails("Internal", "run failed: eval:1: module 'process' not found", runner.run{source = 'return require("process")'})
		local p = assert(runner.compile('return {m = function() end}', "m", {modules = {"json"}}))
		eq(p:modules()[1], "json") eq(#p:modules(), 1) eq(p:method(), "m")
		eq(assert(runner.compile("")):method(), "")`)
}

// Acceptance fact 48.
func TestFact48Results(t *testing.T) {
	newSystem(t, evalrunner.Config{}).check(t, `
		fails("Internal", "process completed with no result", runner.run{source = "local x = 1"})
		fails("Internal", "process completed with no result", runner.run{source = "return {f = function() end}", method = "f"})
		fails("Internal", "run failed: x", runner.run{source = 'return nil, errors.new("x")'})
		local v, err = runner.run{source = "return nil"}
		eq(v, nil) eq(err, nil)
		eq(select("#", runner.run{source = "return nil"}), 2)`)
}

// Acceptance fact 49.
func TestFact49Permissions(t *testing.T) {
	var asked []string
	denied := ""
	s := newSystem(t, evalrunner.Config{Allowed: func(_ *engine.Process, action, resource string, meta map[string]any) bool {
		asked = append(asked, strings.TrimSpace(fmt.Sprint(action, " ", resource, " ", meta["entry_id"], " ", meta["alias"])))
		return action != denied
	}})
	const all = `{source = "return 1", modules = {"json", "http_client"}, imports = {b = {id = "lib:http", modules = {"http_client"}}, a = "lib:math"}, allow_classes = {"network"}}`
	for _, c := range []struct{ action, want, call, asked string }{
		{"eval.run", "permission denied: eval.run", `runner.run{source = "error('it runs')"}`, "eval.run  <nil> <nil>"},
		{"eval.compile", "permission denied: eval.compile", `runner.compile("return return")`, "eval.compile  <nil> <nil>"},
		{"eval.module", "permission denied: eval.module json", `runner.run` + all, "eval.run  <nil> <nil>|eval.module json app:test <nil>"},
		{"eval.import", "permission denied: eval.import lib:math", `runner.run` + all, "eval.run  <nil> <nil>|eval.module json app:test <nil>|eval.module http_client app:test <nil>|eval.module http_client app:test <nil>|eval.import lib:math app:test a"},
		{"eval.class", "permission denied: eval.class network", `runner.run` + all, "eval.run  <nil> <nil>|eval.module json app:test <nil>|eval.module http_client app:test <nil>|eval.module http_client app:test <nil>|eval.import lib:math app:test a|eval.import lib:http app:test b|eval.class network app:test <nil>"},
		{"eval.import", "permission denied: eval.import lib:math", `runner.compile("return 1", "", {imports = {a = "lib:math"}})`, "eval.compile  <nil> <nil>|eval.import lib:math app:test a"},
	} {
		t.Run(c.action, func(t *testing.T) {
			asked, denied = nil, c.action
			s.check(t, `fails("PermissionDenied", "`+c.want+`", `+c.call+`)`)
			if got := strings.Join(asked, "|"); got != c.asked {
				t.Errorf("asked %s", got)
			}
		})
	}
	denied = ""
	s.check(t, `eq(runner.run`+all+`, 1)`)
	asked, denied = nil, "eval.module"
	s.check(t, `eq(runner.run{source = "return 1"}, 1)`) // the default modules are not checked
}

func TestEvaluations(t *testing.T) {
	s := newSystem(t, evalrunner.Config{})
	for name, body := range map[string]string{
		"the chunk is the program":        `eq(runner.run{source = "local a, b = ... return a .. b .. select('#', ...)", args = {"x", "y"}}, "xy2")`,
		"it may wait":                     `eq(runner.run{source = "return time.sleep(5)"}, 5)`,
		"a method may wait":               `eq(runner.run{source = "return {f = function(x) return time.sleep(x) end}", method = "f", args = {6}}, 6)`,
		"the chunk of a method may not":   `fails("Internal", "attempt to yield while the program is loaded", runner.run{source = "time.sleep(1) return {f = print}", method = "f"})`,
		"the chunk may be the method":     `eq(runner.run{source = "return function(x) return x end", method = "f", args = {7}}, 7)`,
		"a comment at the end":            `eq(runner.run{source = "return 1 -- one"}, 1)`,
		"an early end is no way out":      `fails("Internal", "parse error", runner.run{source = "end return function() return 1"})`,
		"lines are counted from 1":        `fails("Internal", "run failed: eval:2: boom", runner.run{source = "local x\nerror('boom')"})`,
		"lines of a method":               `fails("Internal", "run failed: eval:1: boom", runner.run{source = "return {f = function() error('boom') end}", method = "f"})`,
		"a chunk that fails":              `fails("Internal", "run failed: eval:1: boom", runner.run{source = "error('boom')", method = "f"})`,
		"no such method":                  `fails("Internal", 'run failed: method "g" not found in module', runner.run{source = "return {f = print}", method = "g"})`,
		"no methods at all":               `fails("Internal", 'run failed: method "g" not found in module', runner.run{source = "return 5", method = "g"})`,
		"a table that is returned":        `local t = runner.run{source = "return {a = {1, 2}}"} eq(t.a[2], 2)`,
		"functions do not come out":       `local t = runner.run{source = "return {f = print, x = 1}"} eq(t.f, nil) eq(t.x, 1)`,
		"arguments are copies":            `local t = {n = 1} eq(runner.run{source = "local t = ... t.n = 2 return t.n", args = {t}}, 2) eq(t.n, 1)`,
		"functions do not go in":          `eq(runner.run{source = "return type((...))", args = {print}}, "nil")`,
		"a hole in the arguments":         `eq(runner.run{source = "return select('#', ...)", args = {[3] = 1}}, 3)`,
		"details of an error":             `local v, err = runner.run{source = 'return nil, errors.new{message = "m", kind = "Invalid", details = {n = 1}}'} eq(err:kind(), "Internal") eq(err:message(), "run failed: m") eq(err:details().n, 1)`,
		"a text as second result":         `fails("Internal", "run failed: no", runner.run{source = 'return nil, "no"'})`,
		"only the first result":           `eq(select("#", runner.run{source = "return 1, 2, 3"}), 2) eq((runner.run{source = "return 1, 2, 3"}), 1)`,
		"the state is fresh":              `runner.run{source = "x = 1 return 1"} eq(runner.run{source = "return type(x)"}, "nil")`,
		"custom modules":                  `eq(runner.run{source = 'return config.name .. require("config").list[2]', custom_modules = {config = {name = "n", list = {1, 2}}}}, "n2")`,
		"custom modules are copies":       `local c = {n = 1} eq(runner.run{source = "c.n = 2 return c.n", custom_modules = {c = c}}, 2) eq(c.n, 1)`,
		"custom modules hold data":        `eq(runner.run{source = "return type(c.f)", custom_modules = {c = {f = print}}}, "string")`,
		"custom modules in libraries":     `eq(runner.run{source = "return 1", custom_modules = {c = {}}, imports = {m = "lib:math"}}, 1)`,
		"context values":                  `eq(runner.run{source = 'return ctx.get("list")[2] .. tostring(ctx.get("none"))', context = {list = {"a", "b"}}}, "bnil")`,
		"listed modules only":             `eq(runner.run{source = 'return type(json) .. type(time)', modules = {"json"}}, "tablenil")`,
		"an empty list of modules":        `eq(runner.run{source = 'return type(json) .. type(time) .. type(http_client)', modules = {}}, "tabletablenil")`,
		"allowed classes by default":      `eq(runner.run{source = 'return type(http_client) .. type(process) .. type(channel)', allow_classes = {"network"}}, "tablenilnil")`,
		"the class process":               `eq(runner.run{source = 'local ch = channel.new(1) ch:send(1) return process.pid() ~= nil and ch:receive()', allow_classes = {"process"}}, 1)`,
		"the module channel":              `eq(runner.run{source = 'return type(channel) .. type(process) .. type(subscribe)', modules = {"channel"}, allow_classes = {"process"}}, "tablenilfunction")`,
		"an unknown module":               `fails("Internal", 'compile failed: module "nope" is not available (have 15 modules: channel, coroutine, ctx, errors, eval_runner,', runner.run{source = "return 1", modules = {"nope"}})`,
		"compile refuses blocked classes": `fails("Internal", 'compile failed: module "process" has forbidden class "process"', runner.compile("return 1", nil, {modules = {"process"}}))`,
		"compile and imports":             `assert(runner.compile("return m", nil, {imports = {m = "lib:math"}})) fails("Internal", "failed to import", runner.compile("return m", nil, {imports = {m = "lib:none"}}))`,
		"a library that fails":            `fails("Internal", "failed to create process: failed to load dependency lib:fails: lib:fails:1: broken", runner.run{source = "return 1", imports = {m = "lib:fails"}})`,
		"a library that does not parse":   `fails("Internal", 'failed to create process: failed to import "m" (lib:syntax)', runner.run{source = "return 1", imports = {m = "lib:syntax"}})`,
		"libraries in a circle":           `fails("Internal", "would create a cycle", runner.run{source = "return 1", imports = {m = "lib:a"}})`,
		"one library by two names":        `eq(runner.run{source = "return m.twice(n.twice(1))", imports = {m = "lib:math", n = "lib:math"}}, 4)`,
		"a name for two things":           `fails("Internal", "failed to create process: alias 'json'", runner.run{source = "return 1", imports = {json = "lib:math"}})`,
		"an evaluation in an evaluation": `eq(runner.run{source = 'return require("eval_runner").run{source = "return 6 * 7"}', modules = {"eval_runner"}, allow_classes = {"process"}}, 42)
			local v, err = runner.run{source = 'return (select(2, eval_runner.run{source = "return process"}))', allow_classes = {"process"}} eq(v, nil)`,
		"coroutines": `eq(runner.run{source = "local n = 0 for i = 1, 10 do coroutine.spawn(function() time.sleep(1) n = n + i end) end for i = 1, 10 do time.sleep(1) end return n"}, 55)`,
		"a timer":    `eq(runner.run{source = "return (time.after(1):receive())"}, true)`,
		"types":      `eq(runner.run{source = "type P = {x: number} return {f = function() return P:is({x = 1}) ~= nil and P:is({}) == nil end}", method = "f"}, true)`,
		"many at once": `local done, n = channel.new(), 0
			for i = 1, 20 do coroutine.spawn(function() done:send((runner.run{source = "time.sleep(1) return ...", args = {i}})) end) end
			for i = 1, 20 do n = n + done:receive() end
			eq(n, 210)`,
		"an end by its own pcall": `eq(runner.run{source = "local ok, err = pcall(error, 'x') return err"}, "x")`,
	} {
		t.Run(name, func(t *testing.T) { s.check(t, body) })
	}
}

func TestWrongConfigurations(t *testing.T) {
	s := newSystem(t, evalrunner.Config{})
	for config, want := range map[string]string{
		`{source = 5}`:                                                   "source is required",
		`{source = ""}`:                                                  "source is required",
		`{source = "x", method = 5}`:                                     "method must be a string",
		`{source = "x", args = 5}`:                                       "args must be an array",
		`{source = "x", args = {[1e9] = 1}}`:                             "args: list has more than",
		`{source = "x", modules = "json"}`:                               "modules must be an array of strings",
		`{source = "x", modules = {1}}`:                                  "modules must be an array of strings",
		`{source = "x", allow_classes = {1}}`:                            "allow_classes must be an array of strings",
		`{source = "x", imports = 5}`:                                    "imports must be a table",
		`{source = "x", imports = {"lib:math"}}`:                         "imports must have names as keys",
		`{source = "x", imports = {m = 5}}`:                              "imports.m must be an entry id or a table",
		`{source = "x", imports = {m = {}}}`:                             "imports.m.id must be a string",
		`{source = "x", imports = {m = {id = "lib:math", modules = 1}}}`: "modules must be an array of strings",
		`{source = "x", context = {1}}`:                                  "context must have names as keys",
		`{source = "x", custom_modules = {c = 1}}`:                       "custom_modules.c must be a table",
		`{source = "x", custom_modules = {c = cycle}}`:                   "table contains itself",
	} {
		t.Run(config, func(t *testing.T) {
			s.check(t, `local cycle = {} cycle.c = cycle fails("Invalid", "`+want+`", runner.run`+config+`)`)
		})
	}
	s.check(t, `assert(not pcall(runner, "json", 1)) assert(not pcall(runner.run, 5) and not pcall(runner.compile) and not pcall(runner.compile, {}))`)
}

// TestNothingElseIsReachable compares what source without modules finds with the list of what it may.
func TestNothingElseIsReachable(t *testing.T) {
	s := newSystem(t, evalrunner.Config{})
	got := s.check(t, `
		local names = runner.run{modules = {"json"}, source = [[
			local all = {}
			for k in pairs(_G) do all[#all + 1] = k end
			table.sort(all)
			return table.concat(all, " ")]]}
		return names`).String()
	const want = "_VERSION any assert boolean coroutine error errors getmetatable integer ipairs json math never next number os package pairs payload pcall print rawequal rawget rawset require select setmetatable string table tonumber tostring type unknown unpack xpcall"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	for _, name := range []string{"process", "channel", "subscribe", "unsubscribe", "http_client", "eval_runner", `\0capture`, `\0chunkx`} {
		s.check(t, `
			local source = [[
				local name = "`+name+`"
				local seen = {}
				package.seeall(seen)
				setmetatable(_G, getmetatable(_G))
				local found = _G[name] or rawget(_G, name) or seen[name] or select(2, pcall(require, name))
				return tostring(found)]]
			eq(string.find(runner.run{modules = {"json"}, source = source}, "not found", 1, true) ~= nil, true)`)
	}
	// What the sandbox adds of its own is of no use.
	s.check(t, `eq(runner.run{source = [[
		local ok, err = pcall(require("\0grant"), "m", "http_client")
		local none = require("\0custom")("c")
		return tostring(ok) .. tostring(none)]]}, "falsenil")`)
}

func TestPrivilegedImports(t *testing.T) {
	s := newSystem(t, evalrunner.Config{})
	for name, body := range map[string]string{
		"the library has the module":    `eq(runner.run{source = 'return h.get("x")', imports = {h = {id = "lib:http", modules = {"http_client"}}}}, "got xgot ")`,
		"the source has it not":         `eq(runner.run{source = 'return type(http_client) .. tostring(pcall(require, "http_client")) .. tostring(h.client())', imports = {h = {id = "lib:http", modules = {"http_client"}}}}, "nilfalsenil")`,
		"it cannot be taken again":      `eq(runner.run{source = [[return tostring(h.apply(pcall, require("\0grant"), "h", "http_client"))]], imports = {h = {id = "lib:http", modules = {"http_client"}}}}, "false")`,
		"by two names":                  `eq(runner.run{source = 'return h.get("") .. g.get("")', imports = {h = {id = "lib:http", modules = {"http_client"}}, g = {id = "lib:http", modules = {"http_client"}}}}, "got got got got ")`,
		"another library has it not":    `eq(runner.run{source = 'return tostring(o.global) .. tostring(o.found)', imports = {h = {id = "lib:http", modules = {"http_client"}}, o = "lib:outside"}}, "nilfalse")`,
		"without the module it fails":   `fails("Internal", "module 'http_client' not found", runner.run{source = 'return 1', imports = {h = "lib:http"}})`,
		"an unknown module":             `fails("Internal", 'module "nope" is not available', runner.run{source = 'return 1', imports = {h = {id = "lib:http", modules = {"nope"}}}})`,
		"no list is no privilege":       `fails("Internal", "module 'http_client' not found", runner.run{source = 'return 1', imports = {h = {id = "lib:http"}}})`,
		"lines of a privileged library": `fails("Internal", "lib:fails:1: broken", runner.run{source = 'return 1', imports = {h = {id = "lib:fails", modules = {"http_client"}}}})`,
	} {
		t.Run(name, func(t *testing.T) { s.check(t, body) })
	}
}

func TestIdleEvaluations(t *testing.T) {
	s := newSystem(t, evalrunner.Config{})
	s.check(t, `
		local source = "local ch = channel.new() return (ch:receive())"
		fails("Internal", "process became idle", runner.run{source = source, allow_classes = {"process"}})
		fails("Internal", "process became idle", runner.run{source = "time.sleep(1) " .. source, allow_classes = {"process"}})`)
}

func TestStepLimit(t *testing.T) {
	s := newSystem(t, evalrunner.Config{})
	s.check(t, `
		fails("Internal", "eval exceeded maximum step limit", runner.run{source = "while true do time.sleep(0) end"})
		eq(runner.run{source = "for i = 1, 9990 do time.sleep(0) end return 1"}, 1)
		eq(runner.run{source = "local n = 0 for i = 1, 1000000 do n = n + 1 end return n"}, 1000000)`)
}

func TestTheCallerEndsItsEvaluation(t *testing.T) {
	for name, source := range map[string]string{
		"that waits": `time.never()`, "that loops": `time.sleep(1) while true do end`, "whose chunk loops": `while true do end`,
		"that catches": `while true do pcall(function() while true do end end) end`,
	} {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t, evalrunner.Config{})
			ref := s.submit(t, `coroutine.spawn(function() runner.run{source = "`+source+`"} end) time.never()`)
			<-s.held
			if name == "that waits" {
				<-s.held
			}
			if err := ref.Terminate(); err != nil {
				t.Fatal(err)
			}
			if _, err := ref.Wait(t.Context()); err != scheduler.ErrTerminated {
				t.Error(err)
			}
			// Stop waits for all processes: it returns when the evaluation has ended, too.
			if err := s.scheduler.Stop(t.Context()); err != nil {
				t.Error(err)
			}
			if s.released.Load() != 1 {
				t.Errorf("released %d times", s.released.Load())
			}
		})
	}
}

func TestSettingsAreReleased(t *testing.T) {
	s := newSystem(t, evalrunner.Config{})
	s.check(t, `
		runner.run{source = "return 1"}
		runner.run{source = "error('x')"}
		runner.run{source = "error('x')", method = "f"}
		runner.run{source = "return return"}`)
	if s.released.Load() != 3 {
		t.Errorf("released %d times", s.released.Load())
	}
}

func TestCommandsMayBeRefused(t *testing.T) {
	s := newSystem(t, evalrunner.Config{Yields: func(modules []string, cmd dispatch.Command) bool {
		_, ok := cmd.(echo)
		return ok && len(modules) == 1
	}})
	s.check(t, `
		eq(runner.run{source = "return time.sleep(4)", modules = {"time"}}, 4)
		eq(runner.run{source = "local v, err = time.never() return err:message()", modules = {"time"}}, "yield command is not allowed in eval context")
		eq(runner.run{source = "local v, err = time.sleep(4) return err:message()", modules = {"time", "json"}}, "yield command is not allowed in eval context")`)
}

func TestCompiledSourcesAreKept(t *testing.T) {
	for name, config := range map[string]evalrunner.Config{
		"few": {CacheSize: 2}, "none": {CacheSize: -1}, "short": {CacheTTL: time.Nanosecond}, "standard": {},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSystem(t, config)
			s.check(t, `
				for i = 1, 5 do
					for n = 1, 4 do
						eq(runner.run{source = "x = (x or 0) + 1 return x + ...", args = {n}}, n + 1)
						eq(runner.run{source = "return {f = function() return " .. n .. " end}", method = "f"}, n)
						eq(runner.run{source = "return type(json)", modules = {n % 2 == 0 and "json" or "time"}}, n % 2 == 0 and "table" or "nil")
					end
				end
				-- The same source is another program with a method, and with other modules.
				eq(type(runner.run{source = "return {f = function() return 1 end}"}), "table")
				fails("Internal", "forbidden class", runner.run{source = "return http_client.get('')", modules = {"http_client"}})`)
		})
	}
}

type tenantKey struct{}

func TestHostDecidesHowAnEvaluationRuns(t *testing.T) {
	var printed []string
	submitted := 0
	s := newSystem(t, evalrunner.Config{
		Prepare: func(*engine.Process, map[string]any) (evalrunner.Setting, error) {
			return evalrunner.Setting{Context: context.WithValue(context.Background(), tenantKey{}, "acme")}, nil
		},
		Submit: func(ctx context.Context, p scheduler.Process, done func(result any, err error)) (func(), error) {
			submitted++
			if ctx.Value(tenantKey{}) != "acme" {
				t.Error("the context has no values of the setting")
			}
			ref, err := scheduler.RefFrom(ctx).Scheduler().Submit(ctx, p, scheduler.SubmitOptions{OnExit: done})
			if err != nil {
				return nil, err
			}
			return func() { _ = ref.Terminate() }, nil
		},
		Engine: []engine.Option{
			engine.WithPrinter(func(_ *engine.Process, _, text string) { printed = append(printed, text) }),
			engine.WithMaxString(10),
		},
	})
	s.check(t, `
		eq(runner.run{source = "print('hello') return 1"}, 1)
		fails("Internal", "resulting string too large", runner.run{source = "return ('x'):rep(11)"})`)
	if submitted != 2 || len(printed) != 1 || !strings.Contains(printed[0], "hello") {
		t.Errorf("submitted %d, printed %q", submitted, printed)
	}
}

func TestReachableEvaluationsMayWaitForMessages(t *testing.T) {
	started := make(chan *scheduler.Ref, 1)
	s := newSystem(t, evalrunner.Config{
		Prepare: func(*engine.Process, map[string]any) (evalrunner.Setting, error) {
			return evalrunner.Setting{Reachable: true}, nil
		},
		Submit: func(ctx context.Context, p scheduler.Process, done func(result any, err error)) (func(), error) {
			ref, err := scheduler.RefFrom(ctx).Scheduler().Submit(ctx, p, scheduler.SubmitOptions{OnExit: done})
			if err != nil {
				return nil, err
			}
			started <- ref
			return func() { _ = ref.Terminate() }, nil
		},
	})
	ref := s.submit(t, `eq(runner.run{source = 'local ch = channel.new(1) subscribe("t", ch) return (ch:receive())', modules = {"channel"}, allow_classes = {"process"}}, "news")`)
	if err := (<-started).Send(relay.NewMessage(relay.PID{}, relay.PID{}, "t", payload.New("news"))); err != nil {
		t.Error(err)
	}
	if _, err := ref.Wait(t.Context()); err != nil {
		t.Error(err)
	}
}
