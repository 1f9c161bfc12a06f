// SPDX-License-Identifier: Apache-2.0

package boot

import "github.com/wippyrun/kit/wippy/lua/stream"

// loadStreams makes the operations of streams known. Modules of files, requests and
// programs make such streams.
func (r *Runtime) loadStreams() { stream.Register(r.dispatcher()) }
