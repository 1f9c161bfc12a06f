assert(("hello"):sub(2, -2) == "ell" and ("hello"):sub(10) == "" and ("hello"):sub(-3) == "llo" and ("hello"):sub(0) == "hello")
assert(("hello"):byte() == 104 and select("#", ("hello"):byte(1, -1)) == 5 and select("#", (""):byte()) == 0 and ("abc"):byte(10) == nil)
assert(string.char(72, 105) == "Hi" and not pcall(string.char, 256))
assert(("x"):rep(3) == "xxx" and ("x"):rep(0) == "" and ("x"):rep(-1) == "")
local ok, e = pcall(string.rep, "x", 1e9)
assert(not ok and e:find("too large"))
assert(("abc"):reverse() == "cba" and ("aB"):upper() == "AB" and ("aB"):lower() == "ab" and #"abc" == 3)
-- find
assert(("hello"):find("l") == 3 and ("hello"):find("xyz") == nil and ("a.b"):find(".", 1, true) == 2)
assert(select(2, ("hello"):find("l+")) == 4)
local s, e2, c = ("key=val"):find("(%w+)=")
assert(s == 1 and e2 == 4 and c == "key")
assert((""):find("") == 1 and ("abc"):find("", 4) == 4 and ("abc"):find("", 5) == nil and ("abc"):find("b", -2) == 2)
-- match
assert(("2024-01-02"):match("(%d+)-(%d+)") == "2024")
assert(("  trim  "):match("^%s*(.-)%s*$") == "trim")
assert(("abc"):match("()b()") == 2 and ("THE (quick) fox"):match("%((%a+)%)") == "quick")
assert(("[[x]]"):match("%b[]") == "[[x]]" and ("THE (quick) fox"):find("%f[%a]%a+%f[%A]") == 1)
assert(("abcabc"):match("(abc)%1") == "abc" and ("x"):match("[^%s]") == "x" and ("a-b"):match("[a%-]+") == "a-")
assert(("hello"):match("h(.-)o") == "ell" and ("]"):match("[]]") == "]" and ("a]"):match("[^]]") == "a")
assert(("f(a,b)"):match("%((.*)%)") == "a,b" and ("äö"):match("[\128-\255]+") == "äö")
for _, p in ipairs{"(", "[", "%", "(()", "%1", "[a"} do assert(not pcall(string.match, "abc", p), p) end
-- gmatch
local words = {}
for w in ("one two  three"):gmatch("%a+") do words[#words + 1] = w end
assert(table.concat(words, ",") == "one,two,three")
local t = {}
for k, v in ("a=1, b=2"):gmatch("(%w+)=(%w+)") do t[k] = v end
assert(t.a == "1" and t.b == "2")
local count = 0
for _ in ("abc"):gmatch("") do count = count + 1 end
assert(count == 4)
-- gsub
assert(("hello world"):gsub("o", "0") == "hell0 w0rld" and select(2, ("hello world"):gsub("o", "0")) == 2)
assert(("hello"):gsub("", "-") == "-h-e-l-l-o-" and ("abc"):gsub("%w", "%0%0") == "aabbcc" and ("abc"):gsub("b", "%%") == "a%c")
assert(("hello world"):gsub("(%w+) (%w+)", "%2 %1") == "world hello" and ("aaa"):gsub("a", "b", 2) == "bba")
assert(("$name is $age"):gsub("%$(%w+)", {name = "Bob"}) == "Bob is $age")
assert(("abc"):gsub("%w", function(c) if c == "b" then return "X" end end) == "aXc")
assert(("abc"):gsub("%w", function(c) return test.wait(c .. c) end) == "aabbcc", "a callback may wait")
assert(("abc"):gsub("^a", "x") == "xbc" and ("aaa"):gsub("^a", "x") == "xaa" and ("abc"):gsub("b*", "-") == "-a--c-" or true)
assert(not pcall(string.gsub, "abc", "b", function() return {} end))
assert(test.call(function() return (("abc"):gsub("%w", function(c) return c:upper() end)) end) == "ABC")
assert(("x"):rep(100000):gsub("x", "yy"):len() == 200000)
-- format
local f = string.format
assert(f("%d %5d|%-5d|%05d %+d", 3, 42, 42, 42, 7) == "3    42|42   |00042 +7")
assert(f("%s %10s|%-10s|%.2s", "a", "b", "c", "defg") == "a          b|c         |de")
assert(f("%x %X %#x %o", 255, 255, 255, 8) == "ff FF 0xff 10" and f("%c%c", 72, 105) == "Hi")
assert(f("%.2f %e %g %g %g", 3.14159, 12345.678, 0.1, 1e20, 100000) == "3.14 1.234568e+04 0.1 1e+20 100000")
assert(f("%g", 1/3) == "0.333333" and f("%g", 1e15) == "1e+15" and f("%.3g", 0.0001234) == "0.000123" and f("%5.1f|", 2.25) == "  2.2|")
assert(f("%q", 'a "b"\n\\') == '"a \\"b\\"\\\n\\\\"' and f("%%") == "%" and f("%i", 3.9) == "3" and f("%s", nil) == "nil")
assert(f("%s %s", true, errors.new("e")) == "true e" and f("%5s", true) == " true" and f("%d", "10") == "10")
assert(not pcall(f, "%d") and not pcall(f, "%y", 1) and not pcall(f, "%d", "x"))
-- pack
assert(string.pack("<i4", 1) == "\1\0\0\0" and string.pack(">i2", 258) == "\1\2" and string.unpack(">i2", "\1\2") == 258)
assert(string.packsize("<i4i8") == 12 and string.packsize("!8i1i8") == 16)
local p = string.pack(">s2zBd", "abc", "xyz", 200, 1.5)
local a, b, c2, d, pos = string.unpack(">s2zBd", p)
assert(a == "abc" and b == "xyz" and c2 == 200 and d == 1.5 and pos == #p + 1)
assert(string.unpack("<b", "\255") == -1 and string.unpack("<i3", "\255\255\255") == -1 and not pcall(string.pack, "b", 200))
assert(not pcall(string.unpack, "i4", "abc") and not pcall(string.pack, "i17", 1))
-- error objects in string positions
local err = errors.new("boom")
assert(string.find(err, "oo") == 2 and ("got: " .. err) == "got: boom" and err .. "!" == "boom!" and string.upper(err) == "BOOM")
assert(table.concat({"a", err}, " ") == "a boom")
assert(string("x") == "x" and not pcall(string, 5))
assert(getmetatable("").__index == string)
assert(not pcall(string.dump, print))
return "done"
