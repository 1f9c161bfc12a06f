// SPDX-License-Identifier: Apache-2.0

package host

import (
	"errors"
	"runtime"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// The kinds this package handles.
const (
	KindHost    = "process.host"
	KindService = "process.service"
)

// Config is the decoded `host:` field of a process.host.
type Config struct {
	Workers        int // goroutines that run processes, the number of CPUs by default
	QueueSize      int // initial capacity of the global queue, which grows
	LocalQueueSize int // initial capacity of a worker's queue, which grows
	Lifecycle      supervisor.Lifecycle
}

// Defaults of a host without a `host:` field.
const (
	defaultQueue      = 1024
	defaultLocalQueue = 256
)

// Default is the configuration of a host whose entry says nothing.
func Default() Config {
	return Config{Workers: runtime.GOMAXPROCS(0), QueueSize: defaultQueue, LocalQueueSize: defaultLocalQueue}
}

// decodeHost reads a process.host entry.
func decodeHost(e registry.Entry) (Config, []fields.Warning, error) {
	r := fields.New(e.Data)
	c := Default()
	h := r.Sub("host")
	for name, field := range map[string]struct {
		target *int
		text   string
	}{
		"workers":          {&c.Workers, "workers must be greater than 0"},
		"queue_size":       {&c.QueueSize, "queue size must be greater than 0"},
		"local_queue_size": {&c.LocalQueueSize, "local queue size must be greater than 0"},
	} {
		switch n := h.Int(name, 0); {
		case n < 0:
			h.Reject(name, field.text)
		case n > 0:
			*field.target = n
		}
	}
	c.Lifecycle = Lifecycle(r)
	return c, r.Unknown(), r.Err()
}

// Lifecycle reads the `lifecycle:` field every supervised kind has.
func Lifecycle(r *fields.Reader) supervisor.Lifecycle {
	lc, err := supervisor.ParseLifecycle(r.Any("lifecycle"))
	for _, problem := range flatten(err) {
		r.Report(&fields.Error{Path: "data." + problem.Field, Message: problem.Field + " " + problem.Message, Hint: problem.Hint})
	}
	for _, w := range lc.Warnings {
		r.Warn(fields.Warning{Path: "data." + w.Field, Hint: w.Hint})
	}
	return lc
}

// flatten lists the field errors of a joined error.
func flatten(err error) []*supervisor.FieldError {
	var one *supervisor.FieldError
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		var out []*supervisor.FieldError
		for _, e := range joined.Unwrap() {
			out = append(out, flatten(e)...)
		}
		return out
	}
	if errors.As(err, &one) {
		return []*supervisor.FieldError{one}
	}
	return nil
}

// Check implements fields.Checker.
func (l *HostListener) Check(e registry.Entry) ([]fields.Warning, error) {
	_, unknown, err := decodeHost(e)
	return unknown, err
}

// Check implements fields.Checker.
func (l *ServiceListener) Check(e registry.Entry) ([]fields.Warning, error) {
	_, unknown, err := decodeService(e)
	return unknown, err
}
