// SPDX-License-Identifier: Apache-2.0

//go:build !race

package http_test

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// exchanger sends the same request over one connection and takes its answer, and allocates nothing
// for it.
func exchanger(t *testing.T, addr, path string) func() {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	request, buffer := []byte("GET "+path+" HTTP/1.1\r\nHost: x\r\n\r\n"), make([]byte, 4096)
	return func() {
		if _, err := conn.Write(request); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(buffer); err != nil || !strings.HasPrefix(string(buffer[:n]), "HTTP/1.1 200") {
			t.Fatalf("%q, %v", buffer[:n], err)
		}
	}
}

// A request that a function answers allocates little beside what net/http itself does for it.
func TestRequestAllocations(t *testing.T) {
	s := start(t, fn{"hello", "GET", "/hello", `http.response():write_json({message = "hello", list = {1, 2, 3}})`})
	bare := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"list":[1,2,3],"message":"hello"}`)
	}))
	t.Cleanup(bare.Close)
	least := testing.AllocsPerRun(500, exchanger(t, bare.Listener.Addr().String(), "/hello"))
	ours := testing.AllocsPerRun(500, exchanger(t, strings.TrimPrefix(s.url, "http://"), "/hello"))
	t.Logf("net/http %.0f, ours %.0f", least, ours)
	if more := ours - least; more > mostAllocations {
		t.Errorf("%.0f allocations more than net/http alone, which has %.0f", more, least)
	}
}

// mostAllocations is how many a request may have beside those of net/http.
const mostAllocations = 38
