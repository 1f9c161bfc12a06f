// SPDX-License-Identifier: Apache-2.0

package supervisor_test

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/supervisor"
)

func TestParseLifecycle(t *testing.T) {
	for _, tc := range []struct {
		name string
		in   any
		edit func(*supervisor.Lifecycle)
	}{
		{"nothing", nil, func(*supervisor.Lifecycle) {}},
		{"empty", map[string]any{}, func(*supervisor.Lifecycle) {}},
		{"nulls", map[string]any{"auto_start": nil, "restart": nil, "requires": nil, "security": nil, "start_timeout": nil}, func(*supervisor.Lifecycle) {}},
		{"zeros mean the default", map[string]any{
			"start_timeout": "0s", "stop_timeout": 0, "stable_threshold": "",
			"restart": map[string]any{"initial_delay": "0s", "max_delay": 0.0, "backoff_factor": 0, "jitter": 0.0, "max_attempts": 0},
		}, func(*supervisor.Lifecycle) {}},
		{"everything", map[string]any{
			"auto_start": true, "start_timeout": "1s", "stop_timeout": "2m", "stable_threshold": "1h30m",
			"startup": "optional", "requires": []any{"a:b", "c:d"}, "depends_on": []any{"c:d", "e:f", ""},
			"restart":  map[string]any{"initial_delay": "10ms", "max_delay": "1s", "backoff_factor": 1.5, "jitter": 0.5, "max_attempts": 3.0},
			"security": map[string]any{"actor": map[string]any{"id": "robot", "meta": map[string]any{"k": 1.0}}, "groups": []any{"g"}, "policies": "p"},
		}, func(l *supervisor.Lifecycle) {
			l.AutoStart, l.Optional = true, true
			l.StartTimeout, l.StopTimeout, l.StableThreshold = time.Second, 2*time.Minute, 90*time.Minute
			l.Requires = []string{"a:b", "c:d", "e:f"}
			l.Restart = supervisor.Restart{InitialDelay: 10 * time.Millisecond, MaxDelay: time.Second, BackoffFactor: 1.5, Jitter: 0.5, MaxAttempts: 3}
			l.Security = supervisor.Security{Actor: &supervisor.Actor{ID: "robot", Meta: map[string]any{"k": 1.0}}, Groups: []string{"g"}, Policies: []string{"p"}}
		}},
		{"go values", map[string]any{"start_timeout": 3 * time.Second, "requires": []string{"x"}, "restart": map[string]any{"max_attempts": int64(7), "backoff_factor": 2}},
			func(l *supervisor.Lifecycle) {
				l.StartTimeout, l.Requires, l.Restart.MaxAttempts = 3*time.Second, []string{"x"}, 7
			}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := supervisor.DefaultLifecycle()
			tc.edit(&want)
			got, err := supervisor.ParseLifecycle(tc.in)
			if err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, want)
			}
		})
	}
}

