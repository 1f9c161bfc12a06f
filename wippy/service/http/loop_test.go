// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"testing"
)

// A function that computes without a pause ends when its client leaves.
func TestClientThatLeavesEndsAnEndlessLoop(t *testing.T) {
	s := start(t,
		fn{"loops", "GET", "/loops", `
		process.registry.register("slow")
		events.send("test", "waits", "/")
		while true do end`})
	waits, watches := make(chan string, 1), make(chan string, 1)
	for name, c := range map[string]chan string{"waits": waits, "watches": watches} {
		if _, err := s.app.Bus().Subscribe(t.Context(), pattern("test", name), func(event) { c <- name }); err != nil {
			t.Fatal(err)
		}
	}
	conn := s.dial()
	if _, err := io.WriteString(conn, "GET /loops HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	s.see(waits, "waits")
	got := make(chan string, 1)
	go func() {
		_, text := s.do("GET", "/watch", "")
		got <- text
	}()
	s.see(watches, "watches")
	conn.Close()
	if text := <-got; !strings.HasPrefix(text, "pid.exit") {
		t.Errorf("the loop ended with %q", text)
	}
}

// What a function has flushed reaches the client while it goes on computing.
func TestFlushDuringALoop(t *testing.T) {
	s := start(t, fn{"computes", "GET", "/computes", `
		local res = http.response()
		for _ in ("x"):gmatch("x") do res:write("begin ") res:flush() end
		while not process.registry.lookup("enough") do end
		res:write("end")`},
		fn{"enough", "GET", "/enough", `process.registry.register("enough") http.response():write("yes") events.send("test", "waits", "/") process.inbox():receive()`})
	conn := s.dial()
	if _, err := io.WriteString(conn, "GET /computes HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 6)
	if _, err := io.ReadFull(res.Body, b); string(b) != "begin " || err != nil {
		t.Fatalf("%q, %v", b, err)
	}
	enough := s.dial()
	if _, err := io.WriteString(enough, "GET /enough HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(res.Body); string(rest) != "end" || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
}
