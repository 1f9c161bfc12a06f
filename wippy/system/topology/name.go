// SPDX-License-Identifier: Apache-2.0

package topology

import (
	"slices"

	"github.com/wippyrun/kit/relay"
)

// RegisterName makes name mean pid until pid ends or the name is unregistered. A process may have several
// names; giving it one it has already is fine. The error is [ErrEmptyName], [ErrNotRegistered], or
// [ErrNameTaken] when another living process has the name.
func (t *Topology) RegisterName(name string, pid relay.PID) error {
	if name == "" {
		return ErrEmptyName
	}
	var err error
	t.names.Compute(name, func(holder relay.PID, taken bool) (relay.PID, bool) {
		switch {
		case taken && holder == pid:
			t.again.Add(1)
		case taken:
			err = ErrNameTaken.With("existing_pid", holder.String()).With("name", name)
		case !t.addName(name, pid):
			err = ErrNotRegistered.With("pid", pid.String())
			return relay.PID{}, true
		default:
			return pid, false
		}
		return holder, false
	})
	return err
}

// Reregistrations returns how often a name was registered for the process that had it already.
func (t *Topology) Reregistrations() uint64 { return t.again.Load() }

// addName notes the name with its process, so that Complete finds it; false when pid is not alive.
//
// It runs while the name's entry is locked. Should the process end right after, Complete waits for that
// entry in freeName and removes what is being added.
func (t *Topology) addName(name string, pid relay.PID) bool {
	s := t.shard(pid)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.attach(pid)
	if ok {
		e.names = append(e.names, name)
	}
	return ok
}

// LookupName returns the process of that name. It takes no lock.
func (t *Topology) LookupName(name string) (relay.PID, bool) { return t.names.Load(name) }

// UnregisterName frees name and reports whether it was in use.
func (t *Topology) UnregisterName(name string) bool {
	freed := false
	t.names.Compute(name, func(holder relay.PID, taken bool) (relay.PID, bool) {
		if freed = taken; taken {
			t.detach(holder, func(e *edges) {
				e.names = slices.DeleteFunc(e.names, func(n string) bool { return n == name })
			})
		}
		return relay.PID{}, true
	})
	return freed
}

// freeName removes name if it still means pid.
func (t *Topology) freeName(name string, pid relay.PID) {
	t.names.Compute(name, func(holder relay.PID, taken bool) (relay.PID, bool) {
		return holder, !taken || holder == pid
	})
}

// Resolve returns the process a destination means: a process id in text form, else a registered name. It
// does not ask whether a process id is alive. The error has the kind NotFound.
func (t *Topology) Resolve(dest string) (relay.PID, error) {
	if pid, err := relay.ParsePID(dest); err == nil && !pid.IsZero() {
		return pid, nil
	}
	if pid, ok := t.names.Load(dest); ok {
		return pid, nil
	}
	return relay.PID{}, unresolved(dest)
}
