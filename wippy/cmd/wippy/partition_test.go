// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// ip runs a command of iproute2 and returns what is wrong.
func ip(args ...string) error {
	out, err := exec.Command(args[0], args[1:]...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, out)
	}
	return nil
}

// TestPartitionedNodes runs one of two programs in a network namespace of its own and takes the cable out: nobody is
// told by the network, so the heartbeat has to find out. Then the cable comes back and both talk again without having
// been restarted. Where the kernel can make it slow as well, that alone is no loss.
//
// It needs iproute2, root and network namespaces. Without them it does nothing; in CI iproute2 must be there.
func TestPartitionedNodes(t *testing.T) {
	space, near, far := fmt.Sprintf("wippy%d", os.Getpid()), fmt.Sprintf("wn%d", os.Getpid()), fmt.Sprintf("wf%d", os.Getpid())
	inside := []string{"ip", "netns", "exec", space}
	within := func(args ...string) []string { return append(inside[:len(inside):len(inside)], args...) }
	t.Cleanup(func() {
		_ = ip("ip", "link", "del", near) // whatever of it there is
		_ = ip("ip", "netns", "del", space)
	})
	for _, command := range [][]string{
		{"ip", "netns", "add", space},
		{"ip", "link", "add", near, "type", "veth", "peer", "name", far},
		{"ip", "link", "set", far, "netns", space},
		{"ip", "addr", "add", "10.213.77.1/30", "dev", near},
		{"ip", "link", "set", near, "up"},
		within("ip", "addr", "add", "10.213.77.2/30", "dev", far),
		within("ip", "link", "set", far, "up"),
	} {
		if err := ip(command...); err != nil {
			if errors.Is(err, exec.ErrNotFound) && os.Getenv("CI") != "" {
				t.Fatal(err)
			}
			// Not root, or a kernel or container without namespaces.
			t.Attr("left-out", "no network of its own: "+strings.Join(strings.Fields(err.Error()), " "))
			return
		}
	}
	b := echoNode(t, "b", echoLua, `listen: "10.213.77.2:7950"`, `peers: {a: ""}`, "patience: 3s")
	a := echoNode(t, "a", askLua, `peers: {b: "10.213.77.2:7950"}`, "patience: 3s")
	outB, _ := startNode(t, b, inside...)
	outB.await(t, "ready: ")
	outA, _ := startNode(t, a)
	outA.await(t, "answered")

	cut := time.Now()
	if err := ip(within("ip", "link", "set", far, "down")...); err != nil {
		t.Fatal(err)
	}
	outA.await(t, "pid.exit: node lost: b")
	outA.await(t, "pid.link.down: node lost: b")
	if took := time.Since(cut); took > 15*time.Second { // patience 3 s, and a busy machine
		t.Errorf("noticed after %v", took)
	}
	slow := ip("tc", "qdisc", "add", "dev", near, "root", "netem", "delay", "150ms", "50ms", "rate", "256kbit")
	if slow != nil {
		// The kernel has no netem.
		t.Attr("left-out", "a slow link: "+strings.Join(strings.Fields(slow.Error()), " "))
	}
	if err := ip(within("ip", "link", "set", far, "up")...); err != nil {
		t.Fatal(err)
	}
	outA.await(t, "answered")
	if slow != nil {
		return
	}
	limit := time.After(6 * time.Second) // twice what a silent node is given
	for {
		select {
		case line := <-outA:
			if strings.Contains(line, "pid.") || strings.Contains(line, "TWICE") {
				t.Fatal("on a slow link: ", line)
			}
		case <-limit:
			return
		}
	}
}
