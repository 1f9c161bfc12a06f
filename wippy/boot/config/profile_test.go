package config_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/wippyrun/kit/wippy/boot/config"
)

const layered = `version: "1.0"
vars: {port: 8080, host: "${env:SHOP_HOST|localhost}", url: "http://${host}:${port}/"}
logger: {encoding: json}
relay: {node_name: "${host}"}
override:
  app:gw:addr: ":${port}"
  app:gw:port: "${port}"
  app:gw:url: "${url}"
  app:gw:kept: "${env:app.variable|x} ${NAME|y} $${port}"
prices: {text: "$${port} is ${port}", list: ["${port}", {deep: "${host}"}]}
disable:
  namespaces: [test, "demo.**"]
  entries: ["app:old"]
profiles:
  dev:
    vars: {port: 9090}
    logger: {encoding: console}
    disable: {namespaces: {add: [extra, test], remove: ["demo.**"]}}
  quiet:
    logger: {encoding: json}
    disable: {entries.add: "app:new", entries: ["app:other"]}
`

func TestProfilesAreLaidOverTheFilesInOrder(t *testing.T) {
	t.Setenv("SHOP_HOST", "")
	dir := write(t, layered)
	for name, tc := range map[string]struct {
		profiles []string
		want     map[string]any
	}{
		"none": {nil, map[string]any{"logger.encoding": "json", "override.app:gw:port": 8080,
			"disable.namespaces": []any{"test", "demo.**"}, "disable.entries": []any{"app:old"}}},
		"one": {[]string{"dev"}, map[string]any{"logger.encoding": "console", "override.app:gw:port": 9090,
			"override.app:gw:addr": ":9090", "relay.node_name": "localhost", "disable.namespaces": []any{"test", "extra"}}},
		"two": {[]string{"dev", "quiet"}, map[string]any{"logger.encoding": "json", "disable.entries": []any{"app:other", "app:new"}}},
	} {
		t.Run(name, func(t *testing.T) {
			c, warnings, err := config.Load(dir, nil, tc.profiles)
			if err != nil || len(warnings) > 0 {
				t.Fatal(err, warnings)
			}
			for path, want := range tc.want {
				section, key, _ := strings.Cut(path, ".")
				if got := c.Section(section)[key]; !reflect.DeepEqual(got, want) {
					t.Errorf("%s = %#v, want %#v", path, got, want)
				}
			}
			for _, gone := range []string{"vars", "profiles"} {
				if len(c.Section(gone)) > 0 {
					t.Errorf("section %s is left: %v", gone, c.Section(gone))
				}
			}
		})
	}
}

func TestReferencesTakeVariablesAndTheEnvironment(t *testing.T) {
	t.Setenv("SHOP_HOST", "corner")
	c, _, err := config.Load(write(t, layered), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]any{
		"relay.node_name":      "corner",
		"override.app:gw:addr": ":8080",
		"override.app:gw:port": 8080,
		"override.app:gw:url":  "http://corner:8080/",
		"override.app:gw:kept": "${env:app.variable|x} ${NAME|y} $${port}",
		"prices.text":          "${port} is 8080",
		"prices.list":          []any{8080, map[string]any{"deep": "corner"}},
	} {
		section, key, _ := strings.Cut(path, ".")
		if got := c.Section(section)[key]; !reflect.DeepEqual(got, want) {
			t.Errorf("%s = %#v, want %#v", path, got, want)
		}
	}
	if place := c.Position("override", "app:gw:addr"); !strings.HasSuffix(place, ".wippy.yaml:6:3") {
		t.Errorf("position %q", place)
	}
	if place := c.Position("override", "app:none"); place != "" {
		t.Errorf("position of nothing %q", place)
	}
	if err := c.SetFlag("override.app:gw:addr=:1"); err != nil || c.Position("override", "app:gw:addr") != "--set" {
		t.Errorf("%v, %q", err, c.Position("override", "app:gw:addr"))
	}
}

func TestTextWithoutVariablesIsLeftAlone(t *testing.T) {
	c, _, err := config.Load(write(t, "version: \"1.0\"\noverride: {\"a:b:c\": \"${NAME} ${name}\"}\n"), nil, nil)
	if err != nil || c.String("override", "a:b:c", "") != "${NAME} ${name}" {
		t.Errorf("%v, %v", c.Section("override"), err)
	}
}

