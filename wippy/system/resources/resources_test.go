// SPDX-License-Identifier: Apache-2.0

package resources_test

import (
	"testing"

	"github.com/wippyrun/kit/wippy/system/resources"
)

func TestRemoveLeavesTheSuccessorAlone(t *testing.T) {
	type resource struct{ n int }
	var d resources.Directory
	if _, ok := d.Get("app:db"); ok {
		t.Fatal("an empty directory has a resource")
	}
	first, second := &resource{1}, &resource{2}
	d.Put("app:db", first)
	d.Put("app:db", second)
	d.Remove("app:db", first)
	if r, ok := d.Get("app:db"); !ok || r != second {
		t.Fatalf("Get = %v, %v", r, ok)
	}
	d.Remove("app:db", second)
	if _, ok := d.Get("app:db"); ok {
		t.Fatal("a removed resource is still there")
	}
}
