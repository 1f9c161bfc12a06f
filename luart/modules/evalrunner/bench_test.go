// SPDX-License-Identifier: Apache-2.0

package evalrunner_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/evalrunner"
	"github.com/wippyrun/kit/scheduler"
)

// BenchmarkRun runs a hundred evaluations from one program, compiled before and not. BenchmarkPeerSubmit submits
// a hundred processes of the same source.
func BenchmarkRun(b *testing.B) {
	for _, c := range []struct {
		name string
		size int
	}{{"kept", 0}, {"compiled", -1}} {
		b.Run(c.name, func(b *testing.B) {
			s := newSystem(b, evalrunner.Config{CacheSize: c.size})
			b.ReportAllocs()
			for b.Loop() {
				s.check(b, `for i = 1, 100 do assert(runner.run{source = "return {f = function(x) return x * 2 end}", method = "f", args = {i}} == 2 * i) end`)
			}
		})
	}
}

func BenchmarkPeerSubmit(b *testing.B) {
	s := newSystem(b, evalrunner.Config{})
	program, err := s.engine.Link(engine.ProgramSpec{ID: "app:f", Method: "f", Source: "return {f = function(x) return 42 end}", Modules: []string{"json", "time"}})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		for range 100 {
			ref, err := s.scheduler.Submit(b.Context(), s.engine.NewProcess(engine.ProcessOptions{Program: program}), scheduler.SubmitOptions{})
			if err == nil {
				_, err = ref.Wait(b.Context())
			}
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}
