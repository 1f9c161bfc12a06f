// SPDX-License-Identifier: Apache-2.0

// Package inspect looks at a running node: its processes, schedulers and services.
//
// Looking costs the node nothing but the time to walk its processes, about 100 ns each, and stops nobody: what is
// reported of different processes belongs to slightly different moments. Memory is the exception: a process estimates
// its own when its turn comes, see [Query.Memory].
package inspect

import (
	"os"
	"runtime"
	"runtime/metrics"
	"time"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/system/supervisor"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// Inspector looks at one node. All methods may be called concurrently.
type Inspector struct {
	Node       *relay.Node
	Calls      *scheduler.Scheduler // of function calls that nobody lends a place to
	Topology   *topology.Topology
	Supervisor *supervisor.Supervisor
	Dir        string    // the project directory, absolute
	Version    string    // of the program, "" when unknown
	Started    time.Time // of the node
}

// NodeInfo describes the node.
type NodeInfo struct {
	Name       string      `json:"name"`
	PID        int         `json:"pid"` // of the operating system
	Dir        string      `json:"dir"`
	Version    string      `json:"version,omitempty"`
	Go         string      `json:"go"`
	StartedAt  time.Time   `json:"started_at"`
	Goroutines int         `json:"goroutines"`
	HeapBytes  uint64      `json:"heap_bytes"`  // live and not yet collected objects
	TotalBytes uint64      `json:"total_bytes"` // all memory the Go runtime has of the system
	GCCycles   uint64      `json:"gc_cycles"`
	Processes  int         `json:"processes"` // of all schedulers, calls included
	Schedulers []Scheduler `json:"schedulers"`
}

// Scheduler describes the scheduler of a host. That of function calls is named [CallsHost].
type Scheduler struct {
	Host        string `json:"host"`
	Workers     int    `json:"workers"`
	Parked      int    `json:"parked"`
	Spares      int    `json:"spares"`
	Processes   int    `json:"processes"`
	GlobalQueue int    `json:"global_queue"`
	Executed    uint64 `json:"executed"`
	Stolen      uint64 `json:"stolen"`
	Lost        uint64 `json:"lost"`
	Panics      uint64 `json:"panics"`
}

// CallsHost is the name of the scheduler of function calls.
const CallsHost = "functions"

// scheduled is a host that runs processes.
type scheduled interface {
	// Scheduler returns nil while the host is stopped.
	Scheduler() *scheduler.Scheduler
}

// schedulers calls f for each scheduler that runs.
func (i *Inspector) schedulers(f func(host string, s *scheduler.Scheduler)) {
	for _, id := range i.Node.Hosts() {
		h, _ := i.Node.Host(id)
		if h, ok := h.(scheduled); ok {
			if s := h.Scheduler(); s != nil {
				f(id, s)
			}
		}
	}
	if i.Calls != nil {
		f(CallsHost, i.Calls)
	}
}

// Info describes the node.
func (i *Inspector) Info() NodeInfo {
	samples := []metrics.Sample{
		{Name: "/memory/classes/heap/objects:bytes"},
		{Name: "/memory/classes/total:bytes"},
		{Name: "/gc/cycles/total:gc-cycles"},
	}
	metrics.Read(samples)
	info := NodeInfo{
		Name: i.Node.Name(), PID: os.Getpid(), Dir: i.Dir, Version: i.Version, Go: runtime.Version(), StartedAt: i.Started,
		Goroutines: runtime.NumGoroutine(),
		HeapBytes:  samples[0].Value.Uint64(),
		TotalBytes: samples[1].Value.Uint64(),
		GCCycles:   samples[2].Value.Uint64(),
	}
	i.schedulers(func(host string, s *scheduler.Scheduler) {
		t := s.Stats()
		info.Processes += t.Processes
		info.Schedulers = append(info.Schedulers, Scheduler{Host: host, Workers: t.Workers, Parked: t.Parked, Spares: t.Spares,
			Processes: t.Processes, GlobalQueue: t.GlobalQueue, Executed: t.Executed, Stolen: t.Stolen, Lost: t.Lost, Panics: t.Panics})
	})
	return info
}

// Service describes a supervised service.
type Service struct {
	ID         string    `json:"id"`
	State      string    `json:"state"`
	Desired    string    `json:"desired"`
	Retries    int       `json:"retries"`
	Details    string    `json:"details,omitempty"`
	StartedAt  time.Time `json:"started_at,omitzero"`
	LastUpdate time.Time `json:"last_update,omitzero"`
}

// Services describes all services, sorted by id.
func (i *Inspector) Services() []Service {
	states := i.Supervisor.States()
	list := make([]Service, len(states))
	for n, s := range states {
		list[n] = Service{ID: s.ID, State: string(s.State), Desired: string(s.Desired), Retries: s.RetryCount,
			Details: text(s.Details), StartedAt: s.StartedAt, LastUpdate: s.LastUpdate}
	}
	return list
}
