// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/wippyrun/kit/luart/engine"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/host"
	"github.com/wippyrun/kit/wippy/service/terminal"
	"github.com/wippyrun/kit/wippy/system/fault"
	"github.com/wippyrun/kit/wippy/system/suggest"
	"github.com/wippyrun/kit/wippy/system/topology"
)

// advise tells where in the files of the application an error came to be, as
// "file:line:column", and what may help against it. Both may be "". It is for
// errors that end a program, not for those that programs deal with: it reads the
// registry.
func (r *Runtime) advise(err error) (at, hint string) {
	snapshot := r.registry.Snapshot()
	at = placeOf(snapshot, err)
	if e, ok := errors.AsType[interface {
		error
		Hint() string
	}](err); ok {
		hint = e.Hint()
	}
	if hint == "" {
		hint = missing(snapshot, err)
	}
	return at, hint
}

// luaPosition is how Lua errors begin, or begin behind what says how they came: entry id, line, message.
var luaPosition = regexp.MustCompile(`(?:^|\s)([^\s:]+:[^\s:]+):(\d+): (.*)`)

// quotedName is a name that a Lua error is about.
var quotedName = regexp.MustCompile(`'(\w+)'`)

// placeOf finds the place of an error in the files: the position in its text,
// else the innermost call of its traceback that is in a file.
func placeOf(snapshot registry.Snapshot, err error) string {
	if m := luaPosition.FindStringSubmatch(err.Error()); m != nil {
		line, _ := strconv.Atoi(m[2])
		name := ""
		if q := quotedName.FindStringSubmatch(m[3]); q != nil {
			name = q[1]
		}
		if at := sourcePlace(snapshot, m[1], line, name); at != "" {
			return at
		}
	}
	e, ok := errors.AsType[*engine.Error](err)
	if !ok {
		return ""
	}
	for _, f := range e.Frames() {
		if f.Line > 0 {
			if at := sourcePlace(snapshot, f.Source, f.Line, ""); at != "" {
				return at
			}
		}
	}
	return ""
}

// sourcePlace is the place of a line of an entry's source, and of a name in it.
func sourcePlace(snapshot registry.Snapshot, id string, line int, name string) string {
	entry, ok := snapshot.Get(registry.ParseID(id))
	if !ok {
		return ""
	}
	if _, _, _, ok := entry.SourceOffset("data.source"); !ok {
		return ""
	}
	data, _ := entry.Data.(map[string]any)
	source, _ := data["source"].(string)
	lines := strings.Split(source, "\n")
	if line > len(lines) {
		return ""
	}
	text := lines[line-1]
	column := len(text) - len(strings.TrimLeft(text, " \t")) + 1
	if name != "" {
		if at := regexp.MustCompile(`\b` + name + `\b`).FindStringIndex(text); at != nil {
			column = at[0] + 1
		}
	}
	return entry.Locate("data.source", line, column)
}

// missing is about ids that lead nowhere, and processes that failed: the details of the error name them.
func missing(snapshot registry.Snapshot, err error) string {
	details := fault.DetailsOf(err)
	if linked, ok := details["linked"].(string); ok && errors.Is(err, topology.ErrLinkedFailed) {
		return fmt.Sprintf("%s, which it is linked to, failed with: %v", linked, details["reason"])
	}
	for _, m := range []struct {
		detail, what string
		fits         func(registry.Entry) bool
		other        string // what may help when an entry of another kind has the id
	}{
		{"factory_id", "process", isProcess, ""},
		{"host_id", "host", isHost, ""},
		{"target", "function", isFunction, "spawn it, or give it meta.default_host to call it"},
	} {
		id, _ := details[m.detail].(string)
		if id == "" {
			continue
		}
		if entry, ok := snapshot.Get(registry.ParseID(id)); ok {
			switch {
			case m.fits(entry) && fault.KindOf(err) == fault.Unavailable:
				return id + " is not started: add lifecycle: {auto_start: true} to the entry"
			case m.fits(entry):
				return ""
			case m.detail == "target" && isProcess(entry):
				return fmt.Sprintf("%s is a %s: %s", id, entry.Kind, m.other)
			case m.detail == "factory_id" && isFunction(entry):
				return fmt.Sprintf("%s is a %s: call it with funcs.call", id, entry.Kind)
			}
			return fmt.Sprintf("%s is a %s, not a %s", id, entry.Kind, m.what)
		}
		var ids []string
		for e := range snapshot.All() {
			if m.fits(e) {
				ids = append(ids, e.ID.String())
			}
		}
		slices.Sort(ids)
		text := fmt.Sprintf("there is no %s %s", m.what, id)
		if near, ok := suggest.Closest(id, ids); ok {
			return fmt.Sprintf("%s; did you mean %q?", text, near)
		}
		return text
	}
	return ""
}

func isProcess(e registry.Entry) bool {
	return strings.HasPrefix(e.Kind, "process.") && e.Kind != host.KindHost && e.Kind != host.KindService ||
		strings.HasPrefix(e.Kind, "workflow.")
}

func isHost(e registry.Entry) bool { return e.Kind == host.KindHost || e.Kind == terminal.KindHost }

func isFunction(e registry.Entry) bool {
	if isProcess(e) {
		options, _ := e.Meta["options"].(map[string]any)
		return e.Meta["default_host"] != nil || options["default_host"] != nil
	}
	return strings.HasPrefix(e.Kind, "function.")
}
