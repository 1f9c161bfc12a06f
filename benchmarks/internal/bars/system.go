// SPDX-License-Identifier: Apache-2.0

package bars

import "fmt"

// system are the bars of the Lua runtime and of the whole.
var system = []Row{
	{
		ID: "U1", What: "Lua: memory of an idle process, everything included, 100 000 of them", Bar: "≤ 4096 B", Unit: "B",
		Runs: run("system", "BenchmarkSpawn"),
		judge: func(m measured) Outcome {
			v := m.value("system Spawn/processes=100000", ours, "B/item")
			return Outcome{Value: v, Peers: m.peersIn("system Spawn/processes=100000", "B/item", 1), OK: v <= 4096}
		},
	},
	{
		ID: "U2", What: "Lua: spawn of such a process from Lua", Bar: "≤ 12 µs", Unit: "µs",
		Runs:  run("system", "BenchmarkSpawn"),
		judge: atMost("system Spawn/processes=10000", 12, 1e3),
	},
	{
		ID: "U3", What: "Lua: ping-pong of two processes, round trip", Bar: "≤ 4 × Erlang", Unit: "ns",
		Runs: append(run("system", "BenchmarkPingPong"), run("process", "BenchmarkPingPong")...),
		judge: func(m measured) Outcome {
			v, erlang := m.time("system PingPong", ours), m.time("process PingPong", "erlang")
			peers := append(m.peers("system PingPong", 1), Peer{"erlang", erlang})
			return Outcome{Value: v, Peers: peers, OK: v <= 4*erlang, Note: fmt.Sprintf("%.2g × Erlang", v/erlang)}
		},
	},
	{
		ID: "U4", What: "Lua: 1 000 000 idle processes, then a message to each, answered", Bar: "completes", Unit: "s",
		Runs: []Run{{Package: "benchmarks/lua", Bench: "^BenchmarkCrowd$", Args: []string{"-crowd", "1000000", "-test.benchtime", "1x"}, Long: true}},
		judge: func(m measured) Outcome {
			v := m.value("lua ", "Crowd", "s/crowd")
			return Outcome{Value: v, OK: true, Note: fmt.Sprintf("%.0f B for each", m.value("lua ", "Crowd", "B/item"))}
		},
	},
	{
		ID: "U5", What: "Lua: parse and compile of plain Lua, against gopher-lua's own", Bar: "≥ 1 × its speed", Unit: "×",
		Runs: run("lua", "BenchmarkCompile"),
		judge: func(m measured) Outcome {
			v := m.time("lua Compile", "gopher-lua") / m.time("lua Compile", ours)
			return Outcome{Value: v, OK: v >= 1}
		},
	},
	{
		ID: "W1", What: "program: hello from exec to exit", Bar: "≤ 100 ms, ≤ 60 MiB", Unit: "ms",
		Runs: run("system", "BenchmarkHello"),
		judge: func(m measured) Outcome {
			v, peak := m.time("system Hello", ours)/1e6, m.value("system Hello", ours, "peak-MiB")
			return Outcome{Value: v, Peers: m.peers("system Hello", 1e6), OK: v <= 100 && peak <= 60, Note: fmt.Sprintf("%.0f MiB at most", peak)}
		},
	},
	{
		ID: "W2", What: "HTTP: JSON from a Lua handler, against bare net/http, 64 connections", Bar: "≥ 50 %", Unit: "%",
		Runs: run("http", "BenchmarkRequest"),
		judge: func(m measured) Outcome {
			const thing = "http Request/connections=64"
			v := 100 * m.time(thing, "net-http") / m.time(thing, ours)
			one := 100 * m.time("http Request/connections=1", "net-http") / m.time("http Request/connections=1", ours)
			return Outcome{Value: v, OK: v >= 50, Note: fmt.Sprintf("%.0f %% on one connection; the client runs in the same program", one)}
		},
	},
	{
		ID: "W3", What: "functions: call from Lua to Lua and back", Bar: "≤ 3 µs", Unit: "µs",
		Runs:  run("system", "BenchmarkCall"),
		judge: atMost("system Call", 3, 1e3),
	},
}

// Rows returns all bars in order.
func Rows() []Row { return append(append([]Row{}, primitives...), system...) }
