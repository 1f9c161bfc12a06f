// SPDX-License-Identifier: Apache-2.0

package rules

import (
	"bytes"
	"context"
	gofmt "go/format"
)

var format = Rule{
	Name:  "gofmt",
	About: "Go files are formatted by gofmt",
	Check: checkFormat,
}

func checkFormat(_ context.Context, env Env) ([]Problem, error) {
	var out []Problem
	for _, f := range env.Repo.Files {
		if !f.IsGo() {
			continue
		}
		src, err := f.Read()
		if err != nil {
			return nil, err
		}
		want, err := gofmt.Source(src)
		if err != nil {
			out = append(out, syntaxProblem(f, err))
			continue
		}
		if !bytes.Equal(src, want) {
			out = append(out, Problem{File: f.Path, Line: firstDifference(src, want),
				Message: "not formatted", Fix: "run gofmt -w " + f.Path})
		}
	}
	return out, nil
}

// firstDifference returns the first line in which a and b differ.
func firstDifference(a, b []byte) int {
	line := 1
	for i := 0; i < len(a) && i < len(b) && a[i] == b[i]; i++ {
		if a[i] == '\n' {
			line++
		}
	}
	return line
}
