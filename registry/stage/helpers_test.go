// SPDX-License-Identifier: Apache-2.0

package stage_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/source"
	"github.com/wippyrun/kit/registry/stage"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type m = map[string]any

func entry(id, kind string, meta m, data any) registry.Entry {
	return registry.Entry{ID: registry.ParseID(id), Kind: kind, Meta: meta, Data: data}
}

func find(es []registry.Entry, id string) registry.Entry {
	for _, e := range es {
		if e.ID.String() == id {
			return e
		}
	}
	return registry.Entry{}
}

func names(es []registry.Entry) string {
	var out []string
	for _, e := range es {
		out = append(out, e.ID.String())
	}
	return strings.Join(out, " ")
}

func run(t *testing.T, es []registry.Entry, stages ...stage.Stage) ([]registry.Entry, []stage.Warning, error) {
	t.Helper()
	r := &stage.Report{}
	before := make([]registry.Entry, len(es))
	for i, e := range es {
		before[i] = e.Clone()
	}
	out, err := stage.NewPipeline(stages...).Run(stage.WithReport(t.Context(), r), es)
	for i := range es {
		if !es[i].Equal(before[i]) {
			t.Errorf("a stage modified its input %v", es[i].ID)
		}
	}
	return out, r.Warnings(), err
}

func wantError(t *testing.T, err error, kind string, texts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not contain %q", err, text)
		}
	}
	found := false
	for e := err; e != nil && !found; e = errors.Unwrap(e) {
		if k, ok := e.(interface{ Kind() string }); ok {
			found = k.Kind() == kind
		}
	}
	if kind != "" && !found {
		t.Errorf("no error of kind %s in the chain of %v", kind, err)
	}
}

// parse reads entries from YAML, so that they have places.
func parse(t *testing.T, text string) []registry.Entry {
	t.Helper()
	es, err := source.LoadFS(t.Context(), fstest.MapFS{"a.yaml": {Data: []byte(text)}}, "src", source.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return es
}

func wantWarnings(t *testing.T, got []stage.Warning, want ...string) {
	t.Helper()
	var texts []string
	for _, w := range got {
		texts = append(texts, w.String())
	}
	if !slices.Equal(texts, want) {
		t.Errorf("warnings\n%s\nwant\n%s", strings.Join(texts, "\n"), strings.Join(want, "\n"))
	}
}
