// SPDX-License-Identifier: Apache-2.0

package html

import (
	"github.com/microcosm-cc/bluemonday"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// module holds the classes of the values the functions make.
type module struct {
	policies *engine.Class
	builders *engine.Class
}

// Module returns the Lua module `html`. Its functions are in the table sanitize. No call yields.
func Module() engine.Module {
	return engine.Module{
		Name:    "html",
		Classes: []string{"security", "deterministic"},
		Build: func(b *engine.Builder) error {
			m := &module{}
			m.policies = b.Type("Policy", m.policyMethods(), nil)
			m.builders = b.Type("AttrBuilder", map[string]lua.LGFunction{
				"on_elements": onElements,
				"globally":    globally,
				"matching":    matching,
			}, nil)
			sanitize := b.Table("sanitize")
			sanitize.Func("new_policy", m.maker(bluemonday.NewPolicy))
			sanitize.Func("ugc_policy", m.maker(bluemonday.UGCPolicy))
			sanitize.Func("strict_policy", m.maker(bluemonday.StrictPolicy))
			return nil
		},
	}
}

// maker returns a function that makes a policy.
func (m *module) maker(create func() *bluemonday.Policy) lua.LGFunction {
	return func(L *lua.LState) int {
		L.Push(m.policies.New(create()))
		return 1
	}
}

// texts reads the arguments from n on as strings.
func texts(L *lua.LState, n int) []string {
	list := make([]string, 0, max(0, L.GetTop()-n+1))
	for i := n; i <= L.GetTop(); i++ {
		list = append(list, L.CheckString(i))
	}
	return list
}
