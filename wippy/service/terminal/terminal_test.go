package terminal_test

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"

	lua "github.com/yuin/gopher-lua"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/relay/payload"
	"github.com/wippyrun/kit/wippy/service/terminal"
)

type traced struct{}

func (traced) Error() string { return "short" }
func (traced) Stack() string { return "short\nstack traceback:\n\tapp:x:1\n" }

func TestResultDecidesOutputAndExitCode(t *testing.T) {
	for name, tc := range map[string]struct {
		data   any
		err    error
		code   int
		stdout string
		stderr string
	}{
		"nothing":         {nil, nil, 0, "", ""},
		"nil":             {lua.LNil, nil, 0, "", ""},
		"string":          {lua.LString("hi"), nil, 0, "hi\n", ""},
		"empty string":    {lua.LString(""), nil, 0, "", ""},
		"number":          {lua.LNumber(3.9), nil, 3, "", ""},
		"not a number":    {lua.LNumber(math.NaN()), nil, 1, "", ""},
		"infinity":        {math.Inf(1), nil, 1, "", ""},
		"true":            {lua.LTrue, nil, 0, "", ""},
		"false":           {false, nil, 1, "", ""},
		"table":           {&lua.LTable{}, nil, 0, "", ""},
		"error":           {nil, errors.New("boom"), 1, "", "boom\n"},
		"repeated prefix": {nil, errors.New("a: a: boom"), 1, "", "a: boom\n"},
		"traceback":       {nil, traced{}, 1, "", "short\nstack traceback:\n\tapp:x:1\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			code := terminal.Report(payload.Payload{Data: tc.data}, tc.err, nil, &stdout, &stderr)
			if code != tc.code || stdout.String() != tc.stdout || stderr.String() != tc.stderr {
				t.Errorf("code %d, stdout %q, stderr %q", code, stdout.String(), stderr.String())
			}
		})
	}
}

func TestErrorsAreToldWithTheirPlaceAndWhatHelps(t *testing.T) {
	for _, tc := range []struct{ at, hint, want string }{
		{"", "", "short\nstack traceback:\n\tapp:x:1\n"},
		{"x.lua:1:2", "", "short\n  at x.lua:1:2\nstack traceback:\n\tapp:x:1\n"},
		{"x.lua:1:2", "wait", "short\n  at x.lua:1:2\n  hint: wait\nstack traceback:\n\tapp:x:1\n"},
	} {
		advise := func(error) (at, hint string) { return tc.at, tc.hint }
		var stdout, stderr bytes.Buffer
		if code := terminal.Report(payload.Payload{}, traced{}, advise, &stdout, &stderr); code != 1 || stderr.String() != tc.want {
			t.Errorf("%q %q: code %d, stderr %q", tc.at, tc.hint, code, stderr.String())
		}
	}
}

func TestRawModeNeedsATerminal(t *testing.T) {
	if terminal.NewRawMode(strings.NewReader("")) != nil {
		t.Error("a reader that is no file has raw mode")
	}
}

func TestAutoStartIsReadFromTheLifecycle(t *testing.T) {
	e := registry.Entry{Kind: terminal.KindHost, Data: map[string]any{"lifecycle": map[string]any{"auto_start": true}}}
	if !terminal.AutoStart(e) || terminal.AutoStart(registry.Entry{Kind: terminal.KindHost}) {
		t.Error("auto_start is not read")
	}
}
