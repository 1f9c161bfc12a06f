// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package exec

import "os"

// awaitExit has no way to wait without collecting the process here. Collecting it outside the lock
// leaves a moment in which its id could be another's; os.Process itself knows of its end.
func awaitExit(p *os.Process) *os.ProcessState {
	state, _ := p.Wait()
	return state
}
