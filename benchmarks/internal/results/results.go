// SPDX-License-Identifier: Apache-2.0

// Package results reads what the benchmarks print and sets ours beside each peer.
//
// Of several measurements of one thing the median counts. Where single latencies were
// measured, their median (p50-ns) stands for the time.
package results

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ours is what the part of a benchmark's name that is not a peer begins with.
const ours = "ours"

// module is where the paths of the packages begin with that hold the benchmarks.
const module = "/benchmarks/"

// Set holds measurements in the order in which things were first measured. Make one with Read.
type Set struct {
	things []*thing
}

// thing is what is measured: everything before the last slash of a benchmark's name.
type thing struct {
	name        string
	contestants []*contestant
}

type contestant struct {
	name   string
	values map[string][]float64 // by unit
}

var procs = regexp.MustCompile(`-\d+$`)

// Read understands the text that go test prints.
func Read(in io.Reader) (*Set, error) {
	r := &Set{}
	suite, failed := "", false
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if pkg, ok := strings.CutPrefix(line, "pkg: "); ok {
			suite = suiteOf(pkg)
			continue
		}
		failed = failed || strings.HasPrefix(line, "FAIL") || strings.HasPrefix(line, "--- FAIL")
		f := strings.Fields(line)
		if len(f) < 4 || !strings.HasPrefix(f[0], "Benchmark") {
			continue
		}
		name, who := path.Split(procs.ReplaceAllString(strings.TrimPrefix(f[0], "Benchmark"), ""))
		c := r.contestant(suite+" "+strings.TrimSuffix(name, "/"), who)
		for i := 2; i+1 < len(f); i += 2 {
			v, err := strconv.ParseFloat(f[i], 64)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", f[0], err)
			}
			c.values[f[i+1]] = append(c.values[f[i+1]], v)
		}
	}
	switch {
	case lines.Err() != nil:
		return nil, lines.Err()
	case failed:
		return nil, errors.New("a benchmark failed")
	case len(r.things) == 0:
		return nil, errors.New("no benchmarks in the input")
	}
	return r, nil
}

// suiteOf returns the suite that a package belongs to: the first folder of the module. A
// peer that cannot be in one program with the others has a package below its suite's.
func suiteOf(pkg string) string {
	_, dir, found := strings.Cut(pkg, module)
	if !found {
		return path.Base(pkg)
	}
	suite, _, _ := strings.Cut(dir, "/")
	return suite
}

func (r *Set) contestant(name, who string) *contestant {
	i := slices.IndexFunc(r.things, func(t *thing) bool { return t.name == name })
	if i < 0 {
		i = len(r.things)
		r.things = append(r.things, &thing{name: name})
	}
	t := r.things[i]
	j := slices.IndexFunc(t.contestants, func(c *contestant) bool { return c.name == who })
	if j < 0 {
		j = len(t.contestants)
		t.contestants = append(t.contestants, &contestant{who, map[string][]float64{}})
	}
	return t.contestants[j]
}

func (c *contestant) median(unit string) (float64, bool) {
	v := slices.Sorted(slices.Values(c.values[unit]))
	if len(v) == 0 {
		return 0, false
	}
	return (v[(len(v)-1)/2] + v[len(v)/2]) / 2, true
}

// Who lists those measured at a thing, ours first when it is there, the others in order of
// appearance.
func (r *Set) Who(thing string) []string {
	var names []string
	for _, t := range r.things {
		if t.name != thing {
			continue
		}
		for _, c := range t.contestants {
			if c.name == ours {
				names = append([]string{ours}, names...)
			} else {
				names = append(names, c.name)
			}
		}
	}
	return names
}

// Things lists what was measured and begins with prefix.
func (r *Set) Things(prefix string) []string {
	var names []string
	for _, t := range r.things {
		if strings.HasPrefix(t.name, prefix) {
			names = append(names, t.name)
		}
	}
	return names
}

// Time returns the time of a contestant in nanoseconds: the median, or with best the quickest
// batch; ok is false where none was measured.
func (r *Set) Time(thing, who string, best bool) (ns float64, ok bool) {
	if c := r.find(thing, who); c != nil {
		return c.time(best)
	}
	return 0, false
}

// Value returns the median of a contestant's measurements in a unit.
func (r *Set) Value(thing, who, unit string) (v float64, ok bool) {
	if c := r.find(thing, who); c != nil {
		return c.median(unit)
	}
	return 0, false
}

func (r *Set) find(thing, who string) *contestant {
	for _, t := range r.things {
		if t.name != thing {
			continue
		}
		for _, c := range t.contestants {
			if c.name == who {
				return c
			}
		}
	}
	return nil
}

// Table renders one row per contestant. With best the quickest batch stands for the time.
func (r *Set) Table(best bool) string {
	var b strings.Builder
	b.WriteString("| measured | who | ns | ratio | B | allocs | other |\n|---|---|---:|---:|---:|---:|---|\n")
	for _, t := range r.things {
		name, base := t.name, float64(0)
		for _, c := range t.contestants {
			ns, timed := c.time(best)
			duration, ratio := "", ""
			if timed {
				duration = Number(ns)
			}
			switch {
			case c.name == ours:
				base = ns
			case base > 0 && timed:
				ratio = Number(ns / base)
			}
			size, ok := c.median("B/item")
			if !ok {
				size, ok = c.median("B/op")
			}
			bytes, allocs := "", ""
			if ok {
				bytes = Number(size)
			}
			if v, ok := c.median("allocs/op"); ok {
				allocs = Number(v)
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %s | %s | %s |\n", name, c.name, duration, ratio, bytes, allocs, c.others())
			name = ""
		}
	}
	return b.String()
}

// time returns what stands for the time of a contestant: the median where there is a
// distribution, the mean elsewhere, or the best that was measured when that is asked for;
// ok is false where no time was measured.
func (c *contestant) time(best bool) (ns float64, ok bool) {
	if best {
		for _, unit := range []string{"best-ns", "p50-ns", "ns/op"} {
			if v := c.values[unit]; len(v) > 0 {
				return slices.Min(v), true
			}
		}
		return 0, false
	}
	if ns, ok = c.median("p50-ns"); ok {
		return ns, true
	}
	return c.median("ns/op")
}

// others lists the measurements that have no column.
func (c *contestant) others() string {
	units := slices.SortedFunc(maps.Keys(c.values), func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), strings.Compare(a, b))
	})
	var out []string
	for _, unit := range units {
		switch unit {
		case "ns/op", "best-ns", "p50-ns", "B/op", "allocs/op", "B/item", "MB/s":
			continue
		}
		v, _ := c.median(unit)
		out = append(out, Number(v)+" "+unit)
	}
	return strings.Join(out, ", ")
}

// rank puts what belongs to a distribution before everything else.
func rank(unit string) int {
	switch unit {
	case "p99-ns":
		return 0
	case "max-ns":
		return 1
	default:
		return 2
	}
}

// Number prints about three digits and groups the rest.
func Number(v float64) string {
	switch {
	case v != 0 && v < 10:
		return strconv.FormatFloat(v, 'g', 2, 64)
	case v < 1000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	text := strconv.FormatFloat(v, 'f', 0, 64)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + " " + text[i:]
	}
	return text
}
