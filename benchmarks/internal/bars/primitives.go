// SPDX-License-Identifier: Apache-2.0

package bars

import "fmt"

// primitives are the bars of the modules that can be used alone.
var primitives = []Row{
	{
		ID: "A1", What: "appctx: sealed Get", Bar: "≤ 2 ns, 0 allocations, ≤ 1/10 of sync.Map", Unit: "ns",
		Runs: run("appctx", "BenchmarkGet"),
		judge: withoutAllocations("appctx Get", func(m measured) Outcome {
			v := m.time("appctx Get", ours)
			limit := min(2, m.time("appctx Get", "sync.Map-names")/10)
			return Outcome{Value: v, Peers: m.peers("appctx Get", 1), OK: v <= limit}
		}),
	},
	{
		ID: "E1", What: "eventbus: publish to delivered, 1 subscriber, amortised", Bar: "≤ 120 ns, 0 allocations", Unit: "ns",
		Runs:  run("eventbus", "BenchmarkOneSubscriber"),
		judge: withoutAllocations(oneSubscriber, atMost(oneSubscriber, 120, 1)),
	},
	{
		ID: "E2", What: "eventbus: the same beside 10 000 other subscriptions", Bar: "≤ 1.5 × E1", Unit: "ns",
		Runs: run("eventbus", "BenchmarkOneSubscriber|BenchmarkOneAmong10000"),
		judge: func(m measured) Outcome {
			v, alone := m.time("eventbus OneAmong10000", ours), m.time(oneSubscriber, ours)
			return Outcome{Value: v, Peers: m.peers("eventbus OneAmong10000", 1), OK: v <= 1.5*alone, Note: fmt.Sprintf("%.2g × E1", v/alone)}
		},
	},
	{
		ID: "E3", What: "eventbus: fan-out to 1000 subscribers, per delivery", Bar: "≤ 60 ns", Unit: "ns",
		Runs:  run("eventbus", "BenchmarkFanOut1000"),
		judge: atMost("eventbus FanOut1000/burst=16", 60, 1),
	},
	{
		ID: "E4", What: "eventbus: throughput of the others beside a stuck subscriber", Bar: "≥ 90 %", Unit: "%",
		Runs: run("eventbus", "BenchmarkMillionPastStuck"),
		judge: func(m measured) Outcome {
			// Batches with and without the stuck one take turns. Times of two benchmarks one after the
			// other tell more about the machine.
			v, kept := m.value(pastStuck, ours, "throughput-%"), m.value(pastStuck, ours, "kept-MiB")
			note := fmt.Sprintf("a million events pass it; its queue is bounded by its policy: %.2g MiB are kept", kept)
			return Outcome{Value: v, Peers: m.peersIn(pastStuck, "throughput-%", 1), OK: v >= 90 && kept < 8, Note: note}
		},
	},
	{
		ID: "M1", What: "mailbox: send to handled, amortised, 2 shards", Bar: "≤ 60 ns, 0 allocations, faster than a channel per shard", Unit: "ns",
		Runs: run("mailbox", "BenchmarkSend"),
		judge: withoutAllocations("mailbox Send/shards=2", func(m measured) Outcome {
			v := m.time("mailbox Send/shards=2", ours)
			peers := m.peers("mailbox Send/shards=2", 1)
			ok := v <= 60
			for _, p := range peers {
				ok = ok && v < p.Value
			}
			return Outcome{Value: v, Peers: peers, OK: ok}
		}),
	},
	{
		ID: "R1", What: "relay: local route on top of the host's own cost", Bar: "≤ 40 ns, 0 allocations", Unit: "ns",
		Runs:  run("relay", "BenchmarkRouteLocal"),
		judge: withoutAllocations("relay RouteLocal", atMost("relay RouteLocal", 40, 1)),
	},
	{
		ID: "R2", What: "internode: two programs on loopback, messages of 100 bytes", Bar: "≥ 500 000 messages/s; p99 ≤ 1 ms at half load", Unit: "messages/s",
		Runs: []Run{{Package: "relay/internode", Bench: "^BenchmarkProcesses$"}},
		judge: func(m measured) Outcome {
			v := m.value("internode Processes", "OneWay", "messages/s")
			p99 := m.value("internode Processes", "HalfLoad", "p99-µs")
			o := Outcome{Value: v, OK: v >= 500_000 && p99 <= 1000, Note: fmt.Sprintf("p99 %.0f µs at half load", p99)}
			if plain, ok := m.set.Value("internode Processes", "RoundTripPlain", "ns/op"); ok {
				o.Note += fmt.Sprintf(", round trip %.0f µs, of a plain connection %.0f µs",
					m.time("internode Processes", "RoundTrip")/1e3, plain/1e3)
			}
			return o
		},
	},
	{
		ID: "S1", What: "scheduler: submit, one step, done", Bar: "≤ 300 ns, ≤ 2 allocations", Unit: "ns",
		Runs:  run("process", "BenchmarkSpawnDone"),
		judge: withAllocations("process SpawnDone", 2, atMost("process SpawnDone", 300, 1)),
	},
	{
		ID: "S2", What: "scheduler: ping-pong of two native processes, round trip", Bar: "≤ Erlang", Unit: "ns",
		Runs: run("process", "BenchmarkPingPong"),
		judge: func(m measured) Outcome {
			v := m.time("process PingPong", ours)
			return Outcome{Value: v, Peers: m.peers("process PingPong", 1), OK: v <= m.time("process PingPong", "erlang")}
		},
	},
	{
		ID: "S3", What: "scheduler: fan-in from 1000 processes, per message", Bar: "≤ 100 ns", Unit: "ns",
		Runs:  run("process", "BenchmarkFanIn1000"),
		judge: atMost("process FanIn1000", 100, 1),
	},
	{
		ID: "S4", What: "scheduler: memory of an idle native process", Bar: "≤ 400 B", Unit: "B",
		Runs: run("process", "BenchmarkIdle"),
		judge: func(m measured) Outcome {
			v := m.value("process Idle", ours, "B/item")
			return Outcome{Value: v, Peers: m.peersIn("process Idle", "B/item", 1), OK: v <= 400}
		},
	},
	{
		ID: "S5", What: "scheduler: wake-up of a parked worker from outside, p99", Bar: "≤ 50 µs; idle, no CPU", Unit: "µs",
		Runs: run("process", "BenchmarkWakeup|BenchmarkQuiet"),
		judge: func(m measured) Outcome {
			v := m.value("process Wakeup/sender=blocks", ours, "p99-ns") / 1e3
			cpu := m.value("process Quiet", ours, "idle-cpu-%")
			return Outcome{Value: v, Peers: m.peersIn("process Wakeup/sender=blocks", "p99-ns", 1e3), OK: v <= 50 && cpu < 0.5,
				Note: fmt.Sprintf("%.2g %% of a CPU when idle", cpu)}
		},
	},
	{
		ID: "S6", What: "scheduler: message beside a process in an endless loop, p99", Bar: "≤ 20 ms; terminated within 100 ms", Unit: "ms",
		Runs: run("process", "BenchmarkBesideLoop"),
		judge: func(m measured) Outcome {
			v := m.value("process BesideLoop/loops=2", ours, "p99-ns") / 1e6
			end := m.value("process BesideLoop/loops=2", ours, "terminate-ns") / 1e6
			return Outcome{Value: v, Peers: m.peersIn("process BesideLoop/loops=2", "p99-ns", 1e6), OK: v <= 20 && end <= 100,
				Note: fmt.Sprintf("terminated after %.2g ms", end)}
		},
	},
	{
		ID: "G1", What: "registry: Get", Bar: "≤ 25 ns, 0 allocations", Unit: "ns",
		Runs:  run("registry", "BenchmarkGet"),
		judge: withoutAllocations("registry Get/entries=1000", atMost("registry Get/entries=1000", 25, 1)),
	},
	{
		ID: "G2", What: "registry: change one of 100 000 entries, history in memory", Bar: "≤ 20 µs", Unit: "µs",
		Runs:  run("registry", "BenchmarkApply"),
		judge: atMost("registry Apply/entries=100000", 20, 1e3),
	},
	{
		ID: "G3", What: "registry: the same with history in SQLite, against bare INSERT and COMMIT", Bar: "≥ 70 %", Unit: "%",
		Runs: run("registry", "BenchmarkDurableApply"),
		judge: func(m measured) Outcome {
			const thing = "registry DurableApply"
			v := 100 * m.time(thing, "insert-commit") / m.time(thing, ours)
			return Outcome{Value: v, OK: v >= 70, Note: fmt.Sprintf("%.0f µs, SQLite alone %.0f µs", m.time(thing, ours)/1e3, m.time(thing, "insert-commit")/1e3)}
		},
	},
	{
		ID: "G4", What: "registry: indexed query over 10 000 entries, not cached", Bar: "≤ 10 µs", Unit: "µs",
		Runs:  run("registry", "BenchmarkFind"),
		judge: atMost("registry Find", 10, 1e3),
	},
	{
		ID: "G5", What: "registry: 10 000 entries from YAML to active, against yaml.v3 decoding the files", Bar: "≤ 1.5 ×", Unit: "×",
		Runs: run("registry", "BenchmarkLoad10000"),
		judge: func(m measured) Outcome {
			v := m.time("registry Load10000", ours) / m.time("registry Load10000", "yaml.v3-decode")
			return Outcome{Value: v, OK: v <= 1.5, Note: fmt.Sprintf("%.0f ms", m.time("registry Load10000", ours)/1e6)}
		},
	},
	{
		ID: "L1", What: "loader: 1000 components in 10 levels, over their own time", Bar: "≤ 2 ms", Unit: "ms",
		Runs:  run("loader", "BenchmarkLoad"),
		judge: atMost("loader Load/components=1000", 2, 1e6),
	},
}

const (
	oneSubscriber = "eventbus OneSubscriber/burst=65536"
	pastStuck     = "eventbus MillionPastStuck"
)
