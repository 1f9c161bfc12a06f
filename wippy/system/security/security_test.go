// SPDX-License-Identifier: Apache-2.0

package security_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/wippy/system/frames"
	"github.com/wippyrun/kit/wippy/system/security"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixed is a policy that answers always the same.
type fixed struct {
	id string
	d  security.Decision
}

func (f fixed) ID() string                                  { return f.id }
func (f fixed) Evaluate(security.Request) security.Decision { return f.d }

var (
	allow = fixed{"app:allow", security.Allow}
	deny  = fixed{"app:deny", security.Deny}
	mute  = fixed{"app:mute", security.Undefined}
)

func TestScopeDecision(t *testing.T) {
	for _, c := range []struct {
		name     string
		policies []security.Policy
		want     security.Decision
	}{
		{"empty", nil, security.Undefined},
		{"mute", []security.Policy{mute}, security.Undefined},
		{"allow", []security.Policy{mute, allow}, security.Allow},
		{"deny", []security.Policy{deny, mute}, security.Deny},
		{"deny outweighs allow", []security.Policy{allow, deny}, security.Deny},
	} {
		if got := security.NewScope(c.policies...).Evaluate(security.Request{}); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	if got := (*security.Scope)(nil).Evaluate(security.Request{}); got != security.Undefined {
		t.Errorf("no scope: %v", got)
	}
}

func TestScopeOrderIsIrrelevant(t *testing.T) {
	policies := []security.Policy{allow, deny, mute}
	for range 20 {
		rand.Shuffle(len(policies), func(i, j int) { policies[i], policies[j] = policies[j], policies[i] })
		if got := security.NewScope(policies...).Evaluate(security.Request{}); got != security.Deny {
			t.Fatalf("%v: %v", policies, got)
		}
	}
}

func TestScopesDoNotChange(t *testing.T) {
	one := security.NewScope(allow, allow)
	two := one.With(deny)
	same := two.With(fixed{"app:deny", security.Allow})
	none := one.Without("app:allow")
	if len(one.Policies()) != 1 || one.Contains("app:deny") {
		t.Errorf("the first scope has %v", one.Policies())
	}
	if len(two.Policies()) != 2 || !two.Contains("app:deny") || two.Evaluate(security.Request{}) != security.Deny {
		t.Errorf("the second scope has %v", two.Policies())
	}
	if len(same.Policies()) != 2 || same.Evaluate(security.Request{}) != security.Allow {
		t.Errorf("a policy with the same id was added: %v", same.Policies())
	}
	if len(none.Policies()) != 0 || len(one.Without("app:none").Policies()) != 1 {
		t.Error("Without took the wrong one")
	}
}

func TestGate(t *testing.T) {
	alice := &security.Actor{ID: "alice"}
	for _, c := range []struct {
		name                       string
		actor                      *security.Actor
		scope                      *security.Scope
		loose, strict, denied, can bool
	}{
		{"nobody", nil, nil, true, false, false, false},
		{"actor alone", alice, nil, true, false, false, false},
		{"scope alone", nil, security.NewScope(allow), true, false, false, false},
		{"scope alone that denies", nil, security.NewScope(deny), true, false, false, false},
		{"empty scope", alice, security.NewScope(), false, false, false, false},
		{"allowed", alice, security.NewScope(allow), true, true, false, true},
		{"denied", alice, security.NewScope(allow, deny), false, false, true, false},
	} {
		f := appctx.NewFrame()
		if err := security.Enter(f, c.actor, c.scope); err != nil {
			t.Fatal(err)
		}
		loose, strict := security.NewGate(false), security.NewGate(true)
		if got := loose.Allowed(f, "a", "r", nil); got != c.loose {
			t.Errorf("%s: loose gate says %v", c.name, got)
		}
		if got := strict.Allowed(f, "a", "r", nil); got != c.strict {
			t.Errorf("%s: strict gate says %v", c.name, got)
		}
		if got := strict.Denied(f, "a", "r", nil); got != c.denied {
			t.Errorf("%s: Denied says %v", c.name, got)
		}
		if got := security.Can(f, "a", "r", nil); got != c.can {
			t.Errorf("%s: Can says %v", c.name, got)
		}
	}
	var none *security.Gate
	if !none.Allowed(nil, "a", "r", nil) || none.Denied(nil, "a", "r", nil) || none.Strict() {
		t.Error("no gate refuses")
	}
	if security.NewGate(true).Allowed(nil, "a", "r", nil) || !security.NewGate(false).Allowed(nil, "a", "r", nil) {
		t.Error("the mode does not decide without a frame")
	}
}

func TestRefusalsAreReported(t *testing.T) {
	var got []security.Refusal
	report := security.WithRefusals(func(r security.Refusal) { got = append(got, r) })
	alice := &security.Actor{ID: "alice"}
	for _, c := range []struct {
		name  string
		actor *security.Actor
		scope *security.Scope
		want  []security.Refusal // of Allowed and of Denied in strict mode
	}{
		{"allowed", alice, security.NewScope(allow), nil},
		{"nobody", nil, nil, []security.Refusal{{Action: "a", Resource: "r", Incomplete: true}}},
		{"no scope", alice, nil, []security.Refusal{{Actor: alice, Action: "a", Resource: "r", Incomplete: true}}},
		{"no policy", alice, security.NewScope(mute), []security.Refusal{{Actor: alice, Action: "a", Resource: "r"}}},
		{"denied", alice, security.NewScope(allow, deny), []security.Refusal{
			{Actor: alice, Action: "a", Resource: "r", Policy: "app:deny"}, {Actor: alice, Action: "a", Resource: "r", Policy: "app:deny"}}},
	} {
		f := appctx.NewFrame()
		if err := security.Enter(f, c.actor, c.scope); err != nil {
			t.Fatal(err)
		}
		got = nil
		g := security.NewGate(true, report)
		g.Allowed(f, "a", "r", nil)
		g.Denied(f, "a", "r", nil)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
		got = nil
		can := security.NewGate(false, report).Can(f, "a", "r", nil)
		if can != (c.want == nil) || !slices.Equal(got, c.want[:min(1, len(c.want))]) {
			t.Errorf("%s: Can says %v and reports %+v", c.name, can, got)
		}
		if none := (*security.Gate)(nil); none.Can(f, "a", "r", nil) != can {
			t.Errorf("%s: no gate says something else", c.name)
		}
	}
}

func TestActorAndScopeFlowDown(t *testing.T) {
	f := appctx.NewFrame()
	if err := security.Enter(f, &security.Actor{ID: "alice"}, security.NewScope(allow)); err != nil {
		t.Fatal(err)
	}
	for name, derive := range map[string]func(*appctx.Frame) *appctx.Frame{"call": frames.Fork, "process": frames.Propagate} {
		child := derive(f)
		if a := security.ActorOf(child); a == nil || a.ID != "alice" || !security.ScopeOf(child).Contains("app:allow") {
			t.Errorf("%s: got %v", name, a)
		}
		if err := security.Enter(child, &security.Actor{ID: "bob"}, nil); err != nil {
			t.Fatal(err)
		}
		if security.ActorOf(child).ID != "bob" || security.ScopeOf(child) == nil {
			t.Errorf("%s: Enter took more than it gave", name)
		}
		if err := security.Replace(child, &security.Actor{ID: "eve"}, nil); err != nil {
			t.Fatal(err)
		}
		if security.ActorOf(child).ID != "eve" || security.ScopeOf(child) != nil {
			t.Errorf("%s: Replace left a scope", name)
		}
	}
	if security.ActorOf(f).ID != "alice" {
		t.Error("a child changed its parent")
	}
	if security.Enter(f, &security.Actor{}, nil) == nil || security.Replace(f, nil, nil) == nil {
		t.Error("a sealed frame took an actor")
	}
}

func TestCheckWithoutActorAllocatesNothing(t *testing.T) {
	f, g := appctx.NewFrame(), security.NewGate(false)
	f.Seal()
	if n := testing.AllocsPerRun(100, func() { g.Allowed(f, "process.send", "", nil) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
