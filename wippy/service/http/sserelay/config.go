// SPDX-License-Identifier: Apache-2.0

package sserelay

import (
	"fmt"
	"strconv"
	"time"

	"github.com/wippyrun/kit/relay"
	"github.com/wippyrun/kit/wippy/system/fault"
)

// config is what a stream does. It does not change; with makes another.
type config struct {
	target     relay.PID // zero when detached
	topic      string    // "*" for all
	heartbeat  time.Duration
	idle, hard time.Duration // 0 for none, as above
	metadata   any
}

// initial is what is not said otherwise.
func initial() config { return config{topic: defaultTopic, heartbeat: defaultHeartbeat} }

// with returns the configuration with the members of a table in place of what it has. An empty text is the
// default. The error, of kind Invalid, says what is wrong; then nothing counts.
func (c config) with(members map[string]any) (config, error) {
	var err error
	text := func(name string) (string, bool) {
		v, ok := members[name]
		if !ok || v == nil || err != nil {
			return "", false
		}
		s, ok := v.(string)
		if !ok {
			err = fault.New(fault.Invalid, fmt.Sprintf("invalid relay configuration: %s must be a string", name))
		}
		return s, ok
	}
	duration := func(name string, d *time.Duration, def time.Duration) {
		s, ok := text(name)
		switch {
		case !ok:
			return
		case s == "":
			*d = def
			return
		}
		v, bad := time.ParseDuration(s)
		switch {
		case bad != nil:
			err = fault.New(fault.Invalid, "invalid "+name+" duration: "+strconv.Quote(s))
		case v < 0:
			err = fault.New(fault.Invalid, name+" duration must be non-negative")
		}
		*d = v
	}
	if s, ok := text("target_pid"); ok {
		c.target = relay.PID{}
		if s != "" {
			var bad error
			if c.target, bad = relay.ParsePID(s); bad != nil {
				err = fault.New(fault.Invalid, "invalid target PID: "+strconv.Quote(s))
			}
		}
	}
	if s, ok := text("message_topic"); ok {
		c.topic = s
		if s == "" {
			c.topic = defaultTopic
		}
	}
	duration("heartbeat_interval", &c.heartbeat, defaultHeartbeat)
	duration("idle_timeout", &c.idle, 0)
	duration("hard_timeout", &c.hard, 0)
	if v, ok := members["metadata"]; ok {
		c.metadata = v
	}
	return c, err
}
