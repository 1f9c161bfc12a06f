// SPDX-License-Identifier: Apache-2.0

package background_test

import (
	"errors"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/lua/background"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type outcome struct {
	tag  dispatch.Tag
	data any
	err  error
}

type receiver chan outcome

func (r receiver) CompleteYield(tag dispatch.Tag, data any, err error) { r <- outcome{tag, data, err} }

func TestOutcomesAndPanicsReachTheYield(t *testing.T) {
	broken := errors.New("broken")
	r := make(receiver)
	background.Complete(r, 1, func() (any, error) { return "value", nil })
	if got := <-r; got != (outcome{1, "value", nil}) {
		t.Errorf("%+v", got)
	}
	background.Complete(r, 2, func() (any, error) { return nil, broken })
	if got := <-r; got != (outcome{2, nil, broken}) {
		t.Errorf("%+v", got)
	}
	background.Complete(r, 3, func() (any, error) { panic("driver") })
	got := <-r
	stack, _ := fault.DetailsOf(got.err)["stack"].(string)
	if got.tag != 3 || got.data != nil || fault.KindOf(got.err) != fault.Internal || got.err.Error() != "panic: driver" || !strings.Contains(stack, "background_test") {
		t.Errorf("%+v", got)
	}
}