func TestParseLifecycleNamesTheField(t *testing.T) {
	for _, tc := range []struct {
		in   any
		want string
	}{
		{"yes", "lifecycle: must be a map, not a string"},
		{map[string]any{"auto_start": "yes"}, "lifecycle.auto_start: must be true or false, not a string"},
		{map[string]any{"start_timeout": "soon"}, `lifecycle.start_timeout: "soon" is not a duration such as "10s" or "1m30s"`},
		{map[string]any{"start_timeout": "-1s"}, "lifecycle.start_timeout: must not be negative"},
		{map[string]any{"stop_timeout": 10.0}, `lifecycle.stop_timeout: needs a unit: write a duration such as "10s", not 10`},
		{map[string]any{"stop_timeout": true}, `lifecycle.stop_timeout: must be a duration such as "10s", not a boolean`},
		{map[string]any{"restart": []any{}}, "lifecycle.restart: must be a map, not a list"},
		{map[string]any{"restart": map[string]any{"backoff_factor": 0.5}}, "lifecycle.restart.backoff_factor: must be between 1 and 1000, not 0.5"},
		{map[string]any{"restart": map[string]any{"jitter": 2}}, "lifecycle.restart.jitter: must be between 0 and 1, not 2"},
		{map[string]any{"restart": map[string]any{"max_attempts": 1.5}}, "lifecycle.restart.max_attempts: must be a whole number, not 1.5"},
		{map[string]any{"restart": map[string]any{"max_attempts": -1}}, "lifecycle.restart.max_attempts: must be between 0 and 2.147483648e+09, not -1"},
		{map[string]any{"restart": map[string]any{"max_attempts": "3"}}, "lifecycle.restart.max_attempts: must be a number, not a string"},
		{map[string]any{"requires": []any{"a", 1}}, "lifecycle.requires[1]: must be a string, not a number"},
		{map[string]any{"depends_on": 1}, "lifecycle.depends_on: must be a list of strings, not a number"},
		{map[string]any{"startup": 1}, "lifecycle.startup: must be a string, not a number"},
		{map[string]any{"security": map[string]any{"actor": map[string]any{}}}, "lifecycle.security.actor.id: is required"},
	} {
		_, err := supervisor.ParseLifecycle(tc.in)
		var field *supervisor.FieldError
		if err == nil || err.Error() != tc.want || !errors.As(err, &field) || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%v: error %v, want %s", tc.in, err, tc.want)
			continue
		}
		if retryable, known := fault.RetryableOf(err); retryable || !known || !strings.HasPrefix(tc.want, field.Field+": ") {
			t.Errorf("%v: field %q", tc.in, field.Field)
		}
	}
}

func TestParseLifecycleReportsAllProblemsAtOnce(t *testing.T) {
	_, err := supervisor.ParseLifecycle(map[string]any{"auto_start": 1, "restart": map[string]any{"jitter": "x"}, "requires": 5})
	if err == nil || len(strings.Split(err.Error(), "\n")) != 3 {
		t.Errorf("error %v", err)
	}
}

func TestParseLifecycleWarnings(t *testing.T) {
	lc, err := supervisor.ParseLifecycle(map[string]any{
		"autostart": true, "startup": "optionl", "restart": map[string]any{"max_atempts": 3, "zzzzzz": 1},
		"security": map[string]any{"policy": []any{}},
	})
	if err != nil || lc.Optional || lc.AutoStart {
		t.Fatalf("%+v, %v", lc, err)
	}
	var got []string
	for _, w := range lc.Warnings {
		got = append(got, w.Error())
	}
	want := []string{
		`lifecycle.autostart: unknown field (did you mean "auto_start"?)`,
		`lifecycle.restart.max_atempts: unknown field (did you mean "max_attempts"?)`,
		`lifecycle.restart.zzzzzz: unknown field`,
		`lifecycle.security.policy: unknown field`,
		`lifecycle.startup: "optionl" is taken as "required" (did you mean "optional"?)`,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("warnings\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestParsedLifecycleIsUsable feeds arbitrary values: whatever is accepted has bounds that work.
func TestParsedLifecycleIsUsable(t *testing.T) {
	value := rapid.OneOf(
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.Int().AsAny(), rapid.Float64().AsAny(),
		rapid.SampledFrom([]any{"1s", "-1s", "", "x", "optional", []any{"a", 1}, map[string]any{"x": 1}}),
	)
	keys := rapid.SampledFrom([]string{"auto_start", "start_timeout", "stop_timeout", "stable_threshold", "startup", "requires", "restart", "security", "other"})
	restart := rapid.SampledFrom([]string{"initial_delay", "max_delay", "backoff_factor", "jitter", "max_attempts"})
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.MapOf(keys, value).Draw(t, "lifecycle")
		if rapid.Bool().Draw(t, "with restart") {
			in["restart"] = rapid.MapOf(restart, value).Draw(t, "restart")
		}
		lc, err := supervisor.ParseLifecycle(in)
		if err != nil {
			return
		}
		r := lc.Restart
		if lc.StartTimeout <= 0 || lc.StopTimeout <= 0 || lc.StableThreshold <= 0 || r.InitialDelay <= 0 || r.MaxDelay <= 0 ||
			!(r.BackoffFactor >= 1) || !(r.Jitter > 0 && r.Jitter <= 1) || r.MaxAttempts < 0 {
			t.Fatalf("%v gives %+v", in, lc)
		}
	})
}
