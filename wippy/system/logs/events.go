// SPDX-License-Identifier: Apache-2.0

package logs

import "github.com/wippyrun/kit/wippy/system/fault"

// HandleEvent carries out the events logs.config.set and logs.config.get and answers them with
// logs.config.state, whose data is the configuration in effect. It ignores other events. The error says
// what is wrong with the data of a set, which then changes nothing and is answered all the same.
func (m *Manager) HandleEvent(kind, path string, data any) error {
	var err error
	switch kind {
	case KindConfigSet:
		var c Config
		if c, err = m.parseConfig(data); err == nil {
			m.Set(c)
		}
	case KindConfigGet:
	default:
		return nil
	}
	if m.publisher != nil {
		m.publisher.Publish(System, KindConfigState, path, m.Config())
	}
	return err
}

// parseConfig reads a configuration. What a map leaves out stays as it is.
func (m *Manager) parseConfig(data any) (Config, error) {
	switch d := data.(type) {
	case Config:
		return d, nil
	case *Config:
		return *d, nil
	case map[string]any:
		m.mu.Lock()
		c := m.base
		m.mu.Unlock()
		for key, v := range d {
			if !c.set(key, v) {
				return c, fault.New(fault.Invalid, "invalid log configuration field: "+key)
			}
		}
		return c, nil
	}
	return Config{}, fault.New(fault.Invalid, "log configuration must be a map")
}

// set reports whether key exists and takes v.
func (c *Config) set(key string, v any) bool {
	flag, isFlag := v.(bool)
	switch key {
	case "propagate_downstream":
		if isFlag {
			c.PropagateDownstream = flag
		}
		return isFlag
	case "stream_to_events":
		if isFlag {
			c.StreamToEvents = flag
		}
		return isFlag
	case "min_level":
		switch n := v.(type) {
		case int:
			c.MinLevel = n
		case int64:
			c.MinLevel = int(n)
		case float64:
			if n != float64(int(n)) {
				return false
			}
			c.MinLevel = int(n)
		default:
			return false
		}
		return true
	}
	return false
}