func TestMalformedLayersAreErrorsWithTheirPlace(t *testing.T) {
	for name, tc := range map[string]struct {
		text     string
		profiles []string
		want     []string
	}{
		"unset environment":       {"relay: {node_name: \"${env:SHOP_UNSET_VARIABLE}\"}", nil, []string{".wippy.yaml:2:9: environment variable SHOP_UNSET_VARIABLE is not set", "hint"}},
		"all of them":             {"a: {x: \"${env:SHOP_UNSET_VARIABLE}\", y: \"${env:SHOP_UNSET_OTHER}\"}", nil, []string{"SHOP_UNSET_VARIABLE", "SHOP_UNSET_OTHER"}},
		"unknown variable":        {"vars: {port: 1}\nrelay: {node_name: \"x${prot}\"}", nil, []string{".wippy.yaml:3:9: unknown variable \"prot\"", "did you mean \"port\"?"}},
		"nothing like it":         {"vars: {port: 1}\nrelay: {node_name: \"${elsewhere}\"}", nil, []string{"write $${"}},
		"cycle":                   {"vars: {a: \"${b}\", b: \"${a}\"}\nrelay: {node_name: \"${a}\"}", nil, []string{"refers to itself"}},
		"in a list":               {"vars: {a: 1}\nx: {list: [\"${zzzzz}\"], maps: [{a: \"${yyyyy}\"}]}", nil, []string{"zzzzz", "yyyyy"}},
		"unknown profile":         {"profiles: {dev: {}, prod: {}}", []string{"dve"}, []string{`unknown profile "dve"`, `did you mean "dev"?`}},
		"no profile like it":      {"profiles: {dev: {}, prod: {}}", []string{"elsewhere"}, []string{"profiles: dev, prod"}},
		"no profiles at all":      {"logger: {}", []string{"dev"}, []string{"no configuration file has a section profiles"}},
		"profile is no map":       {"profiles: {dev: 1}", nil, []string{`.wippy.yaml:2:17: profile "dev" must be a map of sections`}},
		"section is no map":       {"profiles: {dev: {logger: 1}}", nil, []string{`section "logger" of profile "dev" must be a map`}},
		"profiles in a profile":   {"profiles: {dev: {profiles: {}}}", nil, []string{"a profile cannot have profiles"}},
		"environment in a vars":   {"profiles: {dev: {vars: {a: \"${env:HOME}\"}}}", []string{"dev"}, []string{"vars.a of profile \"dev\"", "not allowed"}},
		"edit by a number":        {"profiles: {dev: {disable: {namespaces: {add: 1}}}}", []string{"dev"}, []string{"must be a list of strings, got int"}},
		"edit by list of numbers": {"profiles: {dev: {disable: {entries.remove: [1]}}}", []string{"dev"}, []string{"must be a list of strings, has a int"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := config.Load(write(t, "version: \"1.0\"\n"+tc.text+"\n"), nil, tc.profiles)
			if err == nil {
				t.Fatal("no error")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q is missing in\n%v", want, err)
				}
			}
		})
	}
}

// Variables that double each other would fill the memory.
func TestVariablesCannotExplode(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: \"1.0\"\nvars:\n  v0: xxxxxxxxxx\n")
	for i := range 60 {
		fmt.Fprintf(&b, "  v%d: \"${v%d}${v%d}\"\n", i+1, i, i)
	}
	b.WriteString("relay: {node_name: \"${v60}\"}\n")
	if _, err := config.LoadText(b.String()); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("error %.200v", err)
	}
}

func TestMistypedSectionsOfProfilesAreWarnings(t *testing.T) {
	_, warnings, err := config.Load(write(t, "version: \"1.0\"\nprofiles: {empty: null, dev: {none: null, logegr: {encoding: json}}}\n"), nil, nil)
	if err != nil || len(warnings) != 1 || !strings.Contains(warnings[0], `unknown section "logegr"`) {
		t.Errorf("%v, %v", warnings, err)
	}
}

func FuzzLayers(f *testing.F) {
	f.Add(layered)
	f.Add("version: \"1.0\"\nx: &a {k: &b [1]}\ny: *a\nz: {<<: *a}\n")
	f.Add("version: \"1.0\"\nvars: {a: \"${a}\"}\nb: {c: \"${a}${env:X|}\"}\nprofiles: {dev: {vars: {a: 1}}}\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := config.LoadText(text, "dev")
		if (err == nil) != (c != nil) {
			t.Fatalf("config %v, error %v", c, err)
		}
		if err != nil {
			return
		}
		for _, section := range c.Sections() {
			for key := range c.Section(section) {
				if c.Position(section, key) == "" {
					t.Errorf("%s.%s has no place", section, key)
				}
			}
		}
	})
}

func TestValuesThatDoNotCountAreWarnings(t *testing.T) {
	c, err := config.LoadText(`version: "1.0"
registry: {histroy_type: sqlite, event_wait_timeout: 5, enable_history: "no", dispatch_internal_kinds: [1]}
supervisor: {host: {worker_count: 1.5, buffer_size: 8.0}}
relay: {peers: {a: "x:1", b: 2}, node_name: [a]}
otel: {sample_rate: 0.5, anything: goes}
shutdown: {timeout: "0", entirely_different: 1, other: null}
finder: {query_cache_size: null}
mine: {whatever: 1}
`)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.SetFlag("profiler.enabled=maybe"); err != nil {
		t.Fatal(err)
	}
	want := []string{
		`--set: profiler.enabled must be true or false, got "maybe"; the default applies`,
		`file.yaml:2:57: registry.enable_history must be true or false, got "no"; the default applies`,
		`file.yaml:2:79: registry.dispatch_internal_kinds must be a list of strings, got [1]; the default applies`,
		`file.yaml:2:34: registry.event_wait_timeout must be a duration such as "30s", got 5; the default applies`,
		`file.yaml:2:12: unknown key registry.histroy_type, did you mean "history_type"?`,
		`file.yaml:4:34: relay.node_name must be a string, got [a]; the default applies`,
		`file.yaml:4:27: relay.peers.b must be a string, got 2; the default applies`,
		`file.yaml:3:21: supervisor.host.worker_count must be an integer, got 1.5; the default applies`,
	}
	got := c.Check()
	slices.Sort(want)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}
