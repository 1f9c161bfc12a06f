// SPDX-License-Identifier: Apache-2.0

package html

import (
	"regexp"

	"github.com/microcosm-cc/bluemonday"
	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/luart/engine"
)

// attrBuilder is a set of attributes that waits to be told where they are allowed.
type attrBuilder struct {
	policy lua.LValue // the Policy object
	names  []string
	match  *regexp.Regexp // nil: any value
}

// allowAttrs implements policy:allow_attrs(...).
func (m *module) allowAttrs(L *lua.LState) int {
	checkPolicy(L)
	L.Push(m.builders.New(&attrBuilder{policy: L.Get(1), names: texts(L, 2)}))
	return 1
}

func checkBuilder(L *lua.LState) *attrBuilder {
	return engine.Check[*attrBuilder](L, 1, "html.AttrBuilder")
}

// target is what the policy knows of the attributes so far.
func (b *attrBuilder) target() interface {
	OnElements(elements ...string) *bluemonday.Policy
	Globally() *bluemonday.Policy
} {
	rule := b.policy.(*lua.LUserData).Value.(*bluemonday.Policy).AllowAttrs(b.names...)
	if b.match != nil {
		rule = rule.Matching(b.match)
	}
	return rule
}

// onElements implements builder:on_elements(...).
func onElements(L *lua.LState) int {
	b := checkBuilder(L)
	b.target().OnElements(texts(L, 2)...)
	L.Push(b.policy)
	return 1
}

// globally implements builder:globally().
func globally(L *lua.LState) int {
	b := checkBuilder(L)
	b.target().Globally()
	L.Push(b.policy)
	return 1
}

// matching implements builder:matching(pattern): the attributes' values must match.
func matching(L *lua.LState) int {
	b := checkBuilder(L)
	re, err := regexp.Compile(L.CheckString(2))
	if err != nil {
		return engine.PushError(L, engine.NewError(engine.KindInvalid, err.Error()).WithCause(err))
	}
	b.match = re
	L.Push(L.Get(1))
	return 1
}
