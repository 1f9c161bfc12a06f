// SPDX-License-Identifier: Apache-2.0

package data_test

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

var absent sync.Once

// startRedis runs a Redis of the benchmark's own and returns the path of its socket, ""
// when it is not installed. durable makes it write every change to the disk before it
// answers.
func startRedis(b *testing.B, durable bool) string {
	b.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		// Not b.Log: of benchmarks that have others inside it prints nothing.
		absent.Do(func() { fmt.Fprintln(os.Stderr, "redis is absent: no redis-server on PATH") })
		return ""
	}
	dir := b.TempDir()
	socket := filepath.Join(dir, "s")
	args := []string{"--port", "0", "--unixsocket", socket, "--dir", dir, "--save", ""}
	if durable {
		args = append(args, "--appendonly", "yes", "--appendfsync", "always")
	}
	cmd := exec.Command("redis-server", args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	var said bytes.Buffer
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		fmt.Fprintln(&said, lines.Text())
		if strings.Contains(lines.Text(), "ready to accept connections") {
			return socket
		}
	}
	b.Fatalf("redis-server ended:\n%s", said.String())
	return ""
}

// client is one connection that asks one thing at a time.
type client struct {
	b    *testing.B
	conn net.Conn
	in   *bufio.Reader
	out  []byte
}

func dial(b *testing.B, socket string) *client {
	b.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { conn.Close() })
	return &client{b: b, conn: conn, in: bufio.NewReader(conn)}
}

// do sends a command and returns the answer: a text, a number as text, or how many values
// an array has, which it reads.
func (c *client) do(words ...string) string {
	c.out = fmt.Appendf(c.out[:0], "*%d\r\n", len(words))
	for _, w := range words {
		c.out = append(strconv.AppendInt(append(c.out, '$'), int64(len(w)), 10), "\r\n"...)
		c.out = append(append(c.out, w...), "\r\n"...)
	}
	if _, err := c.conn.Write(c.out); err != nil {
		c.b.Error(err)
		return ""
	}
	return c.answer()
}

func (c *client) answer() string {
	line, err := c.in.ReadString('\n')
	if err != nil || len(line) < 3 || line[0] == '-' {
		c.b.Errorf("redis: %q, %v", line, err)
		return ""
	}
	text := line[1 : len(line)-2]
	n, _ := strconv.Atoi(text)
	switch line[0] {
	case '$':
		if n < 0 {
			return ""
		}
		data := make([]byte, n+2)
		for read := 0; read < len(data); {
			m, err := c.in.Read(data[read:])
			if err != nil {
				c.b.Error(err)
				return ""
			}
			read += m
		}
		return string(data[:n])
	case '*':
		for range n {
			c.answer()
		}
	}
	return text
}
