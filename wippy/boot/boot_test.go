package boot_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/appctx"
	"github.com/wippyrun/kit/eventbus"
	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/scheduler/dispatch"
	"github.com/wippyrun/kit/wippy/boot"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// output is a buffer several goroutines write to.
type output struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

type app struct {
	t              *testing.T
	runtime        *boot.Runtime
	stdout, stderr *output
}

const terminalEntries = `version: "1.0"
namespace: app
entries:
  - {name: terminal, kind: terminal.host, lifecycle: {auto_start: true}}
`

// write makes a project of the given files; entries is added to an _index.yaml
// with a terminal.
func write(t *testing.T, entries string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	all := map[string]string{"src/_index.yaml": terminalEntries + entries}
	for name, text := range files {
		all[name] = text
	}
	for name, text := range all {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func start(t *testing.T, dir string, change func(*boot.Options)) (*app, error) {
	t.Helper()
	a := &app{t: t, stdout: &output{}, stderr: &output{}}
	o := boot.Options{Dir: dir, Stdin: strings.NewReader(""), Stdout: a.stdout, Stderr: a.stderr}
	if change != nil {
		change(&o)
	}
	var err error
	if a.runtime, err = boot.New(o); err != nil {
		return a, err
	}
	t.Cleanup(a.runtime.Shutdown)
	return a, a.runtime.Start(t.Context())
}

func mustStart(t *testing.T, dir string) *app {
	t.Helper()
	a, err := start(t, dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// run executes app:main and returns the exit code.
func (a *app) run(args ...string) int {
	a.t.Helper()
	if err := a.runtime.Exec(a.t.Context(), "app:main", "", args); err != nil {
		a.t.Fatal(err)
	}
	return a.runtime.Wait()
}

func main(source string) string {
	return "  - name: main\n    kind: process.lua\n    modules: [io]\n    source: |\n      " + strings.ReplaceAll(source, "\n", "\n      ") + "\n"
}

func TestStandardGraphHasTheDocumentedLevels(t *testing.T) {
	levels, err := boot.Plan()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{boot.PIDGen}, {boot.Dispatcher}, {boot.Registry}, {boot.Finder, boot.Supervisor},
		{boot.Topology}, {boot.Lifecycle}, {boot.Factory}, {boot.Functions},
	}
	standard := slices.Concat(want...)
	for i, level := range levels {
		var names []string
		for _, c := range level {
			if slices.Contains(standard, c.Name) {
				names = append(names, c.Name)
			}
		}
		switch {
		case i < len(want) && !slices.Equal(names, want[i]):
			t.Errorf("level %d: %v, want %v", i, names, want[i])
		case i >= len(want) && len(names) > 0:
			t.Errorf("level %d: unexpected %v", i, names)
		}
	}
}

func TestAfterActivationTheContextIsSealedAndTheDispatcherFrozen(t *testing.T) {
	a := mustStart(t, write(t, "", nil))
	dict := appctx.From(a.runtime.Context())
	if !dict.Sealed() {
		t.Error("the AppContext is open")
	}
	defer func() {
		if recover() == nil {
			t.Error("the dispatcher takes a handler after Freeze")
		}
	}()
	boot.KeyDispatcher.MustGet(dict).Register("test", 999, dispatch.HandlerFunc(nil))
}

func TestExitCodeFollowsTheResult(t *testing.T) {
	for name, tc := range map[string]struct {
		source string
		code   int
		stdout string
		stderr string
	}{
		"nothing":     {"return {main = function() end}", 0, "", ""},
		"number":      {"return {main = function() return 3 end}", 3, "", ""},
		"string":      {"return {main = function() return 'hi' end}", 0, "hi\n", ""},
		"true":        {"return {main = function() return true end}", 0, "", ""},
		"false":       {"return {main = function() return false end}", 1, "", ""},
		"table":       {"return {main = function() return {} end}", 0, "", ""},
		"error":       {"return {main = function() error('boom') end}", 1, "", "app:main:1: boom"},
		"nil, string": {"return {main = function() return nil, 'refused' end}", 1, "", "refused"},
		"arguments":   {"return {main = function(a, b) io.print(a, b) end}", 0, "x\ty\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			a := mustStart(t, write(t, main(tc.source), nil))
			if code := a.run("x", "y"); code != tc.code {
				t.Errorf("exit code %d, want %d; stderr %s", code, tc.code, a.stderr)
			}
			if got := a.stdout.String(); got != tc.stdout {
				t.Errorf("stdout %q, want %q", got, tc.stdout)
			}
			if !strings.Contains(a.stderr.String(), tc.stderr) {
				t.Errorf("stderr %q, want %q", a.stderr, tc.stderr)
			}
		})
	}
}

func TestTracebackNamesEntriesAndLines(t *testing.T) {
	a := mustStart(t, write(t, main("local function inner() local t; return t.x end\nlocal function outer() inner() end\nreturn {main = function()\n  outer()\nend}"), nil))
	if code := a.run(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{"stack traceback:", "app:main:1: in function 'inner'", "app:main:2: in function 'outer'", "app:main:4: in"} {
		if !strings.Contains(a.stderr.String(), want) {
			t.Errorf("%q is missing in\n%s", want, a.stderr)
		}
	}
}

func TestEveryProblemIsReportedAtOnceWithItsPlace(t *testing.T) {
	dir := write(t, `  - {name: f, kind: function.lua, source: "return {}"}
  - {name: k, kind: proces.lua, source: "return 1"}
  - {name: bad, kind: library.lua, source: file://bad.lua}
  - {name: user, kind: library.lua, source: "return 1", imports: {x: "app:nothing"}}
`, map[string]string{"src/bad.lua": "local x = = 1\n"})
	_, err := start(t, dir, nil)
	var problems boot.Problems
	if !errors.As(err, &problems) || len(problems) != 4 {
		t.Fatalf("problems: %v", err)
	}
	for _, want := range []string{
		"_index.yaml:5:5: app:f: method is required", `_index.yaml:6:21: app:k: unknown kind "proces.lua"`, `did you mean "process.lua"?`,
		"bad.lua:1:11: app:bad: syntax error", "_index.yaml:8:70: app:user: imports.x: node with ID app:nothing not found",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in\n%v", want, err)
		}
	}
}

func TestFileProblemsAreReportedUnlessLenient(t *testing.T) {
	dir := write(t, "", map[string]string{"src/broken.yaml": "namespace: x\nentries: [\n"})
	if _, err := start(t, dir, nil); err == nil || !strings.Contains(err.Error(), "broken.yaml:") {
		t.Errorf("err = %v", err)
	}
	a, err := start(t, dir, func(o *boot.Options) { o.Lenient = true })
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(a.stderr.String(), "broken.yaml") {
		t.Errorf("no warning in %s", a.stderr)
	}
}

func TestExecExplainsWhatIsMissing(t *testing.T) {
	a := mustStart(t, write(t, main("return {main = function() end}")+"  - {name: note, kind: registry.entry}\n", nil))
	for id, want := range map[string]string{
		"app:mian": `entry not found: app:mian` + "\n" + `  hint: did you mean "app:main"?`,
		"app:note": "entry app:note is a registry.entry, not a process",
		"zzz:zzz":  "processes of this application: app:main",
	} {
		if err := a.runtime.Exec(t.Context(), id, "", nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", id, err, want)
		}
	}
	if err := a.runtime.Exec(t.Context(), "app:main", "app:terminl", nil); err == nil || !strings.Contains(err.Error(), `did you mean "app:terminal"?`) {
		t.Errorf("unknown host: %v", err)
	}
}

func TestExecChoosesTheTerminalHost(t *testing.T) {
	two := mustStart(t, write(t, main("return {main = function() end}")+"  - {name: second, kind: terminal.host}\n", nil))
	if err := two.runtime.Exec(t.Context(), "app:main", "", nil); err == nil || !strings.Contains(err.Error(), "multiple terminal hosts found (app:second, app:terminal)") {
		t.Errorf("two hosts: %v", err)
	}
	if err := two.runtime.Exec(t.Context(), "app:main", "app:second", nil); err == nil || !strings.Contains(err.Error(), "auto_start: true") {
		t.Errorf("host that does not start: %v", err)
	}
}

func TestExecFindsTheServicesRunning(t *testing.T) {
	const services = 200 // each of which needs the one before
	var entries strings.Builder
	for i := range services {
		needs := ""
		if i > 0 {
			needs = fmt.Sprintf("requires: [app:s%d], ", i-1)
		}
		fmt.Fprintf(&entries, "  - {name: s%d, kind: store.memory, lifecycle: {%sauto_start: true}}\n", i, needs)
	}
	source := strings.Replace(main(fmt.Sprintf("return {main = function() require('store').get('app:s%d'):set('k', 1) end}", services-1)), "[io]", "[store]", 1)
	if a := mustStart(t, write(t, source+entries.String(), nil)); a.run() != 0 {
		t.Error(a.stderr)
	}
}

func TestCommandIsFoundByName(t *testing.T) {
	dir := write(t, strings.Replace(main("return {main = function() end}"), "    modules", "    meta: {command: {name: go, short: Goes}}\n    modules", 1), nil)
	commands, err := boot.Commands(boot.Options{Dir: dir})
	if err != nil || len(commands) != 1 || commands[0].Name != "go" || commands[0].Short != "Goes" {
		t.Fatalf("commands %v, %v", commands, err)
	}
	a := mustStart(t, dir)
	if id, err := a.runtime.Command("go"); err != nil || id != "app:main" {
		t.Errorf("Command = %s, %v", id, err)
	}
	if _, err := a.runtime.Command("gone"); err == nil || !strings.Contains(err.Error(), `command "gone" not found. Use 'wippy run list'`) {
		t.Errorf("unknown command: %v", err)
	}
}

func TestExecSpecIsChecked(t *testing.T) {
	for spec, want := range map[string]string{"app": "missing separator ':'", ":x": "namespace cannot be empty", "x:": "entry name cannot be empty", "a:b": ""} {
		err := boot.CheckExecSpec(spec)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", spec, err)
		}
	}
}

func TestRegistryChangesReachTheBusAndTheFunctions(t *testing.T) {
	a := mustStart(t, write(t, "", nil))
	dict := appctx.From(a.runtime.Context())
	seen := make(chan string, 10)
	sub, err := boot.KeyBus.MustGet(dict).Subscribe(t.Context(), eventbus.Pattern{System: "registry", Kind: "entry.*"}, func(e eventbus.Event) { seen <- e.Topic() + " " + e.Path })
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Close()
	entry := registry.Entry{ID: registry.ParseID("app:f"), Kind: "function.lua", Data: map[string]any{"source": "return {main = function() return 1 end}", "method": "main"}}
	if _, err := a.runtime.Registry().Apply(t.Context(), registry.Changeset{{Kind: registry.Create, Entry: entry}}); err != nil {
		t.Fatal(err)
	}
	if got := <-seen; got != "registry.entry.create app:f" {
		t.Errorf("event %q", got)
	}
	if !boot.KeyFunctions.MustGet(dict).Has("app:f") {
		t.Error("the function cannot be called")
	}
}

func TestConfigurationMistakesStopTheStart(t *testing.T) {
	dir := write(t, "", map[string]string{".wippy.yaml": "version: \"1.0\"\nlogger: {encoding: xml}\n"})
	if _, err := start(t, dir, nil); err == nil || !strings.Contains(err.Error(), "logger.encoding: unknown encoding xml") {
		t.Errorf("err = %v", err)
	}
	for want, o := range map[string]boot.Options{
		"expected section.path=value":                {Set: []string{"x"}},
		"invalid override: x":                        {Override: []string{"x"}},
		"no entry found for app:none":                {Override: []string{"app:none:x=1"}},
		"missing ':' separator":                      {Set: []string{"disable.entries=app"}},
		"missing entry name and path":                {Override: []string{"app:=1"}},
		"kind override must be a string":             {Override: []string{"app:terminal:kind=1"}},
		"read configuration: open":                   {ConfigFiles: []string{"nowhere.yaml"}},
		"lock file not found":                        {LockFile: "nowhere.lock"},
		`unknown kind "terminal.hots"`:               {Override: []string{"app:terminal:kind=terminal.hots"}},
		"this program is made without telemetry":     {Set: []string{"otel.enabled=true"}},
		`otel.protocol: unknown protocol "udp"`:      {Set: []string{"otel.enabled=true", "otel.protocol=udp"}},
		"prometheus.address: listen tcp":             {Set: []string{"prometheus.enabled=true", "prometheus.address=nowhere"}},
		"lifecycle.auto_start must be true or false": {Override: []string{"app:terminal:lifecycle.auto_start=7"}},
	} {
		plain := write(t, "", nil)
		_, err := start(t, plain, func(opts *boot.Options) {
			opts.Set, opts.Override, opts.ConfigFiles, opts.LockFile = o.Set, o.Override, o.ConfigFiles, o.LockFile
		})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("err = %v, want %q", err, want)
		}
	}
}

func TestChangesSurviveARestartWithSQLiteHistory(t *testing.T) {
	dir := write(t, main("return {main = function() end}"), map[string]string{".wippy.yaml": "version: \"1.0\"\nregistry: {history_type: sqlite}\n"})
	entry := registry.Entry{ID: registry.ParseID("app:note"), Kind: "registry.entry", Data: map[string]any{"text": "kept"}}
	first := mustStart(t, dir)
	v, err := first.runtime.Registry().Apply(t.Context(), registry.Changeset{{Kind: registry.Create, Entry: entry}})
	if err != nil {
		t.Fatal(err)
	}
	first.runtime.Shutdown()

	second := mustStart(t, dir)
	got, err := second.runtime.Registry().Get(entry.ID)
	if err != nil || got.Data.(map[string]any)["text"] != "kept" {
		t.Errorf("after a restart: %+v, %v", got, err)
	}
	if now := second.runtime.Registry().Current(); now.ID != v.ID {
		t.Errorf("version %v, want %v", now, v)
	}
}
