// SPDX-License-Identifier: Apache-2.0

package security_test

import (
	"errors"
	"sync"
	"testing"

	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/security"
)

func TestDirectoryKnowsPoliciesAndGroups(t *testing.T) {
	d := security.NewDirectory()
	d.Put(allow, "app:editors", "app:all")
	d.Put(deny, "app:all")

	if p, err := d.Policy("app:allow"); err != nil || p != security.Policy(allow) {
		t.Errorf("policy: %v, %v", p, err)
	}
	all, err := d.Group("app:all")
	if err != nil || len(all.Policies()) != 2 {
		t.Errorf("group: %v, %v", all, err)
	}
	_, err = d.Policy("app:none")
	if !errors.Is(err, security.ErrPolicyNotFound) || fault.KindOf(err) != fault.NotFound || err.Error() != "policy not found" {
		t.Errorf("unknown policy: %v", err)
	}
	if _, err = d.Group("app:none"); !errors.Is(err, security.ErrGroupNotFound) || err.Error() != "policy group not found" {
		t.Errorf("unknown group: %v", err)
	}
}

func TestGroupsExistWhileTheyHaveMembers(t *testing.T) {
	d := security.NewDirectory()
	d.Put(allow, "app:editors")
	d.Put(allow, "app:authors") // another version of the same policy
	if _, err := d.Group("app:editors"); err == nil {
		t.Error("the group that the policy left is still there")
	}
	before, err := d.Group("app:authors")
	if err != nil {
		t.Fatal(err)
	}
	d.Remove("app:allow")
	d.Remove("app:allow")
	if _, err := d.Group("app:authors"); err == nil {
		t.Error("the group without members is still there")
	}
	if !before.Contains("app:allow") {
		t.Error("a scope lost its policy")
	}
}

func TestScopeOfNamesLeavesOutWhatIsUnknown(t *testing.T) {
	d := security.NewDirectory()
	d.Put(allow, "app:editors")
	d.Put(deny)
	var missing []error
	s := d.Scope([]string{"app:deny", "app:none"}, []string{"app:editors", "app:nobody"}, func(err error) { missing = append(missing, err) })
	if len(s.Policies()) != 2 {
		t.Errorf("got %v", s.Policies())
	}
	if len(missing) != 2 || !errors.Is(missing[0], security.ErrGroupNotFound) || !errors.Is(missing[1], security.ErrPolicyNotFound) {
		t.Errorf("missing: %v", missing)
	}
	if s := d.Scope([]string{"app:none"}, []string{"app:nobody"}, nil); len(s.Policies()) != 0 {
		t.Errorf("got %v of nothing", s.Policies())
	}
}

func TestDirectoryConcurrentSafe(t *testing.T) {
	d := security.NewDirectory()
	d.Put(deny, "app:all")
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				d.Put(allow, "app:all", "app:editors")
				d.Remove("app:allow")
			}
		})
		wg.Go(func() {
			for range 200 {
				// The policy that stays decides, whether the other one is there or not.
				s, err := d.Group("app:all")
				if err != nil || s.Evaluate(security.Request{}) != security.Deny {
					t.Errorf("group: %v, %v", s, err)
					return
				}
				d.Scope([]string{"app:allow"}, []string{"app:editors"}, nil)
			}
		})
	}
	wg.Wait()
	if _, err := d.Group("app:editors"); err == nil {
		t.Error("a group without members is left")
	}
}
