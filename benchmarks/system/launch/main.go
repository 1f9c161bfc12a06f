// SPDX-License-Identifier: Apache-2.0

// Command launch runs a program and prints how many nanoseconds it took from exec to
// exit and how many kilobytes it occupied at its peak. It exists because Linux counts
// the memory of the program that forks towards the peak of the one it starts; this
// one is small.
//
// Without arguments it prints a line and ends: the smallest program to compare with.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

func main() {
	if len(os.Args) == 1 {
		_, _ = os.Stdout.WriteString("Hello, world!\n")
		return
	}
	cmd := exec.Command(os.Args[1], os.Args[2:]...)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	start := time.Now()
	err := cmd.Run()
	took := time.Since(start)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println(took.Nanoseconds(), cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss)
}
