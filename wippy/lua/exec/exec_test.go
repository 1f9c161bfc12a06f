// SPDX-License-Identifier: Apache-2.0

//go:build unix

package exec_test

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/wippy/lua/access"
	luaexec "github.com/wippyrun/kit/wippy/lua/exec"
	"github.com/wippyrun/kit/wippy/lua/funcs"
	"github.com/wippyrun/kit/wippy/lua/luatest"
	"github.com/wippyrun/kit/wippy/lua/stream"
	"github.com/wippyrun/kit/wippy/service/exec"
)

// system has one executor, app:exec, and one that allows only "echo a", app:strict.
func system(t *testing.T, allow access.Check) *luatest.System {
	t.Helper()
	all := exec.New(exec.WithLimit(30))
	t.Cleanup(func() {
		if err := all.Stop(context.Background()); err != nil {
			t.Error(err)
		}
	})
	for id, c := range map[string]exec.Config{
		"app:exec":   {Dir: t.TempDir(), Env: map[string]string{"GREETING": "hello", "PATH": os.Getenv("PATH")}},
		"app:strict": {Whitelist: []string{"echo a"}},
	} {
		if err := all.Add(id, c); err != nil {
			t.Fatal(err)
		}
	}
	return luatest.New(t, func(s *luatest.System) {
		luaexec.Register(s.Dispatch)
		stream.Register(s.Dispatch)
		funcs.Register(s.Dispatch, s.Functions)
		s.Register(funcs.Module(nil), luaexec.Module(luaexec.Deps{
			Executors: all,
			Allow:     allow,
			Kind: func(id string) string {
				if id == "app:db" {
					return "db.sql.sqlite"
				}
				return ""
			},
		}))
	})
}

// tools are what the snippets are written with.
const tools = `
local function fails(kind, text, v, err)
	assert(v == nil, tostring(v))
	assert(err:kind() == kind and err:message() == text, err:kind() .. ": " .. err:message())
	assert(err:retryable() == false)
	return err
end
local function run(cmd, o)
	local p = assert(exec.get("app:exec"):exec(cmd, o))
	assert(p:start() == true)
	return p
end
`

