// SPDX-License-Identifier: Apache-2.0

package fields

import "github.com/wippyrun/kit/registry"

// Checker is implemented by listeners that can tell what is wrong with the fields of an
// entry without making it live. Check has no effects, looks at nothing but the entry, and
// may be called before the runtime has started.
type Checker interface {
	Check(e registry.Entry) (unknown []Warning, err error)
}
