// SPDX-License-Identifier: Apache-2.0

package security

import (
	"fmt"
	"regexp"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/vm"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/security"
)

// policy is the policy of one entry. It never changes.
type policy struct {
	id         string
	actions    patterns
	resources  patterns
	effect     security.Decision
	conditions []condition
	expression *vm.Program // nil without one
	groups     []string
}

// ID returns the id of the entry.
func (p *policy) ID() string { return p.id }

// Evaluate returns the effect for what the policy is about, when all conditions hold.
func (p *policy) Evaluate(r security.Request) security.Decision {
	if !p.actions.match(r.Action) || !p.resources.match(r.Resource) {
		return security.Undefined
	}
	if len(p.conditions) == 0 && p.expression == nil || p.applies(r) {
		return p.effect
	}
	return security.Undefined
}

// applies reports whether all conditions hold. It is apart from Evaluate because the request escapes here, and most
// policies have no conditions.
func (p *policy) applies(r security.Request) bool {
	for _, c := range p.conditions {
		if ok, err := c.check(&r); err != nil || !ok {
			return false
		}
	}
	return p.expression == nil || holds(p.expression, &r)
}

// holds evaluates an expression; one that fails does not hold.
func holds(program *vm.Program, r *security.Request) bool {
	result, err := expr.Run(program, map[string]any{
		"actor":    map[string]any{"id": r.Actor.ID, "meta": r.Actor.Meta},
		"action":   r.Action,
		"resource": r.Resource,
		"meta":     r.Meta,
	})
	yes, ok := result.(bool)
	return err == nil && ok && yes
}

// decodePolicy reads an entry of either kind.
func decodePolicy(e registry.Entry) (*policy, []fields.Warning, error) {
	r := fields.New(e.Data)
	b := r.Sub("policy")
	p := &policy{id: e.ID.String(), actions: readPatterns(b, "actions"), resources: readPatterns(b, "resources")}
	switch effect := b.String("effect", ""); effect {
	case "allow":
		p.effect = security.Allow
	case "deny":
		p.effect = security.Deny
	default:
		b.Reject("effect", "invalid policy effect: "+effect)
	}
	for i, v := range b.List("conditions") {
		c, unknown, err := readCondition(v)
		for _, u := range unknown {
			b.Warn(fields.Warning{Path: fmt.Sprintf("data.policy.conditions.%d.%s", i, u.Path), Hint: u.Hint})
		}
		if err != nil {
			b.Reject(fmt.Sprintf("conditions.%d", i), fmt.Sprintf("condition %d: %s", i, err))
		}
		p.conditions = append(p.conditions, c)
	}
	if e.Kind == KindExpr {
		p.expression = readExpression(b)
	}
	p.groups = groups(e, r)
	return p, r.Unknown(), r.Err()
}

func groups(e registry.Entry, r *fields.Reader) []string {
	var all []string
	for _, name := range r.Strings("groups") {
		// The group of an expression is always one of its own namespace, whatever the name looks like.
		group := registry.ID{Namespace: e.ID.Namespace, Name: name}
		if e.Kind == KindPolicy {
			group = e.ID.Resolve(name)
		}
		all = append(all, group.String())
	}
	return all
}

// Groups returns the groups that an entry makes, nil unless it is a policy: names that are used like ids and are none.
func Groups(e registry.Entry) []string {
	if e.Kind != KindPolicy && e.Kind != KindExpr {
		return nil
	}
	return groups(e, fields.New(e.Data))
}

// readPatterns reads a text or a list of texts.
func readPatterns(r *fields.Reader, name string) patterns {
	switch v := r.Any(name).(type) {
	case string:
		if v == "" {
			r.Reject(name, name+" string cannot be empty")
		}
		return patterns{v}
	case []any:
		if len(v) == 0 {
			r.Reject(name, name+" list cannot be empty")
		}
		var all patterns
		for i, item := range v {
			text, ok := item.(string)
			if !ok {
				r.Reject(fmt.Sprintf("%s.%d", name, i), name+" must be a string or list of strings")
			}
			all = append(all, text)
		}
		return all
	}
	r.Reject(name, name+" must be a string or list")
	return nil
}

// readExpression compiles the expression of a policy. Names it does not know are nil.
func readExpression(r *fields.Reader) *vm.Program {
	text := r.Required("expression")
	if text == "" {
		return nil
	}
	program, err := expr.Compile(text, expr.AllowUndefinedVariables(), expr.AsBool())
	if err != nil {
		r.Reject("expression", "invalid expression: "+err.Error())
	}
	return program
}

// readCondition reads one condition. Fields it does not know have their path from the condition.
func readCondition(v any) (c condition, unknown []fields.Warning, err error) {
	m, ok := v.(map[string]any)
	if !ok {
		return c, nil, fmt.Errorf("must be a map")
	}
	r := fields.New(m)
	name, operation := r.String("field", ""), r.String("operator", "")
	value, from := r.Any("value"), r.String("value_from", "")
	for _, u := range r.Unknown() {
		u.Path = u.Path[len("data."):]
		unknown = append(unknown, u)
	}
	if err := r.Err(); err != nil {
		return c, unknown, err
	}
	holds, known := operators[operation]
	switch {
	case name == "":
		return c, unknown, fmt.Errorf("field is required")
	case operation == "":
		return c, unknown, fmt.Errorf("operator is required")
	case !known:
		return c, unknown, fmt.Errorf("invalid operator: %s", operation)
	case value == nil && from == "":
		return c, unknown, fmt.Errorf("value or value_from is required")
	}
	c = condition{field: field(name), holds: holds}
	switch operation {
	case "exists", "nexists":
		switch value {
		case "true":
			value = true
		case "false":
			value = false
		}
		if _, ok := value.(bool); !ok && value != nil {
			return c, unknown, fmt.Errorf("value must be true or false")
		}
	case "matches", "nmatches":
		c.holds = present(holds)
		if value != nil {
			pattern, err := regexp.Compile(fmt.Sprint(value))
			if err != nil {
				return c, unknown, fmt.Errorf("invalid regex pattern: %w", err)
			}
			value = pattern
		}
	default:
		c.holds = present(holds)
	}
	if value != nil {
		c.value = constant(value)
	} else {
		c.value = field(from)
	}
	return c, unknown, nil
}
