local code = "<?php\nfoo(1);\nbar(2);\nif ($x) { foo(3); baz($x); }\n"
local root = treesitter.parse("php", code):root_node()
local function texts(pattern, set)
	local q = assert(treesitter.query("php", pattern))
	if set then set(q) end
	local list = {}
	for i, c in ipairs(q:captures(root, code)) do list[i] = c.name .. "=" .. c.text end
	return table.concat(list, " ")
end
local calls = "(function_call_expression function: (name) @f arguments: (arguments) @a)"
same(texts(calls), "f=foo a=(1) f=bar a=(2) f=foo a=(3) f=baz a=($x)")
-- in the order of the source, whatever pattern finds it
same(texts("(name) @n (function_call_expression) @c"), "n=foo c=foo(1) n=bar c=bar(2) n=x n=foo c=foo(3) n=baz c=baz($x) n=x")
local f = "((function_call_expression function: (name) @f) "
same(texts(f .. '(#eq? @f "foo"))'), "f=foo f=foo")
same(texts(f .. '(#not-eq? @f "foo"))'), "f=bar f=baz")
same(texts(f .. '(#any-of? @f "bar" "baz"))'), "f=bar f=baz")
same(texts(f .. '(#not-any-of? @f "bar" "baz"))'), "f=foo f=foo")
same(texts(f .. '(#match? @f "^ba"))'), "f=bar f=baz")
same(texts(f .. '(#not-match? @f "^ba"))'), "f=foo f=foo")
same(texts("((if_statement condition: (_) @c body: (compound_statement (expression_statement (function_call_expression arguments: (_) @a)))) (#eq? @c @a))"), "c=($x) a=($x)")
same(texts(f .. '(#unknown? @f "foo"))'), "f=foo f=bar f=foo f=baz")
-- limits
same(texts(calls, function(q) q:set_byte_range(6, 13) end), "f=foo a=(1)")
same(texts(calls, function(q) q:set_point_range({row = 2, column = 0}, {row = 3, column = 0}) end), "f=bar a=(2)")
same(texts(calls, function(q) q:set_max_start_depth(2) end), "f=foo a=(1) f=bar a=(2)")
same(texts(calls, function(q) q:disable_capture("a") q:disable_capture("nope") end), "f=foo f=bar f=foo f=baz")
same(texts("(_) @x " .. calls, function(q) q:disable_pattern(0) end), "f=foo a=(1) f=bar a=(2) f=foo a=(3) f=baz a=($x)")

local q = treesitter.query("php", calls .. '\n((name) @n (#eq? @n "x") (#set! k "v") (#set! @n only) (#is? @n p) (#is-not? q) (#match? @n "x|y") (#any-of? @n "x" "z") (#eq? @n @n))')
local found = q:matches(root, code)
same(found[1].pattern, 0) same(#found[1].captures, 2) same(found[1].captures[1].name, "f") same(found[1].captures[1].index, 0) same(found[1].captures[2].node:text(), "(1)")
same(type(found[1].id), "number") same(found[1].captures[1].text, nil)
same(#found, 6)
same(q:pattern_count(), 2) same(q:capture_count(), 3) same(q:string_count(), 0)
same(q:start_byte_for_pattern(1), #calls + 1) same(q:end_byte_for_pattern(0), #calls + 1)
same(q:is_pattern_rooted(0), true) same(q:is_pattern_non_local(0), false) same(q:is_pattern_guaranteed(0), false)
same(q:capture_name_for_id(2), "n") same(q:capture_name_for_id(3), nil)
same(q:capture_index_for_name("a"), 1) same(q:capture_index_for_name("@a"), nil)
same(q:capture_quantifier(0, 0), 3) same(q:capture_quantifier(0, 2), 0) same(q:capture_quantifier(2, 0), nil) same(q:capture_quantifier(0, 3), nil)
local many = treesitter.query("php", "(arguments (argument)* @a) (arguments (argument)+ @b) (arguments (argument)? @c)")
same(many:capture_quantifier(0, 0), 2) same(many:capture_quantifier(1, 1), 4) same(many:capture_quantifier(2, 2), 1)
local set, props, tp = q:get_property_settings(1), q:get_property_predicates(1), q:get_text_predicates(1)
same(#set, 2) same(set[1].key, "k") same(set[1].value, "v") same(set[1].capture_id, nil) same(set[2].key, "only") same(set[2].value, nil) same(set[2].capture_id, 2)
same(#props, 2) same(props[1].key, "p") same(props[1].positive, true) same(props[1].capture_id, 2) same(props[2].positive, false)
same(#tp, 4)
same(tp[1].type, 1) same(tp[1].value, "x") same(tp[1].capture_id, 2) same(tp[1].positive, true) same(tp[1].match_all_nodes, true)
same(tp[2].type, 2) same(tp[2].value, "x|y") same(tp[3].type, 3) same(tp[3].value[2], "z") same(tp[4].type, 0) same(tp[4].value, 2)
same(#q:get_text_predicates(0), 0)
same(q:get_match_limit(), 4294967295) q:set_match_limit(7) same(q:get_match_limit(), 7) same(q:did_exceed_match_limit(), false)
same(q:get_timeout(), 0) q:set_timeout("2s") same(q:get_timeout(), 2e9) q:set_timeout(5) same(q:get_timeout(), 5)

-- what is wrong
q = treesitter.query("php", calls)
fails("Invalid", "Node expected", nil, q:captures("x", code))
fails("Invalid", "Node expected", nil, q:matches(nil, code))
fails("Invalid", "another language", nil, q:captures(treesitter.parse("python", ""):root_node(), ""))
fails("Invalid", "invalid byte range", nil, q:captures(root, "short"))
