package env_test

import (
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/wippy/service/env"
	"github.com/wippyrun/kit/wippy/service/fields"
	"github.com/wippyrun/kit/wippy/system/fault"
)

func entry(id, kind string, data map[string]any) registry.Entry {
	return registry.Entry{ID: registry.ParseID(id), Kind: kind, Data: data}
}

func setup(t *testing.T, entries ...registry.Entry) (*env.Service, *[]fields.Warning) {
	t.Helper()
	s, warnings := env.New(), new([]fields.Warning)
	l := env.NewListener(s, func(_ registry.Entry, w []fields.Warning) { *warnings = append(*warnings, w...) })
	for _, e := range entries {
		if err := l.Create(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	return s, warnings
}

func TestVariableIsFoundByNameInNamespaceAndById(t *testing.T) {
	t.Setenv("PORT", "8080")
	s, _ := setup(t,
		entry("app:os", env.KindOS, nil),
		entry("app:port", env.KindVariable, map[string]any{"variable": "PORT", "storage": "app:os"}),
	)
	for _, key := range []string{"PORT", "port", "app:port"} {
		if got, err := s.Get(key, "app"); err != nil || got != "8080" {
			t.Errorf("Get(%s) = %q, %v", key, got, err)
		}
	}
	if _, err := s.Get("HOME", "app"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("an undeclared variable is readable: %v", err)
	}
	if _, err := s.Get("", "app"); fault.KindOf(err) != fault.Invalid {
		t.Errorf("empty key: %v", err)
	}
	if err := s.Set("PORT", "app", "1"); fault.KindOf(err) != fault.PermissionDenied || err.Error() != "storage is read-only" {
		t.Errorf("set on the operating system: %v", err)
	}
}

func TestEmptyValueCountsAsUnsetAndDefaultsMayBeScalars(t *testing.T) {
	t.Setenv("EMPTY", "")
	s, _ := setup(t,
		entry("app:os", env.KindOS, nil),
		entry("app:a", env.KindVariable, map[string]any{"variable": "EMPTY", "storage": "app:os", "default": 42.0}),
		entry("app:b", env.KindVariable, map[string]any{"storage": "app:os"}),
	)
	if got, _ := s.Get("EMPTY", "app"); got != "42" {
		t.Errorf("default = %q", got)
	}
	if _, err := s.Get("app:b", "app"); fault.KindOf(err) != fault.NotFound {
		t.Errorf("no value and no default: %v", err)
	}
}

func TestMemoryStorageKeepsValuesOverAnUpdate(t *testing.T) {
	s := env.New()
	l := env.NewListener(s, nil)
	memory := entry("app:mem", env.KindMemory, nil)
	v := entry("app:v", env.KindVariable, map[string]any{"variable": "V", "storage": "app:mem"})
	locked := entry("app:w", env.KindVariable, map[string]any{"variable": "W", "storage": "app:mem", "readonly": true})
	for _, e := range []registry.Entry{memory, v, locked} {
		if err := l.Create(t.Context(), e); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Set("V", "app", "1"); err != nil {
		t.Fatal(err)
	}
	if err := l.Update(t.Context(), memory, memory); err != nil {
		t.Fatal(err)
	}
	if got, _ := s.Get("V", "app"); got != "1" {
		t.Errorf("value lost: %q", got)
	}
	if err := s.Set("W", "app", "1"); err == nil || err.Error() != "environment variable is read-only" {
		t.Errorf("readonly: %v", err)
	}
	if got := s.All(); got["V"] != "1" {
		t.Errorf("All = %v", got)
	}
	if err := l.Delete(t.Context(), memory); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get("V", "app"); err == nil || !strings.Contains(err.Error(), "environment storage backend not found") {
		t.Errorf("without storage: %v", err)
	}
}

func TestBadVariablesNameTheField(t *testing.T) {
	l := env.NewListener(env.New(), nil)
	for name, tc := range map[string]struct {
		data map[string]any
		want string
	}{
		"name":    {map[string]any{"variable": "A-B", "storage": "a:b"}, "invalid environment variable name"},
		"storage": {map[string]any{"storage": "b"}, "invalid storage ID format"},
		"none":    {nil, "storage is required"},
		"type":    {map[string]any{"storage": "a:b", "readonly": "yes"}, "readonly must be true or false"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := l.Create(t.Context(), entry("app:x", env.KindVariable, tc.data)); err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("err = %v, want %q", err, tc.want)
			}
		})
	}
}

func TestPublicNameBelongsToOneVariable(t *testing.T) {
	s := env.New()
	if err := s.AddVariable(env.Variable{ID: "a:x", Name: "X", Storage: "a:s"}); err != nil {
		t.Fatal(err)
	}
	if err := s.AddVariable(env.Variable{ID: "a:y", Name: "X", Storage: "a:s"}); fault.KindOf(err) != fault.AlreadyExists || err.Error() != "variable name already exists: X" {
		t.Errorf("second holder: %v", err)
	}
	if err := s.AddVariable(env.Variable{ID: "a:x", Name: "Z", Storage: "a:s"}); err != nil {
		t.Errorf("renaming: %v", err)
	}
	if err := s.AddVariable(env.Variable{ID: "a:y", Name: "X", Storage: "a:s"}); err != nil {
		t.Errorf("the freed name is not free: %v", err)
	}
}

func TestUnknownFieldIsAWarningWithAGuess(t *testing.T) {
	_, warnings := setup(t,
		entry("app:os", env.KindOS, nil),
		entry("app:a", env.KindVariable, map[string]any{"storage": "app:os", "defualt": "1"}),
	)
	if len(*warnings) != 1 || (*warnings)[0].Hint != `did you mean "default"?` {
		t.Errorf("warnings %v", *warnings)
	}
}

func TestWatchersHearOfValues(t *testing.T) {
	s, _ := setup(t,
		entry("app:mem", env.KindMemory, nil),
		entry("app:v", env.KindVariable, map[string]any{"variable": "V", "storage": "app:mem"}),
		entry("app:w", env.KindVariable, map[string]any{"variable": "W", "storage": "app:mem", "readonly": true}),
	)
	heard := 0
	s.Watch(func() { heard++ })
	if err := s.Set("V", "app", "1"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"W", "none"} {
		if err := s.Set(name, "app", "1"); err == nil {
			t.Errorf("%s was set", name)
		}
	}
	if heard != 1 {
		t.Errorf("heard %d times, one value was set", heard)
	}
}
