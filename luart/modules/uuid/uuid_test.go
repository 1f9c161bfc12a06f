// SPDX-License-Identifier: Apache-2.0

package uuid_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wippyrun/kit/luart/modules/internal/moduletest"
	"github.com/wippyrun/kit/luart/modules/replay/replaytest"
	"github.com/wippyrun/kit/luart/modules/uuid"
)

const dns = "6ba7b810-9dad-11d1-80b4-00c04fd430c8"

func TestAcceptanceFacts(t *testing.T) {
	b := moduletest.New(t, uuid.Module(nil))
	for name, body := range map[string]string{
		"41 v5": `assert(uuid.v5("6ba7b811-9dad-11d1-80b4-00c04fd430c8", "https://example.com/resource") ==
			"1f70cc9d-a4b1-5e16-844a-32742876cc95")`,
		"41 validate takes anything":   `assert(uuid.validate({}) == false)`,
		"41 unknown format is Invalid": `local v, err = uuid.format(..., "bad") assert(v == nil and err:kind() == "Invalid")`,
		"41 timestamp of v1":           `assert(uuid.parse(...).timestamp == 886630433)`,
	} {
		t.Run(name, func(t *testing.T) { b.Check(t, body, dns) })
	}
}

func TestModule(t *testing.T) {
	b := moduletest.New(t, uuid.Module(nil))
	for name, body := range map[string]string{
		"v1": `
			local before = os.time()
			local a, b = uuid.v1(), uuid.v1()
			assert(uuid.version(a) == 1 and uuid.variant(a) == "RFC4122" and a ~= b)
			local p, q = uuid.parse(a), uuid.parse(b)
			assert(#p.node == 6 and p.node == q.node)
			assert(before <= p.timestamp and p.timestamp <= os.time())`,
		"the node of v1 is no network card": `assert(string.byte(uuid.parse(uuid.v1()).node) % 2 == 1)`,
		"v3":                                `assert(uuid.v3(..., "www.example.com") == "5df41881-3aed-3515-88a7-2f4a814cf09e")`,
		"v3 of any name":                    `assert(uuid.version(uuid.v3(..., "")) == 3)`,
		"v4":                                `local a = uuid.v4() assert(uuid.version(a) == 4 and a ~= uuid.v4() and #a == 36 and a == a:lower())`,
		"v5":                                `assert(uuid.v5(..., "www.example.com") == "2ed6657d-e927-568b-95e1-2665a8aea6a2")`,
		"v7": `
			local before = os.time()
			local a, b = uuid.v7(), uuid.v7()
			assert(uuid.version(a) == 7 and a < b)
			local p = uuid.parse(a)
			assert(before <= p.timestamp and p.timestamp <= os.time() and p.node == nil)`,
		"two results": `assert(select("#", uuid.v4()) == 2 and select(2, uuid.v4()) == nil and select("#", uuid.validate(1)) == 2)`,
		"forms": `
			local id = ...
			for _, form in ipairs({id, id:upper(), "urn:uuid:" .. id, "URN:UUID:" .. id, "{" .. id .. "}", (id:gsub("-", ""))}) do
				assert(uuid.validate(form) == true, form)
				assert(uuid.format(form) == id, form)
			end`,
		"not valid": `
			local id = ...
			for _, form in ipairs({"", "x", "(" .. id .. ")", "{" .. id .. "]", "urn:uuia:" .. id, id .. "0", "0" .. id,
				(id:gsub("-", "+")), (id:gsub("d", "g")), (id:gsub("-", "")):sub(2)}) do
				assert(uuid.validate(form) == false, form)
			end
			assert(uuid.validate(nil) == false and uuid.validate(1) == false)`,
		"formats": `
			local id = ...
			assert(uuid.format(id, "standard") == id and uuid.format(id, 12) == id and uuid.format(id, nil) == id)
			assert(uuid.format(id, "simple") == "6ba7b8109dad11d180b400c04fd430c8")
			assert(uuid.format(id, "urn") == "urn:uuid:" .. id)`,
		"parse": `
			local p = uuid.parse(...)
			assert(p.version == 1 and p.variant == "RFC4122" and p.node == "\0\192\79\212\48\200")
			local q = uuid.parse("2ed6657d-e927-568b-95e1-2665a8aea6a2")
			assert(q.version == 5 and q.timestamp == nil and q.node == nil)`,
		"timestamp of v7": `assert(uuid.parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f").timestamp == 1645557742)`,
		"nil UUID": `
			local id = "00000000-0000-0000-0000-000000000000"
			assert(uuid.validate(id) and uuid.version(id) == 0 and uuid.variant(id) == "Reserved")`,
		"variants": `
			assert(uuid.variant("00000000-0000-4000-c000-000000000000") == "Microsoft")
			assert(uuid.variant("ffffffff-ffff-ffff-ffff-ffffffffffff") == "Future")`,
		"the table is read-only": `assert(not pcall(function() uuid.v4 = nil end))`,
	} {
		t.Run(name, func(t *testing.T) { b.Check(t, body, dns) })
	}
}

