// SPDX-License-Identifier: Apache-2.0

package web

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Result is what wrk says.
type Result struct {
	Rate     float64 // requests per second
	P50, P99 string
	Requests int64
}

var (
	rateLine   = regexp.MustCompile(`(?m)^Requests/sec:\s+([\d.]+)`)
	countLine  = regexp.MustCompile(`(?m)^\s*(\d+) requests in`)
	p50Line    = regexp.MustCompile(`(?m)^\s+50%\s+(\S+)`)
	p99Line    = regexp.MustCompile(`(?m)^\s+99%\s+(\S+)`)
	errorLines = regexp.MustCompile(`(?m)^\s*(Socket errors|Non-2xx).*$`)
)

// Wrk finds the program.
func Wrk() (string, error) {
	path, err := exec.LookPath("wrk")
	if err != nil {
		return "", errors.New("wrk is absent (Debian: apt-get install wrk)")
	}
	return path, nil
}

// Drive asks for url on that many connections for some time. An answer that is no success, and a connection that
// fails, is an error.
func Drive(ctx context.Context, wrk, url string, connections int, duration time.Duration) (Result, error) {
	out, err := exec.CommandContext(ctx, wrk, "-t", "1", "-c", strconv.Itoa(connections), "-d", duration.String(), "--latency", url).CombinedOutput()
	if err != nil {
		return Result{}, fmt.Errorf("wrk: %w\n%s", err, out)
	}
	return parse(string(out))
}

func parse(out string) (Result, error) {
	if all := errorLines.FindAllString(out, -1); all != nil {
		return Result{}, errors.New("wrk: " + strings.Join(strings.Fields(strings.Join(all, ", ")), " "))
	}
	field := func(line *regexp.Regexp) string {
		if m := line.FindStringSubmatch(out); m != nil {
			return m[1]
		}
		return ""
	}
	rate, err := strconv.ParseFloat(field(rateLine), 64)
	r := Result{Rate: rate, P50: field(p50Line), P99: field(p99Line)}
	r.Requests, _ = strconv.ParseInt(field(countLine), 10, 64)
	if err != nil || r.P50 == "" || r.P99 == "" {
		return Result{}, fmt.Errorf("wrk says nothing of use:\n%s", out)
	}
	return r, nil
}
