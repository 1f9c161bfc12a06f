// SPDX-License-Identifier: Apache-2.0

package stage_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/source"
	"github.com/wippyrun/kit/registry/stage"
)

func TestPipelineKnowsItsStages(t *testing.T) {
	p := stage.NewPipeline(override(nil), stage.Disable(stage.DisableConfig{}), stage.Link(stage.LinkOptions{}))
	if got := strings.Join(p.Stages(), " "); got != "override disable link" {
		t.Errorf("stages %s", got)
	}
}

// What is wrong for several stages is reported at once, and once.
func TestPipelineReportsWhatEveryStageFinds(t *testing.T) {
	es := []registry.Entry{entry("app:gw", "k", nil, nil), requirement("org.mod:r", nil, m{})}
	o := override(m{"app:none:x": 1, "app:gw:addr": ":80"})
	_, _, err := run(t, es, o, stage.Disable(stage.DisableConfig{Entries: []string{"app:gone"}}), stage.Link(stage.LinkOptions{}), o)
	wantError(t, err, "Internal",
		"failed to execute pipeline: stage 'override' failed: override errors: app:none:x: no entry found for app:none",
		"stage 'disable' failed: disable.entries: no entry found for app:gone",
		"stage 'link' failed: unresolved requirements: org.mod:r: no value available")
	if n := strings.Count(err.Error(), "app:none:x"); n != 1 {
		t.Errorf("reported %d times: %v", n, err)
	}
}

// A stage that fails without entries ends the pipeline: what the others would say may be
// wrong.
func TestPipelineEndsWithAStageThatGivesNoEntries(t *testing.T) {
	es := []registry.Entry{requirement("org.mod:r", nil, m{}), entry("app:x", "k", nil, nil)}
	_, _, err := run(t, es, stage.Disable(stage.DisableConfig{Entries: []string{"app"}}), stage.Link(stage.LinkOptions{}), override(m{"app:x:y": 1}))
	wantError(t, err, "Internal", "stage 'disable' failed")
	if strings.Contains(err.Error(), "link") || strings.Contains(err.Error(), "override") {
		t.Error(err)
	}
}

// uncomparable is a stage that cannot be compared with another.
type uncomparable []string

func (uncomparable) Name() string { return "uncomparable" }

func (s uncomparable) Apply(_ context.Context, es []registry.Entry) ([]registry.Entry, error) {
	return es, errors.New(s[0])
}

func TestPipelineOfStagesThatCannotBeCompared(t *testing.T) {
	_, _, err := run(t, []registry.Entry{entry("a:x", "k", nil, nil)}, uncomparable{"one"}, uncomparable{"two"})
	wantError(t, err, "Internal", "stage 'uncomparable' failed: one", "stage 'uncomparable' failed: two")
}

func TestPipelineStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	p := stage.NewPipeline(
		stage.Func("cancels", func(_ context.Context, es []registry.Entry) ([]registry.Entry, error) { cancel(); return es, nil }),
		stage.Func("never", func(context.Context, []registry.Entry) ([]registry.Entry, error) { panic("called") }))
	_, err := p.Run(ctx, nil)
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "failed to execute pipeline") {
		t.Errorf("error %v", err)
	}
}

func TestFailuresTakeAnErrorApart(t *testing.T) {
	dir := write(t, "namespace: app\nentries:\n  - {name: x}\n")
	es := append(parse(t, "namespace: org.mod\nentries:\n  - {name: r, kind: ns.requirement, targets: []}\n"), entry("app:gw", "k", nil, nil))
	_, _, err := run(t, es,
		stage.Override(m{"app:gwy:x": 1, "app": 1}, stage.OverrideOptions{Position: func(key string) string { return ".wippy.yaml:3:5" }}),
		stage.Link(stage.LinkOptions{}), uncomparable{"other"}, stage.LoadDirs([]string{dir}, source.Options{}))
	want := []stage.Failure{
		{Stage: "override", Position: ".wippy.yaml:3:5", Subject: "app", Message: "invalid key: missing first ':' separator (expected namespace:entry:path)", Kind: "Invalid"},
		{Stage: "override", Position: ".wippy.yaml:3:5", Subject: "app:gwy:x", Message: "no entry found for app:gwy", Hint: `did you mean "app:gw"?`, Kind: "NotFound"},
		{Stage: "link", Position: "src/a.yaml:3:5", Subject: "org.mod:r", Message: "no value available: no dependency parameter found and no default value specified",
			Hint: "no dependency declares this component: add one with a parameter r, or a default", Kind: "NotFound"},
		{Stage: "uncomparable", Message: "other"},
		{Stage: "loaddirs", Position: dir + "/a.yaml:3:5", Subject: "entry[0].kind", Message: "kind is required and must be a non-empty string", Kind: "Invalid"},
	}
	if got := stage.Failures(err); !slices.Equal(got, want) {
		t.Errorf("failures\n%+v\nwant\n%+v", got, want)
	}
	if stage.Failures(nil) != nil {
		t.Error("failures of nothing")
	}
}

func TestErrorOfAPipelineTellsItsKindAndThatTryingAgainIsNoUse(t *testing.T) {
	_, _, err := run(t, []registry.Entry{entry("app:a", "k", nil, nil)}, stage.Override(m{"app:b:x": 1}, stage.OverrideOptions{}))
	e, ok := errors.AsType[*stage.Error](err)
	if !ok {
		t.Fatalf("%T", err)
	}
	if retryable, known := e.Retryable(); e.Kind() != "Internal" || retryable || !known {
		t.Errorf("kind %s, retryable %v, known %v", e.Kind(), retryable, known)
	}
	if d := e.Details(); len(d) != 0 {
		t.Errorf("details %v", d)
	}
	if cause := e.Unwrap(); cause == nil || !strings.HasSuffix(e.Error(), cause.Error()) {
		t.Errorf("%v: caused by %v", e, cause)
	}
}

func TestReportTellsWhoRemovedAnEntry(t *testing.T) {
	es := []registry.Entry{entry("app:a", "k", nil, nil), entry("app:b", "k", nil, nil)}
	var r stage.Report
	_, err := stage.NewPipeline(stage.Disable(stage.DisableConfig{Entries: []string{"app:a"}})).Run(stage.WithReport(t.Context(), &r), es)
	if err != nil {
		t.Fatal(err)
	}
	if by, ok := r.RemovedBy(registry.ParseID("app:a")); by != "disable" || !ok || r.Removed() != 1 {
		t.Errorf("removed %d, app:a by %q", r.Removed(), by)
	}
	if by, ok := r.RemovedBy(registry.ParseID("app:b")); ok {
		t.Errorf("app:b was removed by %q", by)
	}
	var none *stage.Report // of a run without one
	if _, ok := none.RemovedBy(registry.ParseID("app:a")); ok {
		t.Error("a report that is not there knows who removed an entry")
	}
}
