// SPDX-License-Identifier: Apache-2.0

package main

import (
	"strings"
	"testing"

	"github.com/google/pprof/profile"
)

// stack is a sample with that value whose innermost function comes first.
func stack(value int64, names ...string) *profile.Sample {
	s := &profile.Sample{Value: []int64{1, value}}
	for _, name := range names {
		s.Location = append(s.Location, &profile.Location{Line: []profile.Line{{Function: &profile.Function{Name: name}}}})
	}
	return s
}

func TestShare(t *testing.T) {
	p := &profile.Profile{
		SampleType: []*profile.ValueType{{Type: "samples"}, {Type: "cpu"}},
		Sample: []*profile.Sample{
			stack(1, "runtime.memmove", "bufio.(*Writer).Write", "net/http.(*response).Write", kit+"wippy/service/http.(*answer).Write"),
			stack(2, "runtime.mapassign", kit+"wippy/service/http.(*server).ServeHTTP", "net/http.(*conn).serve"),
			stack(4, "runtime.scanobject", "runtime.gcDrain", "runtime.gcBgMarkWorker"),
			stack(8, "runtime.gcAssistAlloc", "runtime.mallocgc", "runtime.newobject", kit+"appctx.NewFrame"),
			stack(16, "runtime.nextFreeFast", "runtime.mallocgc", "github.com/yuin/gopher-lua.newLTable"),
			stack(32, "strconv.AppendInt", kit+"luart/modules/json.appendNumber", kit+"wippy/lua/http.init"),
			stack(64, "internal/runtime/syscall.Syscall6", "syscall.write", "internal/poll.(*FD).Write", "net.(*conn).Write"),
			stack(128, "runtime.futex", "runtime.findRunnable", "runtime.schedule", "runtime.park_m", "runtime.mcall"),
			stack(256, kit+"scheduler.(*worker).run"),
			stack(512, "time.Now", "main.main"),
		},
	}
	sums, total, err := share(p, "cpu")
	if err != nil || total != 1023 {
		t.Fatal(total, err)
	}
	for name, want := range map[string]int64{
		"net/http": 1, "our HTTP layer": 2, "garbage collection": 12, "memory allocation": 16, "JSON": 32, "system calls": 64,
		"goroutine switches": 128, "the call: pool, process, scheduler, frames": 256, other: 512,
	} {
		if sums[name] != want {
			t.Errorf("%s: %d, want %d", name, sums[name], want)
		}
	}
	if _, _, err := share(p, "alloc_objects"); err == nil {
		t.Error("a value that is not there is taken")
	}
	var out strings.Builder
	printSplit(&out, 64, []*server{{name: "net/http"}}, []*costs{{cpu: 20000, share: map[string]float64{"JSON": 0.25}, objects: map[string]float64{"JSON": 2}, bytes: map[string]float64{"JSON": 96}}})
	if want := "| JSON | 5.0 | 25 | 2.0 | 96 |"; !strings.Contains(out.String(), want) {
		t.Errorf("no %q in\n%s", want, out.String())
	}
}
