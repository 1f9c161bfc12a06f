// SPDX-License-Identifier: Apache-2.0

package web

import "testing"

func TestParse(t *testing.T) {
	const out = `Running 1s test @ http://127.0.0.1:1/hello
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.44ms    1.17ms  13.03ms   88.41%
    Req/Sec    49.33k     3.94k   56.98k    70.00%
  Latency Distribution
     50%    1.13ms
     75%    1.65ms
     90%    2.62ms
     99%    6.20ms
  49084 requests in 1.00s, 6.69MB read
Requests/sec:  49063.06
Transfer/sec:      6.69MB
`
	if r, err := parse(out); err != nil || r != (Result{Rate: 49063.06, P50: "1.13ms", P99: "6.20ms", Requests: 49084}) {
		t.Errorf("%+v, %v", r, err)
	}
	for _, bad := range []string{"", "Requests/sec: x", out + "  Non-2xx or 3xx responses: 7\n", out + "  Socket errors: connect 0, read 1, write 0, timeout 0\n"} {
		if r, err := parse(bad); err == nil {
			t.Errorf("%q gives %+v", bad, r)
		}
	}
}
