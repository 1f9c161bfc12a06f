// SPDX-License-Identifier: Apache-2.0

package config

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/wippyrun/kit/wippy/system/suggest"
)

// typ is the type a key takes.
type typ uint8

const (
	anything typ = iota
	text
	boolean
	integer
	number
	duration
	texts // a list, or one text
)

// String returns what to write, for messages.
func (t typ) String() string {
	return [...]string{"anything", "a string", "true or false", "an integer", "a number", `a duration such as "30s"`, "a list of strings"}[t]
}

// schema are the keys of the sections of the runtime. A key that ends in "*" stands for
// all that begin like it. Sections that are not here take any key, or are checked by
// those who read them.
var schema = map[string]map[string]typ{
	"logger":     {"encoding": text, "mode": text, "level": text},
	"logmanager": {"propagate_downstream": boolean, "stream_to_events": boolean, "min_level": integer},
	"profiler":   {"enabled": boolean, "address": text, "read_timeout": duration, "write_timeout": duration, "idle_timeout": duration},
	"registry": {"enable_history": boolean, "history_type": text, "history_path": text, "history_dsn": text, "history_schema": text,
		"event_wait_timeout": duration, "dispatch_internal_kinds": texts, "dependency_resolve_timeout": duration,
		"dependency_download_timeout": duration, "dependency_lock_path": text, "dependency_vendor_dir": text},
	"relay": {"node_name": text, "listen": text, "peers.*": text, "secret": text, "secret_file": text,
		"tls.cert_file": text, "tls.key_file": text, "tls.ca_file": text, "heartbeat": duration, "patience": duration},
	"supervisor": {"host.buffer_size": integer, "host.worker_count": integer},
	"lua": {"proto_cache_size": integer, "main_cache_size": integer, "cache.enabled": boolean, "cache.dir": text, "cache.mode": text,
		"cache.compile.enabled": boolean, "cache.typecheck.enabled": boolean, "type_system.enabled": boolean, "type_system.strict": boolean},
	"finder":     {"query_cache_size": integer, "regex_cache_size": integer},
	"shutdown":   {"timeout": duration},
	"metrics":    {"buffer.size": integer, "interceptor.enabled": boolean},
	"prometheus": {"enabled": boolean, "address": text},
	"dispatcher": {"http.timeout": duration, "http.max_idle_conns": integer, "http.max_idle_per_host": integer,
		"http.idle_conn_timeout": duration, "http.max_clients": integer},
	"network_service": {"state_dir": text, "default_network": text},
	"modules":         {"registry_url": text},
	"extensions":      {"enabled": boolean, "paths": texts},
	"lsp": {"enabled": boolean, "address": text, "http_enabled": boolean, "http_address": text, "http_path": text,
		"http_allow_origin": text, "max_message_bytes": integer},
	"control": {"enabled": boolean, "*": anything},
	"otel": {"enabled": boolean, "endpoint": text, "protocol": text, "service_name": text, "service_version": text, "insecure": boolean,
		"sample_rate": number, "propagators": texts, "traces_enabled": boolean, "metrics_enabled": boolean, "*": anything},
	"cluster": {"enabled": boolean, "name": text, "failure_domain": text, "*": anything},
}

// Check returns a warning for every value that does not count: because its type is not
// that of its key, so that the default applies, or because its key looks like a mistyped
// one. Other unknown keys may be an application's own.
func (c *Config) Check() []string {
	var out []string
	for _, section := range c.Sections() {
		keys, ok := schema[section]
		if !ok {
			continue
		}
		known := slices.Collect(maps.Keys(keys))
		for _, key := range slices.Sorted(maps.Keys(c.sections[section])) {
			v := c.sections[section][key]
			place := c.places[section][key]
			if place != "" {
				place += ": "
			}
			want, ok := typeOf(keys, key)
			switch {
			case !ok:
				if near, ok := suggest.Closest(key, known); ok {
					out = append(out, fmt.Sprintf("%sunknown key %s.%s, did you mean %q?", place, section, key, near))
				}
			case v != nil && !want.takes(v):
				out = append(out, fmt.Sprintf("%s%s.%s must be %v, got %s; the default applies", place, section, key, want, show(v)))
			}
		}
	}
	return out
}

func typeOf(keys map[string]typ, key string) (typ, bool) {
	if t, ok := keys[key]; ok {
		return t, true
	}
	for k, t := range keys {
		if prefix, ok := strings.CutSuffix(k, "*"); ok && strings.HasPrefix(key, prefix) {
			return t, true
		}
	}
	return anything, false
}

func (t typ) takes(v any) bool {
	switch t {
	case text:
		_, ok := v.(string)
		return ok
	case boolean:
		_, ok := v.(bool)
		return ok
	case integer, number:
		switch v := v.(type) {
		case int, int64:
			return true
		case float64:
			return t == number || v == math.Trunc(v) && math.Abs(v) <= 1<<53
		}
		return false
	case duration:
		s, ok := v.(string)
		if !ok {
			return false
		}
		_, err := time.ParseDuration(s)
		return err == nil
	case texts:
		list, ok := v.([]any)
		if !ok {
			_, ok = v.(string)
			return ok
		}
		return !slices.ContainsFunc(list, func(item any) bool { _, ok := item.(string); return !ok })
	}
	return true
}

func show(v any) string {
	if s, ok := v.(string); ok {
		return fmt.Sprintf("%q", s)
	}
	return fmt.Sprint(v)
}
