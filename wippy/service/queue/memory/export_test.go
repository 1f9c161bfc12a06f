// SPDX-License-Identifier: Apache-2.0

package memory

import "github.com/wippyrun/kit/wippy/service/queue"

// Skip hands out the items that follow one of a key as if that had ended, without a
// change on disk.
func Skip(s queue.Settler) {
	k := s.(kept)
	k.line.done(k.item)
}
