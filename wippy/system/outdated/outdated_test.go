// SPDX-License-Identifier: Apache-2.0

package outdated_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/system/outdated"
	"github.com/wippyrun/kit/wippy/system/topology"
)

func TestOnlyThoseWhoWatchTheEntryAreTold(t *testing.T) {
	told := map[relay.PID][]string{}
	gone := relay.NewPID("", "app:h", "0x00009")
	h := outdated.New(func(m *relay.Message) error {
		if m.To == gone {
			return errors.New("process not found")
		}
		ev := topology.EventOf(m)
		if ev.Kind != topology.KindOutdated {
			t.Errorf("kind %s", ev.Kind)
		}
		told[m.To] = append(told[m.To], ev.Sources...)
		m.Release()
		return nil
	})
	a, b := relay.NewPID("", "app:h", "0x00001"), relay.NewPID("", "app:h", "0x00002")
	stop := h.Watch("app:x", a)
	h.Watch("app:x", a)
	h.Watch("app:y", b)
	h.Watch("app:y", gone)
	h.Changed("app:x", []string{"app:x", "app:lib"})
	h.Changed("app:none", []string{"app:none"})
	stop()
	h.Changed("app:x", []string{"app:x"})
	h.Changed("app:y", []string{"app:y"})
	if !slices.Equal(told[a], []string{"app:lib", "app:x"}) || !slices.Equal(told[b], []string{"app:y"}) || len(told) != 2 {
		t.Errorf("told %v", told)
	}
}
