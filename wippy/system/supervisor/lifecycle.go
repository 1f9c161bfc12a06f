// SPDX-License-Identifier: Apache-2.0

package supervisor

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/wippyrun/kit/wippy/system/suggest"
)

// Lifecycle is how a service wants to be run: the field lifecycle of its entry.
type Lifecycle struct {
	// AutoStart starts the service when it is registered.
	AutoStart bool
	// StartTimeout and StopTimeout bound one call of Start and Stop. Default 10s.
	StartTimeout, StopTimeout time.Duration
	// StableThreshold is how long a run must last for earlier failures to be forgotten. Default 5s.
	StableThreshold time.Duration
	// Optional makes transactions not wait for the service.
	Optional bool
	// Requires names services that must have started before.
	Requires []string
	// Restart says how failures are dealt with.
	Restart Restart
	// Security is on whose behalf the service works.
	Security Security

	// Warnings are fields that were not understood, by ParseLifecycle.
	Warnings []*FieldError

	_ struct{}
}

// Restart is how often and how fast a failed service is started again.
type Restart struct {
	InitialDelay  time.Duration // before the first restart, default 1s
	MaxDelay      time.Duration // upper bound of the delay before jitter, default 90s
	BackoffFactor float64       // growth per restart, at least 1, default 2
	Jitter        float64       // random part of a delay, ± this fraction, 0 to 1, default 0.1
	MaxAttempts   int           // starts in a row before giving up, 0 = never give up
}

// Security names the actor and the scope of everything that is started inside a service.
type Security struct {
	Actor            *Actor // nil: no actor
	Groups, Policies []string
}

// Actor is somebody on whose behalf a service works.
type Actor struct {
	ID   string
	Meta map[string]any
}

// DefaultLifecycle returns what an entry without lifecycle gets.
func DefaultLifecycle() Lifecycle {
	return Lifecycle{
		StartTimeout:    10 * time.Second,
		StopTimeout:     10 * time.Second,
		StableThreshold: 5 * time.Second,
		Restart: Restart{
			InitialDelay: time.Second, MaxDelay: 90 * time.Second, BackoffFactor: 2, Jitter: 0.1,
		},
	}
}

// withDefaults replaces zero values.
func (l Lifecycle) withDefaults() Lifecycle {
	d := DefaultLifecycle()
	orDefault(&l.StartTimeout, d.StartTimeout)
	orDefault(&l.StopTimeout, d.StopTimeout)
	orDefault(&l.StableThreshold, d.StableThreshold)
	orDefault(&l.Restart.InitialDelay, d.Restart.InitialDelay)
	orDefault(&l.Restart.MaxDelay, d.Restart.MaxDelay)
	orDefault(&l.Restart.BackoffFactor, d.Restart.BackoffFactor)
	orDefault(&l.Restart.Jitter, d.Restart.Jitter)
	return l
}

// of completes the names of required services that leave out their namespace: it is that of id.
func (l Lifecycle) of(id string) Lifecycle {
	ns, _, ok := strings.Cut(id, ":")
	if !ok {
		return l
	}
	l.Requires = slices.Clone(l.Requires)
	for i, name := range l.Requires {
		if !strings.Contains(name, ":") {
			l.Requires[i] = ns + ":" + name
		}
	}
	return l
}

func orDefault[T comparable](v *T, def T) {
	var zero T
	if *v == zero {
		*v = def
	}
}

// FieldError is a problem with one field of a lifecycle.
type FieldError struct {
	Field   string // from the entry's data, "lifecycle.restart.max_delay"
	Message string
	Hint    string // what to do, "" when the message says enough
}

// Error returns the field and the message.
func (e *FieldError) Error() string {
	if e.Hint == "" {
		return e.Field + ": " + e.Message
	}
	return e.Field + ": " + e.Message + " (" + e.Hint + ")"
}

// Kind returns "Invalid".
func (e *FieldError) Kind() string { return "Invalid" }

// Retryable reports that the same data fails again.
func (e *FieldError) Retryable() (retryable, known bool) { return false, true }

// ParseLifecycle reads the value of a field lifecycle: a map, or nil for all defaults. A zero value means
// the default. The error joins a [*FieldError] for every field that cannot be used; fields nobody
// knows are not errors but end up in Warnings.
func ParseLifecycle(v any) (Lifecycle, error) {
	var l Lifecycle
	p := &parser{}
	root := p.object("lifecycle", v)
	root.flag("auto_start", &l.AutoStart)
	root.duration("start_timeout", &l.StartTimeout)
	root.duration("stop_timeout", &l.StopTimeout)
	root.duration("stable_threshold", &l.StableThreshold)
	root.startup("startup", &l.Optional)
	root.texts("requires", &l.Requires)
	root.texts("depends_on", &l.Requires)

	restart := root.object("restart")
	restart.duration("initial_delay", &l.Restart.InitialDelay)
	restart.duration("max_delay", &l.Restart.MaxDelay)
	restart.number("backoff_factor", &l.Restart.BackoffFactor, 1, 1000)
	restart.number("jitter", &l.Restart.Jitter, 0, 1)
	restart.count("max_attempts", &l.Restart.MaxAttempts)
	restart.finish()

	security := root.object("security")
	if actor := security.object("actor"); actor.values != nil {
		l.Security.Actor = &Actor{}
		actor.text("id", &l.Security.Actor.ID)
		actor.bag("meta", &l.Security.Actor.Meta)
		if l.Security.Actor.ID == "" {
			actor.fail("id", "is required")
		}
		actor.finish()
	}
	security.texts("groups", &l.Security.Groups)
	security.texts("policies", &l.Security.Policies)
	security.finish()
	root.finish()

	l.Warnings = p.warnings
	return l.withDefaults(), errors.Join(p.problems...)
}

