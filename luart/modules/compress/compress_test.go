// SPDX-License-Identifier: Apache-2.0

package compress_test

import (
	"fmt"
	"testing"

	"github.com/wippyrun/kit/luart/modules/compress"
	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
)

// tools are Lua values that the programs of the tests use.
const tools = `
	local codecs = {"gzip", "deflate", "zlib", "brotli", "zstd"}
	local function fails(kind, text, v, err)
		assert(v == nil and err, "no error")
		assert(err:kind() == kind and err:retryable() == false, err:kind())
		assert(string.find(err:message(), text, 1, true), err:message())
	end
	local function samples()
		local list = {}
		for i = 1, 200 do
			list[i] = string.format('{"user":"u%d","event":"page_view","page":"/products/%d","referrer":"https://example.com/","n":%d}', i, i * 7, i * i)
		end
		return list
	end
`

func check(t *testing.T, programs map[string]string) {
	t.Helper()
	b := moduletest.New(t, compress.Module())
	for name, body := range programs {
		t.Run(name, func(t *testing.T) { b.Check(t, tools+body) })
	}
}

func TestAcceptanceFacts(t *testing.T) {
	check(t, map[string]string{
		"16 round trip": `
			local bytes = {}
			for i = 0, 255 do bytes[#bytes + 1] = string.char(i) end
			local all = table.concat(bytes)
			for _, name in ipairs(codecs) do
				for _, s in ipairs({all, "x", "\0", string.rep(all, 1000)}) do
					local packed, err = compress[name].encode(s)
					assert(packed and err == nil, err)
					local back, err = compress[name].decode(packed)
					assert(back == s and err == nil, name)
				end
			end`,
		"16 nothing": `
			for _, name in ipairs(codecs) do
				fails("Invalid", "input data cannot be empty", compress[name].encode(""))
				fails("Invalid", "input data cannot be empty", compress[name].decode(""))
			end`,
		"17 levels": `
			fails("Invalid", "compression level must be between 1 and 9", compress.gzip.encode("x", {level = 0}))
			fails("Invalid", "compression level must be between 1 and 9", compress.gzip.encode("x", {level = 10}))
			fails("Invalid", "brotli quality must be between 0 and 11", compress.brotli.encode("x", {level = 12}))
			fails("Invalid", "zstd level must be between 1 and 22", compress.zstd.encode("x", {level = 23}))
			assert(compress.brotli.decode(compress.brotli.encode("x", {level = 0})) == "x")
			assert(compress.zstd.decode(compress.zstd.encode("x", {level = 22})) == "x")`,
		"18 wrong data": `
			fails("Invalid", "invalid gzip data", compress.gzip.decode("not valid gzip data"))
			fails("Internal", "", compress.zstd.decode("not valid zstd data"))`,
		"18 bombs": `
			local bomb = string.rep("\0", 1000000)
			fails("Internal", "decompressed size exceeds limit", compress.gzip.decode(compress.gzip.encode(bomb), {max_size = 1000}))
			fails("Invalid", "invalid deflate data", compress.deflate.decode(compress.deflate.encode(bomb), {max_size = 1000}))`,
		"19 dictionary": `
			local dict = assert(compress.zstd.train_dict(samples(), {size = 4096, level = 1}))
			local text = samples()[77]
			local packed = compress.zstd.encode(text, {dict = dict})
			assert(#packed < #compress.zstd.encode(text))
			assert(compress.zstd.decode(packed, {dict = dict}) == text)
			fails("Internal", "", compress.zstd.decode(packed))
			fails("Invalid", "samples table cannot be empty", compress.zstd.train_dict({}))`,
	})
}