func TestFailures(t *testing.T) {
	failures := []moduletest.Failure{
		{Call: `uuid.v3("` + dns + `", 1)`, Kind: "Invalid", Text: "namespace and name must be strings"},
		{Call: `uuid.v5(1, "x")`, Kind: "Invalid", Text: "namespace and name must be strings"},
		{Call: `uuid.v5()`, Kind: "Invalid", Text: "namespace and name must be strings"},
		{Call: `uuid.v3("x", "y")`, Kind: "Invalid", Text: "invalid namespace UUID"},
		{Call: `uuid.format("` + dns + `", "")`, Kind: "Invalid", Text: "unsupported format"},
	}
	for _, name := range []string{"version", "variant", "parse", "format"} {
		failures = append(failures,
			moduletest.Failure{Call: "uuid." + name + "()", Kind: "Invalid", Text: "input must be a string"},
			moduletest.Failure{Call: "uuid." + name + "(12)", Kind: "Invalid", Text: "input must be a string"},
			moduletest.Failure{Call: "uuid." + name + `("12")`, Kind: "Invalid", Text: "invalid UUID format"})
	}
	moduletest.New(t, uuid.Module(nil)).CheckFailures(t, failures)
}

func TestRandomIdentifiersAreRecorded(t *testing.T) {
	var h replaytest.History
	m := uuid.Module(h.Record)
	const body = `return table.concat({uuid.v1(), uuid.v4(), uuid.v7(), uuid.v5("` + dns + `", "x")}, " ")`
	first, err := h.Run(t, m, body)
	if err != nil || len(strings.Fields(first.String())) != 4 {
		t.Fatalf("%v, %v", first, err)
	}
	if again, err := h.Run(t, m, body); err != nil || again != first {
		t.Errorf("%v after %v, %v", again, first, err)
	}
	if len(h.Values) != 3 {
		t.Errorf("%d values recorded, want those of v1, v4 and v7", len(h.Values))
	}
	h.Err = errors.New("history lost")
	failed, err := h.Run(t, m, `local v, err = uuid.v4() return err:kind() .. ": " .. err:message()`)
	if err != nil || failed.String() != "Internal: history lost" {
		t.Errorf("%v, %v", failed, err)
	}
}

// FuzzParse checks that what is accepted is the same identifier in every form.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", dns, "{" + dns + "}", "urn:uuid:" + dns, strings.ReplaceAll(dns, "-", ""), "x" + dns + "x", strings.Repeat("-", 36)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		id, ok := uuid.Parse(text)
		if !ok {
			return
		}
		for _, form := range []string{id.String(), strings.ToUpper(id.String()), id.URN(), "{" + id.String() + "}", strings.ReplaceAll(id.String(), "-", "")} {
			if again, ok := uuid.Parse(form); !ok || again != id {
				t.Errorf("%q is %s, but %q is %s", text, id, form, again)
			}
		}
	})
}

func BenchmarkV4(b *testing.B) { benchmark(b, `uuid.v4()`) }

func BenchmarkV7(b *testing.B) { benchmark(b, `uuid.v7()`) }

func BenchmarkValidate(b *testing.B) { benchmark(b, `uuid.validate("`+dns+`")`) }

func benchmark(b *testing.B, expression string) {
	bench := moduletest.New(b, uuid.Module(nil))
	program := bench.Link(`for _ = 1, ... do assert(` + expression + `) end`)
	b.ReportAllocs()
	b.ResetTimer()
	if _, err := bench.Exec(program, moduletest.Input(b.N)); err != nil {
		b.Fatal(err)
	}
}
