// SPDX-License-Identifier: Apache-2.0

package sql_test

import (
	"testing"

	"github.com/wippyrun/kit/wippy/service/sql/sqltest"
)

func TestMain(m *testing.M) { sqltest.Main(m) }
