// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"flag"
	"testing"

	"github.com/wippyrun/kit/benchmarks/process"
)

var million = flag.Bool("million", false, "let BenchmarkMillion have a million of every contestant's processes")

func BenchmarkPingPong(b *testing.B)    { process.PingPong(b, contestants(b)...) }
func BenchmarkRing(b *testing.B)        { process.Ring(b, contestants(b)...) }
func BenchmarkFanIn1000(b *testing.B)   { process.FanIn(b, contestants(b)...) }
func BenchmarkFanOut1000(b *testing.B)  { process.FanOut(b, contestants(b)...) }
func BenchmarkSend(b *testing.B)        { process.Send(b, contestants(b)...) }
func BenchmarkSpawnDone(b *testing.B)   { process.SpawnDone(b, contestants(b)...) }
func BenchmarkSpawnInTurn(b *testing.B) { process.SpawnInTurn(b, contestants(b)...) }
func BenchmarkTree(b *testing.B)        { process.Tree(b, contestants(b)...) }
func BenchmarkTimers(b *testing.B)      { process.Timers(b, contestants(b)...) }
func BenchmarkImbalance(b *testing.B)   { process.Imbalance(b, contestants(b)...) }
func BenchmarkIdle(b *testing.B)        { process.Idle(b, contestants(b)...) }
func BenchmarkMillion(b *testing.B)     { process.Million(b, *million, contestants(b)...) }
func BenchmarkWakeup(b *testing.B)      { process.Wake(b, contestants(b)...) }
func BenchmarkBesideLoop(b *testing.B)  { process.BesideLoop(b, contestants(b)...) }
