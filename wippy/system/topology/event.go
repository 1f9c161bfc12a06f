// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"time"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
)

// Topics the system uses. Programs can neither send to nor listen on a topic that begins with "@".
const (
	// TopicEvents carries [*Event] values to a process.
	TopicEvents = "@pid/events"
	// TopicInbox is where messages arrive whose topic has no listener of its own.
	TopicInbox = "@pid/inbox"
)

// Kinds of events.
const (
	// KindExit: a monitored process ended, in whatever way.
	KindExit = "pid.exit"
	// KindLinkDown: a linked process failed.
	KindLinkDown = "pid.link.down"
	// KindCancel: somebody asks the process to end.
	KindCancel = "pid.cancel"
	// KindOutdated: the code the process runs has been replaced.
	KindOutdated = "pid.outdated"
)

// Result is how a process ended: with a value or with an error. A normal end has no error.
type Result struct {
	Value payload.Payload
	Err   error
}

// Event tells a process about another one. All receivers of one ending share one value: it must not be
// modified.
type Event struct {
	// Kind is KindExit, KindLinkDown, KindCancel or KindOutdated.
	Kind string
	// From is the process that ended, or the one that cancels (zero for the system).
	From relay.PID
	// At is when it happened.
	At time.Time
	// Reason is the text given with a cancellation.
	Reason string
	// Result is how the process ended, nil when none did.
	Result *Result
	// Sources are the entries that changed, for KindOutdated.
	Sources []string
}

// Sender is the id link-down events come from.
var Sender = relay.NewPID("", "", "topology")

// NewCancel makes the message that asks the process to to end. It changes nothing by itself: the process
// decides. The caller owns the message and sends it.
func NewCancel(from, to relay.PID, reason string) *relay.Message {
	return message(from, to, &Event{Kind: KindCancel, From: from, At: time.Now(), Reason: reason})
}

// NewOutdated makes the message that tells the process to that entries it runs the code of have changed. The
// caller owns the message and sends it.
func NewOutdated(to relay.PID, sources []string) *relay.Message {
	return message(relay.PID{}, to, &Event{Kind: KindOutdated, At: time.Now(), Sources: sources})
}

// EventOf returns the event a message carries, nil when it is no system event.
func EventOf(m *relay.Message) *Event {
	if m.Topic != TopicEvents || len(m.Payloads) == 0 {
		return nil
	}
	ev, _ := m.Payloads[0].Data.(*Event)
	return ev
}

func message(from, to relay.PID, ev *Event) *relay.Message {
	return relay.NewMessage(from, to, TopicEvents, payload.Payload{Format: payload.Go, Data: ev})
}
