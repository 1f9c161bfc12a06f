--- lua-data/1 nothing, the empty table and the empty object in JSON
same(json.encode(nil), "null")
same(json.encode({}), "[]")
same(json.encode(json.decode("{}")), "{}")
--- lua-data/2 numbers in JSON
same(json.encode({1, 2, 3}), "[1,2,3]")
same(json.encode({n = 100.0}), '{"n":100}')
same(json.encode({x = 0/0}), '{"x":null}')
--- lua-data/3 markup in JSON
same(json.encode("<b>&"), [["\u003cb\u003e\u0026"]])
--- lua-data/4 tables that are no JSON
fails("Internal", json.encode({[1] = "a", [3] = "c"}))
fails("Internal", json.encode({1, a = 2}))
local own = {} own.own = own
fails("Internal", json.encode(own))
local twice = {1}
same(json.encode({a = twice, b = twice}), '{"a":[1],"b":[1]}')
--- lua-data/5 depth of JSON
local function nested(n) local t = {} for i = 2, n do t = {t} end return t end
assert(json.encode(nested(129)))
fails("Internal", json.encode(nested(130)))
--- lua-data/6 what is no JSON
fails("Invalid", json.decode(123))
fails("Invalid", json.decode(""))
local _, err = fails("Internal", json.decode("not json"))
same(err:retryable(), false)
fails("Internal", json.decode('{"a":1,"a":2}'))
--- lua-data/7 what follows JSON, and gaps in it
same(json.decode('{"a":1} trailing').a, 1)
same(json.decode("[1,null,3]")[3], 3)
--- lua-data/8 validation against a schema
local ok, err = json.validate({type = "object", required = {"name"}}, {age = 1})
same(ok, false) same(err:kind(), "Invalid")
has(select(2, json.validate(nil, {})), "schema is required")
has(select(2, json.validate({type = "object"}, nil)), "data is required")
same(select("#", json.validate({type = "object"}, {a = 1})), 1)
same(json.validate({type = "object"}, {a = 1}), true)
--- lua-data/9 formats are not checked
same(json.validate({type = "object", properties = {email = {type = "string", format = "email"}}}, {email = "nope"}), true)
--- lua-data/10 validation of text
same(json.validate_string({type = "integer"}, "30"), true)
local ok, err = json.validate_string({type = "integer"}, "x")
same(ok, false) same(err:kind(), "Invalid")
--- lua-data/11 numbers in YAML
same(yaml.encode({port = 8080}), "port: 8080\n")
has(yaml.encode({n = 1000000}), "1000000")
--- lua-data/12 order of YAML fields
same(yaml.encode({zebra = 1, alpha = 2, name = "t", kind = "d"}, {field_order = {"name", "kind"}, sort_unordered = true}), "name: t\nkind: d\nalpha: 2\nzebra: 1\n")
--- lua-data/13 what is no YAML
has(fails("Invalid", yaml.encode("x")), "table expected")
fails("Invalid", yaml.decode(""))
fails("Internal", yaml.decode("a: [1,2"))
fails("Internal", yaml.decode("a: 1\na: 2"))
--- lua-data/14 keys, words and documents of YAML
same(yaml.decode("1: x")["1"], "x")
same(yaml.decode("a: yes").a, "yes")
same(yaml.decode("---\na: 1\n---\nb: 2").b, nil)
--- lua-data/15 base64
same(base64.encode("hello"), "aGVsbG8=")
has(fails("Invalid", base64.decode("!!!invalid!!!")), "illegal base64")
fails("Invalid", base64.encode(123))
--- lua-data/16 every codec gives back what it was given
local bytes = "" for i = 0, 255 do bytes = bytes .. string.char(i) end
for _, name in ipairs({"gzip", "deflate", "zlib", "brotli", "zstd"}) do
    local codec = compress[name]
    assert(codec, name)
    same(codec.decode(codec.encode(bytes)), bytes)
    fails("Invalid", codec.encode(""))
    fails("Invalid", codec.decode(""))