var facts = []struct{ name, body string }{
	{"exit codes", `
		local p = run("sh -c 'exit 42'")
		local code, err = p:wait()
		assert(code == 42 and err == nil)
		assert(run("true"):wait() == 0)`},
	{"output", `
		local p = run("sh -c 'echo out; echo err >&2'")
		local out, err = p:stdout_stream()
		assert(err == nil and out == p:stdout_stream(), "another stream")
		assert(out:read() == "out\n")
		local v, err = out:read()
		assert(v == nil and err == nil, "end of the output")
		assert(p:stderr_stream():read() == "err\n")
		assert(p:wait() == 0)`},
	{"a stream taken before the start, read after the end", `
		local p = exec.get("app:exec"):exec("echo hi")
		local out = p:stdout_stream()
		p:start()
		assert(p:wait() == 0)
		assert(out:read() == "hi\n")`},
	{"lines of output", `
		local p = run("printf 'a\nb\nc'")
		local lines, text = p:stdout_stream():scanner(), ""
		while lines:scan() do text = text .. lines:text() .. ";" end
		assert(text == "a;b;c;", text)`},
	{"what a stream of output offers", `
		local p = run("cat")
		local info = p:stdout_stream():stat()
		assert(info.size == -1 and info.readable and not info.writable and not info.seekable)
		local n, err = p:stdout_stream():write("x")
		assert(n == 0 and err:kind() == "Internal")`},
	{"environment", `
		local p = run("sh -c 'echo $GREETING $NAME $N $HOME'", { env = { NAME = "you", N = 3 } })
		local text = p:stdout_stream():read()
		assert(text == "hello you 3\n", text)
		assert(run("sh -c 'echo $GREETING'", { env = { GREETING = "bye" } }):stdout_stream():read() == "bye\n")`},
	{"work directory", `
		assert(run("pwd", { work_dir = "/" }):stdout_stream():read() == "/\n")
		assert(run("pwd", { work_dir = 1, env = "x" }):wait() == 0, "options of wrong types are ignored")
		assert(run("pwd", "x"):wait() == 0)`},
	{"no shell", `
		local evil = "x; echo owned $(id) ` + "`id`" + ` | cat > owned && true"
		assert(run("echo " .. evil):stdout_stream():read() == evil .. "\n")
		assert(run("sh -c 'ls owned 2>/dev/null'"):stdout_stream():read() == nil)`},
	{"input", `
		local p = run("cat")
		local out = p:stdout_stream()
		assert(p:write_stdin("one\n") == true)
		assert(out:read() == "one\n")
		assert(p:write_stdin(2) == true)
		assert(out:read() == "2")
		assert(p:write_stdin("") == true and p:write_stdin("") == true)
		assert(out:read() == nil, "no end of the input")
		fails("Internal", "the stream is closed", p:write_stdin("x"))
		assert(p:wait() == 0)`},
	{"input that does not fit into the pipe", `
		local p = run("sh -c 'read x; wc -c'")
		local done = channel.new(1)
		coroutine.spawn(function()
			p:write_stdin("go\n")
			p:write_stdin(("x"):rep(1000000))
			p:write_stdin("")
			done:send(true)
		end)
		done:receive()
		assert(tonumber(p:stdout_stream():read()) == 1000000)`},
	{"refusals", `
		fails("Invalid", "resource id is required", exec.get(""))
		fails("Internal", "executor not found", exec.get("app:none"))
		fails("Internal", "resource is not an executor: app:db is a db.sql.sqlite", exec.get("app:db"))
		assert(not pcall(exec.get) and not pcall(exec.get, {}))
		local e = exec.get("app:exec")
		fails("Invalid", "command is required", e:exec(""))
		fails("Invalid", "command is required", e:exec("  "))
		fails("Invalid", "invalid environment variable: A=B", e:exec("true", { env = { ["A=B"] = "c" } }))
		local err = fails("Internal", "command not allowed", exec.get("app:strict"):exec("echo b"))
		assert(err:details().command == "echo b")
		assert(exec.get("app:strict"):exec("echo a"))
		local p = e:exec("no-such-program-here")
		local v, err = p:start()
		assert(v == nil and err:kind() == "Internal" and err:message():find("not found"), tostring(err))`},
	{"release", `
		local e = exec.get("app:exec")
		assert(e:release() == true and e:release() == true)
		fails("Invalid", "executor is released", e:exec("true"))
		assert(tostring(e) == "exec.Executor{released}")`},
	{"before the start", `
		local p = exec.get("app:exec"):exec("true")
		local text = "process not started: call start() first"
		fails("Invalid", text, p:wait())
		fails("Invalid", text, p:signal(15))
		fails("Invalid", text, p:write_stdin("x"))
		assert(p:start() == true)
		fails("Invalid", "process already started", p:start())`},
	{"after the end", `
		local p = run("true")
		local out = p:stdout_stream()
		assert(p:wait() == 0)
		for _, method in ipairs({ "start", "wait", "stdout_stream", "stderr_stream" }) do
			fails("Invalid", "process is closed", p[method](p))
		end
		fails("Invalid", "process is closed", p:signal(15))
		fails("Invalid", "process is closed", p:write_stdin("x"))
		assert(p:close() == true and p:close(true) == true)`},
	{"signals", `
		local p = run("sleep 30")
		assert(p:signal(15) == true)
		local code, err = p:wait()
		assert(code == -1 and err == nil)`},
	{"a signal for a process that has ended", `
		local p = run("true")
		local out = p:stdout_stream()
		assert(out:read() == nil)
		while p:signal(0) do end
		fails("Internal", "process is not running", p:signal(15))
		assert(p:wait() == 0)`},
	{"close", `
		local p = run("sleep 30")
		assert(p:close(true) == true)
		fails("Invalid", "process is closed", p:start())
		fails("Invalid", "process is closed", p:signal(9))
		fails("Invalid", "process is closed", p:stdout_stream())
		assert(p:close() == true)
		assert(exec.get("app:exec"):exec("true"):close() == true)`},
	{"others run meanwhile", `
		local p, ticks = run("cat"), 0
		local done = channel.new(0)
		coroutine.spawn(function() done:send(p:wait()) end)
		coroutine.spawn(function()
			for i = 1, 10 do
				ticks = ticks + 1
				coroutine.yield()
			end
			p:write_stdin("")
		end)
		assert(done:receive() == 0 and ticks == 10)`},
	{"two wait for one", `
		local p = run("cat")
		local done = channel.new(2)
		for i = 1, 2 do coroutine.spawn(function() done:send(p:wait()) end) end
		coroutine.spawn(function() p:write_stdin("") end)
		assert(done:receive() == 0 and done:receive() == 0)`},
	{"too many of them", `
		local function refused(v, err)
			if v ~= nil then return false end
			assert(err:kind() == "RateLimited" and err:message() == "too many commands" and err:retryable() == true, tostring(err))
			return true
		end
		local all = {}
		for i = 1, 100 do
			local p = exec.get("app:exec"):exec("cat")
			if refused(p:start()) then break end
			all[i] = p
		end
		assert(#all == 30, #all)
		assert(refused(exec.get("app:exec"):exec("cat"):stdout_stream()))
		for _, p in ipairs(all) do p:close(true) end
		while refused(exec.get("app:exec"):exec("true"):start()) do coroutine.yield() end`},
	{"many of them", `
		for i = 1, 60 do
			local p = run("true")
			if i % 3 == 0 then p:wait() elseif i % 3 == 1 then p:stdout_stream():read() p:wait() else p:close(true) end
		end`},
}

