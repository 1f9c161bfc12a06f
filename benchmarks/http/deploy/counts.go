// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
)

// counts are the program's own, of the endpoint that wrk calls.
type counts struct{ answered, failed int64 }

var (
	sample      = regexp.MustCompile(`^wippy_http_requests_total\{(.*)\} (\S+)$`)
	routeLabel  = regexp.MustCompile(`route="app:hello\.get"`)
	statusLabel = regexp.MustCompile(`status="(\d+)"`)
)

func (d *deployment) counts() (counts, error) {
	status, text, err := d.do(context.Background(), http.MethodGet, "http://"+d.metrics+"/metrics", nil)
	if err != nil {
		return counts{}, err
	}
	if status != http.StatusOK {
		return counts{}, fmt.Errorf("metrics: %d", status)
	}
	return parseCounts(text)
}

func parseCounts(text []byte) (c counts, err error) {
	found := false
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		m := sample.FindStringSubmatch(lines.Text())
		if m == nil || !routeLabel.MatchString(m[1]) {
			continue
		}
		n, err := strconv.ParseFloat(m[2], 64)
		if err != nil {
			return counts{}, fmt.Errorf("metrics: %q", lines.Text())
		}
		found = true
		if s := statusLabel.FindStringSubmatch(m[1]); s != nil && s[1] == "200" {
			c.answered += int64(n)
		} else {
			c.failed += int64(n)
		}
	}
	if !found {
		return counts{}, fmt.Errorf("the metrics have no count of the endpoint:\n%s", text)
	}
	return c, nil
}
