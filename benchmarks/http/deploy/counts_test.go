// SPDX-License-Identifier: Apache-2.0

package main

import "testing"

func TestParseCounts(t *testing.T) {
	c, err := parseCounts([]byte(`# HELP wippy_http_requests_total Requests that were answered.
wippy_http_requests_total{method="GET",route="app:hello.get",status="200"} 1.5e+03
wippy_http_requests_total{method="GET",route="app:hello.get",status="500"} 2
wippy_http_requests_total{method="HEAD",route="app:hello.get",status="200"} 3
wippy_http_requests_total{method="GET",route="app:extra.get",status="404"} 7
wippy_http_requests_in_flight{method="GET",route="app:hello.get"} 9
`))
	if err != nil || c != (counts{1503, 2}) {
		t.Errorf("%+v, %v", c, err)
	}
	for _, bad := range []string{"", `wippy_http_requests_total{route="app:hello.get",status="200"} x`} {
		if c, err := parseCounts([]byte(bad)); err == nil {
			t.Errorf("%q gives %+v", bad, c)
		}
	}
}
