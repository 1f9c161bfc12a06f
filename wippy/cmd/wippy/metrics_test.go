// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"context"
	"net"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/rogpeppe/go-internal/testscript"
)

// atPort PROGRAM ARG... runs a program like exec, with the number of a TCP port that nobody listens on in the place of
// "{port}". Somebody else may be faster to take it: then the program, which has to say so and to fail, gets another.
func atPort(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 || neg {
		ts.Fatalf("usage: atport program [arg...]")
	}
	ctx, cancel := context.WithTimeout(context.Background(), runLimit)
	defer cancel()
	for {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		_, port, err := net.SplitHostPort(l.Addr().String())
		ts.Check(err)
		ts.Check(l.Close())
		words := make([]string, len(args))
		for i, a := range args {
			words[i] = strings.ReplaceAll(a, "{port}", port)
		}
		cmd := program(ctx, ts, words)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		err = cmd.Run()
		if err != nil && ctx.Err() == nil && strings.Contains(errs.String(), "address already in use") {
			continue
		}
		_, _ = ts.Stdout().Write(out.Bytes())
		_, _ = ts.Stderr().Write(errs.Bytes())
		if err != nil {
			ts.Fatalf("ended: %v\n%s%s", err, out.String(), errs.String())
		}
		return
	}
}

// promText FILE TYPE:NAME... parses a file in the text format of Prometheus and looks for metrics.
func promText(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 1 || neg {
		ts.Fatalf("usage: promtext file type:name...")
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(strings.NewReader(ts.ReadFile(args[0])))
	ts.Check(err)
	for _, want := range args[1:] {
		kind, name, _ := strings.Cut(want, ":")
		f := families[name]
		if f == nil {
			ts.Fatalf("no metric %s", name)
		}
		if got := strings.ToLower(f.GetType().String()); got != kind {
			ts.Fatalf("%s is a %s, not a %s", name, got, kind)
		}
	}
}