func TestOptions(t *testing.T) {
	check(t, map[string]string{
		"all levels": `
			local s = string.rep("the quick brown fox ", 100)
			for name, range in pairs({gzip = {1, 9}, deflate = {1, 9}, zlib = {1, 9}, brotli = {0, 11}, zstd = {1, 22}}) do
				for level = range[1], range[2] do
					assert(compress[name].decode(compress[name].encode(s, {level = level})) == s, name .. level)
				end
				for _, level in ipairs({range[1] - 1, range[2] + 1, 0/0, 1/0, -1/0}) do
					fails("Invalid", "must be between " .. range[1] .. " and " .. range[2], compress[name].encode(s, {level = level}))
				end
			end`,
		"higher levels pack better": `
			local s = table.concat(samples())
			for _, name in ipairs(codecs) do
				assert(#compress[name].encode(s, {level = 9}) < #compress[name].encode(s, {level = 1}), name)
			end`,
		"a level that is no number does not count": `assert(compress.gzip.encode("x", {level = "9"}) == compress.gzip.encode("x"))`,
		"fractions are cut off":                    `assert(compress.gzip.encode("x", {level = 9.9}) == compress.gzip.encode("x", {level = 9}))`,
		"options that are no table do not count":   `assert(compress.gzip.decode(compress.gzip.encode("x", 1), "y") == "x")`,
		"exactly max_size": `
			for _, name in ipairs(codecs) do
				local packed = compress[name].encode(string.rep("x", 1000))
				assert(#compress[name].decode(packed, {max_size = 1000}) == 1000, name)
				assert(compress[name].decode(packed, {max_size = 999}) == nil, name)
			end`,
		"max_size out of range does not count": `
			local packed = compress.gzip.encode("some text")
			for _, size in ipairs({0, -1, 1073741825, 0/0, 1/0, "1", true}) do
				assert(compress.gzip.decode(packed, {max_size = size}) == "some text", size)
			end
			assert(compress.gzip.decode(packed, {max_size = 9.9}) == "some text")`,
		"level 3 of zstd is the default":  `local s = table.concat(samples()) assert(compress.zstd.encode(s) == compress.zstd.encode(s, {level = 3}))`,
		"level 6 of the others is theirs": `local s = table.concat(samples()) for _, n in ipairs({"gzip", "brotli"}) do assert(compress[n].encode(s) == compress[n].encode(s, {level = 6})) end`,
		"read-only options":               `assert(compress.gzip.encode("x", table.freeze({level = 9})))`,
		"tables are read-only": `
			for _, t in ipairs({compress, compress.gzip, compress.zstd}) do assert(not pcall(function() t.encode = nil end)) end`,
	})
}

func TestFailures(t *testing.T) {
	var failures []moduletest.Failure
	for _, name := range []string{"gzip", "deflate", "zlib", "brotli", "zstd"} {
		for _, f := range []string{"encode", "decode"} {
			for _, arg := range []string{"", "12", "{}"} {
				failures = append(failures, moduletest.Failure{
					Call: fmt.Sprintf("compress.%s.%s(%s)", name, f, arg), Kind: "Invalid", Text: "string expected"})
			}
		}
	}
	moduletest.New(t, compress.Module()).CheckFailures(t, append(failures,
		moduletest.Failure{Call: `compress.zlib.decode("not valid zlib data")`, Kind: "Invalid", Text: "invalid zlib data"},
		moduletest.Failure{Call: `compress.deflate.decode("not valid deflate data")`, Kind: "Invalid", Text: "invalid deflate data"},
		moduletest.Failure{Call: `compress.brotli.decode("not valid brotli data")`, Kind: "Invalid", Text: "invalid brotli data"},
		moduletest.Failure{Call: `compress.zstd.encode("x", {dict = ""})`, Kind: "Invalid", Text: "dict must be a non-empty string"},
		moduletest.Failure{Call: `compress.zstd.decode("x", {dict = 12})`, Kind: "Invalid", Text: "dict must be a non-empty string"},
		moduletest.Failure{Call: `compress.zstd.encode("x", {dict = "no dictionary"})`, Kind: "Internal", Text: "unexpected EOF"},
		moduletest.Failure{Call: `compress.zstd.decode("x", {dict = "no dictionary"})`, Kind: "Internal", Text: "unexpected EOF"},
	))
	check(t, map[string]string{
		"truncated": `
			local s = table.concat(samples())
			for name, kind in pairs({gzip = "Internal", zlib = "Internal", deflate = "Invalid", brotli = "Invalid", zstd = "Internal"}) do
				local packed = compress[name].encode(s)
				fails(kind, "", compress[name].decode(packed:sub(1, #packed / 2)))
			end`,
		"corrupt": `
			local s = table.concat(samples())
			for name, kind in pairs({gzip = "Internal", zlib = "Internal", zstd = "Internal"}) do
				local packed = compress[name].encode(s)
				fails(kind, "", compress[name].decode(packed:sub(1, -3) .. "!!"))
			end`,
		"the codec works after a failure": `
			for _, name in ipairs(codecs) do
				compress[name].decode("no such data at all")
				assert(compress[name].decode(compress[name].encode("text")) == "text")
			end`,
	})
}

