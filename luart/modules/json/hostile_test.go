// SPDX-License-Identifier: Apache-2.0

package json_test

import (
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/json"
)

// Tables that hold others several times make a small value a huge text.
func TestAttackSharedTablesAreBounded(t *testing.T) {
	moduletest.New(t, json.Module()).Check(t, `
		local v = {}
		for i = 1, 40 do v = {v, v} end
		local text, err = json.encode(v)
		assert(text == nil and err:kind() == "Internal" and err:message():find("too large"), tostring(err))
		local ordinary = {1, 2}
		assert(json.encode({ordinary, ordinary, {ordinary}}) == "[[1,2],[1,2],[[1,2]]]")`)
}

// Keys that have no name in JSON leave no text, but they are looked at.
func TestAttackKeysWithoutNames(t *testing.T) {
	moduletest.New(t, json.Module()).Check(t, `
		local odd = {}
		for i = 1, 1e5 do odd[{}] = true end
		local list = {}
		for i = 1, 1e5 do list[i] = odd end
		local text, err = json.encode(list)
		assert(text == nil and err:kind() == "Internal" and err:message():find("too many keys"), tostring(err))
		assert(json.encode({odd, odd}) == "[{},{}]", json.encode({odd, odd}))
		local text, err = json.encode(("x"):rep(2^26))
		assert(text == nil and err:message():find("too large"))`)
}

// Members that are null leave nothing in the table and are compared with each other.
func TestAttackManyNullMembers(t *testing.T) {
	const n = 200_000
	var b strings.Builder
	b.WriteString(`{"last":1`)
	for i := range n {
		b.WriteString(`,"k`)
		for j := i; j > 0; j /= 10 {
			b.WriteByte('0' + byte(j%10))
		}
		b.WriteString(`":null`)
	}
	b.WriteString("}")
	moduletest.New(t, json.Module()).Check(t, `
		local v, err = json.decode(...)
		assert(err == nil and v.last == 1 and v.k1 == nil, tostring(err))
		local again, err = json.decode('{"a":null,"a":null}')
		assert(again == nil and err:kind() == "Internal")`, b.String())
}

func TestAttackDeepNesting(t *testing.T) {
	moduletest.New(t, json.Module()).Check(t, `
		local v, err = json.decode(("["):rep(1e6))
		assert(v == nil and err, "deep")
		local v, err = json.decode(('{"a":'):rep(1e6))
		assert(v == nil and err, "deep")`)
}
