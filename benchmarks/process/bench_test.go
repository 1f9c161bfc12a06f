// SPDX-License-Identifier: Apache-2.0

package process_test

import (
	"flag"
	"testing"

	"github.com/wippyrun/kit/benchmarks/process"
)

var million = flag.Bool("million", false, "let BenchmarkMillion have a million of every contestant's processes")

func BenchmarkPingPong(b *testing.B)    { process.PingPong(b, contestants()...) }
func BenchmarkRing(b *testing.B)        { process.Ring(b, contestants()...) }
func BenchmarkFanIn1000(b *testing.B)   { process.FanIn(b, contestants()...) }
func BenchmarkFanOut1000(b *testing.B)  { process.FanOut(b, contestants()...) }
func BenchmarkSend(b *testing.B)        { process.Send(b, contestants()...) }
func BenchmarkSpawnDone(b *testing.B)   { process.SpawnDone(b, contestants()...) }
func BenchmarkSpawnInTurn(b *testing.B) { process.SpawnInTurn(b, contestants()...) }
func BenchmarkTree(b *testing.B)        { process.Tree(b, contestants()...) }
func BenchmarkTimers(b *testing.B)      { process.Timers(b, contestants()...) }
func BenchmarkImbalance(b *testing.B)   { process.Imbalance(b, contestants()...) }
func BenchmarkIdle(b *testing.B)        { process.Idle(b, contestants()...) }
func BenchmarkMillion(b *testing.B)     { process.Million(b, *million, contestants()...) }
func BenchmarkWakeup(b *testing.B)      { process.Wake(b, contestants()...) }
func BenchmarkBesideLoop(b *testing.B)  { process.BesideLoop(b, contestants()...) }
