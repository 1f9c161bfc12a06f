// SPDX-License-Identifier: Apache-2.0

// Package outcome reads what "go test -json" says, writes what "go test" would have said, and keeps what tests have left
// out. Without -v go test is silent about that: a test that has nothing to work with passes.
//
// A test leaves something out by saying why, as an attribute:
//
//	t.Attr(outcome.LeftOut, "PostgreSQL is not installed")
package outcome

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// LeftOut is the name of the attribute.
const LeftOut = "left-out"

// Reader takes events in and writes the outcome of packages. The zero value of all but Out does not know a thing yet. It
// is for one goroutine.
type Reader struct {
	Out io.Writer
	// Verbose writes all that tests say, as it comes.
	Verbose bool

	packages map[string]*pkg
	left     map[string]map[test]bool // by reason
}

type test struct{ pkg, name string }

// pkg is a package whose tests run.
type pkg struct {
	lines  []line          // that may have to be shown
	passed map[string]bool // tests
	open   map[string]bool // tests that have written half a line
}

type line struct{ test, text string }

// event is what go test -json writes, see "go doc test2json".
type event struct {
	Action, Package, Test string
	Output                string
	Key, Value            string
	ImportPath            string // of what does not build
}

// Read reads events until there are no more. What is no event is written as it is.
func (r *Reader) Read(in io.Reader) error {
	if r.packages == nil {
		r.packages, r.left = map[string]*pkg{}, map[string]map[test]bool{}
	}
	lines := bufio.NewReader(in)
	for {
		text, err := lines.ReadBytes('\n')
		if len(text) > 0 {
			var e event
			if json.Unmarshal(text, &e) != nil || e.Action == "" {
				r.write(string(text))
			} else {
				r.take(e)
			}
		}
		if err == io.EOF {
			for _, name := range sorted(r.packages) { // the command ended before they did
				r.finish(name, false)
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (r *Reader) take(e event) {
	if e.Action == "build-output" {
		r.write(e.Output)
		return
	}
	if e.Package == "" {
		return
	}
	p := r.packages[e.Package]
	if p == nil {
		p = &pkg{passed: map[string]bool{}, open: map[string]bool{}}
		r.packages[e.Package] = p
	}
	switch e.Action {
	case "output":
		if r.Verbose {
			r.write(e.Output)
		} else {
			p.output(e.Test, e.Output)
		}
	case "attr":
		if e.Key == LeftOut {
			r.leave(e.Value, test{e.Package, e.Test})
		}
	case "pass", "skip", "fail":
		switch {
		case e.Test == "":
			r.finish(e.Package, e.Action != "fail")
		case e.Action != "fail":
			p.pass(e.Test)
		}
		if e.Action == "skip" && e.Test != "" {
			r.leave("skipped", test{e.Package, e.Test})
		}
	}
}

func (r *Reader) leave(reason string, t test) {
	if r.left[reason] == nil {
		r.left[reason] = map[test]bool{}
	}
	r.left[reason][t] = true
}

// output keeps a piece of output. Of the marks of go test -v those of failures are kept.
func (p *pkg) output(test, text string) {
	if !p.open[test] {
		for _, mark := range []string{"=== RUN ", "=== PAUSE ", "=== CONT ", "=== NAME ", "=== ATTR "} {
			if strings.HasPrefix(text, mark) {
				return
			}
		}
	}
	if strings.HasSuffix(text, "\n") {
		delete(p.open, test)
	} else {
		p.open[test] = true
	}
	p.lines = append(p.lines, line{test, text})
}

// pass forgets what a test has said that is fine.
func (p *pkg) pass(name string) {
	p.passed[name] = true
	p.lines = slices.DeleteFunc(p.lines, func(l line) bool { return l.test == name })
}

// finish writes what a package has to say: one line when it is fine.
func (r *Reader) finish(name string, fine bool) {
	p := r.packages[name]
	delete(r.packages, name)
	for _, l := range p.lines {
		if !fine && !p.passed[l.test] || strings.HasPrefix(l.text, "ok  \t") || strings.HasPrefix(l.text, "?   \t") {
			r.write(l.text)
		}
	}
}

func (r *Reader) write(text string) { _, _ = io.WriteString(r.Out, text) }

// Left returns what was left out, a line for each reason, with the packages it is left out of.
func (r *Reader) Left() []string {
	var out []string
	for _, reason := range sorted(r.left) {
		tests, packages := 0, map[string]bool{}
		for t := range r.left[reason] {
			tests++
			packages[t.pkg] = true
		}
		noun := "tests"
		if tests == 1 {
			noun = "test"
		}
		out = append(out, fmt.Sprintf("%s: %d %s of %s", reason, tests, noun, strings.Join(sorted(packages), ", ")))
	}
	return out
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
