// SPDX-License-Identifier: Apache-2.0

// Package web runs HTTP servers as programs of their own, and drives them with wrk.
package web

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// FreeAddress is one of this machine that nobody listens at.
func FreeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// Wippy builds the program from this repository, writes the files of an application, and returns the command
// that runs it in dir.
func Wippy(ctx context.Context, dir string, files map[string]string, args ...string) (*exec.Cmd, error) {
	program := filepath.Join(dir, "wippy")
	module, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "github.com/wippyrun/kit/wippy").Output()
	if err != nil {
		return nil, fmt.Errorf("find the module of wippy: %w", err)
	}
	build := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/wippy")
	build.Dir, build.Stderr = strings.TrimSpace(string(module)), os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("build wippy: %w", err)
	}
	app := filepath.Join(dir, "app")
	if err := os.Mkdir(app, 0o755); err != nil {
		return nil, err
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(app, name), []byte(text), 0o644); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command(program, append([]string{"run", "-s"}, args...)...)
	cmd.Dir = app
	return cmd, nil
}

// Stop interrupts a program that was started, and kills it when it does not end.
func Stop(cmd *exec.Cmd) {
	_ = cmd.Process.Signal(os.Interrupt)
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		_ = cmd.Process.Kill()
		<-ended
	}
}

// Used is the processor time that a process has used so far, negative when the system does not tell (it does on
// Linux). It is that of the threads there are: those of Go programs stay.
func Used(pid int) time.Duration {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		return -1
	}
	var all time.Duration
	for _, name := range tasks {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has just ended
		}
		first, _, _ := strings.Cut(string(text), " ")
		ns, err := strconv.ParseInt(first, 10, 64)
		if err != nil {
			return -1
		}
		all += time.Duration(ns)
	}
	return all
}
