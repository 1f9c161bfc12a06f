// SPDX-License-Identifier: Apache-2.0

package metrics

import (
	"log/slog"
	"strings"

	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/relay/internode"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/system/groups"
	"github.com/wippyrun/kit/wippy/system/metrics"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// Parts are the parts of a runtime that count for themselves. What is nil is left out.
type Parts struct {
	// Schedulers calls f for every scheduler, with the id of its host.
	Schedulers func(f func(host string, s scheduler.Stats))
	Services   func() []supervisor.Status
	Bus        func() eventbus.Stats
	Nodes      func() map[string]internode.Stats // by node
	Entries    func() int
	Logs       func() map[slog.Level]uint64 // records by level
	Groups     func() groups.Stats
	Names      func() uint64 // how often a name was registered for the process that had it
}

// help explains the metrics that Observe sets.
var help = map[string]string{
	"wippy_scheduler_processes":           "Live processes of a host.",
	"wippy_scheduler_workers":             "Workers of a host, those that stand in for stuck ones included.",
	"wippy_scheduler_spare_workers":       "Workers that stand in for stuck ones.",
	"wippy_scheduler_queue_depth":         "Processes that wait in the global queue of a host.",
	"wippy_scheduler_executed_total":      "How often workers of a host have taken up a process.",
	"wippy_scheduler_stolen_total":        "Processes that workers of a host have taken from each other.",
	"wippy_scheduler_lost_messages_total": "Messages that were queued when their process ended.",
	"wippy_scheduler_panics_total":        "Contained panics of processes of a host.",
	"wippy_services":                      "Services by state.",
	"wippy_service_up":                    "Whether a service runs.",
	"wippy_service_retries":               "Attempts of a service to start again since it last ran.",
	"runtime_log_emissions_total":         "Log records, by level.",
	"wippy_registry_entries":              "Entries of the registry.",
	"eventbus_subscribers_active":         "Subscriptions that have not ended.",
	"eventbus_published_total":            "Events that were published.",
	"eventbus_dropped_total":              "Events that reached nobody because the bus or the subscription gave them up.",
	"eventbus_subscribers_rejected_total": "Attempts to subscribe that were refused: there were too many, or the bus had ended.",
	"runtime_name_reregistrations_total":  "Names that were registered again for the process that had them.",
	"pg_join_total":                       "Joins of process groups.",
	"pg_leave_total":                      "Leaves of process groups, ends of members included.",
	"pg_broadcast_total":                  "Broadcasts to process groups.",
	"pg_broadcast_dropped_total":          "Messages of broadcasts that did not reach their member.",
	"internode_node_up":                   "Whether another node can be reached.",
	"internode_queue_depth":               "Messages to another node that are not known to have arrived.",
	"internode_sent_total":                "Messages for another node.",
	"internode_delivered_total":           "Messages from another node.",
	"internode_dropped_total":             "Messages to another node that were refused or lost.",
}

// Observe makes m ask the parts for their counters whenever it is read. Nothing is counted twice for
// it: it costs nothing while nobody reads.
func Observe(m *metrics.Metrics, p Parts) {
	for name, text := range help {
		m.Describe(name, text)
	}
	if p.Schedulers != nil {
		m.OnGather(func() { schedulers(m, p.Schedulers) })
	}
	if p.Services != nil {
		m.OnGather(func() { services(m, p.Services()) })
	}
	if p.Bus != nil {
		m.OnGather(func() {
			s := p.Bus()
			m.Gauge("eventbus_subscribers_active").Set(float64(s.Subscriptions))
			m.Counter("eventbus_subscribers_rejected_total").Set(float64(s.Rejected))
			m.Counter("eventbus_published_total").Set(float64(s.Published))
			m.Counter("eventbus_dropped_total").Set(float64(s.Dropped + s.Overflowed + s.Discarded))
		})
	}
	if p.Nodes != nil {
		m.OnGather(func() { nodes(m, p.Nodes()) })
	}
	if p.Logs != nil {
		m.OnGather(func() {
			for level, n := range p.Logs() {
				m.Counter("runtime_log_emissions_total", metrics.Label{Name: "level", Value: strings.ToLower(level.String())}).Set(float64(n))
			}
		})
	}
	if p.Groups != nil {
		m.OnGather(func() {
			s := p.Groups()
			m.Counter("pg_join_total").Set(float64(s.Joins))
			m.Counter("pg_leave_total").Set(float64(s.Leaves))
			m.Counter("pg_broadcast_total").Set(float64(s.Broadcasts))
			m.Counter("pg_broadcast_dropped_total").Set(float64(s.Dropped))
		})
	}
	if p.Names != nil {
		m.OnGather(func() { m.Counter("runtime_name_reregistrations_total").Set(float64(p.Names())) })
	}
	if p.Entries != nil {
		m.OnGather(func() { m.Gauge("wippy_registry_entries").Set(float64(p.Entries())) })
	}
}

func schedulers(m *metrics.Metrics, each func(func(string, scheduler.Stats))) {
	gauges := []string{"wippy_scheduler_processes", "wippy_scheduler_workers", "wippy_scheduler_spare_workers", "wippy_scheduler_queue_depth"}
	for _, name := range gauges {
		m.Reset(name)
	}
	each(func(host string, s scheduler.Stats) {
		label := metrics.Label{Name: "host", Value: host}
		for i, v := range []int{s.Processes, s.Workers, s.Spares, s.GlobalQueue} {
			m.Gauge(gauges[i], label).Set(float64(v))
		}
		for name, v := range map[string]uint64{
			"wippy_scheduler_executed_total": s.Executed, "wippy_scheduler_stolen_total": s.Stolen,
			"wippy_scheduler_lost_messages_total": s.Lost, "wippy_scheduler_panics_total": s.Panics,
		} {
			m.Counter(name, label).Set(float64(v))
		}
	})
}

// states are those a service can be in: all are shown, also those in which there is none.
var states = []supervisor.State{
	supervisor.Unknown, supervisor.Starting, supervisor.Running, supervisor.Stopping, supervisor.Stopped, supervisor.Exited, supervisor.Failed,
}

func services(m *metrics.Metrics, all []supervisor.Status) {
	m.Reset("wippy_service_up")
	m.Reset("wippy_service_retries")
	count := map[supervisor.State]int{}
	for _, s := range all {
		count[s.State]++
		label := metrics.Label{Name: "service", Value: s.ID}
		up := 0.0
		if s.State == supervisor.Running {
			up = 1
		}
		m.Gauge("wippy_service_up", label).Set(up)
		m.Gauge("wippy_service_retries", label).Set(float64(s.RetryCount))
	}
	for _, state := range states {
		m.Gauge("wippy_services", metrics.Label{Name: "state", Value: string(state)}).Set(float64(count[state]))
	}
}

func nodes(m *metrics.Metrics, all map[string]internode.Stats) {
	for node, s := range all {
		label := metrics.Label{Name: "node", Value: node}
		up := 0.0
		if s.Up {
			up = 1
		}
		m.Gauge("internode_node_up", label).Set(up)
		m.Gauge("internode_queue_depth", label).Set(float64(s.Waiting))
		m.Counter("internode_sent_total", label).Set(float64(s.Sent))
		m.Counter("internode_delivered_total", label).Set(float64(s.Delivered))
		m.Counter("internode_dropped_total", label).Set(float64(s.Refused + s.Lost))
	}
}
