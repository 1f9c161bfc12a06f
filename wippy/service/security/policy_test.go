// SPDX-License-Identifier: Apache-2.0

package security_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	service "github.com/wippyrun/kit/wippy/service/security"
	"github.com/wippyrun/kit/wippy/system/security"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// block is the data of an entry, with a policy that is about everything unless it says otherwise.
func block(policy map[string]any) map[string]any {
	for name, v := range map[string]any{"actions": "*", "resources": "*", "effect": "allow"} {
		if _, ok := policy[name]; !ok {
			policy[name] = v
		}
	}
	return map[string]any{"policy": policy}
}

func entry(kind, name string, data map[string]any) registry.Entry {
	return registry.Entry{ID: registry.ID{Namespace: "app", Name: name}, Kind: kind, Data: data}
}

// events collects what was published.
type events []string

func (e *events) Publish(system, kind, path string, _ any) {
	*e = append(*e, system+"."+kind+" "+path)
}

// load makes the policy of an entry.
func load(t *testing.T, e registry.Entry) security.Policy {
	t.Helper()
	d := security.NewDirectory()
	l := service.NewPolicyListener(d, &events{}, func(_ registry.Entry, unknown []fields.Warning) {
		if len(unknown) > 0 {
			t.Errorf("unknown fields: %v", unknown)
		}
	})
	if err := l.Create(context.Background(), e); err != nil {
		t.Fatal(err)
	}
	p, err := d.Policy(e.ID.String())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// request is what the tests ask.
func request(action, resource string, meta map[string]any) security.Request {
	return security.Request{Action: action, Resource: resource, Meta: meta, Actor: &security.Actor{ID: "alice", Meta: map[string]any{
		"role": "editor", "level": 3.0, "teams": []any{"red", "blue"}, "home": map[string]any{"country": map[string]any{"code": "DE"}},
	}}}
}

func TestPatterns(t *testing.T) {
	for _, c := range []struct {
		pattern any
		yes, no []string
	}{
		{"*", []string{"", "read", "app.read"}, nil},
		{"read", []string{"read"}, []string{"reads", "rea", ""}},
		{"app*", []string{"app", "apple", "app.read"}, []string{"ap", "xapp"}},
		{"app.*", []string{"app.read", "app", "apple", "app."}, []string{"ap"}},
		{"app:*", []string{"app:x", "app:"}, []string{"app", "appx"}},
		{"*.read", []string{"*.read"}, []string{"app.read", ".read"}},
		{"a*c", []string{"a*c"}, []string{"abc", "ac"}},
		{[]any{"read", "write.*"}, []string{"read", "write.all", "write"}, []string{"list"}},
	} {
		about := load(t, entry("security.policy", "p", block(map[string]any{"actions": c.pattern})))
		of := load(t, entry("security.policy", "p", block(map[string]any{"resources": c.pattern})))
		ask := func(name string, want security.Decision) {
			t.Helper()
			if got := about.Evaluate(request(name, "r", nil)); got != want {
				t.Errorf("actions %v, action %q: %v", c.pattern, name, got)
			}
			if got := of.Evaluate(request("a", name, nil)); got != want {
				t.Errorf("resources %v, resource %q: %v", c.pattern, name, got)
			}
		}
		for _, name := range c.yes {
			ask(name, security.Allow)
		}
		for _, name := range c.no {
			ask(name, security.Undefined)
		}
	}
}

func TestConditions(t *testing.T) {
	meta := map[string]any{
		"clearance": "5", "owner": "alice", "size": 10.0, "tags": []any{"a", "b", 3.0}, "flat.key": "x", "zero": 0.0, "no": false,
		"deep": map[string]any{"er": map[string]any{"value": true}}, "text": "hello world", "alice": "me",
	}
	type c = map[string]any
	for name, test := range map[string]struct {
		condition c
		want      bool
	}{
		"eq text":               {c{"field": "meta.owner", "operator": "eq", "value": "alice"}, true},
		"eq other text":         {c{"field": "meta.owner", "operator": "eq", "value": "bob"}, false},
		"eq number and text":    {c{"field": "meta.clearance", "operator": "eq", "value": 5}, true},
		"eq texts of numbers":   {c{"field": "meta.clearance", "operator": "eq", "value": "5.0"}, true},
		"eq integer and float":  {c{"field": "meta.size", "operator": "eq", "value": 10}, true},
		"eq boolean and text":   {c{"field": "meta.no", "operator": "eq", "value": "false"}, true},
		"eq lists":              {c{"field": "meta.tags", "operator": "eq", "value": []any{"a", "b", 3.0}}, true},
		"ne":                    {c{"field": "meta.owner", "operator": "ne", "value": "bob"}, true},
		"ne of the same":        {c{"field": "meta.size", "operator": "ne", "value": "10"}, false},
		"gte of a text":         {c{"field": "meta.clearance", "operator": "gte", "value": 3}, true},
		"gte equal":             {c{"field": "meta.clearance", "operator": "gte", "value": 5.0}, true},
		"gt equal":              {c{"field": "meta.clearance", "operator": "gt", "value": 5}, false},
		"lt":                    {c{"field": "meta.clearance", "operator": "lt", "value": "5.5"}, true},
		"lte":                   {c{"field": "meta.clearance", "operator": "lte", "value": 4}, false},
		"lt of words":           {c{"field": "meta.owner", "operator": "lt", "value": "bob"}, false},
		"in":                    {c{"field": "meta.owner", "operator": "in", "value": []any{"bob", "alice"}}, true},
		"in a list of numbers":  {c{"field": "meta.clearance", "operator": "in", "value": []any{5, 6}}, true},
		"in, not there":         {c{"field": "meta.owner", "operator": "in", "value": []any{}}, false},
		"in a text":             {c{"field": "meta.owner", "operator": "in", "value": "alice"}, true},
		"in part of a text":     {c{"field": "meta.owner", "operator": "in", "value": "alice,bob"}, false},
		"in a number":           {c{"field": "meta.size", "operator": "in", "value": 10}, false},
		"nin":                   {c{"field": "meta.owner", "operator": "nin", "value": []any{"bob"}}, true},
		"nin, there":            {c{"field": "meta.owner", "operator": "nin", "value": []any{"alice"}}, false},
		"nin a number":          {c{"field": "meta.size", "operator": "nin", "value": 11}, false},
		"exists":                {c{"field": "meta.owner", "operator": "exists", "value": true}, true},
		"exists, missing":       {c{"field": "meta.none", "operator": "exists", "value": true}, false},
		"exists false":          {c{"field": "meta.none", "operator": "exists", "value": false}, true},
		"exists as text":        {c{"field": "meta.owner", "operator": "exists", "value": "true"}, true},
		"exists zero":           {c{"field": "meta.zero", "operator": "exists", "value": true}, true},
		"exists from a field":   {c{"field": "meta.owner", "operator": "exists", "value_from": "meta.deep.er.value"}, true},
		"exists from a text":    {c{"field": "meta.owner", "operator": "exists", "value_from": "meta.text"}, false},
		"nexists":               {c{"field": "meta.none", "operator": "nexists", "value": true}, true},
		"nexists, there":        {c{"field": "meta.owner", "operator": "nexists", "value": true}, false},
		"nexists false":         {c{"field": "meta.owner", "operator": "nexists", "value": false}, true},
		"contains":              {c{"field": "meta.text", "operator": "contains", "value": "lo wo"}, true},
		"contains, not":         {c{"field": "meta.text", "operator": "contains", "value": "xyz"}, false},
		"contains a member":     {c{"field": "meta.tags", "operator": "contains", "value": "b"}, true},
		"contains a number":     {c{"field": "meta.tags", "operator": "contains", "value": 3}, true},
		"contains of a number":  {c{"field": "meta.size", "operator": "contains", "value": 1}, false},
		"ncontains":             {c{"field": "meta.tags", "operator": "ncontains", "value": "z"}, true},
		"ncontains of a number": {c{"field": "meta.size", "operator": "ncontains", "value": 1}, false},
		"matches":               {c{"field": "meta.text", "operator": "matches", "value": "^h.*d$"}, true},
		"matches a number":      {c{"field": "meta.size", "operator": "matches", "value": "^1"}, true},
		"matches, not":          {c{"field": "meta.text", "operator": "matches", "value": "^w"}, false},
		"nmatches":              {c{"field": "meta.text", "operator": "nmatches", "value": "^w"}, true},
		"matches from a field":  {c{"field": "meta.text", "operator": "matches", "value_from": "meta.text"}, false},
		"nmatches from a field": {c{"field": "meta.text", "operator": "nmatches", "value_from": "meta.owner"}, false},

		"value from the actor":   {c{"field": "meta.owner", "operator": "eq", "value_from": "actor.id"}, true},
		"value from nowhere":     {c{"field": "meta.owner", "operator": "eq", "value_from": "meta.none"}, false},
		"ne from nowhere":        {c{"field": "meta.owner", "operator": "ne", "value_from": "meta.none"}, true},
		"contains from nowhere":  {c{"field": "meta.text", "operator": "contains", "value_from": "meta.none"}, false},
		"ncontains from nowhere": {c{"field": "meta.text", "operator": "ncontains", "value_from": "meta.none"}, false},
		"actor.id":               {c{"field": "actor.id", "operator": "eq", "value": "alice"}, true},
		"actor.meta":             {c{"field": "actor.meta.role", "operator": "eq", "value": "editor"}, true},
		"actor.meta, nested":     {c{"field": "actor.meta.home.country.code", "operator": "eq", "value": "DE"}, true},
		"actor.meta, list":       {c{"field": "actor.meta.teams", "operator": "contains", "value": "red"}, true},
		"through a text":         {c{"field": "actor.meta.role.x", "operator": "exists", "value": false}, true},
		"action":                 {c{"field": "action", "operator": "eq", "value": "doc.read"}, true},
		"resource":               {c{"field": "resource", "operator": "matches", "value": "^doc:"}, true},
		"meta, nested":           {c{"field": "meta.deep.er.value", "operator": "eq", "value": true}, true},
		"a key as it is":         {c{"field": "flat.key", "operator": "eq", "value": "x"}, true},
		"a plain key":            {c{"field": "owner", "operator": "eq", "value": "alice"}, true},
		"actor.name is a key":    {c{"field": "actor.name", "operator": "exists", "value": true}, false},
	} {
		p := load(t, entry("security.policy", "p", block(map[string]any{"conditions": []any{test.condition}})))
		want := security.Undefined
		if test.want {
			want = security.Allow
		}
		if got := p.Evaluate(request("doc.read", "doc:1", meta)); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
		op := test.condition["operator"]
		if op != "exists" && op != "nexists" {
			missing := load(t, entry("security.policy", "p", block(map[string]any{"conditions": []any{
				map[string]any{"field": "meta.nothing.here", "operator": op, "value": "1"}}})))
			if got := missing.Evaluate(request("doc.read", "doc:1", meta)); got != security.Undefined {
				t.Errorf("%s of a missing field: %v", op, got)
			}
		}
	}
}

func TestAllConditionsMustHold(t *testing.T) {
	yes := map[string]any{"field": "action", "operator": "eq", "value": "read"}
	no := map[string]any{"field": "action", "operator": "ne", "value": "read"}
	for _, c := range []struct {
		conditions []any
		want       security.Decision
	}{{[]any{yes, yes}, security.Deny}, {[]any{yes, no}, security.Undefined}, {[]any{no, yes}, security.Undefined}} {
		p := load(t, entry("security.policy", "p", block(map[string]any{"effect": "deny", "conditions": c.conditions})))
		if got := p.Evaluate(request("read", "r", nil)); got != c.want {
			t.Errorf("%v: %v", c.conditions, got)
		}
	}
}

func TestExpressions(t *testing.T) {
	meta := map[string]any{"owner": "alice", "size": 10.0, "tags": []any{"a"}}
	for expression, want := range map[string]security.Decision{
		`actor.id == "alice"`:                             security.Allow,
		`actor.id == "bob"`:                               security.Undefined,
		`actor.meta.role in ["editor", "admin"]`:          security.Allow,
		`meta.owner == actor.id && action == "read"`:      security.Allow,
		`resource startsWith "doc:" and "a" in meta.tags`: security.Allow,
		`meta.size < 5`:                                   security.Undefined,
		`meta.size + 0`:                                   security.Undefined, // no boolean
		`unknown == nil`:                                  security.Allow,
		`unknown`:                                         security.Undefined,
		`meta.none.deeper == 1`:                           security.Undefined, // fails
		`actor.meta?.none?.deeper == nil`:                 security.Allow,
		`meta.tags[7] == "x"`:                             security.Undefined,
		`len(map(1..1000000, [#, #, #, #])) > 0 or meta.size > 0`: security.Undefined, // too much
	} {
		p := load(t, entry("security.policy.expr", "p", block(map[string]any{"expression": expression})))
		if got := p.Evaluate(request("read", "doc:1", meta)); got != want {
			t.Errorf("%s: %v, want %v", expression, got, want)
		}
	}
	p := load(t, entry("security.policy.expr", "p", block(map[string]any{"expression": "true", "actions": "read", "conditions": []any{
		map[string]any{"field": "resource", "operator": "eq", "value": "doc:1"}}})))
	if p.Evaluate(request("read", "doc:1", nil)) != security.Allow || p.Evaluate(request("write", "doc:1", nil)) != security.Undefined ||
		p.Evaluate(request("read", "doc:2", nil)) != security.Undefined {
		t.Error("an expression replaces actions and conditions")
	}
	// Nobody is an actor without metadata.
	p = load(t, entry("security.policy.expr", "p", block(map[string]any{"expression": `actor.meta.role == nil`})))
	if got := p.Evaluate(security.Request{Actor: &security.Actor{ID: "x"}}); got != security.Allow {
		t.Errorf("no metadata: %v", got)
	}
}

func TestPoliciesWithoutConditionsAllocateNothing(t *testing.T) {
	p := load(t, entry("security.policy", "p", block(map[string]any{"actions": []any{"write", "read"}, "resources": "doc:*"})))
	r := request("read", "doc:1", nil)
	if n := testing.AllocsPerRun(100, func() { p.Evaluate(r) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestBadPoliciesAreRejected(t *testing.T) {
	type m = map[string]any
	condition := func(c any) m { return m{"conditions": []any{c}} }
	for _, c := range []struct {
		policy      m
		field, text string
	}{
		{m{"effect": "maybe"}, "data.policy.effect", "invalid policy effect: maybe"},
		{m{"effect": nil}, "data.policy.effect", "invalid policy effect: "},
		{m{"effect": 1}, "data.policy.effect", "effect must be a string, got a number"},
		{m{"actions": ""}, "data.policy.actions", "actions string cannot be empty"},
		{m{"actions": []any{}}, "data.policy.actions", "actions list cannot be empty"},
		{m{"actions": 5}, "data.policy.actions", "actions must be a string or list"},
		{m{"actions": nil}, "data.policy.actions", "actions must be a string or list"},
		{m{"actions": []any{"a", 1}}, "data.policy.actions.1", "actions must be a string or list of strings"},
		{m{"resources": ""}, "data.policy.resources", "resources string cannot be empty"},
		{m{"resources": []any{}}, "data.policy.resources", "resources list cannot be empty"},
		{m{"resources": m{}}, "data.policy.resources", "resources must be a string or list"},
		{m{"conditions": "x"}, "data.policy.conditions", "conditions must be a list"},
		{condition("x"), "data.policy.conditions.0", "condition 0: must be a map"},
		{condition(m{}), "data.policy.conditions.0", "condition 0: field is required"},
		{condition(m{"field": "a"}), "data.policy.conditions.0", "condition 0: operator is required"},
		{condition(m{"field": "a", "operator": "eq"}), "data.policy.conditions.0", "condition 0: value or value_from is required"},
		{condition(m{"field": "a", "operator": "exists"}), "data.policy.conditions.0", "condition 0: value or value_from is required"},
		{condition(m{"field": "a", "operator": "like", "value": 1}), "data.policy.conditions.0", "condition 0: invalid operator: like"},
		{condition(m{"field": "a", "operator": "matches", "value": "("}), "data.policy.conditions.0", "invalid regex pattern"},
		{condition(m{"field": "a", "operator": "nexists", "value": "maybe"}), "data.policy.conditions.0", "value must be true or false"},
		{condition(m{"field": 1, "operator": "eq", "value": 1}), "data.policy.conditions.0", "field must be a string"},
		{m{"conditions": []any{m{"field": "a", "operator": "eq", "value": 1}, m{"field": "a"}}}, "data.policy.conditions.1", "condition 1: operator is required"},
	} {
		err := create(entry("security.policy", "p", block(c.policy)))
		if !reports(err, c.field, c.text) {
			t.Errorf("%v: got %v, want %s: %s", c.policy, err, c.field, c.text)
		}
	}
	for text, want := range map[string]string{"": "expression is required", "actor.id ==": "invalid expression: ", "1 + 1": "invalid expression: "} {
		if err := create(entry("security.policy.expr", "p", block(m{"expression": text}))); !reports(err, "data.policy.expression", want) {
			t.Errorf("expression %q: got %v", text, err)
		}
	}
	if err := create(entry("security.policy", "p", nil)); !reports(err, "data.policy.actions", "actions must be") {
		t.Errorf("no data: %v", err)
	}
	if err := create(entry("security.policy", "p", m{"policy": "x"})); !reports(err, "data.policy", "policy must be a map") {
		t.Errorf("no map: %v", err)
	}
}

// create loads an entry.
func create(e registry.Entry) error {
	l := service.NewPolicyListener(security.NewDirectory(), &events{}, func(registry.Entry, []fields.Warning) {})
	return l.Create(context.Background(), e)
}

// reports tells whether one of the errors joined in err is about the field and has the text.
func reports(err error, field, text string) bool {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return false
	}
	return slices.ContainsFunc(joined.Unwrap(), func(err error) bool {
		var f *fields.Error
		return errors.As(err, &f) && f.Field() == field && f.Kind() == "Invalid" && strings.Contains(f.Error(), text)
	})
}

func TestUnknownFieldsAreReported(t *testing.T) {
	var paths []string
	l := service.NewPolicyListener(security.NewDirectory(), &events{}, func(_ registry.Entry, unknown []fields.Warning) {
		for _, u := range unknown {
			paths = append(paths, u.Path)
		}
	})
	data := block(map[string]any{"action": "x", "conditions": []any{
		map[string]any{"field": "a", "operator": "eq", "value": 1, "valeu_from": "b"}}})
	data["group"] = "x"
	if err := l.Create(context.Background(), entry("security.policy", "p", data)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"data.group", "data.policy.action", "data.policy.conditions.0.valeu_from"}; !slices.Equal(paths, want) {
		t.Errorf("got %v, want %v", paths, want)
	}
}

func TestGroupsOfEntries(t *testing.T) {
	d, published := security.NewDirectory(), &events{}
	l := service.NewPolicyListener(d, published, func(registry.Entry, []fields.Warning) {})
	ctx := context.Background()
	with := func(kind, name string, groups any) registry.Entry {
		data := block(map[string]any{"expression": "true"})
		data["groups"] = groups
		return entry(kind, name, data)
	}
	plain, expression := with("security.policy", "p", []any{"editors", "other:admins"}), with("security.policy.expr", "x", []any{"editors", "other:admins"})
	for _, e := range []registry.Entry{plain, expression} {
		if err := l.Create(ctx, e); err != nil {
			t.Fatal(err)
		}
	}
	members := func(group string) string {
		s, err := d.Group(group)
		if err != nil {
			return err.Error()
		}
		var ids []string
		for _, p := range s.Policies() {
			ids = append(ids, p.ID())
		}
		return strings.Join(ids, " ")
	}
	for group, want := range map[string]string{"app:editors": "app:p app:x", "other:admins": "app:p", "app:other:admins": "app:x"} {
		if got := members(group); got != want {
			t.Errorf("%s has %q, want %q", group, got, want)
		}
	}

	old, err := d.Group("app:editors")
	if err != nil {
		t.Fatal(err)
	}
	next := with("security.policy", "p", "editors")
	next.Data.(map[string]any)["policy"].(map[string]any)["effect"] = "deny"
	if err := l.Update(ctx, plain, next); err != nil {
		t.Fatal(err)
	}
	current, err := d.Group("app:editors")
	if err != nil {
		t.Fatal(err)
	}
	if old.Evaluate(request("a", "r", nil)) != security.Allow || current.Evaluate(request("a", "r", nil)) != security.Deny {
		t.Error("an update does not count for what is looked up afterwards, or counts for what was")
	}
	if got := members("other:admins"); got != "policy group not found" {
		t.Errorf("the group that was left has %q", got)
	}
	if err := l.Update(ctx, next, with("security.policy", "p", 5)); err == nil {
		t.Error("a bad update was taken")
	} else if got := members("app:editors"); got != "app:p app:x" {
		t.Errorf("after a bad update the group has %q", got)
	}
	if err := l.Delete(ctx, next); err != nil {
		t.Fatal(err)
	}
	if got := members("app:editors"); got != "app:x" {
		t.Errorf("after the removal the group has %q", got)
	}
	if want := []string{"security.policy.register app:p", "security.policy.register app:x", "security.policy.update app:p", "security.policy.delete app:p"}; !slices.Equal(*published, want) {
		t.Errorf("published %v", *published)
	}
}
