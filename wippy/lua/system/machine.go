// SPDX-License-Identifier: Apache-2.0

package system

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

func number[T int | int64 | uint32 | uint64](v T) lua.LValue { return lua.LNumber(v) }

func memory() *runtime.MemStats {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return &m
}

func memoryStats(L *lua.LState) (lua.LValue, error) {
	m := memory()
	t := L.NewTable()
	for name, v := range map[string]uint64{
		"alloc": m.Alloc, "total_alloc": m.TotalAlloc, "sys": m.Sys, "heap_alloc": m.HeapAlloc, "heap_sys": m.HeapSys,
		"heap_idle": m.HeapIdle, "heap_in_use": m.HeapInuse, "heap_released": m.HeapReleased, "heap_objects": m.HeapObjects,
		"stack_in_use": m.StackInuse, "stack_sys": m.StackSys, "mspan_in_use": m.MSpanInuse, "mspan_sys": m.MSpanSys,
		"num_gc": uint64(m.NumGC), "next_gc": m.NextGC,
	} {
		t.RawSetString(name, number(v))
	}
	return t, nil
}

func allocated(*lua.LState) (lua.LValue, error)   { return number(memory().Alloc), nil }
func heapObjects(*lua.LState) (lua.LValue, error) { return number(memory().HeapObjects), nil }

// limitValue shows a memory limit: no limit is -1, as programs write it.
func limitValue(limit int64) lua.LValue {
	if limit == math.MaxInt64 {
		return lua.LNumber(-1)
	}
	return number(limit)
}

func memoryLimit(*lua.LState) (lua.LValue, error) { return limitValue(debug.SetMemoryLimit(-1)), nil }

func setMemoryLimit(L *lua.LState) (lua.LValue, error) {
	if L.Get(1) == lua.LNil {
		return nil, invalid("memory limit value required")
	}
	n := float64(L.CheckNumber(1))
	switch {
	case !(n >= -1) || n > -1 && n < 0:
		return nil, invalid("limit must be non-negative or -1")
	case n == -1 || n >= math.MaxInt64:
		return limitValue(debug.SetMemoryLimit(math.MaxInt64)), nil
	}
	return limitValue(debug.SetMemoryLimit(int64(n))), nil
}

func collect(*lua.LState) (lua.LValue, error) {
	runtime.GC()
	return lua.LTrue, nil
}

// disabledPercent is what a garbage collector that is switched off shows.
const disabledPercent = 100

func percent(*lua.LState) (lua.LValue, error) {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	if v := sample[0].Value; v.Kind() == metrics.KindUint64 && v.Uint64() < math.MaxInt32 {
		return number(v.Uint64()), nil
	}
	return lua.LNumber(disabledPercent), nil
}

func setPercent(L *lua.LState) (lua.LValue, error) {
	if L.Get(1) == lua.LNil {
		return nil, invalid("percent value required")
	}
	old := debug.SetGCPercent(L.CheckInt(1))
	if old < 0 {
		old = disabledPercent
	}
	return number(old), nil
}

func goroutines(*lua.LState) (lua.LValue, error) { return number(runtime.NumGoroutine()), nil }
func cpuCount(*lua.LState) (lua.LValue, error)   { return number(runtime.NumCPU()), nil }

// maxProcs implements system.runtime.max_procs(n?): reading is one permission, changing another.
func (m *module) maxProcs(L *lua.LState) int {
	if L.Get(1) == lua.LNil {
		return m.read("gomaxprocs", func(*lua.LState) (lua.LValue, error) { return number(runtime.GOMAXPROCS(0)), nil })(L)
	}
	return m.guarded("system.control", "gomaxprocs", func(L *lua.LState) (lua.LValue, error) {
		n := L.CheckInt(1)
		if n <= 0 {
			return nil, invalid("GOMAXPROCS value must be positive")
		}
		return number(runtime.GOMAXPROCS(n)), nil
	})(L)
}

func pid(*lua.LState) (lua.LValue, error) { return number(os.Getpid()), nil }

func hostname(*lua.LState) (lua.LValue, error) { return textOf(os.Hostname()) }
func cwd(*lua.LState) (lua.LValue, error)      { return textOf(os.Getwd()) }

func textOf(text string, err error) (lua.LValue, error) {
	if err != nil {
		return nil, engine.NewError(engine.KindInternal, err.Error()).WithCause(err)
	}
	return lua.LString(text), nil
}
