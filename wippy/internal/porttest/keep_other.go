// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package porttest

import "net"

// Keep returns a port that was free a moment ago. release does nothing.
func Keep() (port int, release func(), err error) {
	l, err := net.Listen("tcp", Host+":0")
	if err != nil {
		return 0, nil, err
	}
	return l.Addr().(*net.TCPAddr).Port, func() {}, l.Close()
}
