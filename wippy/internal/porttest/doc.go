// SPDX-License-Identifier: Apache-2.0

// Package porttest gives tests TCP ports of the loopback interface for programs that must be told one.
//
// A port that was found free a moment ago may be anybody's by the time a program listens on it: every connection that
// somebody makes takes one, too. So a port is kept: a socket that is bound to it, and does not listen, makes the system
// give it to nobody. Who listens on it by its number with SO_REUSEADDR, as servers do, may all the same, and where
// nobody does, connections are refused. That is so on Linux; elsewhere a port is only one that was free.
package porttest

import (
	"net"
	"strconv"
	"testing"
)

// Host is where the ports are.
const Host = "127.0.0.1"

// Address returns an address, such as 127.0.0.1:40000, that is kept for the test until it ends.
func Address(tb testing.TB) string {
	tb.Helper()
	port, release, err := Keep()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(release)
	return net.JoinHostPort(Host, strconv.Itoa(port))
}
