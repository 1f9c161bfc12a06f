// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net"
	"strings"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/rogpeppe/go-internal/testscript"
)

// freePort NAME sets a variable to the number of a TCP port that nobody listens on.
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 || neg {
		ts.Fatalf("usage: port name")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	_, port, err := net.SplitHostPort(l.Addr().String())
	ts.Check(err)
	ts.Check(l.Close())
	ts.Setenv(args[0], port)
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
