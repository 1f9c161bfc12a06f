// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"github.com/wippyrun/kit/tools/check/repo"
)

func TestMisuseTellsTheVerbs(t *testing.T) {
	for _, args := range [][]string{nil, {"help"}, {"nonsense"}} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), args, &out, &errs); code != 2 || !strings.Contains(errs.String(), "soak") || out.Len() > 0 {
			t.Errorf("%v: exit %d, %s%s", args, code, &out, &errs)
		}
	}
}

func TestFuzzTargetsAreFound(t *testing.T) {
	root, err := repo.Find(".")
	if err != nil {
		t.Fatal(err)
	}
	rp, err := repo.Load(root)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := fuzzTargets(environment{repo: rp}, regexp.MustCompile("^relay/"))
	if err != nil || len(targets) == 0 {
		t.Fatalf("%d targets, %v", len(targets), err)
	}
	for _, target := range targets {
		if !strings.HasPrefix(target.pkg, "relay") || !strings.HasPrefix(target.name, "Fuzz") {
			t.Errorf("%+v", target)
		}
	}
	if got := executions([]byte("fuzz: elapsed: 3s, execs: 325017 (108336/sec), new interesting: 11 (total: 202)\nPASS\n")); got != "ok, 325017 inputs, 11 of them new" {
		t.Error(got)
	}
}
