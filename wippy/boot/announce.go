// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"strings"

	"github.com/wippyrun/kit/registry"
)

// announcement is how programs hear that entries of some kinds take effect.
type announcement struct {
	system string
	noun   string // the events are noun.register, noun.update and noun.delete
	accept string // published after them, "" for none
	words  [3]string
}

var (
	plainWords   = [3]string{"register", "update", "delete"}
	renewWords   = [3]string{"register", "register", "delete"} // what is registered again replaces the first
	declareWords = [3]string{"declare", "declare", "delete"}
)

var factories = announcement{"process", "factory.", "factory.accept", renewWords}

// announcements are the events that applications written for the published contract listen to, by kind or by the
// beginning of a kind up to a dot.
var announcements = map[string]announcement{
	"process.lua":         factories,
	"workflow.lua":        factories,
	"function.lua":        {"function", "function.", "function.accept", renewWords},
	"process.host":        {"relay", "host.", "host.accept", renewWords},
	"terminal.host":       {"relay", "host.", "host.accept", renewWords},
	"contract.definition": {"contract", "contract.definition.", "contract.accept", plainWords},
	"contract.binding":    {"contract", "contract.binding.", "contract.accept", plainWords},
	"env.storage":         {"env", "storage.", "accept", plainWords},
	"env.variable":        {"env", "variable.", "accept", plainWords},
	"db":                  {"resource", "resource.", "", plainWords},
	"store":               {"resource", "resource.", "", plainWords},
	"fs":                  {"fs", "fs.", "fs.accept", renewWords},
	"security.policy":     {"security", "policy.", "", plainWords},
	"queue.driver":        {"queue", "queue.driver.", "", renewWords},
	"queue.queue":         {"queue", "queue.queue.", "", declareWords},
}

// announcementOf finds the longest part of kind that is announced.
func announcementOf(kind string) (announcement, bool) {
	for {
		if a, ok := announcements[kind]; ok {
			return a, true
		}
		dot := strings.LastIndexByte(kind, '.')
		if dot < 0 {
			return announcement{}, false
		}
		kind = kind[:dot]
	}
}

// announce publishes, for every change of an entry, the event its kind is known for. The path is the id of the entry,
// the data of what comes or changes the entry. What is refused is reported to whoever asked for the change; there is
// no event for it.
func (r *Runtime) announce(reg *registry.Registry) error {
	to := busPublisher{r.bus}
	return reg.Observe("**", func(op registry.Op) {
		kind := op.Entry.Kind
		if op.Original != nil {
			kind = op.Original.Kind // a removal names the entry only
		}
		a, ok := announcementOf(kind)
		if !ok {
			return
		}
		id := op.Entry.ID.String()
		switch op.Kind {
		case registry.Create:
			to.Publish(a.system, a.noun+a.words[0], id, op.Entry)
		case registry.Update:
			to.Publish(a.system, a.noun+a.words[1], id, op.Entry)
		case registry.Delete:
			to.Publish(a.system, a.noun+a.words[2], id, nil)
		}
		if a.accept != "" {
			to.Publish(a.system, a.accept, id, nil)
		}
	})
}
