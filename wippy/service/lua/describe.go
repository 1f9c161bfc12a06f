// SPDX-License-Identifier: Apache-2.0

package lua

import "github.com/wippyrun/kit/wippy/system/inspect"

// Describe implements inspect.Described. The PID belongs to the goroutine that runs the call and is left out.
func (c *call) Describe() inspect.Description {
	return inspect.Description{Kind: inspect.KindCall, Entry: c.worker.instance.Program().ID()}
}
