// SPDX-License-Identifier: Apache-2.0

package sql_test

import (
	"context"
	"strings"
	"testing"

	luasql "github.com/wippyrun/kit/wippy/lua/sql"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func TestPanicOfADriverIsAnError(t *testing.T) {
	data, err := luasql.Contained(t.Context(), func(context.Context) (any, error) { panic("out of the driver") })
	if data != nil || fault.KindOf(err) != fault.Internal || err.Error() != "panic in a database operation: out of the driver" {
		t.Errorf("%v, %v (%s)", data, err, fault.KindOf(err))
	}
	if stack, _ := fault.DetailsOf(err)["stack"].(string); !strings.Contains(stack, "contained_test.go") {
		t.Errorf("stack %q", stack)
	}
}
