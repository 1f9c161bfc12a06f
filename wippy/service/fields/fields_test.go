package fields_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wippyrun/kit/wippy/service/fields"
)

func TestReaderReadsTypedFieldsWithDefaults(t *testing.T) {
	r := fields.New(map[string]any{
		"name": "x", "n": 3.0, "on": true, "wait": "1m30s", "zero": "0s",
		"list": []any{"a", "b"}, "one": "a", "map": map[string]any{"k": "v"},
		"sub": map[string]any{"deep": 7.0}, "text": 1.5,
	})
	if got := r.Required("name"); got != "x" {
		t.Errorf("Required = %q", got)
	}
	if got := r.Int("n", 0); got != 3 {
		t.Errorf("Int = %d", got)
	}
	if got := r.Duration("wait", 0); got != 90*time.Second {
		t.Errorf("Duration = %v", got)
	}
	if got := r.Duration("zero", time.Second); got != time.Second {
		t.Errorf("a zero duration is not the default: %v", got)
	}
	if got := r.Strings("list"); len(got) != 2 {
		t.Errorf("Strings = %v", got)
	}
	if got := r.Strings("one"); len(got) != 1 {
		t.Errorf("Strings of a text = %v", got)
	}
	if keys, m := r.StringMap("map"); len(keys) != 1 || m["k"] != "v" {
		t.Errorf("StringMap = %v", m)
	}
	if got := r.Sub("sub").Int("deep", 0); got != 7 {
		t.Errorf("Sub = %d", got)
	}
	if got, ok := r.Scalar("text"); got != "1.5" || !ok {
		t.Errorf("Scalar = %q", got)
	}
	if !r.Bool("on", false) || r.Bool("off", false) {
		t.Error("Bool")
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
	if u := r.Unknown(); len(u) != 0 {
		t.Errorf("Unknown = %v", u)
	}
}

func TestEmptyListsAndMapsAreTheSame(t *testing.T) {
	none, empty := []any{}, map[string]any{}
	r := fields.New(map[string]any{"map": none, "sub": none, "list": empty, "texts": empty, "items": empty})
	if keys, _ := r.StringMap("map"); len(keys) != 0 {
		t.Errorf("StringMap = %v", keys)
	}
	if r.Sub("sub").Has("x") || len(r.List("list"))+len(r.Strings("texts"))+len(r.Maps("items")) != 0 {
		t.Error("something is in nothing")
	}
	if err := errors.Join(r.Err(), fields.New(none).Err()); err != nil {
		t.Error(err)
	}
	full := fields.New(map[string]any{"map": []any{"a"}, "sub": []any{1.0}, "list": map[string]any{"a": 1.0}, "texts": map[string]any{"a": 1.0}})
	full.StringMap("map")
	full.Sub("sub")
	full.List("list")
	full.Strings("texts")
	for _, want := range []string{"map must be a map, got a list", "sub must be a map, got a list", "list must be a list, got a map",
		"texts must be a list of strings, got a map"} {
		if err := full.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

func TestIDsMayBeMaps(t *testing.T) {
	id, bare := map[string]any{"ns": "app", "name": "db"}, map[string]any{"name": "db"}
	r := fields.New(map[string]any{"one": id, "bare": bare, "list": []any{id, "app:x"}, "single": id, "map": map[string]any{"a": id, "name": "x"}})
	if got := r.String("one", "") + " " + r.Required("one") + " " + r.String("bare", ""); got != "app:db app:db db" {
		t.Errorf("String, Required: %s", got)
	}
	if got := append(r.Strings("list"), r.Strings("single")...); !slices.Equal(got, []string{"app:db", "app:x", "app:db"}) {
		t.Errorf("Strings = %v", got)
	}
	if _, got := r.StringMap("map"); got["a"] != "app:db" || got["name"] != "x" {
		t.Errorf("StringMap = %v", got)
	}
	if err := r.Err(); err != nil {
		t.Error(err)
	}
}

func TestFieldHasOneProblem(t *testing.T) {
	r := fields.New(map[string]any{"driver": []any{1.0}})
	if r.String("driver", "") == "" {
		r.Reject("driver", "driver ID is required")
	}
	if err := r.Err(); err == nil || err.Error() != "driver must be a string, got a list" {
		t.Errorf("%v", err)
	}
}

func TestTextOfVariablesIsRead(t *testing.T) {
	r := fields.New(map[string]any{"n": "12", "f": "1.5", "on": "true", "off": "false"})
	if r.Int("n", 0) != 12 || r.Float("f", 0) != 1.5 || !r.Bool("on", false) || r.Bool("off", true) || r.Err() != nil {
		t.Errorf("%v", r.Err())
	}
	bad := fields.New(map[string]any{"n": "1.5", "f": "NaN", "on": "yes"})
	bad.Int("n", 0)
	bad.Float("f", 0)
	bad.Bool("on", false)
	for _, want := range []string{"n must be a whole number, got 1.5", "f must be a number, got NaN", "on must be true or false, got a string"} {
		if err := bad.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("no %q in %v", want, err)
		}
	}
}

func TestAllProblemsAreCollectedWithTheirPaths(t *testing.T) {
	r := fields.New(map[string]any{"metod": "main", "n": 1.5, "sub": map[string]any{"d": "soon"}, "l": []any{1.0}})
	r.Required("method")
	r.Int("n", 0)
	r.Sub("sub").Duration("d", 0)
	r.Strings("l")
	err := r.Err()
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"method is required", "n must be a whole number", `"soon" is not a duration`, "item 1 is a number"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is missing in %v", want, err)
		}
	}
	var fe *fields.Error
	if !errors.As(err, &fe) || fe.Path != "data.method" || !strings.Contains(fe.Hint, `there is a field "metod"`) || fe.Kind() != "Invalid" {
		t.Errorf("first problem %+v", fe)
	}
}

func TestUnknownFieldsAreGuessed(t *testing.T) {
	r := fields.New(map[string]any{"hst": "x", "own": 1.0, "sub": map[string]any{"wrkers": 1.0}})
	r.String("host", "")
	r.Sub("sub").Int("workers", 1)
	u := r.Unknown()
	if len(u) != 3 || u[0].Path != "data.hst" || !strings.Contains(u[0].Hint, `"host"`) || u[2].Path != "data.sub.wrkers" {
		t.Errorf("Unknown = %+v", u)
	}
}

func TestDataThatIsNoMapIsAProblem(t *testing.T) {
	if err := fields.New([]any{1.0}).Err(); err == nil || !strings.Contains(err.Error(), "must be a map") {
		t.Errorf("err = %v", err)
	}
	if err := fields.New(nil).Err(); err != nil {
		t.Errorf("absent data: %v", err)
	}
}
