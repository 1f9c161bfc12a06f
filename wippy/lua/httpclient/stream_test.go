// SPDX-License-Identifier: Apache-2.0

package httpclient_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestStreams(t *testing.T) {
	check(t, newSystem(t), site(t).URL, map[string]string{
		"piece by piece": `
			local r, err = http_client.get(url .. "/large", {stream = true})
			assert(err == nil and r.status_code == 200 and r.body == nil and r.body_size == -1)
			local stat = r.stream:stat()
			assert(stat.size == -1 and stat.readable and not stat.writable and not stat.seekable)
			local n = 0
			while true do
				local piece, err = r.stream:read(300)
				assert(err == nil)
				if not piece then break end
				n = n + #piece
			end
			assert(n == 1000 and r.stream:close() == true)
			piece, err = r.stream:read()
			assert(piece == nil and err:kind() == "Internal")`,
		"empty": `
			local r = http_client.get(url .. "/empty", {stream = true})
			assert(r.body_size == -1 and r.stream:read() == nil)`,
		"the limit is for bodies": `
			local r = http_client.get(url .. "/large", {stream = true, max_response_body = 10})
			assert(#r.stream:read(2000) > 10)`,
		"time runs out": `
			local function attempt(timeout) -- false when the machine was so busy that it ran out before
				local r, err = http_client.get(url .. "/half", {stream = true, timeout = timeout})
				local piece
				if r then piece, err = r.stream:read() end
				local begun = piece == "half"
				if begun then piece, err = r.stream:read() end
				assert(piece == nil and err:kind() == "Internal" and err:message():find("Timeout"), tostring(err))
				return begun
			end
			assert(attempt("100ms") or attempt("1s") or attempt("10s") or attempt("40s"))`,
		"closed while it is read": `
			local r = http_client.get(url .. "/half", {stream = true})
			assert(r.stream:read() == "half")
			local done = channel.new()
			coroutine.spawn(function() local piece, err = r.stream:read() done:send(err:kind()) end)
			coroutine.spawn(function() r.stream:close() end)
			assert(done:receive() == "Internal")`,
		"left open": `for i = 1, 5 do http_client.get(url .. "/half", {stream = true}) end`,
		"as a file": `
			local r = http_client.get(url .. "/large", {stream = true})
			local up = http_client.post(url .. "/form", {files = {{name = "f", reader = r.stream}}})
			assert(#up.body > 1000 and up.status_code == 200, up.body)
			local batch = http_client.request_batch({{"POST", url .. "/echo", {body = "b", files = {{name = "f", reader = r.stream}}}}})
			assert(batch[1].body == "POST /echo b")
			r.stream:close()
			assert(http_client.post(url .. "/echo", {body = "b", files = {{name = "f", reader = r.stream}}}).body == "POST /echo b")`,
	})
}

// The request behind a stream ends with the process.
func TestStreamEndsWithItsProcess(t *testing.T) {
	left := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "first")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(left)
	}))
	t.Cleanup(server.Close)
	newSystem(t).Check(t, `assert(http_client.get((...), {stream = true}).stream:read() == "first")`, server.URL)
	<-left
}
