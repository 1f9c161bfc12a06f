// SPDX-License-Identifier: Apache-2.0

// Package proctable finds the running processes of one host by the unique part
// of their id. It is the step from the relay to the scheduler: a message for
// the host goes onto the queue of its process.
package proctable

import (
	"context"

	"github.com/puzpuzpuz/xsync/v3"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/scheduler"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// ErrProcessNotFound is what messages and terminations of an unknown or ended
// process get.
var ErrProcessNotFound = fault.New(fault.NotFound, "process not found").Final()

// Table maps unique ids to processes. The zero value is not usable, see New. All
// methods may be called concurrently; a look-up takes no lock.
type Table struct {
	refs *xsync.MapOf[string, *scheduler.Ref]
}

// New returns an empty table.
func New() *Table { return &Table{refs: xsync.NewMapOf[string, *scheduler.Ref]()} }

// Add makes a process reachable.
func (t *Table) Add(pid relay.PID, ref *scheduler.Ref) { t.refs.Store(pid.Uniq(), ref) }

// Remove makes it unreachable; messages on its queue are not touched.
func (t *Table) Remove(pid relay.PID) { t.refs.Delete(pid.Uniq()) }

// Find returns the process of pid.
func (t *Table) Find(pid relay.PID) (*scheduler.Ref, bool) { return t.refs.Load(pid.Uniq()) }

// Each calls f for the processes, in no order, until it returns false.
func (t *Table) Each(f func(*scheduler.Ref) bool) {
	t.refs.Range(func(_ string, ref *scheduler.Ref) bool { return f(ref) })
}

// Len counts the processes.
func (t *Table) Len() int { return t.refs.Size() }

// Receive puts a message on the queue of its process. It implements relay.Host. A
// message sent from inside a Step (its Via is the Output) readies the receiver on
// the sender's worker.
func (t *Table) Receive(m *relay.Message) error {
	ref, ok := t.refs.Load(m.To.Uniq())
	if !ok {
		return ErrProcessNotFound
	}
	out, _ := m.Via.(*scheduler.Output)
	m.Via = nil
	return ref.SendFrom(out, m)
}

// Terminate ends a process without its help.
func (t *Table) Terminate(pid relay.PID) error {
	ref, ok := t.Find(pid)
	if !ok {
		return ErrProcessNotFound
	}
	return ref.Terminate()
}

// Resident is the value a process of the system is submitted with
// (scheduler.SubmitOptions.Value). It ties the process to whoever made it, so that
// one scheduler can run processes of several makers.
type Resident interface {
	// Started is called before the first step; an error refuses the process.
	Started(ctx context.Context, ref *scheduler.Ref) error
	// Ended is called once for every process that Started accepted.
	Ended(result any, err error)
	// Stopping asks the process to end because its scheduler stops.
	Stopping(ref *scheduler.Ref)
}

// Lifecycle passes the scheduler's calls on to the residents.
type Lifecycle struct{}

// OnStart implements scheduler.Lifecycle.
func (Lifecycle) OnStart(ctx context.Context, ref *scheduler.Ref) error {
	return ref.Value().(Resident).Started(ctx, ref)
}

// OnExit implements scheduler.Lifecycle.
func (Lifecycle) OnExit(ref *scheduler.Ref, result any, err error) {
	ref.Value().(Resident).Ended(result, err)
}

// Stopping is the OnStopping hook of the same schedulers.
func Stopping(ref *scheduler.Ref) { ref.Value().(Resident).Stopping(ref) }

// Drop gives back a message that its process did not live to take. It is the
// OnDrop hook of schedulers whose processes are in a Table.
func Drop(_ *scheduler.Ref, e scheduler.Event) {
	switch m := e.Data.(type) {
	case *relay.Message:
		m.Release()
	case interface{ Drop() }: // a question that somebody waits for the answer of
		m.Drop()
	}
}
