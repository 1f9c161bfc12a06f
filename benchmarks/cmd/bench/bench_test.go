// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/wippyrun/kit/benchmarks/internal/bars"
	"github.com/wippyrun/kit/benchmarks/internal/machine"
	"github.com/wippyrun/kit/benchmarks/internal/results"
)

func TestChooseKeepsTheOrderAsked(t *testing.T) {
	rows, err := choose("u3, A1")
	if err != nil || len(rows) != 2 || rows[0].ID != "U3" || rows[1].ID != "A1" {
		t.Errorf("%v, %v", rows, err)
	}
	if all, err := choose(""); err != nil || len(all) != len(bars.Rows()) {
		t.Errorf("%d rows, %v", len(all), err)
	}
	if _, err := choose("A1,Z9"); err == nil || !strings.Contains(err.Error(), `there is no row "Z9", but A1, E1`) {
		t.Errorf("an unknown row: %v", err)
	}
}

func TestRowsAreComplete(t *testing.T) {
	seen := map[string]bool{}
	for _, r := range bars.Rows() {
		if seen[r.ID] || r.What == "" || r.Bar == "" || r.Unit == "" || len(r.Runs) == 0 {
			t.Errorf("row %+v", r)
		}
		seen[r.ID] = true
	}
	if len(seen) != 28 {
		t.Errorf("%d rows", len(seen))
	}
}

func TestArgumentsAreRefused(t *testing.T) {
	t.Setenv("GOWORK", "") // the workspace, whatever tests the module alone
	if err := new(options).run(t.Context(), []string{"A1"}, io.Discard, io.Discard); err == nil || err.Error() != `unexpected argument "A1"` {
		t.Error(err)
	}
	o := options{only: "U4", quick: true}
	if err := o.run(t.Context(), nil, io.Discard, io.Discard); err == nil || !strings.Contains(err.Error(), "-quick leaves them out") {
		t.Error(err)
	}
}

func TestListMeasuresNothing(t *testing.T) {
	var out bytes.Buffer
	o := options{list: true, only: "G1"}
	if err := o.run(t.Context(), nil, &out, io.Discard); err != nil || out.String() != "G1   registry: Get: ≤ 25 ns, 0 allocations\n" {
		t.Errorf("%q, %v", &out, err)
	}
}

// measured is what go test printed for row A1.
const measured = `pkg: github.com/wippyrun/kit/benchmarks/appctx
BenchmarkGet/ours	1000	1.5 ns/op	0 B/op	0 allocs/op
BenchmarkGet/sync.Map-numbers	1000	20 ns/op	0 B/op	0 allocs/op
BenchmarkGet/sync.Map-names	1000	30 ns/op	0 B/op	0 allocs/op
PASS
`

func reportOf(t *testing.T, ids string) *report {
	t.Helper()
	set, err := results.Read(strings.NewReader(measured))
	if err != nil {
		t.Fatal(err)
	}
	rows, err := choose(ids)
	if err != nil {
		t.Fatal(err)
	}
	r := &report{set: set, programs: []machine.Program{{Name: "Erlang/OTP"}, {Name: "Redis", Version: "7.0"}}}
	for _, row := range rows {
		r.add(row)
	}
	return r
}

func TestJSONHasOneObjectForEachRow(t *testing.T) {
	var out bytes.Buffer
	if err := reportOf(t, "A1,S2").json(&out); err != nil {
		t.Fatal(err)
	}
	type row struct {
		ID     string
		Value  *float64
		Unit   string
		Peers  map[string]float64
		OK     bool
		Note   string
		Absent []string
	}
	var rows []row
	for dec := json.NewDecoder(&out); ; {
		var one row
		if err := dec.Decode(&one); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		rows = append(rows, one)
	}
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	if a := rows[0]; a.ID != "A1" || a.Value == nil || *a.Value != 1.5 || !a.OK || a.Peers["sync.Map-numbers"] != 20 || len(a.Absent) != 1 || a.Absent[0] != "Erlang/OTP" {
		t.Errorf("row A1 %+v", a)
	}
	if s := rows[1]; s.Value != nil || s.OK || !strings.Contains(s.Note, "was not measured") {
		t.Errorf("row S2, which was not measured, %+v", s)
	}
}

func TestTableHasBarValuePeersAndVerdict(t *testing.T) {
	text := reportOf(t, "A1,S2").bars()
	for _, want := range []string{
		"| A1 | appctx: sealed Get | ≤ 2 ns, 0 allocations, ≤ 1/10 of sync.Map | 1.5", "sync.Map-names 30", "| reached |",
		"| S2 |", "| – |", "| not measured |", "Peers absent: Erlang/OTP.",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

// A pattern behind -run that finds no test passes without having tested anything.
func TestCommandsOfTheReliabilityRowsFindTests(t *testing.T) {
	t.Setenv("GOWORK", "") // the workspace, whatever tests the module alone
	root, err := findRoot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	commands := regexp.MustCompile(`go test ((?:\./[\w/]+ ?)+)(?:-run '?([^' `+"`"+`]+)'?)?`).FindAllStringSubmatch(reliability, -1)
	if len(commands) < 4 {
		t.Fatalf("%d commands", len(commands))
	}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Benchmark)\w+)`)
	for _, c := range commands {
		pattern := regexp.MustCompile(c[2])
		if c[2] == "^$" {
			pattern = regexp.MustCompile("^Benchmark")
		}
		for dir := range strings.FieldsSeq(c[1]) {
			files, err := filepath.Glob(filepath.Join(root, dir, "*_test.go"))
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, f := range files {
				text, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range declared.FindAllStringSubmatch(string(text), -1) {
					found = found || pattern.MatchString(m[1])
				}
			}
			if !found {
				t.Errorf("%s: nothing to run in %s", c[0], dir)
			}
		}
	}
}
