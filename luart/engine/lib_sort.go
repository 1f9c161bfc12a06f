// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"sort"

	lua "github.com/yuin/gopher-lua"
)

// sortStub sorts with a comparison function that is called as an ordinary
// function, so that it may yield: heap sort, in place, with a bounded number of
// comparisons however inconsistent they are. It sorts a list of the engine's own
// that store writes back.
var sortStub = stub(`local f = ... return function(list, n, less, store)
	local function sift(root, last)
		local v = list[root]
		local child = root * 2
		while child <= last do
			if child < last and less(list[child], list[child + 1]) then
				child = child + 1
			end
			if not less(v, list[child]) then
				break
			end
			list[root] = list[child]
			root = child
			child = root * 2
		end
		list[root] = v
	end
	for i = (n - n % 2) / 2, 1, -1 do
		sift(i, n)
	end
	for last = n, 2, -1 do
		list[1], list[last] = list[last], list[1]
		sift(1, last - 1)
	end
	store()
end`)

// tableSort is table.sort.
func tableSort(L *lua.LState) int {
	t := checkWritable(L, 1)
	n := t.Len()
	if L.Get(2) == lua.LNil {
		sortPlain(L, t, n)
		return 0
	}
	less := L.CheckFunction(2)
	if n < 2 {
		return 0
	}
	if vm.nested(L) {
		sortNested(L, t, n, less)
		return 0
	}
	list := newTable(n, 0)
	for i := 1; i <= n; i++ {
		list.RawSetInt(i, t.RawGetInt(i))
	}
	L.SetTop(0)
	L.Push(sortStub)
	L.Push(list)
	L.Push(lua.LNumber(n))
	L.Push(less)
	L.Push(goFunction(func(*lua.LState) int {
		for i := 1; i <= n; i++ {
			t.RawSetInt(i, list.RawGetInt(i))
		}
		return 0
	}))
	return suspend(L, coroutineOf(L), request{kind: reqCall, frame: framePlain})
}

func values(t *lua.LTable, n int) []lua.LValue {
	list := make([]lua.LValue, n)
	for i := range list {
		list[i] = t.RawGetInt(i + 1)
	}
	return list
}

// sortPlain sorts by "<".
func sortPlain(L *lua.LState, t *lua.LTable, n int) {
	list := values(t, n)
	sort.Slice(list, func(i, j int) bool { return L.LessThan(list[i], list[j]) })
	for i, v := range list {
		t.RawSetInt(i+1, v)
	}
}

// sortNested sorts where the caller cannot be suspended.
func sortNested(L *lua.LState, t *lua.LTable, n int, less *lua.LFunction) {
	list := values(t, n)
	sort.Slice(list, func(i, j int) bool {
		L.Push(less)
		L.Push(list[i])
		L.Push(list[j])
		L.Call(2, 1)
		r := L.ToBool(-1)
		L.Pop(1)
		return r
	})
	for i, v := range list {
		t.RawSetInt(i+1, v)
	}
}
