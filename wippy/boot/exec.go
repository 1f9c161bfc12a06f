// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/terminal"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/processes"
	"github.com/wippyrun/kit/wippy/system/suggest"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

// How often Exec looks whether the terminal host runs, and then whether the services do,
// before it gives up on them: for five seconds. Looks are counted, and not the time, so
// that a machine that stands still for some seconds has not used them up.
const (
	lookEvery = 10 * time.Millisecond
	looks     = 500
)

// CheckExecSpec tells whether spec is the id of an entry, "namespace:name".
func CheckExecSpec(spec string) error {
	ns, name, ok := strings.Cut(spec, ":")
	cause := ""
	switch {
	case !ok:
		cause = "missing separator ':', expected format: namespace:entry"
	case ns == "":
		cause = "namespace cannot be empty"
	case name == "":
		cause = "entry name cannot be empty"
	default:
		return nil
	}
	return fault.Wrap(fault.Invalid, "invalid exec spec "+fmt.Sprintf("%q", spec), fault.New(fault.Invalid, cause))
}

// Exec starts the process entry id on the terminal host with the arguments as
// strings. Its end triggers the shutdown, with the exit code its result gives.
// host may be empty when there is only one terminal host. The services that start by
// themselves get the time to, so that the program finds them.
func (r *Runtime) Exec(ctx context.Context, id, host string, args []string) error {
	if err := r.checkProcess(id); err != nil {
		return err
	}
	host, err := r.terminalHost(host)
	if err != nil {
		return err
	}
	if err := r.waitForHost(ctx, host); err != nil {
		return err
	}
	if err := r.waitForServices(ctx); err != nil {
		return err
	}
	input := make([]payload.Payload, len(args))
	for i, a := range args {
		input[i] = payload.Payload{Format: payload.String, Data: a}
	}
	if _, err := r.processes.Start(ctx, processes.Spawn{Host: host, Source: id, Input: input}); err != nil {
		return r.startProblem(id, host, err)
	}
	return nil
}

// startProblem says which entry could not be started, and where it stands.
func (r *Runtime) startProblem(id, host string, err error) error {
	p := Problem{Entry: id, Message: "failed to start process on host: " + host + ": " + err.Error()}
	entry, ok := r.registry.Snapshot().Get(registry.ParseID(id))
	if !ok {
		return Problems{p}
	}
	p.Place = entry.Position("")
	if at, hint := r.advise(err); at != "" || hint != "" {
		p.Place, p.Hint = cmp.Or(at, p.Place), hint
	}
	if fault.KindOf(err) == fault.NotFound && strings.HasPrefix(err.Error(), "method ") {
		p.Place = entry.Position("data.method")
		p.Hint = "the source has to return a function, or a table with that function in it"
	}
	return Problems{p}
}

// checkProcess tells whether id is a process entry, and which one was meant when
// it is not.
func (r *Runtime) checkProcess(id string) error {
	snapshot := r.registry.Snapshot()
	entry, ok := snapshot.Get(registry.ParseID(id))
	if ok && strings.HasPrefix(entry.Kind, "process.") {
		return nil
	}
	var ids []string
	for e := range snapshot.All() {
		if strings.HasPrefix(e.Kind, "process.") && e.Kind != "process.host" && e.Kind != "process.service" {
			ids = append(ids, e.ID.String())
		}
	}
	slices.Sort(ids)
	text := "entry not found: " + id
	if ok {
		text = fmt.Sprintf("entry %s is a %s, not a process", id, entry.Kind)
	}
	if h := suggest.Hint(id, ids); h != "" {
		text += "\n  hint: " + h
	} else if len(ids) > 0 {
		text += "\n  hint: processes of this application: " + strings.Join(ids, ", ")
	}
	return fault.New(fault.NotFound, text)
}

func (r *Runtime) terminalHost(host string) (string, error) {
	var ids []string
	for e := range r.registry.Snapshot().All() {
		if e.Kind == terminal.KindHost {
			ids = append(ids, e.ID.String())
		}
	}
	slices.Sort(ids)
	switch {
	case host != "":
		if slices.Contains(ids, host) {
			return host, nil
		}
		text := fmt.Sprintf("no terminal.host %s in the registry", host)
		if h := suggest.Hint(host, ids); h != "" {
			text += "\n  hint: " + h
		}
		return "", fault.New(fault.NotFound, text)
	case len(ids) == 0:
		return "", fault.New(fault.NotFound, `no terminal.host found in registry
  hint: add an entry: {name: terminal, kind: terminal.host, lifecycle: {auto_start: true}}`)
	case len(ids) > 1:
		return "", fault.New(fault.Invalid, fmt.Sprintf("multiple terminal hosts found (%s), use --host to specify", strings.Join(ids, ", ")))
	}
	return ids[0], nil
}

// waitForHost waits until the supervisor reports the host running. It is not
// started on demand: an application decides with auto_start.
func (r *Runtime) waitForHost(ctx context.Context, host string) error {
	poll := time.NewTicker(lookEvery)
	defer poll.Stop()
	for look := 1; ; look++ {
		state, err := r.supervisor.State(host)
		if err == nil && state.State == supervisor.Running {
			return nil
		}
		if entry, ok := r.registry.Snapshot().Get(registry.ParseID(host)); ok && !terminal.AutoStart(entry) {
			return fault.New(fault.Unavailable, fmt.Sprintf("host %s is not started\n  hint: add to the entry: lifecycle: {auto_start: true}", host))
		}
		switch {
		case look < looks:
		case err != nil:
			return fault.Wrap(fault.Timeout, fmt.Sprintf("host %s not found in supervisor", host), err)
		default:
			return fault.New(fault.Timeout, fmt.Sprintf("timeout waiting for host %s to start (status: %s)", host, state.State))
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// waitForServices waits until each service that starts by itself runs or has failed for
// the first time. One that takes long does not keep the program from starting.
func (r *Runtime) waitForServices(ctx context.Context) error {
	for range looks {
		patience, cancel := context.WithTimeout(ctx, lookEvery)
		err := r.supervisor.Settled(patience)
		cancel()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		}
	}
	return nil
}
