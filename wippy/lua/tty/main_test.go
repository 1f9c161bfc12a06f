// SPDX-License-Identifier: Apache-2.0

package tty_test

import (
	"testing"

	"github.com/wippyrun/kit/wippy/lua/luatest"
)

func TestMain(m *testing.M) { luatest.Main(m) }
