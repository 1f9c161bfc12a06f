// SPDX-License-Identifier: Apache-2.0

package network_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"
)

// proxy is a SOCKS5 server. It connects everybody with one address, whatever they ask for, and keeps what they asked.
type proxy struct {
	*testing.T
	target string
	login  string // "user:password" that it asks for; "" for none, "*" for any
	l      net.Listener

	mu    sync.Mutex // guards all below
	asked []string   // "user:password address"
}

func startProxy(t *testing.T, target, login string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{T: t, target: target, login: login, l: l}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				_ = p.serve(conn) // the client hears of it
			})
		}
	})
	t.Cleanup(func() { l.Close(); all.Wait() })
	return p
}

func (p *proxy) port() string { return strconv.Itoa(p.l.Addr().(*net.TCPAddr).Port) }

// take returns what was asked for since the last time.
func (p *proxy) take() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := p.asked
	p.asked = nil
	return asked
}

func read(conn net.Conn, n int) []byte {
	b := make([]byte, n)
	if _, err := io.ReadFull(conn, b); err != nil {
		return make([]byte, n)
	}
	return b
}

func (p *proxy) serve(conn net.Conn) error {
	methods := read(conn, int(read(conn, 2)[1]))
	login, method := "", byte(0)
	if p.login != "" {
		method = 2
	}
	found := false
	for _, m := range methods {
		found = found || m == method
	}
	if !found {
		_, _ = conn.Write([]byte{5, 255})
		return errors.New("no method")
	}
	_, _ = conn.Write([]byte{5, method})
	if method == 2 {
		user := read(conn, int(read(conn, 2)[1]))
		password := read(conn, int(read(conn, 1)[0]))
		login = string(user) + ":" + string(password)
		if p.login != "*" && login != p.login {
			_, _ = conn.Write([]byte{1, 1})
			return errors.New("wrong login")
		}
		_, _ = conn.Write([]byte{1, 0})
	}
	head := read(conn, 4)
	host := ""
	switch head[3] {
	case 1:
		host = net.IP(read(conn, 4)).String()
	case 3:
		host = string(read(conn, int(read(conn, 1)[0])))
	case 4:
		host = net.IP(read(conn, 16)).String()
	}
	port := binary.BigEndian.Uint16(read(conn, 2))
	p.mu.Lock()
	p.asked = append(p.asked, fmt.Sprintf("%s %s:%d", login, host, port))
	p.mu.Unlock()
	out, err := net.Dial("tcp", p.target)
	if err != nil {
		_, _ = conn.Write([]byte{5, 5, 0, 1, 0, 0, 0, 0, 0, 0})
		return err
	}
	defer out.Close()
	_, _ = conn.Write([]byte{5, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	var both sync.WaitGroup
	both.Go(func() { _, _ = io.Copy(out, conn); _ = out.(*net.TCPConn).CloseWrite() })
	_, _ = io.Copy(conn, out)
	_ = conn.(*net.TCPConn).CloseWrite()
	_ = conn.Close() // the other direction ends too
	both.Wait()
	return nil
}
