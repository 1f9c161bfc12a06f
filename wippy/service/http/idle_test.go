// SPDX-License-Identifier: Apache-2.0

package http_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// idleEnv makes this program a client that keeps connections: "address count".
const idleEnv = "HTTP_TEST_IDLE"

// keep opens connections, makes a request on each, says so and keeps them until its input ends.
func keep(task string) error {
	addr, count, _ := strings.Cut(task, " ")
	n, err := strconv.Atoi(count)
	if err != nil {
		return err
	}
	conns := make([]net.Conn, n)
	for i := range conns {
		if conns[i], err = net.Dial("tcp", addr); err != nil {
			return err
		}
		// So many ports would be nobody's for a minute after the end, and there are not that many.
		if err := conns[i].(*net.TCPConn).SetLinger(0); err != nil {
			return err
		}
		if _, err := io.WriteString(conns[i], "GET /value HTTP/1.1\r\nHost: x\r\n\r\n"); err != nil {
			return err
		}
		res, err := http.ReadResponse(bufio.NewReaderSize(conns[i], 512), nil)
		if err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, res.Body); err != nil {
			return err
		}
	}
	fmt.Println("kept")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// memory is what the program has from the system, in bytes, after the garbage is gone.
func memory() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// Ten thousand connections that are kept and not used cost a bounded amount of memory each,
// and others are answered as before.
func TestManyIdleConnections(t *testing.T) {
	const each = 32 << 10
	n := 10_000
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	n = min(n, int(limit.Cur)-1000)
	if n < 1000 {
		t.Fatalf("%d open files are too few for this test; see ulimit -n", limit.Cur)
	}
	s := start(t)
	s.do("GET", "/value", "")
	before := memory()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), idleEnv+"="+strings.TrimPrefix(s.url, "http://")+" "+strconv.Itoa(n))
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if line != "kept\n" {
		t.Errorf("the client says %q, %v", line, err)
	}
	used := int64(memory()-before) / int64(n)
	t.Logf("%d connections, %d bytes each", n, used)
	if used > each {
		t.Errorf("%d bytes for each connection, want at most %d", used, each)
	}
	if res, _ := s.do("GET", "/value", ""); res.StatusCode != 200 {
		t.Error(res.Status)
	}
	in.Close()
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}
