// SPDX-License-Identifier: Apache-2.0

package topology_test

import (
	"strconv"
	"testing"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/system/topology"
)

func quiet() *topology.Topology {
	return topology.New(func(m *relay.Message) error { m.Release(); return nil })
}

func BenchmarkLookupName(b *testing.B) {
	topo := quiet()
	for i := range 1000 {
		p := pid(strconv.Itoa(i))
		_ = topo.Register(p)
		_ = topo.RegisterName("name"+strconv.Itoa(i), p)
	}
	b.ReportAllocs()
	for b.Loop() {
		topo.LookupName("name500")
	}
}

// BenchmarkLife is what a process costs that nobody watches.
func BenchmarkLife(b *testing.B) {
	topo := quiet()
	p := pid("1")
	b.ReportAllocs()
	for b.Loop() {
		_ = topo.Register(p)
		topo.Complete(p, topology.Result{})
	}
}

// BenchmarkMonitoredLife is what one costs that its parent monitors.
func BenchmarkMonitoredLife(b *testing.B) {
	topo := quiet()
	parent, p := pid("parent"), pid("1")
	_ = topo.Register(parent)
	b.ReportAllocs()
	for b.Loop() {
		_ = topo.Register(p)
		_ = topo.Monitor(parent, p)
		topo.Complete(p, topology.Result{})
	}
}
