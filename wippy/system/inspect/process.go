// SPDX-License-Identifier: Apache-2.0

package inspect

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/scheduler"
)

// Kinds of processes.
const (
	KindProcess = "process"
	KindCall    = "call" // of a function
)

// Description is what the maker of a process knows of it.
type Description struct {
	Kind   string
	Entry  string    // id of the entry it runs
	PID    relay.PID // zero for calls
	Parent relay.PID // zero when nobody spawned it
}

// Described is implemented by the values that processes are submitted to a scheduler with. Describe is called from any
// goroutine, also after the end of the process.
type Described interface{ Describe() Description }

// Process describes a process at one moment.
type Process struct {
	PID       string        `json:"pid,omitempty"` // "" for calls
	Kind      string        `json:"kind"`
	Entry     string        `json:"entry"`
	Host      string        `json:"host"`
	Parent    string        `json:"parent,omitempty"`
	Names     []string      `json:"names,omitempty"`
	State     string        `json:"state"`
	Queue     int           `json:"queue"`       // messages and outcomes that wait for it
	Waits     int           `json:"waits"`       // outcomes it waits for
	Steps     uint64        `json:"steps"`       // times a worker took it up
	RunTime   time.Duration `json:"run_time_ns"` // an estimate; light processes show none
	StartedAt time.Time     `json:"started_at"`
	Memory    *uint64       `json:"memory_bytes,omitempty"` // an estimate; absent when it was not asked for or not told in time
}

// Orders of processes: the largest first, PID and age the oldest.
const (
	ByTime   = "time"
	ByMemory = "memory"
	ByQueue  = "queue"
	BySteps  = "steps"
	ByAge    = "age"
)

// Orders lists them.
func Orders() []string { return []string{ByTime, ByMemory, ByQueue, BySteps, ByAge} }

// Query chooses processes.
type Query struct {
	Match  string // part of the PID, entry, host or a name; "" for all
	Order  string // one of Orders, ByAge when empty
	Limit  int    // most that are returned, 0 for all
	Memory bool   // ask for memory, too; ByMemory asks every process that matches, else only those returned are
}

// measurable bounds what a process counts of its memory: what is larger is told as this.
const measurable = 8 << 30

// found is a process with what it is sorted by.
type found struct {
	host   string
	about  Description
	ref    *scheduler.Ref
	info   scheduler.Info
	memory *uint64
}

// Processes returns the processes that q chooses, and how many match it without the limit. Memory is asked for until
// ctx ends. The error says that the order is unknown.
func (i *Inspector) Processes(ctx context.Context, q Query) (list []Process, total int, err error) {
	order := cmp.Or(q.Order, ByAge)
	if !slices.Contains(Orders(), order) {
		return nil, 0, fmt.Errorf("unknown order %q; there is %s", q.Order, strings.Join(Orders(), ", "))
	}
	all := i.find(q.Match)
	total = len(all)
	if order == ByMemory {
		measure(ctx, all)
	}
	slices.SortFunc(all, func(a, b found) int { return compare(order, a, b) })
	if q.Limit > 0 && len(all) > q.Limit {
		all = all[:q.Limit]
	}
	if q.Memory && order != ByMemory {
		measure(ctx, all)
	}
	list = make([]Process, len(all))
	for n, f := range all {
		list[n] = i.process(f)
	}
	return list, total, nil
}

func (i *Inspector) find(match string) []found {
	var all []found
	i.schedulers(func(host string, s *scheduler.Scheduler) {
		s.Each(func(ref *scheduler.Ref) bool {
			d, ok := ref.Value().(Described)
			if !ok {
				return true
			}
			f := found{host: host, about: d.Describe(), ref: ref, info: ref.Info()}
			if match == "" || i.matches(f, match) {
				all = append(all, f)
			}
			return true
		})
	})
	return all
}

func (i *Inspector) matches(f found, part string) bool {
	return strings.Contains(f.about.Entry, part) || strings.Contains(f.host, part) ||
		strings.Contains(f.about.PID.String(), part) ||
		slices.ContainsFunc(i.names(f.about.PID), func(name string) bool { return strings.Contains(name, part) })
}

func (i *Inspector) names(pid relay.PID) []string {
	info, _ := i.Topology.Info(pid)
	return info.Names
}

func compare(order string, a, b found) int {
	most := 0
	switch order {
	case ByTime:
		most = cmp.Compare(b.info.RunTime, a.info.RunTime)
	case ByMemory:
		most = cmp.Compare(known(b.memory), known(a.memory))
	case ByQueue:
		most = cmp.Compare(b.info.QueueLen, a.info.QueueLen)
	case BySteps:
		most = cmp.Compare(b.info.Steps, a.info.Steps)
	}
	return cmp.Or(most, a.info.StartedAt.Compare(b.info.StartedAt), cmp.Compare(a.host, b.host), cmp.Compare(a.info.ID, b.info.ID))
}

func known(n *uint64) uint64 {
	if n == nil {
		return 0
	}
	return *n
}

// measure asks processes for their memory and waits for the answers until ctx ends.
func measure(ctx context.Context, all []found) {
	type answer struct {
		at    int
		bytes uint64
	}
	answers := make(chan answer, len(all))
	asked := 0
	for at := range all {
		if err := all[at].ref.Send(engine.NewMeasure(measurable, func(n uint64) { answers <- answer{at, n} })); err == nil {
			asked++
		}
	}
	for range asked {
		select {
		case a := <-answers:
			if a.bytes > 0 {
				all[a.at].memory = &a.bytes
			}
		case <-ctx.Done():
			return
		}
	}
}

func (i *Inspector) process(f found) Process {
	p := Process{
		Kind: f.about.Kind, Entry: f.about.Entry, Host: f.host, State: f.info.State.String(), Queue: f.info.QueueLen,
		Waits: f.info.OpenYields, Steps: f.info.Steps, RunTime: f.info.RunTime, StartedAt: f.info.StartedAt, Memory: f.memory,
	}
	if !f.about.PID.IsZero() {
		p.PID = f.about.PID.String()
		p.Names = i.names(f.about.PID)
	}
	if !f.about.Parent.IsZero() {
		p.Parent = f.about.Parent.String()
	}
	return p
}

// text renders details of any type.
func text(details any) string {
	switch d := details.(type) {
	case nil:
		return ""
	case error:
		return d.Error()
	default:
		return fmt.Sprint(d)
	}
}
