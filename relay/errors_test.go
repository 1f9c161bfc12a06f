// SPDX-License-Identifier: Apache-2.0

package relay_test

import (
	"errors"
	"testing"

	"github.com/wippyrun/kit/relay"
)

func TestErrorMatchesByKindAndMessage(t *testing.T) {
	err := relay.NewNode("n").Send(to("", "gone"))
	if !errors.Is(err, relay.ErrHostNotFound) {
		t.Errorf("%v does not match its sentinel", err)
	}
	if errors.Is(err, relay.ErrNodeNotFound) || errors.Is(err, errors.New("host not found")) {
		t.Errorf("%v matches something else", err)
	}
}

func TestErrorDetailsAreACopy(t *testing.T) {
	err := relay.NewNode("n").Send(to("", "gone"))
	detailsOf(err)["host_id"] = "changed"
	if got := detailsOf(err)["host_id"]; got != "gone" {
		t.Errorf("host_id = %v", got)
	}
	if detailsOf(relay.ErrNilMessage) != nil {
		t.Error("an error without details has some")
	}
}

func TestErrorRetryableIsKnownForBadInputOnly(t *testing.T) {
	for err, known := range map[*relay.Error]bool{relay.ErrNilMessage: true, relay.ErrHostNotFound: false} {
		if r, k := err.Retryable(); r || k != known {
			t.Errorf("%v: retryable %v known %v", err, r, k)
		}
	}
}
