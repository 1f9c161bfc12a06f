// SPDX-License-Identifier: Apache-2.0

package json

import (
	"fmt"
	"strings"
	"testing"
)

func TestSchema(t *testing.T) {
	cache := &schemaCache{}
	for _, c := range []struct {
		name, schema, data, problem string // problem "" means valid; else part of the text
	}{
		{"integer", `{"type":"integer"}`, `30`, ""},
		{"integral float", `{"type":"integer"}`, `30.0`, ""},
		{"not an integer", `{"type":"integer"}`, `"x"`, "got string, want integer"},
		{"missing", `{"type":"object","required":["name"]}`, `{"age":1}`, "missing property"},
		{"where", `{"properties":{"a":{"items":{"type":"string"}}}}`, `{"a":["x",2]}`, "/a/1"},
		{"format is an annotation", `{"type":"string","format":"email"}`, `"nope"`, ""},
		{"format of draft 7", `{"$schema":"http://json-schema.org/draft-07/schema#","format":"date-time"}`, `"nope"`, ""},
		{"regex format of draft 7", `{"$schema":"http://json-schema.org/draft-07/schema#","format":"regex"}`, `"["`, ""},
		{"definitions of draft 7",
			`{"$schema":"http://json-schema.org/draft-07/schema#","definitions":{"n":{"type":"number"}},"$ref":"#/definitions/n"}`,
			`"x"`, "want number"},
		{"property called format", `{"properties":{"format":{"const":"regex"}}}`, `{"format":"regex"}`, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			schema, err := cache.get(c.schema)
			if err != nil {
				t.Fatal(err)
			}
			doc, err := parseDocument(c.data)
			if err != nil {
				t.Fatal(err)
			}
			err = check(schema, doc)
			switch {
			case c.problem == "" && err != nil:
				t.Errorf("rejected: %v", err)
			case c.problem != "" && (err == nil || !strings.Contains(err.Error(), c.problem)):
				t.Errorf("got %v, want a text with %q", err, c.problem)
			case err != nil && strings.Contains(err.Error(), "\n"):
				t.Errorf("more than one line: %q", err)
			}
		})
	}
}

func TestSchemaIsNotFetched(t *testing.T) {
	for _, ref := range []string{"http://example.com/s.json", "file:///etc/passwd"} {
		if _, err := compileSchema(fmt.Sprintf(`{"$ref":%q}`, ref)); err == nil {
			t.Errorf("a reference to %s was followed", ref)
		}
	}
}

func TestSchemaCacheForgetsTheOldest(t *testing.T) {
	cache := &schemaCache{}
	first, err := cache.get(`{"minimum":-1}`)
	if err != nil {
		t.Fatal(err)
	}
	for i := range schemaLimit {
		if again, err := cache.get(`{"minimum":-1}`); err != nil || again != first {
			t.Fatalf("lost after %d others: %v", i, err)
		}
		if _, err := cache.get(fmt.Sprintf(`{"minimum":%d}`, i)); err != nil {
			t.Fatal(err)
		}
	}
	if n := cache.order.Len(); n != schemaLimit || len(cache.entries) != n {
		t.Errorf("%d schemas kept, %d entries, want %d", n, len(cache.entries), schemaLimit)
	}
	if _, ok := cache.entries[`{"minimum":0}`]; ok {
		t.Error("the oldest schema is still there")
	}
}
