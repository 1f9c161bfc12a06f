// SPDX-License-Identifier: Apache-2.0

package registry_test

import (
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/historytest"
)

func TestMemoryHistoryContract(t *testing.T) {
	historytest.Run(t, func(*testing.T) registry.History { return registry.NewMemoryHistory() }, nil)
}
