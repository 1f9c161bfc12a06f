// SPDX-License-Identifier: Apache-2.0

package boot

import "github.com/wippyrun/kit/wippy/service/terminal"

// loadTerminal makes entries of the kind terminal.host live.
func (r *Runtime) loadTerminal() error {
	streams := terminal.IO{Stdin: r.options.Stdin, Stdout: r.options.Stdout, Stderr: r.options.Stderr}
	l := terminal.NewListener(r.hostRuntime(), KeySupervisor.MustGet(r.dict), streams, r.foregroundEnded, r.logs.Hide, r.warnFields)
	r.terminal.Store(l)
	return r.listen(l, terminal.KindHost)
}

// ResetTerminal puts the terminal into the mode it had before the program. Shutdown does so, too; who ends the program
// without it calls this first. It may be called at any time from any goroutine, and waits when the terminal takes no
// output.
func (r *Runtime) ResetTerminal() error {
	if l := r.terminal.Load(); l != nil {
		return l.Reset()
	}
	return nil
}
