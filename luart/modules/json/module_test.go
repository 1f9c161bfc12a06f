// SPDX-License-Identifier: Apache-2.0

package json_test

import (
	"context"
	"testing"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/luart/modules/json"
	"github.com/wippyrun/kit/scheduler"
)

// run executes the body of a function in a process that may use the module.
func run(t testing.TB, body string) error {
	t.Helper()
	e := engine.New()
	if err := e.Register(json.Module()); err != nil {
		t.Fatal(err)
	}
	e.Seal()
	program, err := e.Link(engine.ProgramSpec{
		ID:      "app:test",
		Source:  `local json = require("json"); return function() ` + body + ` end`,
		Modules: []string{"json"},
	})
	if err != nil {
		t.Fatal(err)
	}
	p := e.NewProcess(engine.ProcessOptions{Program: program})
	if err := p.Init(context.Background(), "", nil); err != nil {
		return err
	}
	defer p.Close()
	var out scheduler.Output
	return p.Step(nil, &out)
}

func TestModule(t *testing.T) {
	for name, body := range map[string]string{
		"nothing is null":    `assert(json.encode() == "null")`,
		"round trip":         `assert(json.encode(json.decode('{"a":[1,{"b":{}}]}')) == '{"a":[1,{"b":{}}]}')`,
		"decode null":        `local v, err = json.decode("null") assert(v == nil and err == nil and select("#", json.decode("null")) == 2)`,
		"error as text":      `assert(json.encode({errors.new("bad")}) == '["bad"]')`,
		"read-only table":    `assert(not pcall(function() json.encode = nil end))`,
		"valid":              `assert(json.validate({type = "object", required = {"a"}}, {a = 1}) == true)`,
		"valid string":       `assert(json.validate_string({type = "integer"}, "30") == true)`,
		"null string":        `assert(json.validate_string('{"type":"null"}', "null") == true)`,
		"format":             `assert(json.validate({properties = {e = {type = "string", format = "email"}}}, {e = "no"}) == true)`,
		"empty is an object": `assert(json.validate('{"type":"object"}', {}) == true)`,
		"list":               `assert(json.validate({type = "array", items = {type = "string"}}, {"a", "b"}) == true)`,
	} {
		t.Run(name, func(t *testing.T) {
			if err := run(t, body); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestModuleErrors(t *testing.T) {
	for _, c := range []struct{ call, first, kind, text string }{
		{`json.encode({1, a = 2})`, "nil", "Internal", "mixed-key"},
		{`json.encode({[1] = 1, [3] = 3})`, "nil", "Internal", "sparse array"},
		{`json.decode(123)`, "nil", "Invalid", "string expected"},
		{`json.decode()`, "nil", "Invalid", "string expected"},
		{`json.decode("")`, "nil", "Invalid", "empty string is not valid JSON"},
		{`json.decode("not json")`, "nil", "Internal", "byte 1"},
		{`json.decode('{"a":1,"a":2}')`, "nil", "Internal", "duplicate object member name"},
		{`json.validate(nil, {})`, "false", "Invalid", "schema is required"},
		{`json.validate({type = "object"}, nil)`, "false", "Invalid", "data is required"},
		{`json.validate(12, {})`, "false", "Invalid", "schema must be a string or table"},
		{`json.validate({1, a = 2}, {})`, "false", "Invalid", "mixed-key"},
		{`json.validate("{", {})`, "false", "Invalid", "not JSON"},
		{`json.validate({type = "nonsense"}, {})`, "false", "Invalid", "the schema is not valid"},
		{`json.validate({type = "object", required = {"name"}}, {age = 1})`, "false", "Invalid", "name"},
		{`json.validate_string({type = "integer"}, 30)`, "false", "Invalid", "data must be a JSON string"},
		{`json.validate_string({type = "integer"}, "x")`, "false", "Invalid", "invalid character"},
		{`json.validate_string({type = "integer"}, '"x"')`, "false", "Invalid", "want integer"},
	} {
		t.Run(c.call, func(t *testing.T) {
			err := run(t, `
				local v, err = `+c.call+`
				assert(tostring(v) == "`+c.first+`", "first result is " .. tostring(v))
				assert(err:kind() == "`+c.kind+`", err:kind())
				assert(string.find(err:message(), "`+c.text+`", 1, true), err:message())
				assert(err:retryable() == false)`)
			if err != nil {
				t.Error(err)
			}
		})
	}
}
