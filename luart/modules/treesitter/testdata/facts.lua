-- 55
local code = "def f():\n  g()\n"
local tree = treesitter.parse("python", code)
local root = tree:root_node()
same(root:kind(), "module")
local query = treesitter.query("python", "(call function: (identifier) @c)")
local found = query:captures(root, code)
same(#found, 1)
same(found[1].name, "c")
same(found[1].text, "g")
same(found[1].index, 0)
local n = found[1].node
while n and n:kind() ~= "function_definition" do n = n:parent() end
same(n:child_by_field_name("name"):text(), "f")

-- 56
fails("Invalid", "unsupported language: nope", nil, treesitter.parse("nope", ""))
fails("Invalid", "Query error at 1:", nil, treesitter.query("go", "((invalid"))
same(treesitter.supported_languages()["typescript+jsx"], true)
local parser, cursor = treesitter.parser(), tree:walk()
for _, v in ipairs({cursor, query, parser, tree}) do
	v:close()
	v:close()
end
raises("parser already closed", parser.reset, parser)
raises("tree already closed", tree.root_node, tree)
raises("tree already closed", root.kind, root)
raises("query already closed", query.pattern_count, query)
raises("TreeCursor is closed", cursor.current_node, cursor)

-- the same for php, as applications use it
local php = "<?php\nfunction outer() { inner(1); }\n"
local t = treesitter.parse("php", php)
local q = treesitter.query("php", "(function_call_expression function: (name) @call)")
local calls = q:captures(t:root_node(), php)
same(#calls, 1)
same(calls[1].text, "inner")
local up = calls[1].node
while up and up:kind() ~= "function_definition" do up = up:parent() end
same(up:child_by_field_name("name"):text(), "outer")
same(up:child_by_field_name("nothing"), nil)
same(t:root_node():parent(), nil)