func TestFacts(t *testing.T) {
	for _, fact := range facts {
		t.Run(fact.name, func(t *testing.T) { system(t, nil).Check(t, tools+fact.body) })
	}
}

func TestPermissions(t *testing.T) {
	s := system(t, func(_ *engine.Process, action, resource string, _ map[string]any) bool {
		return action == "exec.get" && resource == "app:exec" || action == "exec.run" && resource == "echo a"
	})
	s.Check(t, tools+`
		fails("Invalid", "permission denied: access executor", exec.get("app:strict"))
		fails("Invalid", "permission denied: access executor", exec.get("app:none"))
		local e = assert(exec.get("app:exec"))
		fails("Invalid", "permission denied: execute command", e:exec("echo a; id"))
		assert(e:exec("echo a"))`)
}

// dies waits until a process is gone.
func dies(t *testing.T, pid int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for syscall.Kill(pid, 0) == nil {
		if stat, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat"); strings.Contains(string(stat), ") Z ") {
			return // an orphan that whoever adopted it has not collected
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("process %d lives", pid)
		}
	}
}

// TestCommandsEndWithTheirProcess ends a Lua process in each way it can end and looks for what it had
// started: the command, and the child of the command.
func TestCommandsEndWithTheirProcess(t *testing.T) {
	for name, end := range map[string]string{
		"returns":                 `return`,
		"raises":                  `error("boom")`,
		"was waiting":             `coroutine.spawn(function() p:wait() end) out:close()`,
		"was reading":             `coroutine.spawn(function() out:read() end)`,
		"was writing":             `coroutine.spawn(function() p:write_stdin(("x"):rep(1000000)) end)`,
		"closed it without force": `p:close()`,
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "pids")
			_, _ = system(t, nil).Run(tools + `
				local p = run("sh -c 'sleep 60 & echo $$ $! > ` + file + `; echo ready; wait'")
				local out = p:stdout_stream()
				assert(out:read() == "ready\n")
				` + end)
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, field := range strings.Fields(string(text)) {
				pid, _ := strconv.Atoi(field)
				dies(t, pid)
			}
		})
	}
}

func TestCommandsEndWithTheirCall(t *testing.T) {
	file := filepath.Join(t.TempDir(), "pids")
	s := system(t, nil)
	s.DefineFunction("app:job", `return { main = function()`+tools+`
		local p = run("sh -c 'sleep 60 & echo $$ $! > `+file+`; echo ready; wait'")
		p:stdout_stream():read()
	end }`)
	s.Check(t, `
		local _, err = funcs.new():call("app:job")
		assert(err == nil, tostring(err))`)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range strings.Fields(string(text)) {
		pid, _ := strconv.Atoi(field)
		dies(t, pid)
	}
}
