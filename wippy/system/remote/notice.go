// SPDX-License-Identifier: Apache-2.0

package remote

import (
	"encoding/json"
	"errors"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// What nodes tell each other. Notices are messages to hostID, with a notice as JSON and, when
// a process ended with a value, that value.
const (
	hostID = "system:remote"
	topic  = "@remote/notice"
)

// Operations of a notice.
const (
	opWatch    = "watch"    // tell me when Process, which is yours, ends
	opEnded    = "ended"    // Process, which is mine, has ended or is not there
	opLink     = "link"     // Process, which is yours, is linked to Other
	opUnlink   = "unlink"   // it is not any more; answer with the same Number
	opUnlinked = "unlinked" // Process, which is yours, and Other are not linked
	opCancel   = "cancel"   // Other asks Process, which is yours, to end
	opKill     = "kill"     // Process, which is yours, is terminated
)

type notice struct {
	Op      string    `json:"op"`
	Epoch   uint64    `json:"epoch"` // in which it is valid
	Process relay.PID `json:"process,omitzero"`
	Other   relay.PID `json:"other,omitzero"`
	Number  uint64    `json:"number,omitempty"`
	Failed  bool      `json:"failed,omitempty"`
	Kind    string    `json:"kind,omitempty"` // of the error
	Text    string    `json:"text,omitempty"` // of the error, or the reason of a cancellation
}

// ended is the notice of the end of p.
func ended(p relay.PID, r topology.Result) notice {
	n := notice{Op: opEnded, Process: p}
	if r.Err != nil {
		n.Failed, n.Text = true, r.Err.Error()
		if k, ok := errors.AsType[interface {
			error
			Kind() string
		}](r.Err); ok {
			n.Kind = k.Kind()
		}
	}
	return n
}

// result is how the process ended that n tells of.
func (n notice) result(values []payload.Payload) topology.Result {
	var r topology.Result
	if n.Failed {
		r.Err = fault.New(fault.Kind(n.Kind), n.Text)
	}
	if len(values) > 0 {
		r.Value = values[0]
	}
	return r
}

func (n notice) message(from, to string, values ...payload.Payload) *relay.Message {
	text, _ := json.Marshal(n) // texts and PIDs only
	list := append([]payload.Payload{{Format: payload.JSON, Data: string(text)}}, values...)
	return relay.NewMessage(relay.NewPID(from, hostID, "0"), relay.NewPID(to, hostID, "0"), topic, list...)
}
