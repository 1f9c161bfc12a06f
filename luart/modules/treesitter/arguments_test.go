// SPDX-License-Identifier: Apache-2.0

//go:build treesitter && cgo

package treesitter_test

import (
	"testing"

	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/treesitter"
)

const objects = `
local code = "f(1)\n"
local tree = treesitter.parse("python", code)
local root, cursor, parser, query = tree:root_node(), tree:walk(), treesitter.parser(), treesitter.query("python", "(call) @c")
parser:set_language("python")
local lang, zero, nan, inf = tree:language(), {row = 0, column = 0}, 0/0, 1/0
local function edit(change)
	local t = {start_byte = 1, old_end_byte = 2, new_end_byte = 2, start_row = 0, start_column = 1, old_end_row = 0, old_end_column = 2, new_end_row = 0, new_end_column = 2}
	for k, v in pairs(change) do t[k] = v end
	return tree:edit(t)
end
`

// TestMalformedArguments: each of these raises or answers with an error, and none gets to C.
func TestMalformedArguments(t *testing.T) {
	b := moduletest.New(t, treesitter.Modules()...)
	raises := func(text string, calls ...string) {
		t.Helper()
		for _, call := range calls {
			t.Run(call, func(t *testing.T) {
				b.Check(t, tools+objects+`raises(..., function() `+call+` end)`, text)
			})
		}
	}
	raises("takes a language and code", `treesitter.parse()`, `treesitter.parse("python")`, `treesitter.parse("python", "", 1)`)
	raises("bad argument #1", `treesitter.parse({}, "")`, `treesitter.language()`, `treesitter.query(nil, "")`, `root.kind(tree)`, `tree.copy(root)`,
		`query.pattern_count({})`, `cursor.copy("x")`, `parser.reset(nil)`, `lang.version(query)`, `tree.close(parser)`, `query.close(1)`)
	raises("bad argument #2", `treesitter.parse("python", {})`, `treesitter.query("python")`)
	raises("bad argument", `root:child()`, `root:child("x")`, `root:child({})`, `root:child_by_field_name()`, `root:named_descendant_for_point_range(zero)`,
		`root:named_descendant_for_point_range({row = 1}, zero)`, `root:named_descendant_for_point_range({row = nan, column = 0}, zero)`,
		`root:named_descendant_for_point_range({row = -1, column = 0}, zero)`, `root:named_descendant_for_point_range({row = 2^32, column = 0}, zero)`,
		`root:text({})`, `tree:root_node_with_offset(-1, zero)`, `tree:root_node_with_offset(1)`, `tree:edit()`, `tree:changed_ranges()`, `tree:changed_ranges(root)`,
		`cursor:goto_descendant(-1)`, `cursor:goto_descendant(nan)`, `cursor:goto_descendant(1000)`, `cursor:goto_first_child_for_byte(inf)`,
		`cursor:goto_first_child_for_point({})`, `cursor:reset(cursor)`, `cursor:reset_to(root)`,
		`parser:set_timeout()`, `parser:set_timeout("soon")`, `parser:set_timeout(-1)`, `parser:set_timeout(nan)`, `parser:set_timeout(inf)`, `parser:set_timeout("-1s")`,
		`parser:parse()`, `parser:set_ranges()`, `parser:set_language()`,
		`query:captures(root)`, `query:matches()`, `query:set_byte_range(1)`, `query:set_byte_range(-1, 2)`, `query:set_byte_range(0, 2^32)`, `query:set_point_range(zero)`,
		`query:set_match_limit(0)`, `query:set_match_limit(-5)`, `query:set_max_start_depth(-1)`, `query:set_timeout({})`, `query:disable_pattern(1)`, `query:disable_pattern(-1)`,
		`query:disable_capture()`, `query:start_byte_for_pattern(1)`, `query:end_byte_for_pattern(nan)`, `query:is_pattern_rooted(2^40)`, `query:is_pattern_non_local(1)`,
		`query:is_pattern_guaranteed(-1)`, `query:get_property_predicates(1)`, `query:get_property_settings(1)`, `query:get_text_predicates(1)`,
		`lang:node_kind_for_id()`, `lang:id_for_node_kind("call")`, `lang:id_for_node_kind("call", 1)`)
	raises("already closed", `tree:close() root:kind()`, `tree:close() cursor:current_node()`, `tree:close() query:captures(root, code)`, `tree:close() tree:copy()`,
		`parser:close() parser:parse("")`, `query:close() query:captures(root, code)`, `tree:close() parser:parse("", tree)`, `tree:close() cursor:reset(root)`)
	raises("TreeCursor is closed", `cursor:close() cursor:copy()`, `local c = tree:walk() c:close() cursor:reset_to(c)`)

	b.Check(t, tools+objects+`
		for _, i in ipairs({-1, 1000, 2^32, 2^53, -inf, inf, nan, 1e300}) do
			same(root:child(i), nil) same(root:named_child(i), nil) same(root:field_name_for_child(i), nil)
			same(query:capture_name_for_id(i), nil) same(query:capture_quantifier(i, 0), nil) same(query:capture_quantifier(0, i), nil)
			same(lang:field_name_for_id(i), nil) same(lang:node_kind_is_named(i), false)
		end
		same(root:child(0.9):kind(), root:child(0):kind())
		same(root:child_by_field_name("body\0" .. string.rep("x", 5000)), nil)
		same(lang:id_for_node_kind("call\0" .. string.rep("x", 5000), true), 0) same(lang:field_id_for_name("\0"), 0) same(lang:id_for_node_kind("", true), 0)
		for _, v in ipairs({-1, nan, 2^31, inf}) do
			for _, field in ipairs({"start_byte", "old_end_byte", "new_end_byte"}) do fails("Invalid", "invalid byte position", false, edit({[field] = v})) end
			for _, field in ipairs({"start_row", "start_column", "new_end_row"}) do fails("Invalid", "invalid point position", false, edit({[field] = v})) end
			fails("Invalid", "end_byte must be a number", false, parser:set_ranges({{start_byte = 0, end_byte = v == 2^31 and 2^32 or v, start_row = 0, start_col = 0, end_row = 0, end_col = 0}}))
		end
		fails("Invalid", "invalid byte position", false, edit({old_end_byte = 0}))
		fails("Invalid", "invalid point position", false, edit({old_end_row = 0, old_end_column = 0}))
		fails("Invalid", "new_end_row must be a number", false, edit({new_end_row = "x"}))
		fails("Invalid", "range must be a table", false, parser:set_ranges({1}))
		fails("Invalid", "more than 10000 ranges", false, parser:set_ranges(setmetatable({}, nil) and (function() local t = {} for i = 1, 10001 do t[i] = 1 end return t end)()))
		root:text("\0\255\0\255\0") tree:close() tree:close()`)
}

// TestEditLeavesOldNodesAlone: nodes and cursors from before an edit see what they saw, also when a copy that shares
// their memory is gone.
func TestEditLeavesOldNodesAlone(t *testing.T) {
	b := moduletest.New(t, treesitter.Modules()...)
	b.Check(t, tools+objects+`
		local call, copy = root:child(0):child(0), tree:copy()
		cursor:goto_first_child()
		for i = 1, 50 do
			assert(edit({}))
			assert(edit({new_end_byte = 3, new_end_column = 3}))
			tree:root_node():child(0):text()
			copy:close()
			copy = tree:copy()
		end
		same(call:kind(), "call") same(call:text(), "f(1)") same(call:parent():parent():end_byte(), 5)
		same(cursor:current_node():end_byte(), 4) same(tree:root_node():end_byte(), 55)`)
}
