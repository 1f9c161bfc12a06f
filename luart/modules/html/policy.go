// SPDX-License-Identifier: Apache-2.0

package html

import (
	"github.com/microcosm-cc/bluemonday"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

func checkPolicy(L *lua.LState) *bluemonday.Policy {
	return engine.Check[*bluemonday.Policy](L, 1, "html.Policy")
}

// chain returns a method that changes the policy and returns it.
func chain(change func(p *bluemonday.Policy)) lua.LGFunction {
	return func(L *lua.LState) int {
		change(checkPolicy(L))
		L.Push(L.Get(1))
		return 1
	}
}

// chainNames returns a method that takes names.
func chainNames(change func(p *bluemonday.Policy, names []string)) lua.LGFunction {
	return func(L *lua.LState) int {
		change(checkPolicy(L), texts(L, 2))
		L.Push(L.Get(1))
		return 1
	}
}

// chainFlag returns a method that takes a boolean.
func chainFlag(change func(p *bluemonday.Policy, on bool)) lua.LGFunction {
	return func(L *lua.LState) int {
		change(checkPolicy(L), L.CheckBool(2))
		L.Push(L.Get(1))
		return 1
	}
}

func (m *module) policyMethods() map[string]lua.LGFunction {
	return map[string]lua.LGFunction{
		"allow_elements": chainNames(func(p *bluemonday.Policy, names []string) { p.AllowElements(names...) }),
		"allow_url_schemes": chainNames(func(p *bluemonday.Policy, names []string) {
			p.AllowURLSchemes(names...)
		}),
		"require_parseable_urls": chainFlag(func(p *bluemonday.Policy, on bool) { p.RequireParseableURLs(on) }),
		"allow_relative_urls":    chainFlag(func(p *bluemonday.Policy, on bool) { p.AllowRelativeURLs(on) }),
		"require_nofollow_on_links": chainFlag(func(p *bluemonday.Policy, on bool) {
			p.RequireNoFollowOnLinks(on)
		}),
		"require_noreferrer_on_links": chainFlag(func(p *bluemonday.Policy, on bool) {
			p.RequireNoReferrerOnLinks(on)
		}),
		"add_target_blank_to_fully_qualified_links": chainFlag(func(p *bluemonday.Policy, on bool) {
			p.AddTargetBlankToFullyQualifiedLinks(on)
		}),
		"allow_standard_urls":       chain(func(p *bluemonday.Policy) { p.AllowStandardURLs() }),
		"allow_data_uri_images":     chain(func(p *bluemonday.Policy) { p.AllowDataURIImages() }),
		"allow_standard_attributes": chain(func(p *bluemonday.Policy) { p.AllowStandardAttributes() }),
		"allow_images":              chain(func(p *bluemonday.Policy) { p.AllowImages() }),
		"allow_lists":               chain(func(p *bluemonday.Policy) { p.AllowLists() }),
		"allow_tables":              chain(func(p *bluemonday.Policy) { p.AllowTables() }),
		"allow_attrs":               m.allowAttrs,
		"sanitize": func(L *lua.LState) int {
			L.Push(lua.LString(checkPolicy(L).Sanitize(L.CheckString(2))))
			return 1
		},
	}
}
