// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"context"
	"encoding/json"
	"time"
)

// Service is something that runs until it is told to stop.
//
// The supervisor never calls two methods of one service at the same time, and calls Start again only
// after the run before has ended.
type Service interface {
	// Start brings the service up and returns once it works, or why it does not. ctx lives as long as the
	// run: it is cancelled when the service has been stopped, when the run has failed, and when Start takes
	// longer than the start timeout, in which case a late success is stopped again.
	//
	// What happens to the service later is reported on status, which may be nil for a service that cannot
	// fail by itself. An error for which [IsTerminal] holds ends the run for good; any other value becomes
	// the service's details; closing the channel ends the run as a failure. Values are read until the
	// channel is closed or ctx ends, so a send must also watch ctx.
	Start(ctx context.Context) (status <-chan any, err error)
	// Stop brings the service down and returns when it is down. The deadline of ctx is the stop timeout.
	Stop(ctx context.Context) error
}

// Publisher is told about every change of state. It is called in the order of changes of each service,
// must not block and may be called concurrently.
type Publisher interface {
	Publish(system, kind, path string, data any)
}

// State is what a service is doing.
type State string

// The states of a service.
const (
	Unknown  State = "unknown"  // never started
	Starting State = "starting" // Start is running
	Running  State = "running"
	Stopping State = "stopping" // Stop is running
	Stopped  State = "stopped"  // stopped on request
	Exited   State = "exited"   // ended for good by itself
	Failed   State = "failed"   // ended with an error; may be waiting for its next attempt
)

// Status describes a service at one moment.
type Status struct {
	ID         string    `json:"id"`
	State      State     `json:"status"`
	Desired    State     `json:"desired"` // Running or Stopped
	RetryCount int       `json:"retry_count"`
	Details    any       `json:"details,omitempty"`
	StartedAt  time.Time `json:"started_at"` // of the current or last run, zero before the first
	LastUpdate time.Time `json:"last_update"`
}

// Update is the data of the event service.update, published at every change of state or details.
//
// Desired repeats State and RetryCount is 0: programs rely on that form. Ask [Supervisor.State] for the
// real ones.
type Update struct {
	State      State     `json:"status"`
	Desired    State     `json:"desired"`
	RetryCount int       `json:"retry_count"`
	Details    any       `json:"details,omitempty"`
	StartedAt  time.Time `json:"started_at"`
	LastUpdate time.Time `json:"last_update"`
}

// MarshalJSON writes details that are an error as their text.
func (s Status) MarshalJSON() ([]byte, error) {
	type plain Status
	s.Details = readable(s.Details)
	return json.Marshal(plain(s))
}

// MarshalJSON writes details that are an error as their text.
func (u Update) MarshalJSON() ([]byte, error) {
	type plain Update
	u.Details = readable(u.Details)
	return json.Marshal(plain(u))
}

func readable(details any) any {
	if err, ok := details.(error); ok {
		return err.Error()
	}
	return details
}

// Names of what is published.
const (
	System       = "supervisor"
	KindUpdate   = "service.update" // data is Update
	KindState    = "state."         // followed by the state; data is Status
	KindRegister = "service.register"
	KindRemove   = "service.remove"
	KindStart    = "service.start"
	KindStop     = "service.stop"
)

// Clock is the time a supervisor lives by.
type Clock interface {
	Now() time.Time
	// AfterFunc calls f on another goroutine once d has passed. stop prevents that if it is not too late.
	AfterFunc(d time.Duration, f func()) (stop func() bool)
}

// systemClock is the real time.
type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) AfterFunc(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
