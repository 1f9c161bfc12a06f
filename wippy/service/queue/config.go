// SPDX-License-Identifier: Apache-2.0

package queue

import (
	"cmp"
	"fmt"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// The kinds of queues and consumers. Those of drivers come with the drivers.
const (
	KindQueue    = "queue.queue"
	KindConsumer = "queue.consumer"
)

// Limits of a consumer. How many messages it takes in advance by default is the driver's.
const (
	maxConcurrency = 1000
	maxPrefetch    = 10000
)

// resolve makes a bare name one of the namespace of the entry.
func resolve(e registry.Entry, name string) string {
	if name == "" {
		return ""
	}
	return e.ID.Resolve(name).String()
}

// queueConfig is the decoded form of a queue.queue. Its driver's part of the options is
// read when the driver is known.
type queueConfig struct {
	spec    Spec
	options *fields.Reader
	reader  *fields.Reader
}

func decodeQueue(e registry.Entry) queueConfig {
	r := fields.New(e.Data)
	r.Ignore("lifecycle")
	s := Spec{ID: e.ID.String(), Name: cmp.Or(r.String("queue_name", ""), e.ID.Name), Driver: resolve(e, r.String("driver", ""))}
	if s.Driver == "" {
		r.Reject("driver", "driver ID is required")
	}
	s.Codec = payload.Format(r.String("codec", string(payload.JSON)))
	dead := r.Sub("dead_letter")
	s.DeadLetter.Queue = resolve(e, dead.String("queue", ""))
	s.DeadLetter.MaxAttempts = dead.Int("max_attempts", 0)
	if s.DeadLetter.MaxAttempts < 0 {
		dead.Reject("max_attempts", "max_attempts must be non-negative")
	}
	if s.DeadLetter.Queue == s.ID {
		dead.Reject("queue", "a queue cannot be its own dead-letter queue")
	}
	return queueConfig{spec: s, options: driverOptions(r), reader: r}
}

// driverOptions returns the reader of driver_options. What is there for other drivers is
// accepted unread.
func driverOptions(r *fields.Reader) *fields.Reader {
	options := r.Sub("driver_options")
	options.Ignore("memory", "amqp", "sqs")
	return options
}

// consumerConfig is the decoded form of a queue.consumer.
type consumerConfig struct {
	queue, function       string
	concurrency, prefetch int
	autoAck               bool
	policy                Policy
	options               map[string]any // by name of the driver
	lifecycle             supervisor.Lifecycle
}

// decodeConsumer reads a queue.consumer, with the options for the given drivers.
func decodeConsumer(e registry.Entry, drivers ...Driver) (consumerConfig, []fields.Warning, error) {
	r := fields.New(e.Data)
	c := consumerConfig{
		queue: resolve(e, r.Required("queue")), function: resolve(e, r.Required("func")),
		concurrency: r.Int("concurrency", 0), prefetch: r.Int("prefetch", 0), autoAck: r.Bool("auto_ack", false),
		policy: decodePolicy(r.Sub("retry")), lifecycle: host.Lifecycle(r),
	}
	if c.concurrency > maxConcurrency {
		r.Reject("concurrency", fmt.Sprintf("concurrency %d exceeds maximum %d", c.concurrency, maxConcurrency))
	}
	if c.prefetch > maxPrefetch {
		r.Reject("prefetch", fmt.Sprintf("prefetch %d exceeds maximum %d", c.prefetch, maxPrefetch))
	}
	c.concurrency = max(c.concurrency, 1)
	c.prefetch = max(c.prefetch, 0)
	options := driverOptions(r)
	c.options = map[string]any{}
	for _, d := range drivers {
		c.options[d.Name()] = d.ConsumerOptions(options.Sub(d.Name()))
	}
	return c, r.Unknown(), r.Err()
}

// decodePolicy reads the field retry of a consumer.
func decodePolicy(r *fields.Reader) Policy {
	p := Policy{
		Attempts: r.Int("max_attempts", 0),
		Initial:  r.Duration("initial_delay", defaultInitial), Max: r.Duration("max_delay", defaultMax),
		Factor: r.Float("backoff_factor", defaultFactor), Jitter: r.Float("jitter", defaultJitter),
	}
	if p.Attempts < 0 {
		r.Reject("max_attempts", "max_attempts must be non-negative")
	}
	if p.Initial < 0 {
		r.Reject("initial_delay", "initial_delay must be non-negative")
	}
	if p.Max < 0 {
		r.Reject("max_delay", "max_delay must be non-negative")
	}
	if !(p.Factor >= 1) {
		r.Reject("backoff_factor", "backoff_factor must be at least 1")
	}
	if !(p.Jitter >= 0 && p.Jitter <= 1) {
		r.Reject("jitter", "jitter must be between 0 and 1")
	}
	return p
}