// parser collects the problems of one value.
type parser struct {
	problems []error
	warnings []*FieldError
}

// object is one map of the value being read; values is nil when it is absent or no map.
type object struct {
	*parser
	path   string
	values map[string]any
	known  []string
}

func (p *parser) object(path string, v any) *object {
	o := &object{parser: p, path: path}
	switch m := v.(type) {
	case nil:
	case map[string]any:
		o.values = m
	default:
		p.problems = append(p.problems, &FieldError{Field: path, Message: fmt.Sprintf("must be a map, not %s", typeName(v))})
	}
	return o
}

func (o *object) object(name string) *object {
	return o.parser.object(o.path+"."+name, o.value(name))
}

func (o *object) value(name string) any {
	o.known = append(o.known, name)
	return o.values[name]
}

func (o *object) fail(name, format string, args ...any) {
	o.problems = append(o.problems, &FieldError{Field: o.path + "." + name, Message: fmt.Sprintf(format, args...)})
}

// finish notes the fields nobody asked for.
func (o *object) finish() {
	for name := range o.values {
		if !slices.Contains(o.known, name) {
			o.warnings = append(o.warnings, &FieldError{
				Field: o.path + "." + name, Message: "unknown field", Hint: suggest.Hint(name, o.known),
			})
		}
	}
	slices.SortFunc(o.warnings, func(a, b *FieldError) int { return strings.Compare(a.Field, b.Field) })
}

func (o *object) flag(name string, to *bool) {
	switch v := o.value(name).(type) {
	case nil:
	case bool:
		*to = v
	default:
		o.fail(name, "must be true or false, not %s", typeName(v))
	}
}

func (o *object) text(name string, to *string) {
	switch v := o.value(name).(type) {
	case nil:
	case string:
		*to = v
	default:
		o.fail(name, "must be a string, not %s", typeName(v))
	}
}

func (o *object) duration(name string, to *time.Duration) {
	switch v := o.value(name).(type) {
	case nil:
	case time.Duration:
		*to = v
	case string:
		d, err := time.ParseDuration(v)
		switch {
		case v == "":
		case err != nil:
			o.fail(name, "%q is not a duration such as \"10s\" or \"1m30s\"", v)
		case d < 0:
			o.fail(name, "must not be negative")
		default:
			*to = d
		}
	case int, int64, uint64, float64:
		if fmt.Sprint(v) != "0" {
			o.fail(name, "needs a unit: write a duration such as \"10s\", not %v", v)
		}
	default:
		o.fail(name, "must be a duration such as \"10s\", not %s", typeName(v))
	}
}

func (o *object) number(name string, to *float64, low, high float64) {
	var n float64
	switch v := o.value(name).(type) {
	case nil:
		return
	case int:
		n = float64(v)
	case int64:
		n = float64(v)
	case float64:
		n = v
	default:
		o.fail(name, "must be a number, not %s", typeName(v))
		return
	}
	if n != 0 && !(n >= low && n <= high) {
		o.fail(name, "must be between %v and %v, not %v", low, high, n)
		return
	}
	*to = n
}

func (o *object) count(name string, to *int) {
	var n float64
	o.number(name, &n, 0, 1<<31)
	if n != float64(int(n)) {
		o.fail(name, "must be a whole number, not %v", n)
		return
	}
	*to = int(n)
}

// texts appends the strings of a list that are not in *to yet. A single string is a list of one.
func (o *object) texts(name string, to *[]string) {
	switch v := o.value(name).(type) {
	case nil:
	case string:
		appendNew(to, v)
	case []string:
		for _, s := range v {
			appendNew(to, s)
		}
	case []any:
		for i, item := range v {
			if s, ok := item.(string); ok {
				appendNew(to, s)
			} else {
				o.fail(fmt.Sprintf("%s[%d]", name, i), "must be a string, not %s", typeName(item))
			}
		}
	default:
		o.fail(name, "must be a list of strings, not %s", typeName(v))
	}
}

func appendNew(to *[]string, s string) {
	if s != "" && !slices.Contains(*to, s) {
		*to = append(*to, s)
	}
}

func (o *object) bag(name string, to *map[string]any) {
	if m := o.object(name); m.values != nil {
		*to = m.values
	}
}

// startup reads required or optional; anything else counts as required.
func (o *object) startup(name string, optional *bool) {
	var text string
	o.text(name, &text)
	switch text {
	case "", "required":
	case "optional":
		*optional = true
	default:
		o.warnings = append(o.warnings, &FieldError{
			Field: o.path + "." + name, Message: fmt.Sprintf("%q is taken as \"required\"", text),
			Hint: suggest.Hint(text, []string{"required", "optional"}),
		})
	}
}

func typeName(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case string:
		return "a string"
	case bool:
		return "a boolean"
	case int, int64, uint64, float64:
		return "a number"
	case []any, []string:
		return "a list"
	case map[string]any:
		return "a map"
	}
	return fmt.Sprintf("%T", v)
}
