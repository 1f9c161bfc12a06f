// SPDX-License-Identifier: Apache-2.0

package security_test

import (
	"context"
	"strconv"
	"testing"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	service "github.com/wippyrun/kit/wippy/service/security"
	"github.com/wippyrun/kit/wippy/system/security"
)

// BenchmarkAllowed asks a gate with scopes of different kinds.
func BenchmarkAllowed(b *testing.B) {
	d := security.NewDirectory()
	l := service.NewPolicyListener(d, &events{}, func(registry.Entry, []fields.Warning) {})
	add := func(kind, name string, policy map[string]any) {
		data := block(policy)
		data["groups"] = name
		if err := l.Create(context.Background(), entry(kind, name, data)); err != nil {
			b.Fatal(err)
		}
	}
	add("security.policy", "plain", map[string]any{"actions": []any{"read", "write"}, "resources": "doc:*"})
	add("security.policy", "conditions", map[string]any{"conditions": []any{
		map[string]any{"field": "meta.owner", "operator": "eq", "value_from": "actor.id"},
		map[string]any{"field": "meta.level", "operator": "gte", "value": 3}}})
	add("security.policy.expr", "expression", map[string]any{"expression": `meta.owner == actor.id and meta.level >= 3`})
	var many []security.Policy
	for i := range 100 {
		e := entry("security.policy", "many"+strconv.Itoa(i), block(map[string]any{"actions": "action" + strconv.Itoa(i)}))
		if err := l.Create(context.Background(), e); err != nil {
			b.Fatal(err)
		}
		p, err := d.Policy(e.ID.String())
		if err != nil {
			b.Fatal(err)
		}
		many = append(many, p)
	}
	meta := map[string]any{"owner": "alice", "level": 5.0}
	for _, c := range []struct {
		name, group string
		scope       *security.Scope
	}{{"nobody", "", nil}, {"plain", "app:plain", nil}, {"conditions", "app:conditions", nil}, {"expression", "app:expression", nil},
		{"hundred", "", security.NewScope(many...).With(fixed("app:last"))}} {
		b.Run(c.name, func(b *testing.B) {
			if c.group != "" {
				var err error
				if c.scope, err = d.Group(c.group); err != nil {
					b.Fatal(err)
				}
			}
			f, g := appctx.NewFrame(), security.NewGate(false)
			if c.scope != nil {
				if err := security.Enter(f, &security.Actor{ID: "alice"}, c.scope); err != nil {
					b.Fatal(err)
				}
			}
			f.Seal()
			b.ReportAllocs()
			for b.Loop() {
				if !g.Allowed(f, "read", "doc:1", meta) {
					b.Fatal("refused")
				}
			}
		})
	}
}

// BenchmarkValidate recognizes a token that is signed.
func BenchmarkValidate(b *testing.B) {
	bench := newBench()
	if err := bench.Create(b.Context(), entry("security.token_store", "tokens", map[string]any{"store": "kv", "token_key": "secret"})); err != nil {
		b.Fatal(err)
	}
	s, err := bench.TokenStore("app:tokens")
	if err != nil {
		b.Fatal(err)
	}
	token, err := s.Create(b.Context(), alice, scope, security.TokenOptions{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := s.Validate(b.Context(), token); err != nil {
			b.Fatal(err)
		}
	}
}
