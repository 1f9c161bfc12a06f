// SPDX-License-Identifier: Apache-2.0

// Package machine tells what a report was made on: processor, memory, system, and the programs
// that take part when they are there.
package machine

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"runtime"
	"strings"
	"time"
)

// Info describes the machine.
type Info struct {
	Processor string `json:"processor"`
	CPUs      int    `json:"cpus"`
	Memory    string `json:"memory"`
	System    string `json:"system"`
	Go        string `json:"go"`
	Load      string `json:"load"` // averages when the report began
}

// Describe looks at this machine. What cannot be found out is "unknown".
func Describe() Info {
	info := Info{Processor: "unknown", CPUs: runtime.NumCPU(), Memory: "unknown", System: runtime.GOOS + "/" + runtime.GOARCH,
		Go: runtime.Version(), Load: "unknown"}
	if v := field("/proc/cpuinfo", "model name"); v != "" {
		info.Processor = v
	}
	if v := field("/proc/meminfo", "MemTotal"); v != "" {
		var kib int
		if _, err := fmt.Sscan(v, &kib); err == nil {
			info.Memory = fmt.Sprintf("%.0f GiB", float64(kib)/(1<<20))
		}
	}
	if v, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		info.System += ", " + strings.TrimSpace(string(v))
	}
	if v, err := os.ReadFile("/proc/loadavg"); err == nil {
		info.Load = strings.Join(strings.Fields(string(v))[:3], " ")
	}
	return info
}

// field returns the value of the first line "name : value" of a file, "" when there is none.
func field(file, name string) string {
	f, err := os.Open(file)
	if err != nil {
		return ""
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		key, value, ok := strings.Cut(s.Text(), ":")
		if ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// Program is a program that takes part as a peer.
type Program struct {
	Name    string `json:"name"`
	Version string `json:"version"` // "" when it is absent
}

var version = regexp.MustCompile(`\d+(\.\d+)+|\d{2,}`)

// programs are asked for their versions.
var programs = []struct {
	name string
	argv []string
}{
	{"Erlang/OTP", []string{"erl", "-noshell", "-eval", `io:put_chars(erlang:system_info(otp_release)), halt().`}},
	{"Node.js", []string{"node", "--version"}},
	{"PostgreSQL", []string{"psql", "--version"}},
	{"Redis", []string{"redis-server", "--version"}},
	{"Lua 5.1", []string{"lua5.1", "-v"}},
	{"LuaJIT", []string{"luajit", "-v"}},
	{"wrk", []string{"wrk", "-v"}},
	{"SQLite shell", []string{"sqlite3", "--version"}},
}

// Programs looks for the peers that are programs of their own.
func Programs(ctx context.Context) []Program {
	list := make([]Program, len(programs))
	for i, p := range programs {
		list[i].Name = p.name
		if _, err := exec.LookPath(p.argv[0]); err != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		out, _ := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...).CombinedOutput() // wrk -v fails, and tells its version
		cancel()
		list[i].Version = version.FindString(string(out))
		if list[i].Version == "" {
			list[i].Version = "present"
		}
	}
	return list
}
