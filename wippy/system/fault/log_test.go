// SPDX-License-Identifier: Apache-2.0

package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/wippyrun/kit/wippy/system/fault"
)

type traced struct{ error }

func (traced) Stack() string { return "boom\n\tat line 5" }

func TestLogArgsTellWhatTheTextDoesNot(t *testing.T) {
	plain := errors.New("boom")
	known := fault.New(fault.NotFound, "no handler for app:f").With("target", "app:f").With("stack", "goroutine 1")
	for _, c := range []struct {
		err  error
		want []any
	}{
		{plain, []any{"error", plain}},
		{known, []any{"error", known}},
		{known.With("host", "app:h").With("a", 1).With("empty", ""), []any{"error", known, "details", "a: 1, host: app:h"}},
		{traced{plain}, []any{"error", plain, "stack", "boom\n\tat line 5"}},
		{fault.Wrap(fault.Internal, "call", traced{plain}), []any{"error", "call: boom", "stack", "boom\n\tat line 5"}},
	} {
		if got := fault.LogArgs(c.err); fmt.Sprint(got...) != fmt.Sprint(c.want...) {
			t.Errorf("%v, want %v", got, c.want)
		}
	}
}
