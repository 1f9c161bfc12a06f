// SPDX-License-Identifier: Apache-2.0

package porttest_test

import (
	"errors"
	"net"
	"runtime"
	"syscall"
	"testing"

	"github.com/wippyrun/kit/wippy/internal/porttest"
)

// Who is told a port that is kept listens on it, again and again, and in between connections are refused.
func TestWhoIsToldAPortHasIt(t *testing.T) {
	address := porttest.Address(t)
	for range 3 {
		if c, err := net.Dial("tcp", address); !errors.Is(err, syscall.ECONNREFUSED) {
			if err == nil {
				c.Close()
			}
			t.Errorf("dialed before anybody listens: %v", err)
		}
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		served, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		// The side that listens closes first, which leaves something behind that must not be in the way.
		if err := errors.Join(served.Close(), l.Close(), c.Close()); err != nil {
			t.Error(err)
		}
	}
}

// The system gives a port that is kept to nobody who asks for any. There are few, so that each would be met.
func TestNobodyElseGetsAPortThatIsKept(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Attr("left-out", "ports are kept on Linux only")
		return
	}
	kept := map[int]bool{}
	for range 500 {
		port, release, err := porttest.Keep()
		if err != nil {
			t.Fatal(err)
		}
		defer release()
		if kept[port] {
			t.Fatalf("port %d is kept twice", port)
		}
		kept[port] = true
	}
	l, err := net.Listen("tcp", porttest.Host+":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for range 500 {
		other, err := net.Listen("tcp", ":0")
		if err != nil {
			t.Fatal(err)
		}
		defer other.Close()
		if port := other.Addr().(*net.TCPAddr).Port; kept[port] {
			t.Fatalf("somebody got port %d", port)
		}
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		served, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		defer served.Close()
		if port := c.LocalAddr().(*net.TCPAddr).Port; kept[port] {
			t.Fatalf("a connection got port %d", port)
		}
	}
}