func TestDictionaries(t *testing.T) {
	check(t, map[string]string{
		"inspection": `
			local dict, err = compress.zstd.train_dict(samples(), {size = 1024, id = 4711, level = 1})
			assert(err == nil and #dict <= 1024 + 512)
			local info, err = compress.zstd.inspect_dict(dict)
			assert(err == nil and info.id == 4711 and info.content_size > 0 and info.content_size <= 1024)`,
		"chosen id": `
			local dict = compress.zstd.train_dict(samples(), {level = 1})
			assert(compress.zstd.inspect_dict(dict).id > 0)`,
		"all strengths use it": `
			local dict = compress.zstd.train_dict(samples(), {size = 4096, level = 1})
			local text = samples()[1]
			for _, level in ipairs({1, 5, 8, 22}) do
				local packed = compress.zstd.encode(text, {dict = dict, level = level})
				assert(#packed < #text / 2 and compress.zstd.decode(packed, {dict = dict}) == text, level)
			end`,
		"another dictionary": `
			local a = compress.zstd.train_dict(samples(), {size = 4096, level = 1, id = 1})
			local b = compress.zstd.train_dict(samples(), {size = 4096, level = 1, id = 2})
			local packed = compress.zstd.encode(samples()[1], {dict = a})
			fails("Internal", "", compress.zstd.decode(packed, {dict = b}))
			assert(compress.zstd.decode(compress.zstd.encode("plain"), {dict = b}) == "plain")`,
		"no calls are mixed up": `
			local dict = compress.zstd.train_dict(samples(), {size = 4096, level = 1})
			local text = samples()[1]
			local plain, packed = compress.zstd.encode(text), compress.zstd.encode(text, {dict = dict})
			for _ = 1, 3 do
				assert(compress.zstd.encode(text) == plain and compress.zstd.encode(text, {dict = dict}) == packed)
				assert(compress.zstd.decode(packed, {dict = dict}) == text)
				fails("Internal", "", compress.zstd.decode(packed))
			end`,
		"more of them than are kept ready": `
			local text, packed = samples()[1], {}
			for i = 1, 20 do
				local dict = compress.zstd.train_dict(samples(), {size = 256 + i, id = i, level = 1})
				packed[i] = {dict, compress.zstd.encode(text, {dict = dict})}
			end
			for i = 1, 20 do assert(compress.zstd.decode(packed[i][2], {dict = packed[i][1]}) == text, i) end`,
		"options of a wrong type do not count": `assert(compress.zstd.train_dict(samples(), {size = "1", id = true, level = {}}))`,
		"samples of any length": `
			local list = samples()
			list[#list + 1], list[#list + 2] = "x", string.rep("long ", 100000)
			assert(compress.zstd.train_dict(list, {size = 4096, level = 1}))`,
	})
}

func TestDictionaryFailures(t *testing.T) {
	one := `{"a sample of text", "a sample of text, too"}`
	train := func(args, text string) moduletest.Failure {
		return moduletest.Failure{Call: "compress.zstd.train_dict(" + args + ")", Kind: "Invalid", Text: text}
	}
	inspect := func(args, text string) moduletest.Failure {
		return moduletest.Failure{Call: "compress.zstd.inspect_dict(" + args + ")", Kind: "Invalid", Text: text}
	}
	moduletest.New(t, compress.Module()).CheckFailures(t, []moduletest.Failure{
		train(``, "samples must be a table of strings"),
		train(`"x"`, "samples must be a table of strings"),
		train(`{1}`, "samples entries must be strings"),
		train(`{"a sample", {}}`, "samples entries must be strings"),
		train(`{"a sample", ""}`, "samples entries cannot be empty"),
		train(`{"short", "1234567"}`, "at least one sample must be 8 bytes or longer"),
		train(one+`, {size = 255}`, "dict size must be between 256 and 1048576"),
		train(one+`, {size = 1048577}`, "dict size must be between 256 and 1048576"),
		train(one+`, {id = -1}`, "dict id must fit in uint32"),
		train(one+`, {id = 4294967296}`, "dict id must fit in uint32"),
		train(one+`, {level = 0}`, "level must be between 1 and 22"),
		train(one+`, {level = 23}`, "level must be between 1 and 22"),
		train(`(function() local s, t = string.rep("x", 2^20), {} for i = 1, 17 do t[i] = s end return t end)()`,
			"samples have more than 16777216 bytes"),
		{Name: "nothing in common", Call: `compress.zstd.train_dict({"one sample only"})`, Kind: "Internal", Text: "no content is repeated"},
		inspect(``, "dictionary must be a string"),
		inspect(`12`, "dictionary must be a string"),
		inspect(`""`, "dictionary cannot be empty"),
		inspect(`"no dictionary, but long enough to be one"`, "invalid zstd dictionary"),
	})
}
