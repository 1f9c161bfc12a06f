// SPDX-License-Identifier: Apache-2.0

package boot

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/wippyrun/kit/registry"
	"github.com/wippyrun/kit/registry/source"
	"github.com/wippyrun/kit/registry/stage"
	"github.com/wippyrun/kit/wippy/boot/config"
	"github.com/wippyrun/kit/wippy/boot/project"
)

// loadEntries reads the project's files and runs the boot pipeline over them.
// What does not keep the application from starting is logged. The error is
// Problems when the files themselves are at fault.
func loadEntries(ctx context.Context, o Options, c *config.Config, log *slog.Logger) ([]registry.Entry, error) {
	sources, note, err := project.Locate(o.Dir, o.LockFile)
	if err != nil {
		return nil, err
	}
	if note != "" {
		log.Info(note)
	}
	trees := make([]source.Tree, len(sources))
	for i, s := range sources {
		trees[i] = source.Tree{Dir: s.Dir}
		if s.Module != "" {
			trees[i].Meta = map[string]any{"module": s.Module, "module_version": s.Version}
		}
	}
	entries, err := source.LoadTrees(ctx, trees, source.Options{
		Lenient:  o.Lenient,
		SkipDirs: skippedDirs(),
		Warn: func(p *source.Problem) {
			log.Warn(p.Message, "at", p.Position(), "field", p.Field, "hint", p.Hint)
		},
	})
	if err != nil {
		return nil, sourceProblems(err)
	}
	return runPipeline(ctx, entries, o, c, log)
}

func runPipeline(ctx context.Context, entries []registry.Entry, o Options, c *config.Config, log *slog.Logger) ([]registry.Entry, error) {
	disable, err := stage.ParseDisable(c.Section("disable"))
	if err != nil {
		return nil, err
	}
	disable.Lenient = o.Lenient
	override := stage.Override(c.Section("override"), stage.OverrideOptions{Lenient: o.Lenient})
	var report stage.Report
	entries, err = stage.NewPipeline(
		override,
		stage.Disable(disable),
		stage.Link(stage.LinkOptions{Lenient: o.Lenient}),
		override,
	).Run(stage.WithReport(ctx, &report), entries)
	if err != nil {
		return nil, err
	}
	for _, w := range report.Warnings() {
		log.Warn(w.Message, "stage", w.Stage, "entry", w.ID.String(), "at", w.Position)
	}
	if n := report.Removed(); n > 0 {
		log.Info("entries disabled", "count", n)
	}
	return entries, nil
}

// skippedDirs are the directories the environment asks to leave out.
func skippedDirs() []string {
	var out []string
	for _, dir := range strings.Split(os.Getenv("SKIP_TEST_DIRS"), ",") {
		if dir = strings.TrimSpace(dir); dir != "" {
			out = append(out, dir)
		}
	}
	for variable, dirs := range map[string][]string{
		"SKIP_TEMPORAL_TESTS":     {"_temporal", "temporal"},
		"SKIP_CLOUDSTORAGE_TESTS": {"cloudstorage"},
		"SKIP_SQS_TESTS":          {"sqs"},
		"SKIP_NETWORK_TESTS":      {"network"},
	} {
		if os.Getenv(variable) != "" {
			out = append(out, dirs...)
		}
	}
	slices.Sort(out)
	return out
}

// sourceProblems turns the problems of files into the form all problems of a
// start have.
func sourceProblems(err error) error {
	var problems source.Problems
	if !errors.As(err, &problems) {
		return err
	}
	out := make(Problems, 0, len(problems))
	for _, p := range problems {
		message := p.Message
		if p.Err != nil {
			message += ": " + p.Err.Error()
		}
		out = append(out, Problem{Place: p.Position(), Field: p.Field, Message: message, Hint: p.Hint})
	}
	return out
}
