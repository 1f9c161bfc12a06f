// SPDX-License-Identifier: Apache-2.0

package excel

import "github.com/wippyrun/kit/luart/engine"

// Small is the module with limits that tests reach quickly.
func Small() engine.Module {
	return within(&limits{file: 1 << 20, unpacked: 4 << 20, elements: 1 << 10, texts: 1 << 12, cells: 1 << 16, places: 1 << 18, result: 1 << 19})
}