end
--- lua-data/17 levels
fails("Invalid", compress.gzip.encode("x", {level = 0}))
fails("Invalid", compress.gzip.encode("x", {level = 10}))
fails("Invalid", compress.brotli.encode("x", {level = 12}))
fails("Invalid", compress.zstd.encode("x", {level = 23}))
assert(compress.brotli.encode("x", {level = 0}))
assert(compress.zstd.encode("x", {level = 22}))
--- lua-data/18 damaged and too large
fails("Invalid", compress.gzip.decode("not valid gzip data"))
fails("Internal", compress.zstd.decode("not valid zstd data"))
fails("Internal", compress.gzip.decode(compress.gzip.encode(("x"):rep(10000)), {max_size = 100}))
fails("Invalid", compress.deflate.decode(compress.deflate.encode(("x"):rep(10000)), {max_size = 100}))
--- lua-data/19 dictionaries
local samples = {}
for i = 1, 200 do samples[i] = '{"user":' .. i .. ',"name":"somebody number ' .. i .. '","roles":["reader","writer"],"active":true,"score":' .. i * 7 % 101 .. '}' end
local d = assert(compress.zstd.train_dict(samples))
local p = samples[7]
assert(#compress.zstd.encode(p, {dict = d}) < #compress.zstd.encode(p))
local packed = compress.zstd.encode(p, {dict = d})
same(compress.zstd.decode(packed, {dict = d}), p)
local v, err = compress.zstd.decode(packed)
assert(v == nil and err)
fails("Invalid", compress.zstd.train_dict({}))
--- lua-data/22 workbooks
local book = excel.new()
same(table.concat(book:get_sheet_list(), ","), "Sheet1")
same(book:new_sheet("Data"), 1)
same(book:new_sheet("Data"), 1)
book:set_cell_value("Data", "A1", 123) book:set_cell_value("Data", "B1", 45.67) book:set_cell_value("Data", "C1", true)
local rows = assert(book:get_rows("Data"))
same(rows[1][1], "123") same(rows[1][2], "45.67") same(rows[1][3], "TRUE")
book:close()
fails("Internal", book:get_sheet_list())
--- lua-data/23 payloads know their format
same(payload.new({a = 1}):get_format(), "lua/any")
same(payload.new(errors.new("x")):get_format(), "golang/error")
same(tostring(payload.new(1)), "payload{format=lua/any}")
--- lua-data/24 payloads change their format
same(payload.new({a = 1}):transcode(payload.format.JSON):data().a, 1)
fails("Internal", payload.new(1):transcode("no/such"))
--- lua-data/26 expressions that match nothing
fails("Invalid", text.regexp.compile("[invalid"))
local re = text.regexp.compile("[0-9]+")
same(re:find_string("abc"), nil)
same(#re:find_all_string("abc"), 0)
same(re:find_all_string_index("abc"), nil)
--- lua-data/27 where expressions match
local at = text.regexp.compile("page\\d+"):find_string_index("The page1 here")
same(at[1], 5) same(at[2], 9)
same(table.concat(text.regexp.compile(","):split("a,b,c,d", 2), " "), "a b,c,d")
--- lua-data/28 replacement of groups
same(text.regexp.compile("(\\w+)@(\\w+)"):replace_all_string("x@y", "$2-$1"), "y-x")
--- lua-data/29 patches
local differ = text.diff.new()
local a, b = "the quick brown fox", "the slow brown cat"
local patched, ok = differ:patch_apply(differ:patch_make(a, b), a)
same(patched, b) same(ok, true)
local s = differ:summarize({{operation = "delete", text = "ab\195\164d"}, {operation = "insert", text = "world"}})
same(s.deletions, 5) same(s.insertions, 5)
--- lua-data/30 pieces of text
local splitter = text.splitter.recursive({chunk_size = 20, chunk_overlap = 5})
same(table.concat(splitter:split_text("aaa bbb ccc ddd eee fff ggg hhh\n\nzzz yyy"), "|"), "aaa bbb ccc ddd eee|eee fff ggg hhh|zzz yyy")
local about = {page = 1}
local pieces = splitter:split_batch({{content = "aaa bbb ccc ddd eee fff ggg hhh", metadata = about}})
assert(#pieces > 1 and pieces[1].metadata == pieces[2].metadata)
--- lua-data/31 policies for markup
same(html.sanitize.strict_policy():sanitize("<p>Hello <b>world</b>!</p>"), "Hello world!")
same(html.sanitize.ugc_policy():sanitize("a<script>alert(1)</script>b"), "ab")
local m, err = html.sanitize.new_policy():allow_attrs("href"):matching("[invalid")
assert(m == nil and err:kind() == "Invalid", tostring(err))
--- lua-data/35 keyed hashes
local want = "1b2c16b75bd2a870c114153ccda5bcfca63314bc722fa160d690de133ccbb9db"
same(crypto.hmac.sha256("secret", "data"), want)
same(hash.hmac_sha256("data", "secret"), want)
--- lua-data/36 keys and encryption
local key = ("k"):rep(32)
fails("Invalid", crypto.hmac.sha256("", "x"))
fails("Invalid", crypto.encrypt.aes("t", "short"))
fails("Internal", crypto.decrypt.aes(crypto.encrypt.aes("t", key, "aad"), key, "other"))
same(#crypto.encrypt.aes("", key), 28)
--- lua-data/37 tokens
local k = "key"
local token = assert(crypto.jwt.encode({sub = "a"}, k))
local v, err = crypto.jwt.verify(token, k)
assert(v == nil and err)
same(crypto.jwt.verify(token, k, "HS256", false).sub, "a")
local old = assert(crypto.jwt.encode({sub = "a", exp = 1000}, k))
assert(not crypto.jwt.verify(old, k)) assert(not crypto.jwt.verify(old, k, "HS256", false))
local strong = assert(crypto.jwt.encode({sub = "a", exp = 99999999999}, k, "HS384"))
assert(not crypto.jwt.verify(strong, k, "HS256"))
local named = assert(crypto.jwt.encode({sub = "a", exp = 99999999999, _header = {kid = "one"}}, k))
same(crypto.jwt.verify(named, k)._header, nil)
local head = named:match("^[^.]+"):gsub("-", "+"):gsub("_", "/")
head = base64.decode(head .. ("="):rep(-#head % 4))
same(json.decode(head).kid, "one")
--- lua-data/38 passwords
local function hex(s) return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
same(hex(crypto.pbkdf2("password", "salt", 1000, 32)), "632c2812e46d4604102ba7618e9d6d7d2f8128f6266b4a03264d2a0460b7dcb3")
fails("Invalid", crypto.pbkdf2("password", "salt", 1000, 32, "md5"))
--- lua-data/39 random bytes and comparison
fails("Invalid", crypto.random.bytes(0))
fails("Invalid", crypto.random.bytes(1048577))
same(crypto.constant_time_compare("a", "ab"), false)
--- lua-data/40 hashes
same(hash.md5("hello"), "5d41402abc4b2a76b9719d911017c592")
same(#hash.sha256("x", true), 32)
same(hash.fnv32("hello"), 3069866343)
fails("Invalid", hash.md5(1))
--- lua-data/41 unique ids
same(uuid.v5("6ba7b811-9dad-11d1-80b4-00c04fd430c8", "https://example.com/resource"), "1f70cc9d-a4b1-5e16-844a-32742876cc95")
same(uuid.validate({}), false)
fails("Invalid", uuid.format(uuid.v4(), "bad"))
same(uuid.parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8").timestamp, 886630433)
--- lua-data/42 expressions
same(expr.eval("x % 2", {x = 5}), 1)
same(expr.eval("10 / 4"), 2.5)
fails("Invalid", expr.eval(""))
fails("Internal", expr.eval("((("))
fails("Internal", expr.compile("x + y"):run({x = 1}))
local v, err = expr.eval("nil")
same(v, nil) same(err, nil)
--- lua-data/43 unknown names in expressions
local program, err = expr.compile("value + zzz", {value = 0})
assert(program == nil and err)
