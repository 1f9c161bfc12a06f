// SPDX-License-Identifier: Apache-2.0

package http_test

import "github.com/wippyrun/kit/eventbus"

type event = eventbus.Event

func pattern(system, kind string) eventbus.Pattern {
	return eventbus.Pattern{System: system, Kind: kind}
}
